-- Some of the records of a lot and month of which one of the two tables holds a row that the other does not.
SELECT groupArray(20)(record_id)
FROM (
    SELECT DISTINCT record_id
    FROM (
        SELECT record_id, {hashed} AS hash FROM {live} FINAL WHERE _partition_id = {partition:String} AND toYYYYMM({time}) = {month:UInt32} AND lot_id = {lot:String}
        UNION ALL
        SELECT record_id, {hashed} AS hash FROM {shadow} FINAL WHERE _partition_id = {partition:String} AND toYYYYMM({time}) = {month:UInt32} AND lot_id = {lot:String}
    )
    GROUP BY record_id, hash
    HAVING count() = 1
    ORDER BY record_id
)
