-- When the last first report of each lot was accepted, of lots that sent one since an instant: the months before are not read at all.
SELECT lot_id, toUnixTimestamp64Milli(max(accept_time))
FROM store.record_revisions
WHERE revision = 0 AND accept_time >= fromUnixTimestamp64Milli({since:Int64})
GROUP BY lot_id
