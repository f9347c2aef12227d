"""Rules whose values change with the law (R10): added, ended, listed; never altered."""

from mesh.caller import Caller
from mesh.clock import Clock, Ids
from mesh.instants import ms_of, time_of
from parkmesh.registry.v1.rule_pb2 import Rule

from registry.errors import InvalidFields, NotRegistered
from registry.forms.validity import ValidityRule
from registry.forms.violation import broken
from registry.static.edit import left_out
from registry.static.listing import Listing
from registry.static.moments import Moment
from registry.static.register import added
from registry.storage.acts import Act
from registry.storage.kinds import RULE, SET_BY_STORE
from registry.storage.store import Store, to_the_end


class Rules:
    """Everybody who has a role may read them; the system administrator keeps them."""

    def __init__(self, store: Store, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids

    @to_the_end
    async def create(self, caller: Caller, rule: Rule, reason: str) -> Rule:
        """Adds the rule under an id of its own. InvalidFields."""
        if found := left_out(rule, ("rule_id", *SET_BY_STORE), "rule"):
            raise InvalidFields(found)
        async with self._store.writing(Act.of(caller, self._clock.now_ms(), reason=reason)) as facts:
            rule.rule_id = self._ids.new("rule")
            return await added(facts, rule)

    @to_the_end
    async def end(self, caller: Caller, rule_id: str, end_ms: int | None, reason: str) -> Rule:
        """Ends the rule then (None: now); one that ends earlier stays as it is. NotRegistered, InvalidFields."""
        now_ms = self._clock.now_ms()
        end_ms = now_ms if end_ms is None else end_ms
        async with self._store.writing(Act.of(caller, now_ms, reason=reason)) as facts:
            rule = await facts.held(RULE, rule_id)
            if rule is None:
                raise NotRegistered("rule")
            if end_ms <= ms_of(rule.start_time):
                raise InvalidFields([broken("endTime", ValidityRule.ORDER)])
            if not rule.HasField("end_time") or ms_of(rule.end_time) > end_ms:
                rule.end_time.CopyFrom(time_of(end_ms))
                await facts.set(rule)
            held = await facts.find(RULE, rule_id)
            assert held is not None
            return held.dressed()

    @to_the_end
    async def list(self, after: str, limit: int) -> list[tuple[str, Rule]]:
        """The rules whose id follows, in that order, those that are over too."""
        async with self._store.reading() as facts:
            return await Listing(RULE).page(facts, after, limit, Moment())
