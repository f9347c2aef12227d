-- Of one partition and some lots: by lot and month, some of the records of which one of the two tables holds a row that the other does not.
-- One question for all of them: by the plates, no lot's rows lie together.
SELECT lot_id, month, groupArray(record_id)
FROM (
    SELECT DISTINCT lot_id, month, record_id
    FROM (
        SELECT lot_id, toYYYYMM({time}) AS month, record_id, {hashed} AS hash FROM {live} FINAL WHERE _partition_id = {partition:String} AND lot_id IN splitByChar(' ', {lots:String})
        UNION ALL
        SELECT lot_id, toYYYYMM({time}) AS month, record_id, {hashed} AS hash FROM {shadow} FINAL WHERE _partition_id = {partition:String} AND lot_id IN splitByChar(' ', {lots:String})
    )
    GROUP BY lot_id, month, record_id, hash
    HAVING count() = 1
    ORDER BY lot_id, month, record_id
    LIMIT 20 BY lot_id, month
)
GROUP BY lot_id, month
