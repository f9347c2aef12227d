-- Whether there is a visit.
SELECT 1 FROM store.visits LIMIT 1
