-- A lot-month in which a rebuild found other rows than it made.
INSERT INTO store.rebuild_differences (rebuild_id, projection, lot_id, month, held_rows, rebuilt_rows, record_ids)
SELECT {rebuild_id:String}, {projection:UInt8}, {lot:String}, {month:UInt32}, {held:UInt64}, {rebuilt:UInt64}, {ids:Array(String)}
