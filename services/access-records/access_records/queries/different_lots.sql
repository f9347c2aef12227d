-- Of one month: how many rows hold in a table and in the one that was made anew, by lot, and whether they are the same rows.
SELECT lot_id, sum(held.rows) AS held_rows, sum(rebuilt.rows) AS rebuilt_rows, sum(held.hash) != sum(rebuilt.hash) OR held_rows != rebuilt_rows AS differs
FROM (SELECT lot_id, count() AS rows, sum({hashed}) AS hash FROM {live} FINAL WHERE _partition_id = {month:String} GROUP BY lot_id) AS held
FULL JOIN (SELECT lot_id, count() AS rows, sum({hashed}) AS hash FROM {shadow} FINAL WHERE _partition_id = {month:String} GROUP BY lot_id) AS rebuilt USING (lot_id)
GROUP BY lot_id
ORDER BY lot_id
