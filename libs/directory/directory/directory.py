"""The watched copy: follows the registry in the background and answers look-ups from memory."""

import asyncio
import logging
import random
from collections.abc import Callable, Collection, Iterable
from typing import Final

import grpc
from mesh.caller import Caller
from mesh.clock import Clock
from mesh.errors import MeshError
from parkmesh.errors.v1 import error_reason_pb2
from parkmesh.registry.v1 import change_service_pb2, directory_service_pb2, directory_service_pb2_grpc, rule_pb2

from directory import rights
from directory.facts import AccountFacts, Change, CredentialFacts, LotFacts, OperatorFacts, RuleFacts, VendorFacts
from directory.tables import Tables

MAX_AGE_MS: Final = 24 * 3600 * 1000
"""How long a service may go on without the registry, unless told otherwise."""

_log = logging.getLogger(__name__)
_FIRST_DELAY_S: Final = 0.1
_LONGEST_DELAY_S: Final = 2.0
_STREAM_S: Final = 3600.0  # every call has a deadline, a watch too: it is resumed where it ended


class DirectoryUnavailable(MeshError):  # noqa: N818 - named as the reason is
    """The directory has never synced, or heard its last sign of life too long ago to decide by."""

    def __init__(self) -> None:
        super().__init__(
            error_reason_pb2.ERROR_REASON_DIRECTORY_UNAVAILABLE,
            "The registry's facts are not available.",
            retry_after_ms=1000,
        )


class Directory:
    """A service's copy of the registry's facts.

    Empty until the first sync; from then on it answers, also while the registry is away. While the registry is there, a
    change is seen within a second. Look-ups are plain dictionary reads; all of it belongs to one event loop.
    """

    def __init__(
        self,
        channel: grpc.aio.Channel,
        clock: Clock,
        *,
        kinds: Iterable[change_service_pb2.FactKind.ValueType] = (),
        max_age_ms: int = MAX_AGE_MS,
        silence_seconds: float = 10.0,
    ) -> None:
        """Knows nothing until `run()` runs, and then facts of these kinds, all when empty; a fact of another kind is as
        if it were not. A watch that is silent for `silence_seconds` is begun anew.
        """
        self._stub = directory_service_pb2_grpc.DirectoryServiceStub(channel)
        self._clock = clock
        self._kinds = tuple(kinds)
        self._max_age_ms = max_age_ms
        self._silence_seconds = silence_seconds
        self._facts = Tables()
        self._building: Tables | None = None
        self._epoch = ""
        self._revision = 0
        self._alive_ms: int | None = None
        self._synced = asyncio.Event()
        self._listeners: list[Callable[[Change], None]] = []

    def lot(self, lot_id: str) -> LotFacts | None:
        """The lot; None when there is none."""
        return self._facts.lots.get(lot_id)

    def lots(self) -> Collection[LotFacts]:
        """All lots, in no order."""
        return self._facts.lots.values()

    def operator(self, operator_id: str) -> OperatorFacts | None:
        """The operator; None when there is none."""
        return self._facts.operators.get(operator_id)

    def vendor(self, vendor_id: str) -> VendorFacts | None:
        """The vendor; None when there is none."""
        return self._facts.vendors.get(vendor_id)

    def account(self, account_id: str) -> AccountFacts | None:
        """The person's account, in use or not; None when there is none."""
        return self._facts.accounts.get(account_id)

    def credential(self, client_id: str) -> CredentialFacts | None:
        """The credential, be it good, expired or revoked; None when there is none."""
        return self._facts.credentials.get(client_id)

    def good_credential(self, client_id: str, now_ms: int) -> CredentialFacts | None:
        """The credential; None unless it holds at that time, and its account, when it has one, is in use."""
        return rights.good_credential(self._facts, client_id, now_ms)

    def rule(self, name: rule_pb2.RuleName.ValueType, now_ms: int) -> RuleFacts | None:
        """The rule of that name that began last among those in force at that time; None when there is none."""
        return next((rule for rule in self._facts.rules_by_name.get(name, ()) if rule.holds_at(now_ms)), None)

    def may_speak(self, vendor_id: str, lot_id: str, now_ms: int) -> bool:
        """Whether the vendor holds a grant for the lot at that time; False when either is unknown."""
        return rights.may_speak(self._facts, vendor_id, lot_id, now_ms)

    def may_report(self, caller: Caller, lot_id: str, now_ms: int) -> bool:
        """Whether the caller may report what happens in the lot at that time; `rights.may_report` says who may."""
        return rights.may_report(self._facts, caller, lot_id, now_ms)

    def may_revise(self, caller: Caller, lot_id: str, now_ms: int) -> bool:
        """Whether the caller may correct and void the lot's records at that time; `rights.may_revise` says who may."""
        return rights.may_revise(self._facts, caller, lot_id, now_ms)

    def may_see(self, caller: Caller, lot_id: str, now_ms: int) -> bool:
        """Whether the caller may see the lot's facts at that time; `rights.may_see` says who may."""
        return rights.may_see(self._facts, caller, lot_id, now_ms)

    @property
    def epoch(self) -> str:
        """The registry's epoch that the revision belongs to; empty before the first sync."""
        return self._epoch

    @property
    def revision(self) -> int:
        """The last revision taken in."""
        return self._revision

    @property
    def synced(self) -> bool:
        """Whether it has known, at least once, all that the registry knew."""
        return self._synced.is_set()

    async def wait_synced(self) -> None:
        """Returns as soon as `synced` is true."""
        await self._synced.wait()

    def age_ms(self, now_ms: int) -> int | None:
        """For how long the registry has given no sign of life; None when it never gave one."""
        return None if self._alive_ms is None else max(0, now_ms - self._alive_ms)

    def require_fresh(self, now_ms: int) -> None:
        """Raises DirectoryUnavailable when it never synced or is older than `max_age_ms`."""
        age_ms = self.age_ms(now_ms)
        if age_ms is None or age_ms > self._max_age_ms:
            raise DirectoryUnavailable

    def subscribe(self, listener: Callable[[Change], None]) -> Callable[[], None]:
        """Calls the listener with every change once it can be looked up; returns what ends that.

        The first snapshot comes as changes too. A listener must be quick; when it fails, that is logged, and the
        others are still called.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def run(self) -> None:
        """Watches until cancelled; reconnects with a growing, jittered delay, and goes on from the last revision."""
        delay = _FIRST_DELAY_S
        while True:
            before = self._alive_ms
            try:
                await self._watch()
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.DEADLINE_EXCEEDED:
                    _log.warning("the registry's watch ended: %s", error.code().name)
            except TimeoutError:
                _log.warning("the registry's watch ended: no sign of life for %s s", self._silence_seconds)
            delay = _FIRST_DELAY_S if self._alive_ms != before else min(2 * delay, _LONGEST_DELAY_S)
            await asyncio.sleep(random.uniform(delay / 2, delay))  # noqa: S311 - spreads reconnects, guards nothing

    async def _watch(self) -> None:
        self._building = None  # a snapshot that was cut off is worth nothing
        request = directory_service_pb2.WatchDirectoryRequest(
            epoch=self._epoch, since_revision=self._revision, kinds=self._kinds
        )
        call = self._stub.WatchDirectory(request, timeout=_STREAM_S)
        try:
            while True:
                async with asyncio.timeout(self._silence_seconds):
                    response = await call.read()
                if not isinstance(response, directory_service_pb2.WatchDirectoryResponse):
                    return
                self._take(response)
        finally:
            call.cancel()

    def _take(self, response: directory_service_pb2.WatchDirectoryResponse) -> None:
        if response.snapshot:
            self._building = Tables()
        facts = self._facts if self._building is None else self._building
        changes = [change for change in map(facts.apply, response.changes) if change is not None]
        if self._building is not None:
            if not response.synced:
                return  # half a snapshot must not be seen
            changes = self._building.differences(self._facts)
            self._facts, self._building = self._building, None
        self._epoch, self._revision = response.epoch, response.revision
        if response.synced:
            self._alive_ms = self._clock.now_ms()
            self._synced.set()
        for change in changes:
            self._tell(change)

    def _tell(self, change: Change) -> None:
        for listener in tuple(self._listeners):
            try:
                listener(change)
            except Exception:
                _log.exception("a listener of the directory failed")
