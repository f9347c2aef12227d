"""Credentials: how they are issued, follow one another, and end."""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mesh.clock import Ids
from mesh.instants import ms_of, time_of
from mesh.settings import Secret
from parkmesh.registry.v1.role_pb2 import Role
from parkmesh.registry.v1.vendor_pb2 import (
    CREDENTIAL_METHOD_KEY,
    CREDENTIAL_METHOD_SECRET,
    CREDENTIAL_METHOD_SIGNATURE,
    CREDENTIAL_METHOD_UNSPECIFIED,
    Credential,
    CredentialMethod,
)
from vocabulary import refusal
from vocabulary.request_signature import signing_key

from registry.errors import InvalidFields
from registry.forms import public_key
from registry.forms.violation import broken
from registry.identity.proofs import Proof, hash_of, keep
from registry.storage.kinds import CREDENTIAL
from registry.storage.reader import Held, is_over
from registry.storage.writer import Writer


class MethodRule(refusal.Rule):
    """What can be wrong with how a credential is to be proved."""

    KEY = (
        "credential.key_required",
        "must be given: the method CREDENTIAL_METHOD_KEY is proved with a key",
        "必须填写：方式 CREDENTIAL_METHOD_KEY 以密钥证明身份",
    )
    NO_KEY = (
        "credential.key_unused",
        "must be left out: only the method CREDENTIAL_METHOD_KEY has a public key",
        "请不要填写：仅方式 CREDENTIAL_METHOD_KEY 有公钥",
    )


@dataclass(frozen=True, slots=True)
class Method:
    """How a new credential will be proved."""

    method: CredentialMethod.ValueType
    public_key_pem: str = ""
    """For KEY alone."""

    @classmethod
    def asked_for(cls, method: CredentialMethod.ValueType, public_key_pem: str = "") -> "Method":
        """What a request asks for; SECRET when it says nothing. InvalidFields."""
        if method != CREDENTIAL_METHOD_KEY:
            if public_key_pem:
                raise InvalidFields([broken("publicKeyPem", MethodRule.NO_KEY)])
            return cls(CREDENTIAL_METHOD_SECRET if method == CREDENTIAL_METHOD_UNSPECIFIED else method)
        if not public_key_pem:
            raise InvalidFields([broken("publicKeyPem", MethodRule.KEY)])
        if found := list(public_key.examine(public_key_pem, "publicKeyPem")):
            raise InvalidFields(found)
        return cls(method, public_key_pem)


@dataclass(frozen=True, slots=True)
class Issued:
    """A credential at the only time when its secret is known."""

    credential: Credential
    secret: Secret
    """For SIGNATURE the signing key; empty for KEY."""


class Issuer:
    """Issues credentials. The signing keys of SIGNATURE follow from the platform's master key and are kept nowhere."""

    def __init__(self, ids: Ids, master: bytes) -> None:
        self._ids = ids
        self._master = master

    async def issue(self, facts: Writer, credential: Credential, public_key_pem: str = "") -> Issued:
        """The credential, under a client id of its own, with what proves it by its method."""
        credential.client_id = self._ids.new("client")
        await facts.add(credential)
        secret = ""
        if credential.method == CREDENTIAL_METHOD_SIGNATURE:
            secret = signing_key(self._master, credential.client_id)
        elif credential.method == CREDENTIAL_METHOD_KEY:
            await keep(facts, credential.client_id, Proof(public_key_pem=public_key_pem))
        else:
            secret = secrets.token_urlsafe(32)
            await keep(facts, credential.client_id, Proof(hash_of(secret)))
        return Issued(await dressed(facts, credential.client_id), Secret(secret))

    async def rotate(self, facts: Writer, credential: Credential, method: Method, overlap_ms: int) -> Issued:
        """A new credential for the same holder. The latest of those before ends after the overlap, older ones now."""
        for ending in superseded(await of_holder(facts, credential), facts.now_ms, overlap_ms):
            await facts.set(ending)
        credential.method = method.method
        return await self.issue(facts, credential, method.public_key_pem)


def superseded(held: Sequence[Held[Credential]], now_ms: int, overlap_ms: int) -> Iterator[Credential]:
    """The credentials that a new one ends, with their new ends.

    The latest live one stays good for the overlap at most, older ones end now: two are live at most.
    """
    live = sorted((each for each in held if not is_over(each.message, now_ms)), key=_age)
    for older in live[:-1]:
        yield _ending_by(older.message, now_ms)
    for latest in live[-1:]:
        ending = _ending_by(latest.message, now_ms + overlap_ms)
        if ending != latest.message:
            yield ending


async def of_holder(facts: Writer, credential: Credential) -> list[Held[Credential]]:
    """Every credential that the holder of this one ever had in this role, by id."""
    return [
        held
        for held in await facts.many(CREDENTIAL, owner=CREDENTIAL.owner(credential))
        if held.message.role == credential.role
    ]


async def revoke(facts: Writer, credential: Credential) -> Credential:
    """The credential, from now on revoked for good; nothing happens when it was before."""
    revoked = _copy(credential)
    revoked.revoked = True
    await facts.set(revoked)
    return await dressed(facts, credential.client_id)


async def end_all(facts: Writer, owner: str, role: Role.ValueType, but: str = "") -> None:
    """Revokes all live credentials of an owner (see `CREDENTIAL`) in a role, but for one."""
    for held in await facts.many(CREDENTIAL, owner=owner):
        credential = held.message
        if credential.role == role and credential.client_id != but and not is_over(credential, facts.now_ms):
            await revoke(facts, credential)


async def dressed(facts: Writer, client_id: str) -> Credential:
    """The credential as callers see it."""
    held = await facts.find(CREDENTIAL, client_id)
    assert held is not None, "it was just written"
    return held.dressed()


def _age(held: Held[Credential]) -> tuple[int, float]:
    # Of two of the same millisecond, the later one is the one that no other has given an end.
    credential = held.message
    return held.create_ms, ms_of(credential.expire_time) if credential.HasField("expire_time") else float("inf")


def _ending_by(credential: Credential, end_ms: int) -> Credential:
    ending = _copy(credential)
    if not credential.HasField("expire_time") or ms_of(credential.expire_time) > end_ms:
        ending.expire_time.CopyFrom(time_of(end_ms))
    return ending


def _copy(credential: Credential) -> Credential:
    copy = Credential()
    copy.CopyFrom(credential)
    return copy
