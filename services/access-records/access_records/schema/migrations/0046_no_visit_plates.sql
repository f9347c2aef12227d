-- As its feed.
DROP TABLE IF EXISTS store.visit_plates SYNC
