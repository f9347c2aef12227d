-- Whether visits come into visits_by_plate by themselves: its view is made after both tables.
SELECT 1 FROM system.tables WHERE database = 'store' AND name = 'visits_by_plate_feed'
