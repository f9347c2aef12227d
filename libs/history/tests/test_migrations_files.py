"""What a folder of migrations must look like before anything is sent to a server."""

from pathlib import Path

import pytest
from history.migrations import MigrationError, load, load_views

CREATE = "CREATE TABLE IF NOT EXISTS a.t (id String) ENGINE = MergeTree ORDER BY id"


def folder(tmp_path: Path, **files: str) -> Path:
    for name, text in files.items():
        (tmp_path / f"{name}.sql").write_text(text, encoding="utf-8")
    return tmp_path


def test_files_are_read_in_order_with_a_trailing_semicolon_removed(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("not a migration")
    found = load(folder(tmp_path, **{"0002_more": f"-- Why.\n{CREATE};\n", "0001_first": f"-- 因为。\n{CREATE}"}))
    assert [(migration.number, migration.name) for migration in found] == [(1, "0001_first.sql"), (2, "0002_more.sql")]
    assert found[1].sql == f"-- Why.\n{CREATE}"
    assert found[0].checksum != found[1].checksum


def test_an_empty_folder_holds_no_migrations(tmp_path: Path) -> None:
    assert load(tmp_path) == ()


@pytest.mark.parametrize(
    ("names", "fault"),
    [
        (["0002_starts_late"], "0001 is missing"),
        (["0001_a", "0003_c"], "0002 is missing"),
        (["0001_a", "0001_b"], "used twice"),
        (["1_short"], "must read NNNN"),
        (["0001_Upper"], "must read NNNN"),
    ],
)
def test_numbers_without_gap_or_repeat(tmp_path: Path, names: list[str], fault: str) -> None:
    with pytest.raises(MigrationError, match=fault) as caught:
        load(folder(tmp_path, **dict.fromkeys(names, f"-- Why.\n{CREATE}")))
    assert names[-1] in str(caught.value)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (CREATE, "says why"),
        (f"--\n{CREATE}", "says why"),
        ("-- Why.\n", "one statement"),
        (f"-- Why.\n{CREATE}; {CREATE}", "one statement"),
        ("-- Why.\nCREATE TABLE a.t (id String) ENGINE = MergeTree ORDER BY id", "run twice"),
        ("-- IF NOT EXISTS\nCREATE VIEW a.v AS SELECT 'IF NOT EXISTS'", "run twice"),
        ("-- Why.\nCREATE OR REPLACE TABLE a.t (id String) ENGINE = MergeTree ORDER BY id", "run twice"),
        ("-- Why.\nALTER TABLE a.t ADD COLUMN n UInt8", "run twice"),
        ("-- Why.\nALTER TABLE a.t ADD COLUMN IF NOT EXISTS n UInt8, ADD COLUMN m UInt8", "run twice"),
        ("-- Why.\nALTER TABLE a.t DELETE WHERE n = 1", "run twice"),
        ("-- Why.\nDROP TABLE a.t", "run twice"),
        ("-- Why.\nINSERT INTO a.t VALUES (1)", "run twice"),
        ("-- Why.\nTRUNCATE TABLE a.t", "run twice"),
    ],
)
def test_a_file_that_could_not_be_reviewed_or_repeated_is_refused(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(MigrationError, match=fault) as caught:
        load(folder(tmp_path, **{"0001_it": text}))
    assert str(caught.value).startswith("0001_it.sql")


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE DATABASE IF NOT EXISTS a",
        "CREATE TABLE IF NOT EXISTS a.t (id String DEFAULT ';' COMMENT 'one; -- two') ENGINE = MergeTree ORDER BY id",
        "create materialized view if not exists a.v to a.t as select 1 as id /* a; b */",
        "CREATE OR REPLACE VIEW a.v AS SELECT 1",
        "ALTER TABLE a.t\n    ADD COLUMN IF NOT EXISTS n Decimal(9, 2) AFTER id",
        "ALTER TABLE a.t ADD COLUMN IF NOT EXISTS n UInt8, ADD COLUMN IF NOT EXISTS m UInt8",
        "ALTER TABLE a.t RENAME COLUMN IF EXISTS n TO m",
        "ALTER TABLE a.t MODIFY SETTING old_parts_lifetime = 480",
        "DROP VIEW IF EXISTS a.v",
        "GRANT SELECT ON pub.* TO analyst",
    ],
)
def test_statements_that_may_run_twice_are_taken(tmp_path: Path, statement: str) -> None:
    (migration,) = load(folder(tmp_path, **{"0001_it": f"-- Why; it's\n-- two lines.\n{statement};"}))
    assert migration.sql.endswith(statement)


def view(name: str, reads: str) -> str:
    return f"-- Why: as pub.other_{name} was.\nCREATE OR REPLACE VIEW pub.{name} AS SELECT 'pub.z' AS text FROM {reads}"


def test_views_come_behind_those_that_they_read_from(tmp_path: Path) -> None:
    given = folder(tmp_path, a=view("a", "pub.b JOIN pub.c USING (n)"), b=view("b", "pub.c"), c=view("c", "store.a"))
    assert [sql.split("VIEW ")[1].split(" ")[0] for sql in load_views(given)] == ["pub.c", "pub.b", "pub.a"]


def test_views_in_a_circle_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MigrationError, match="in a circle"):
        load_views(folder(tmp_path, a=view("a", "pub.b"), b=view("b", "pub.a")))


@pytest.mark.parametrize("text", [f"-- Why.\n{CREATE}", view("b", "store.t"), view("a", "store.t").partition("\n")[2]])
def test_a_views_file_holds_that_view_and_says_why(tmp_path: Path, text: str) -> None:
    with pytest.raises(MigrationError, match=r"a\.sql"):
        load_views(folder(tmp_path, a=text))
