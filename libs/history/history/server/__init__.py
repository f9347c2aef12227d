"""ClickHouse's HTTP interface over the engine embedded in this process: the history server of one machine.

Accounts have one of four kinds, each an engine role. `owner` makes the schema, `writer` inserts, `reader` reads the
store, `analyst` reads the published database and nothing else. What an analyst may read is a view of that database
that runs with the rights of the engine user `owner`:

    CREATE VIEW parkmesh.lots DEFINER = owner SQL SECURITY DEFINER AS SELECT … FROM store.lots_current

(`CREATE OR REPLACE VIEW` and views with `{name:Type}` parameters work too; `VIEW_RIGHTS` is that clause as a constant.)
Without the clause the view runs with the rights of the caller and an analyst is refused. The text of a view is not
shown to analysts, but do not put a secret into one all the same.
"""

VIEW_RIGHTS = "DEFINER = owner SQL SECURITY DEFINER"
"""The clause between the name of a published view and its AS: it lets an analyst read what the view selects."""
