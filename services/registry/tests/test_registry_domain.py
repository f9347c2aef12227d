from hypothesis import given
from hypothesis import strategies as st
from registry.domain import NO_HASH, Credential, Grant, is_secret, secret_hash, superseded

NOW = 1_000_000

credentials = st.lists(
    st.builds(
        Credential,
        client_id=st.uuids().map(str),
        vendor_id=st.just("vendor-1"),
        create_ms=st.just(NOW),
        expire_ms=st.none() | st.integers(NOW - 5, NOW + 5),
        revoked=st.booleans(),
    ),
    unique_by=lambda credential: credential.client_id,
)


@given(credentials, st.integers(0, 10))
def test_at_most_one_stays_good_beside_the_new_one_and_none_is_made_longer(
    before: list[Credential], overlap_ms: int
) -> None:
    changed = {credential.client_id: credential for credential in superseded(before, NOW, overlap_ms)}
    after = [changed.get(credential.client_id, credential) for credential in before]
    live = [credential for credential in before if credential.good_at(NOW)]
    assert [credential.client_id for credential in after if credential.good_at(NOW)] == [
        credential.client_id for credential in live[-1:] if overlap_ms
    ]
    assert not any(credential.good_at(NOW + overlap_ms) for credential in after)
    for was, now in zip(before, after, strict=True):
        assert all(was.good_at(at) or not now.good_at(at) for at in range(NOW, NOW + 11))
        assert was.good_at(NOW) or now == was


def test_a_secret_is_known_by_its_hash_alone() -> None:
    kept = secret_hash("secret")
    assert "secret" not in kept
    assert is_secret("secret", kept)
    assert not is_secret("Secret", kept)
    assert not is_secret("", NO_HASH)
    assert len(NO_HASH) == len(kept)


def test_an_end_is_not_part_of_the_time_before_it() -> None:
    assert Credential("c", "v", 0, expire_ms=10).good_at(9)
    assert not Credential("c", "v", 0, expire_ms=10).good_at(10)
    assert not Credential("c", "v", 0, revoked=True).good_at(9)
    assert not Grant("v", "l", 0, 10).ended_by(9)
    assert Grant("v", "l", 0, 10).ended_by(10)
    assert not Grant("v", "l", 0, None).ended_by(10)
