-- The rebuilds that were asked for lately and of which something is still to be done, the first one first; with the projections that are done.
SELECT rebuild_id, requests.projection AS projection, check_only, done
FROM store.rebuild_requests AS requests FINAL
LEFT JOIN (SELECT rebuild_id, groupArray(rebuilds.projection) AS done FROM store.rebuilds AS rebuilds FINAL WHERE state > 2 GROUP BY rebuild_id) AS finished USING (rebuild_id)
WHERE note_time > fromUnixTimestamp64Milli({since:Int64})
ORDER BY note_time, rebuild_id
