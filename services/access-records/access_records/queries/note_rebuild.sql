-- How far a projection of a rebuild has come.
INSERT INTO store.rebuilds (rebuild_id, projection, state, compared_rows, different_lot_months, note_time)
SELECT {rebuild_id:String}, {projection:UInt8}, {state:UInt8}, {rows:UInt64}, {different:UInt32}, fromUnixTimestamp64Milli({now:Int64}, 'Asia/Shanghai')
