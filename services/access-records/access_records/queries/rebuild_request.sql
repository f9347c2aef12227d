-- What was asked for under the id of a rebuild.
SELECT projection, check_only, toUnixTimestamp64Milli(note_time) FROM store.rebuild_requests FINAL WHERE rebuild_id = {rebuild_id:String}
