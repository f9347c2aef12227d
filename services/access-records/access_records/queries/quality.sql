-- What is wrong with the records that happened on these days; what was revised, and what was refused, on these days.
SELECT group_id, figure, reason, sum(items) AS items
FROM
(
    SELECT
        group_id,
        figures.1 AS figure,
        0 AS reason,
        figures.2 AS items
    FROM
    (
        SELECT
            transform(toString(lot_id), splitByChar(' ', {lots:String}), splitByChar(' ', {groups:String}), '') AS group_id,
            [
                ('records', count()),
                ('without_pictures', countIf(empty(image_ids))),
                ('too_few_pictures', countIf(length(image_ids) < {pictures:UInt32})),
                ('unread', countIf(plate_state = 2)),
                ('unlicensed', countIf(plate_state = 3)),
                ('warned', countIf(notEmpty(warnings)))
            ] AS all_figures
        FROM store.records_current FINAL
        WHERE lot_id IN splitByChar(' ', {lots:String})
            AND event_time >= fromUnixTimestamp64Milli({start:Int64})
            AND event_time < fromUnixTimestamp64Milli({end:Int64})
        GROUP BY group_id
    )
    ARRAY JOIN all_figures AS figures
    UNION ALL
    SELECT
        transform(toString(lot_id), splitByChar(' ', {lots:String}), splitByChar(' ', {groups:String}), '') AS group_id,
        if(revision_kind = 1, 'corrections', 'voids') AS figure,
        0 AS reason,
        count() AS items
    FROM store.record_revisions FINAL
    WHERE lot_id IN splitByChar(' ', {lots:String})
        AND accept_time >= fromUnixTimestamp64Milli({start:Int64})
        AND accept_time < fromUnixTimestamp64Milli({end:Int64})
        AND revision_kind IN (1, 2)
    GROUP BY group_id, figure
    UNION ALL
    SELECT
        transform(toString(lot_id), splitByChar(' ', {lots:String}), splitByChar(' ', {groups:String}), '') AS group_id,
        'rejections' AS figure,
        toInt64(rejections.reason) AS reason,
        count() AS items
    FROM store.rejections FINAL
    WHERE lot_id IN splitByChar(' ', {lots:String})
        AND note_time >= fromUnixTimestamp64Milli({start:Int64})
        AND note_time < fromUnixTimestamp64Milli({end:Int64})
    GROUP BY group_id, reason
)
GROUP BY group_id, figure, reason
ORDER BY group_id, figure, reason
LIMIT {limit:UInt32}
