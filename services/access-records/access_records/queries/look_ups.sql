-- Who looked up which plate, the latest first, behind a place in that order.
SELECT
    look_up_id,
    method,
    account_id,
    subject_id,
    lower(hex(plate_key)),
    lot_id,
    record_id,
    purpose,
    case_number,
    toUnixTimestamp64Milli(start_time),
    toUnixTimestamp64Milli(end_time),
    toUnixTimestamp64Milli(note_time) AS note_ms
FROM store.look_ups FINAL
WHERE note_time >= fromUnixTimestamp64Milli({start:Int64})
    AND note_time < fromUnixTimestamp64Milli({end:Int64})
    AND (note_ms, look_up_id) < ({before_ms:Int64}, {before_id:String})
ORDER BY note_time DESC, look_up_id DESC
LIMIT {limit:UInt32}
