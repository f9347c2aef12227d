-- As its feed; however large it is.
DROP TABLE IF EXISTS store.visit_plates SYNC SETTINGS max_table_size_to_drop = 0
