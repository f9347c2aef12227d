"""The audit trail: every act is in it, and whatever is altered behind its back shows."""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import sqlalchemy as sa
from mesh.testing import ManualClock, SequentialIds
from parkmesh.registry.v1.lot_pb2 import LOT_STATE_ACTIVE
from registry.errors import AlreadyRegistered
from registry.history.audit import Audit, Verdict, WantedActs
from registry.history.changes import Changes
from registry.static.register import Register
from registry.static.rules import Rules
from registry.storage import seal
from registry.storage.acts import Act
from registry.storage.store import Store
from registry.storage.tables import AUDIT, CHANGES, NUMBERING
from registry.testing import ADMINISTRATOR, a_gate, a_lot, a_report_rule, department, kept, operator_caller

NOW = 4_102_444_800_000
ACTS = 5


async def filled(store: Store) -> None:
    """Five entries, of two changes each but the third, which changes nothing."""
    for number in range(1, ACTS + 1):
        if number == 3:
            async with store.writing(Act.of(ADMINISTRATOR, NOW + number)) as facts:
                facts.about("accounts/account-1")
                facts.note("BAD_LOGIN")
        else:
            lot = a_lot(number, lot_id=f"lot-{number}")
            await kept(store, NOW + number, lot, a_gate(lot_id=lot.lot_id))


async def altered(store: Store, *statements: str) -> Verdict:
    """What a look at the chain says after somebody went to the database."""
    async with store._engine.begin() as connection:
        for statement in statements:
            await connection.execute(sa.text(statement))
    return await Audit(store).verify()


async def test_every_act_is_sealed_by_an_entry(store: Store) -> None:
    clock, ids = ManualClock(), SequentialIds()
    register, police = Register(store, clock, ids), department("police")
    rule = await Rules(store, clock, ids).create(ADMINISTRATOR, a_report_rule(48, NOW), "细则")
    await Rules(store, clock, ids).end(ADMINISTRATOR, rule.rule_id, NOW + 5, "")
    lot = await register.create_lot(ADMINISTRATOR, a_lot())
    await register.review_lot(police, lot.lot_id, LOT_STATE_ACTIVE, "", "")
    await Changes(store, clock).receive(police, [3])
    with pytest.raises(AlreadyRegistered):
        await register.create_lot(ADMINISTRATOR, a_lot(name="另一名"))
    audit = Audit(store)
    entries = [(row.target, row.first_revision, row.last_revision) for row in await audit.list(WantedActs(), None, 99)]
    assert entries == [
        ("rules/rule-1", 1, 1),
        ("rules/rule-1", 2, 2),
        ("lots/lot-1", 3, 3),
        ("lots/lot-1", 4, 4),
        ("changes/3-3", 0, 0),
    ]
    verdict = await audit.verify()
    assert (verdict.entries, verdict.changes, verdict.first_broken, verdict.problem) == (5, 4, 0, "")
    assert verdict.head_hash == (await audit.list(WantedActs(newest_first=True), None, 1))[0].hash


async def test_an_empty_trail_and_a_whole_one_hold(store: Store) -> None:
    empty = await Audit(store).verify()
    assert (empty.entries, empty.changes, empty.first_broken, empty.head_hash) == (0, 0, 0, seal.FIRST_HASH)
    await filled(store)
    whole = await Audit(store).verify()
    assert (whole.entries, whole.changes, whole.first_broken, whole.problem_zh) == (ACTS, 8, 0, "")


async def test_an_altered_entry_is_found_in_whatever_field(store: Store) -> None:
    await filled(store)
    for column in seal.FIELDS:
        if column in ("number", "previous_hash"):
            continue
        (before,) = await Audit(store).list(WantedActs(), 1, 1)
        other = "7" if column in ("at_ms", "first_revision", "last_revision") else "'other'"
        found = await altered(store, f"UPDATE audit SET {column} = {other} WHERE number = 2")
        assert (found.first_broken, found.problem, found.problem_zh) == (2, "it was altered", "该记录被改动"), column
        was = before._mapping[column]
        back = await altered(store, f"UPDATE audit SET {column} = '{was}' WHERE number = 2")
        assert back.first_broken == 0


async def test_an_altered_change_is_found_in_whatever_field(store: Store) -> None:
    await filled(store)
    for column in seal.CHANGE_FIELDS:
        if column == "revision":
            continue
        async with store.reading() as facts:
            (before,) = await facts.rows(sa.select(CHANGES).where(CHANGES.c.revision == 5))
        other = "7" if column in ("effective_ms", "report_ms") else "'other'"
        found = await altered(store, f"UPDATE changes SET {column} = {other} WHERE revision = 5")
        assert (found.first_broken, found.problem) == (4, "changes that it sealed were altered"), column
        was = before._mapping[column]
        back = await altered(store, f"UPDATE changes SET {column} = '{was}' WHERE revision = 5")
        assert back.first_broken == 0


FOUND: dict[str, tuple[list[str], int]] = {
    "the first entry deleted": (["DELETE FROM audit WHERE number = 1"], 1),
    "one in the middle deleted": (["DELETE FROM audit WHERE number = 3"], 3),
    "the last deleted": (["DELETE FROM audit WHERE number = 5"], 5),
    "all deleted": (["DELETE FROM audit"], 1),
    "all deleted, and the numbering set back": (
        ["DELETE FROM audit", f"UPDATE numbering SET audit_number = 0, audit_hash = '{seal.FIRST_HASH}'"],
        1,
    ),
    "two swapped": (
        [
            "UPDATE audit SET number = 99 WHERE number = 2",
            "UPDATE audit SET number = 2 WHERE number = 4",
            "UPDATE audit SET number = 4 WHERE number = 99",
        ],
        2,
    ),
    "a hash altered": (["UPDATE audit SET hash = 'other' WHERE number = 5"], 5),
    "a link altered": (["UPDATE audit SET previous_hash = 'other' WHERE number = 4"], 4),
    "an entry put in before the first": (
        [
            "INSERT INTO audit SELECT 0, at_ms, action, target, role, subject, account_id"
            ", client_id, outcome, refusal, 0, 0, changes_sha256, previous_hash, 'x' FROM audit WHERE number = 1"
        ],
        6,
    ),
    "an entry put in after the last": (
        [
            "INSERT INTO audit SELECT 6, at_ms, action, target, role, subject, account_id"
            ", client_id, outcome, refusal, 0, 0, changes_sha256, previous_hash, 'x' FROM audit WHERE number = 1"
        ],
        6,
    ),
    "the first change deleted": (["DELETE FROM facts", "DELETE FROM changes WHERE revision = 1"], 1),
    "the last change deleted": (["DELETE FROM facts", "DELETE FROM changes WHERE revision = 8"], 5),
    "changes swapped": (
        [
            "DELETE FROM facts",
            "UPDATE changes SET revision = 99 WHERE revision = 3",
            "UPDATE changes SET revision = 3 WHERE revision = 4",
            "UPDATE changes SET revision = 4 WHERE revision = 99",
        ],
        2,
    ),
    "a change put in at the end": (
        [
            "INSERT INTO changes SELECT 9, kind, 'x', lot_id, fields, fact, effective_ms"
            ", report_ms, role, subject, account_id, client_id, reason, change_set FROM changes WHERE revision = 1"
        ],
        6,
    ),
    "a change put in before the first": (
        [
            "INSERT INTO changes SELECT 0, kind, 'x', lot_id, fields, fact, effective_ms"
            ", report_ms, role, subject, account_id, client_id, reason, change_set FROM changes WHERE revision = 1"
        ],
        6,
    ),
    "the numbering of changes set on": (["UPDATE numbering SET revision = 9"], 6),
    "the numbering of changes set back": (["UPDATE numbering SET revision = 7"], 6),
    "the numbering of entries set on": (["UPDATE numbering SET audit_number = 6"], 6),
    "the numbering of entries set back": (["UPDATE numbering SET audit_number = 4"], 5),
    "an object altered": (
        [
            "UPDATE facts SET body = (SELECT body FROM facts WHERE kind = 'lot' ORDER BY key LIMIT 1)"
            " WHERE revision = (SELECT max(revision) FROM facts)"
        ],
        6,
    ),
    "an object deleted": (["DELETE FROM facts WHERE revision = (SELECT min(revision) FROM facts)"], 6),
    "the hash of the numbering altered": (["UPDATE numbering SET audit_hash = 'other'"], 6),
}


@pytest.mark.parametrize("deed", FOUND)
async def test_what_was_done_behind_its_back_is_found(store: Store, deed: str) -> None:
    await filled(store)
    statements, first_broken = FOUND[deed]
    found = await altered(store, *statements)
    assert found.first_broken == first_broken
    assert found.problem
    assert found.problem_zh


async def rewritten(store: Store, keep: Callable[[dict[str, Any]], bool]) -> None:
    """Alters a change and computes the whole chain anew, as somebody who owns the database can."""
    async with store._engine.begin() as connection:
        await connection.execute(sa.text("UPDATE changes SET reason = 'other' WHERE revision = 3"))
        entries = [dict(row) for row in (await connection.execute(sa.select(AUDIT).order_by("number"))).mappings()]
        entries = [entry for entry in entries if keep(entry)]
        head = seal.FIRST_HASH
        await connection.execute(sa.delete(AUDIT))
        for entry in entries:
            first, last = entry["first_revision"], entry["last_revision"]
            chosen = sa.select(CHANGES).where(CHANGES.c.revision.between(first, last)).order_by(CHANGES.c.revision)
            entry["changes_sha256"] = seal.digest_of(row._asdict() for row in await connection.execute(chosen))
            entry["previous_hash"] = head
            entry["hash"] = head = seal.hash_of(entry)
            await connection.execute(sa.insert(AUDIT).values(entry))
        reached = max(entry["last_revision"] for entry in entries)
        await connection.execute(sa.text(f"DELETE FROM facts WHERE revision > {reached}"))
        await connection.execute(sa.text(f"DELETE FROM changes WHERE revision > {reached}"))
        await connection.execute(
            sa.update(NUMBERING).values(revision=reached, audit_number=len(entries), audit_hash=head)
        )


async def test_a_chain_that_was_computed_anew_is_found_by_a_hash_that_was_noted(store: Store) -> None:
    await filled(store)
    audit = Audit(store)
    noted = {row.number: row.hash for row in await audit.list(WantedActs(), None, 99)}
    for number, noted_hash in noted.items():
        assert (await audit.verify(number, noted_hash)).first_broken == 0
    await rewritten(store, lambda entry: True)
    assert (await audit.verify()).first_broken == 0
    assert (await audit.verify(1, noted[1])).first_broken == 0
    for number in (2, 3, 4, 5):
        found = await audit.verify(number, noted[number])
        assert (found.first_broken, found.problem) == (number, "its hash is not the one that was noted")


async def test_a_chain_that_was_cut_is_found_by_a_number_that_was_noted(store: Store) -> None:
    await filled(store)
    audit = Audit(store)
    noted = (await audit.verify()).head_hash
    await rewritten(store, lambda entry: bool(entry["number"] <= 4))
    assert (await audit.verify()).first_broken == 0
    assert (await audit.verify(5, noted)).first_broken == 5


async def test_acts_go_on_while_the_chain_is_looked_at(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.history.audit._AT_ONCE", 2)
    await filled(store)
    audit = Audit(store)
    look: Callable[..., Awaitable[Any]] = audit._digest
    numbers = iter(range(100, 200))

    async def digest(entry: Any) -> Any:
        await kept(store, NOW, a_lot(number := next(numbers), lot_id=f"lot-{number}"))
        return await look(entry)

    monkeypatch.setattr(audit, "_digest", digest)
    verdict = await audit.verify()
    assert (verdict.entries, verdict.first_broken, verdict.problem) == (ACTS, 0, "")
    monkeypatch.undo()
    assert (await audit.verify()).entries == 2 * ACTS


async def test_entries_are_listed_as_wanted(store: Store) -> None:
    await filled(store)
    await kept(store, NOW + 9, a_lot(9, lot_id="lot-9"), by=operator_caller("operator-1"))
    audit = Audit(store)

    async def numbers(after: int | None = None, limit: int = 99, **wanted: Any) -> list[int]:
        return [row.number for row in await audit.list(WantedActs(**wanted), after, limit)]

    assert await numbers() == [1, 2, 3, 4, 5, 6]
    assert await numbers(limit=2) == [1, 2]
    assert await numbers(after=2, limit=2) == [3, 4]
    assert await numbers(newest_first=True, limit=2) == [6, 5]
    assert await numbers(newest_first=True, after=5, limit=2) == [4, 3]
    assert await numbers(from_ms=NOW + 2, before_ms=NOW + 4) == [2, 3]
    assert await numbers(subject="operator-1") == [6]
    assert await numbers(account_id="account-1", before_ms=NOW + 3) == [1, 2]
    assert await numbers(action="registry") == [1, 2, 3, 4, 5, 6]
    assert await numbers(action="regist%") == []


def test_the_canonical_text_is_the_published_one() -> None:
    entry: dict[str, Any] = dict.fromkeys(seal.FIELDS, "") | {"number": 1, "action": "莆"}
    text = "".join(f"{len(str(entry[field]).encode())}:{entry[field]}" for field in seal.FIELDS)
    assert seal.hash_of(entry) == hashlib.sha256(text.encode()).hexdigest()
    change: dict[str, Any] = dict.fromkeys(seal.CHANGE_FIELDS, "1:")
    text = "2:1:" * len(seal.CHANGE_FIELDS)
    assert seal.digest_of([change, change]) == hashlib.sha256(text.encode() * 2).hexdigest()
    assert seal.digest_of([]) == hashlib.sha256().hexdigest()


def test_every_column_of_both_tables_is_covered() -> None:
    assert set(AUDIT.c.keys()) - set(seal.FIELDS) == {"hash"}
    assert set(CHANGES.c.keys()) == set(seal.CHANGE_FIELDS)
