-- Of one partition: how many rows hold in a table and in the one that was made anew, by lot and month, and whether they are the same rows.
SELECT lot_id, month, sum(held.rows) AS held_rows, sum(rebuilt.rows) AS rebuilt_rows, sum(held.hash) != sum(rebuilt.hash) OR held_rows != rebuilt_rows AS differs
FROM (SELECT lot_id, toYYYYMM({time}) AS month, count() AS rows, sum({hashed}) AS hash FROM {live} FINAL WHERE _partition_id = {partition:String} GROUP BY lot_id, month) AS held
FULL JOIN (SELECT lot_id, toYYYYMM({time}) AS month, count() AS rows, sum({hashed}) AS hash FROM {shadow} FINAL WHERE _partition_id = {partition:String} GROUP BY lot_id, month) AS rebuilt USING (lot_id, month)
GROUP BY lot_id, month
ORDER BY lot_id, month
