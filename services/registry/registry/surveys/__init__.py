"""Surveys (R8.3): a census file is read, understood, compared with the register, reported, and applied.

`file` reads a `sheet`, lines of text, by `csv_sheet` or `xlsx_sheet`; `columns` says what may stand in it, `cells` and
`words` how; `layout` and `draft` make messages of it; `known` is what the register holds of the same, `identity` which
of it a row is about, `merging` both together, `comparison` what differs, `report` how that is told, and `applied` how
it is written; `surveys` puts them together in transactions.
"""
