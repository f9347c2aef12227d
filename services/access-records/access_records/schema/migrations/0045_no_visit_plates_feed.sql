-- visits_by_plate holds the visits themselves.
DROP VIEW IF EXISTS store.visit_plates_feed
