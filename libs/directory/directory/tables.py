"""The registry's facts in tables that a look-up per record can afford."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from parkmesh.registry.v1 import directory_service_pb2, gate_pb2, lot_pb2, rule_pb2

from directory import told
from directory.facts import (
    AccountFacts,
    Change,
    CredentialFacts,
    Fact,
    GateFacts,
    GrantFacts,
    LotFacts,
    OperatorFacts,
    RuleFacts,
    VendorFacts,
)
from directory.premises import Premises


@dataclass(slots=True)
class Tables:
    """All facts of one epoch, by key. Facts may come in any order: a gate is kept until its lot is known."""

    operators: dict[str, OperatorFacts] = field(default_factory=dict)
    lots: dict[str, LotFacts] = field(default_factory=dict)
    gates: dict[tuple[str, str], GateFacts] = field(default_factory=dict)
    """By lot, then by number."""
    vendors: dict[str, VendorFacts] = field(default_factory=dict)
    accounts: dict[str, AccountFacts] = field(default_factory=dict)
    credentials: dict[str, CredentialFacts] = field(default_factory=dict)
    grants: dict[str, dict[str, GrantFacts]] = field(default_factory=dict)
    """By vendor, then by lot."""
    rules: dict[str, RuleFacts] = field(default_factory=dict)
    rules_by_name: dict[rule_pb2.RuleName.ValueType, list[RuleFacts]] = field(default_factory=dict)
    """What begins last stands first."""
    _premises: dict[str, Premises] = field(default_factory=dict)

    def apply(self, change: directory_service_pb2.DirectoryChange) -> Change | None:
        """Takes a change in. None when nothing that listeners are told of differs after it."""
        match change.WhichOneof("fact"):
            case "berth":
                self._premises_of(change.berth.lot_id).berths.add(change.berth.berth_id)
            case "device":
                self._premises_of(change.device.lot_id).devices.add(change.device.device_id)
            case "gate":
                return self._put_gate(change.gate)
            case "lot":
                return self._put_lot(change.lot)
            case "operator":
                operator = told.operator(change.operator)
                return _put(self.operators, operator.operator_id, operator)
            case "vendor":
                vendor = told.vendor(change.vendor)
                return _put(self.vendors, vendor.vendor_id, vendor)
            case "account":
                account = told.account(change.account)
                return None if account is None else _put(self.accounts, account.account_id, account)
            case "credential":
                credential = told.credential(change.credential)
                return None if credential is None else _put(self.credentials, credential.client_id, credential)
            case "grant":
                grant = told.grant(change.grant)
                return _put(self.grants.setdefault(grant.vendor_id, {}), grant.lot_id, grant)
            case "rule":
                return self._put_rule(told.rule(change.rule))
        return None  # also for a kind of fact that a newer registry knows and this service does not need

    def differences(self, before: "Tables") -> list[Change]:
        """What listeners are told to lead them here from the facts of before."""
        was, now = before.by_key(), self.by_key()
        gone = [Change(fact, None) for key, fact in was.items() if key not in now]
        return gone + [Change(was.get(key), fact) for key, fact in now.items() if was.get(key) != fact]

    def by_key(self) -> dict[tuple[str, ...], Fact]:
        """Every fact under a key of its own, vendors before their credentials."""
        facts: dict[tuple[str, ...], Fact] = {("operator", key): operator for key, operator in self.operators.items()}
        facts.update({("vendor", key): vendor for key, vendor in self.vendors.items()})
        facts.update({("account", key): account for key, account in self.accounts.items()})
        facts.update({("credential", key): credential for key, credential in self.credentials.items()})
        facts.update({("lot", key): lot for key, lot in self.lots.items()})
        facts.update({("gate", *key): gate for key, gate in self.gates.items()})
        facts.update({("grant", *key): grant for key, grant in _flat(self.grants)})
        facts.update({("rule", key): rule for key, rule in self.rules.items()})
        return facts

    def _premises_of(self, lot_id: str) -> Premises:
        premises = self._premises.get(lot_id)
        if premises is None:
            premises = self._premises[lot_id] = Premises()
        return premises

    def _put_lot(self, lot: lot_pb2.Lot) -> Change | None:
        return _put(self.lots, lot.lot_id, told.lot(lot, self._premises_of(lot.lot_id)))

    def _put_gate(self, gate: gate_pb2.Gate) -> Change | None:
        self._premises_of(gate.lot_id).put_gate(gate.gate_id, gate.lanes)
        return _put(self.gates, (gate.lot_id, gate.gate_id), told.gate(gate))

    def _put_rule(self, rule: RuleFacts) -> Change | None:
        change = _put(self.rules, rule.rule_id, rule)
        if change is not None:
            same = [one for one in self.rules.values() if one.name == rule.name]
            self.rules_by_name[rule.name] = sorted(same, key=lambda one: (one.start_ms, one.rule_id), reverse=True)
        return change


K = TypeVar("K", str, tuple[str, str])
F = TypeVar("F", OperatorFacts, LotFacts, GateFacts, VendorFacts, AccountFacts, CredentialFacts, GrantFacts, RuleFacts)


def _put(table: dict[K, F], key: K, fact: F) -> Change | None:
    before = table.get(key)
    table[key] = fact
    return None if before == fact else Change(before, fact)


def _flat(grants: Mapping[str, Mapping[str, GrantFacts]]) -> Iterator[tuple[tuple[str, str], GrantFacts]]:
    for vendor_id, by_lot in grants.items():
        for lot_id, grant in by_lot.items():
            yield (vendor_id, lot_id), grant
