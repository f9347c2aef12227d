-- Of one month of an index, by lot: how many of the rows that must be there are, how many must be, and some records of which one is missing.
-- Rows that a correction left behind may be there too: whoever reads them looks the record up.
SELECT lot_id, countIf(held) AS held_rows, count() AS rebuilt_rows, groupArrayIf(20)(record_id, NOT held)
FROM (
    SELECT {key}, max(side) = 2 AS rebuilt, min(side) = 1 AS held
    FROM (
        SELECT {key}, 1 AS side FROM {live} WHERE _partition_id = {month:String}
        UNION ALL
        SELECT {key}, 2 AS side FROM {shadow} WHERE _partition_id = {month:String}
    )
    GROUP BY {key}
    HAVING rebuilt
)
GROUP BY lot_id
ORDER BY lot_id
