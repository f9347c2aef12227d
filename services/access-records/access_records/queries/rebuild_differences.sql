-- The lot-months in which a rebuild found other rows than it made.
SELECT projection, lot_id, month, held_rows, rebuilt_rows, record_ids
FROM store.rebuild_differences FINAL
WHERE rebuild_id = {rebuild_id:String}
ORDER BY projection, month, lot_id
