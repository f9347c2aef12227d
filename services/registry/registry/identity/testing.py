"""Identity on a real store, with people who have authenticators, for tests."""

import base64
import pathlib
from dataclasses import dataclass
from typing import Any, Final

import pyotp
import sqlalchemy as sa
from mesh.caller import Caller, CallerKind
from mesh.testing import ManualClock, SequentialIds, throwaway_keys
from parkmesh.registry.v1.account_pb2 import Account
from parkmesh.registry.v1.device_pb2 import Device
from parkmesh.registry.v1.lot_pb2 import Lot
from parkmesh.registry.v1.operator_pb2 import Operator
from parkmesh.registry.v1.role_pb2 import ROLE_ANALYST
from parkmesh.registry.v1.vendor_pb2 import Vendor

from registry.identity.composition import Identity
from registry.identity.roles import kind_of
from registry.identity.sessions import Opened
from registry.settings import Settings
from registry.storage.acts import REGISTRY, Act
from registry.storage.kinds import M
from registry.storage.store import Store

SYSTEM: Final = Caller(CallerKind.ADMINISTRATOR, "platform", "admin")
SECURITY: Final = Caller(CallerKind.SECURITY_ADMINISTRATOR, "platform", "security-admin")
MASTER: Final = bytes(range(32))
PASSWORD: Final = "停车 is not so easy"  # noqa: S105 - nobody's

_STEP_MS: Final = 30_000


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account in use."""

    account: Account
    totp_secret: str


class Desk:
    """The use cases, and what tests do with them again and again."""

    def __init__(self, store: Store, folder: pathlib.Path, **told: Any) -> None:
        (folder / "token.pem").write_text(throwaway_keys()[0])
        (folder / "master.key").write_text(base64.urlsafe_b64encode(MASTER).decode())
        self.store = store
        self.clock = ManualClock()
        self.settings = Settings(token_key=folder / "token.pem", master_key=folder / "master.key", **told)
        self.identity = Identity.of(store, self.clock, SequentialIds(), self.settings)

    async def add(self, *facts: M) -> None:
        """Puts facts into the store as they are."""
        async with self.store.writing(Act.of(REGISTRY, self.clock.now_ms())) as writer:
            for fact in facts:
                await writer.set(fact)

    async def rows(self, sql: str) -> list[Any]:
        """What the tables themselves hold."""
        async with self.store.reading() as facts:
            return list(await facts.rows(sa.text(sql)))  # type: ignore[arg-type]

    async def vendor(self, name: str = "某停车科技公司") -> Caller:
        """A new vendor, as a caller."""
        vendor = await self.identity.vendors.create(SYSTEM, Vendor(name=name), "")
        return Caller(CallerKind.VENDOR, vendor.vendor_id, "client")

    async def lot(self, number: int = 1) -> str:
        """A lot with an operator and a device."""
        lot_id = f"lot-{number}"
        operator = Operator(operator_id=f"operator-{number}", name=f"某公司 {number}")
        lot = Lot(lot_id=lot_id, registration_number=f"PT-{number}", operator_id=operator.operator_id)
        await self.add(operator, lot, Device(lot_id=lot_id, device_id="d1"))
        return lot_id

    async def invite(self, login: str, role: Any = ROLE_ANALYST, **facts: Any) -> tuple[Account, str]:
        """A new account with its code."""
        stated = {"login": login, "name": "某人", "person_number": f"P-{login}", "role": role} | facts
        invited = await self.identity.accounts.create(SECURITY, Account(**stated), "")
        if invited.code is None:
            invited = await self.identity.accounts.confirm(SYSTEM, invited.account.account_id, "")
        assert invited.code
        return invited.account, invited.code.text.reveal()

    async def person(self, login: str = "zhang", role: Any = ROLE_ANALYST, **facts: Any) -> Person:
        """Somebody who has activated a new account with PASSWORD."""
        account, code = await self.invite(login, role, **facts)
        activated = await self.identity.sessions.activate(code, PASSWORD)
        return Person(account, activated.totp_secret.reveal())

    def totp(self, person: Person, steps: int = 0) -> str:
        """What the person's authenticator shows so many steps from now."""
        return pyotp.TOTP(person.totp_secret).generate_otp(self.clock.now_ms() // _STEP_MS + steps)

    async def login(self, person: Person, password: str = PASSWORD) -> Opened:
        """A session of the person, half a minute from now."""
        self.clock.advance(_STEP_MS)
        return await self.identity.sessions.login(person.account.login, password, self.totp(person))

    def caller(self, person: Person, opened: Opened) -> Caller:
        """The person, as a caller in that session."""
        credential = opened.issued.credential
        return Caller(kind_of(credential.role), credential.subject_id, credential.client_id, person.account.account_id)
