"""What credentials are exchanged for: access tokens."""

from typing import Final

import sqlalchemy as sa
from mesh.caller import Caller
from mesh.clock import Clock
from parkmesh.registry.v1.role_pb2 import ROLE_DEVICE
from parkmesh.registry.v1.vendor_pb2 import Credential

from registry.errors import BadCredential
from registry.identity import assertion, once
from registry.identity.assertion import Assertion
from registry.identity.proofs import Proof, is_secret, proof_of
from registry.identity.roles import kind_of
from registry.identity.signer import Signer, Token
from registry.identity.verifying_key import VerifyingKey, nobodys
from registry.storage.acts import Act
from registry.storage.kinds import CREDENTIAL
from registry.storage.store import Store, to_the_end
from registry.storage.tables import DEVICES_SEEN
from registry.storage.writer import Writer

_SEEN_EVERY_MS: Final = 60_000


class Tokens:
    """Gives tokens for good credentials. BadCredential for any other, whatever is wrong with it."""

    def __init__(self, store: Store, clock: Clock, signer: Signer) -> None:
        self._store = store
        self._clock = clock
        self._signer = signer

    @to_the_end
    async def for_secret(self, client_id: str, secret: str) -> Token:
        """A token for a client id and its secret: of software, of a device, or of a person's session."""
        credential, proof, seen_ms = await self._known(client_id)
        # The secret is hashed and compared for an unknown client id too, so that the time tells nothing.
        right = is_secret(secret, proof)
        if credential is None or not right:
            raise BadCredential
        now_ms = self._clock.now_ms()
        token = self._signer.token(credential, now_ms)
        if credential.role == ROLE_DEVICE and (seen_ms is None or now_ms - seen_ms >= _SEEN_EVERY_MS):
            async with self._store.writing(Act.of(_holder(credential), now_ms)) as facts:
                await _see(facts, _device_key(credential))
        return token

    @to_the_end
    async def for_assertion(self, text: str, client_id: str = "") -> Token:
        """A token for an assertion signed with the credential's private key; of the client id, when that is named."""
        claimed = assertion.claimed(text)
        stand_in = None if claimed is None else nobodys(claimed.algorithm)
        if claimed is None or stand_in is None or client_id not in ("", claimed.client_id):
            raise BadCredential
        credential, proof, _ = await self._known(claimed.client_id)
        key = _key(proof, stand_in)
        now_ms = self._clock.now_ms()
        checked = assertion.verified(text, key, now_ms)
        if credential is None or checked is None or checked.client_id != credential.client_id:
            raise BadCredential
        token = self._signer.token(credential, now_ms)
        async with self._store.writing(Act.of(_holder(credential), now_ms)) as facts:
            first = await _use(facts, checked)
        if not first:
            raise BadCredential
        return token

    async def _known(self, client_id: str) -> tuple[Credential | None, Proof, int | None]:
        """The credential, what it is proved by, and when its device was last seen."""
        async with self._store.reading() as facts:
            credential = await facts.held(CREDENTIAL, client_id)
            proof = await proof_of(facts, client_id)
            if credential is None or credential.role != ROLE_DEVICE:
                return credential, proof, None
            key = _device_key(credential)
            return credential, proof, (await facts.devices_seen([key])).get(key)


def _key(proof: Proof, stand_in: VerifyingKey) -> VerifyingKey:
    """The credential's own key, when it has one for the algorithm that was claimed."""
    if not proof.public_key_pem:
        return stand_in
    own = VerifyingKey.of_pem(proof.public_key_pem)
    return own if own.algorithm == stand_in.algorithm else stand_in


def _holder(credential: Credential) -> Caller:
    return Caller(kind_of(credential.role), credential.subject_id, credential.client_id, credential.account_id)


def _device_key(credential: Credential) -> str:
    return f"{credential.subject_id}/{credential.device_id}"


async def _see(facts: Writer, key: str) -> None:
    seen_ms = (await facts.devices_seen([key])).get(key)
    if seen_ms is None or facts.now_ms - seen_ms >= _SEEN_EVERY_MS:  # another call may have been quicker
        await facts.execute(sa.delete(DEVICES_SEEN).where(DEVICES_SEEN.c.key == key))
        await facts.execute(sa.insert(DEVICES_SEEN).values(key=key, seen_ms=facts.now_ms))


async def _use(facts: Writer, checked: Assertion) -> bool:
    return await once.use(facts, f"assertion/{checked.client_id}", checked.id, checked.over_ms)
