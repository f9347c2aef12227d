-- The visits of one vehicle that began before an instant and were not over before another, behind a place in their order, in some lots or in all.
-- A visit without an exit counts as not over until no exit is waited for any more.
SELECT {columns}
FROM store.visits_by_plate FINAL
WHERE plate_key = toFixedString(unhex({plate:String}), 16)
    AND anchor_time < fromUnixTimestamp64Milli({end:Int64})
    AND ({colour:UInt8} = 0 OR plate_colour = {colour:UInt8})
    AND ({everywhere:Bool} OR lot_id IN splitByChar(' ', {lots:String}))
    AND greatest(coalesce(exit_time, due_time, anchor_time), anchor_time) >= fromUnixTimestamp64Milli({start:Int64})
    AND (toUnixTimestamp64Milli(anchor_time), lot_id, record_id) > ({after_ms:Int64}, {after_lot:String}, {after_id:String})
ORDER BY anchor_time, lot_id, record_id
LIMIT {limit:UInt32}
