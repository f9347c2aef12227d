"""The nouns of `parkmesh admin`."""

from parkmesh_cli.admin import (
    accounts,
    audit,
    berths,
    changes,
    coverage,
    devices,
    gates,
    grants,
    lots,
    operators,
    rules,
    surveys,
    vendors,
)
from parkmesh_cli.admin.asking import group

app = group(
    "The authority's work: the register, its rules and rights, and their history. 管理\n\n"
    "Times are Beijing time: 2026-03-14 is that day's first moment. Exit codes: 0 done, 1 refused or not all well, "
    "2 wrong usage, 3 the platform does not answer."
)
app.add_typer(vendors.app, name="vendors")
app.add_typer(grants.app, name="grants")
app.add_typer(operators.app, name="operators")
app.add_typer(lots.app, name="lots")
app.add_typer(gates.app, name="gates")
app.add_typer(devices.app, name="devices")
app.add_typer(berths.app, name="berths")
app.add_typer(rules.app, name="rules")
app.add_typer(surveys.app, name="surveys")
app.add_typer(changes.app, name="changes")
app.add_typer(accounts.app, name="accounts")
app.add_typer(audit.app, name="audit")
app.command("coverage")(coverage.coverage)
