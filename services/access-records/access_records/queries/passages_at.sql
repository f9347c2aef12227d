-- The records that hold at some places, up to a position of the log, and perhaps others of the same lots, instants and ids.
-- Three sets of plain texts, as in reports_of_records. The set of instants has the column's zone: of one in another zone the engine would take another month.
SELECT {columns}
FROM store.records_current FINAL
WHERE lot_id IN splitByChar(' ', {lots:String})
    AND event_time IN (SELECT fromUnixTimestamp64Milli(toInt64(arrayJoin(splitByChar(' ', {times:String}))), 'Asia/Shanghai'))
    AND record_id IN splitByChar(' ', {ids:String})
    AND log_offset <= {until:UInt64}
