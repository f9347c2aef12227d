-- How far the projections of a rebuild have come.
SELECT projection, state, compared_rows, different_lot_months FROM store.rebuilds FINAL WHERE rebuild_id = {rebuild_id:String} ORDER BY projection
