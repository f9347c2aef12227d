-- The columns of a published view and their types.
SELECT name, type FROM system.columns WHERE database = 'parkmesh' AND table = {view:String} ORDER BY position
