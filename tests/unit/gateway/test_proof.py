"""Proofs of possession (DPoP): what passes, what does not, and that each passes once."""

import json
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from joserfc.jwk import ECKey, RSAKey

from fakes.clock import FakeClock
from services.gateway.model.calls import Proof
from services.gateway.model.faults import InvalidDpopProof, UseDpopNonce
from services.gateway.nonces import PROOF_S_MAX
from services.gateway.proof import PROOF_BYTES_MAX, ProofVerifier
from services.gateway.used_proofs import TooManyProofs
from tests.unit.gateway.proofs import NONCE_KEY, DeviceKey, base64url, nonces_for

ORIGIN = "https://gateway.example"
PATH = "/orders/v0/orders"
URL = ORIGIN + PATH
TOKEN = "sp_at_" + "t" * 43


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def verifier(clock: FakeClock) -> ProofVerifier:
    return verifier_for(clock)


@pytest.fixture
def key(clock: FakeClock) -> DeviceKey:
    return DeviceKey(clock)


def verifier_for(clock: FakeClock) -> ProofVerifier:
    return ProofVerifier(origins=[ORIGIN], clock=clock, nonces=nonces_for(clock))


def verify(verifier: ProofVerifier, *headers: str, method: str = "GET", path: str = PATH) -> Proof:
    """Return a proof that is used up, as a call's is whose key is the device's own."""
    proof = verifier.verify(headers, method=method, path=path, access_token=TOKEN)
    proof.use_up()
    return proof


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "Ed25519"])
def test_a_right_proof_gives_the_thumbprint_of_its_key(verifier: ProofVerifier, algorithm: str) -> None:
    key = DeviceKey(FakeClock(), algorithm)
    assert verify(verifier, key.proof("GET", URL, TOKEN)) == Proof(key.thumbprint)


def test_the_thumbprint_is_that_of_the_rfc() -> None:
    """RFC 7638 leaves names other than the required ones out, so decorations do not change it."""
    clock = FakeClock()
    key, verifier = DeviceKey(clock), verifier_for(clock)
    decorated = {"jwk": {**key.public, "kid": "1", "use": "sig", "alg": "ES256", "ext": True}}
    assert verify(verifier, key.proof("GET", URL, TOKEN, header=decorated)).thumbprint == key.thumbprint


def test_a_header_may_say_more_than_is_asked_of_it(verifier: ProofVerifier, key: DeviceKey) -> None:
    """RFC 7515, 4: what is not understood and not critical is ignored."""
    proof = key.proof("GET", URL, TOKEN, header={"kid": "1", "made_by": "a desktop"})
    assert verify(verifier, proof).thumbprint == key.thumbprint


def test_the_token_endpoint_asks_for_no_token_hash(verifier: ProofVerifier, key: DeviceKey) -> None:
    proof = key.proof("POST", f"{ORIGIN}/oauth/token")
    assert verifier.verify([proof], method="POST", path="/oauth/token").thumbprint == key.thumbprint


@pytest.mark.parametrize(
    "htu",
    [
        URL + "?NextToken=1",
        URL + "#x",
        "HTTPS://Gateway.Example:443" + PATH,
        "https://gateway.example" + PATH,
    ],
)
def test_a_url_may_be_written_in_any_way_that_means_the_same(
    verifier: ProofVerifier, key: DeviceKey, htu: str
) -> None:
    assert verify(verifier, key.proof("GET", htu, TOKEN)).thumbprint == key.thumbprint


def test_a_proof_may_name_any_of_our_origins_and_no_other(clock: FakeClock, key: DeviceKey) -> None:
    europe = "https://eu.gateway.example:8443"
    verifier = ProofVerifier(origins=[ORIGIN, europe], clock=clock, nonces=nonces_for(clock))
    for origin in (ORIGIN, europe):
        assert verify(verifier, key.proof("GET", origin + PATH, TOKEN)).thumbprint == key.thumbprint
    with pytest.raises(InvalidDpopProof, match="another URL"):
        verify(verifier, key.proof("GET", "https://eu.gateway.example" + PATH, TOKEN))


def test_a_proof_works_once_T02(verifier: ProofVerifier, key: DeviceKey) -> None:
    proof = key.proof("GET", URL, TOKEN)
    verify(verifier, proof)
    with pytest.raises(InvalidDpopProof, match="used before"):
        verify(verifier, proof)


def test_a_replay_is_refused_for_as_long_as_its_nonce_lives_T02(clock: FakeClock, key: DeviceKey) -> None:
    nonces = nonces_for(clock)
    verifier = ProofVerifier(origins=[ORIGIN], clock=clock, nonces=nonces)
    proof = key.proof("GET", URL, TOKEN)
    verify(verifier, proof)
    for _ in range(4):
        clock.pass_(60)
        nonces.learn(NONCE_KEY)
        with pytest.raises(InvalidDpopProof, match="used before"):
            verify(verifier, proof)
    clock.pass_(60)
    nonces.learn(NONCE_KEY)
    with pytest.raises(UseDpopNonce):
        verify(verifier, proof)


def test_a_replay_is_refused_however_the_nonce_of_another_replica_lives_on_T02_R14(
    clock: FakeClock, key: DeviceKey
) -> None:
    """The last nonce that can pass is one of a replica whose clock runs ahead."""
    nonces = nonces_for(clock)
    verifier = ProofVerifier(origins=[ORIGIN], clock=clock, nonces=nonces)
    ahead = FakeClock(clock.now() + timedelta(seconds=60))
    proof = key.proof("GET", URL, TOKEN, claims={"nonce": nonces_for(ahead).newest()})
    verify(verifier, proof)
    clock.pass_(PROOF_S_MAX - 1)
    nonces.learn(NONCE_KEY)
    with pytest.raises(InvalidDpopProof, match="used before"):
        verify(verifier, proof)


@pytest.mark.parametrize("nonce", [None, "", "made-up", 7, ["x"]])
def test_a_proof_without_a_nonce_of_ours_is_sent_back_for_one_T02(
    verifier: ProofVerifier, key: DeviceKey, nonce: object
) -> None:
    with pytest.raises(UseDpopNonce):
        verify(verifier, key.proof("GET", URL, TOKEN, claims={"nonce": nonce}))


def test_a_proof_made_ahead_of_its_time_is_worth_nothing_T02(clock: FakeClock, key: DeviceKey) -> None:
    """Whoever had the key for a moment can date a proof into the future, but knows no nonce of then."""
    later = int(clock.now().timestamp()) + 900
    stored = key.proof("GET", URL, TOKEN, claims={"iat": later})
    clock.pass_(900)
    with pytest.raises(UseDpopNonce):
        verify(verifier_for(clock), stored)


def test_the_same_id_under_another_key_is_another_proof(verifier: ProofVerifier, clock: FakeClock) -> None:
    for key in (DeviceKey(clock), DeviceKey(clock)):
        assert (
            verify(verifier, key.proof("GET", URL, TOKEN, claims={"jti": "1"})).thumbprint == key.thumbprint
        )


@pytest.mark.parametrize(
    "claims",
    [
        {"htm": "POST"},
        {"htm": "get"},
        {"htm": None},
        {"htu": ORIGIN + "/orders/v0/orders/1"},
        {"htu": ORIGIN + PATH + "/"},
        {"htu": ORIGIN + "/orders/v0/%6Frders"},
        {"htu": "http://gateway.example" + PATH},
        {"htu": "https://gateway.example:8443" + PATH},
        {"htu": "https://other.example" + PATH},
        {"htu": "https://[gateway" + PATH},
        {"htu": "https://gateway.example:x" + PATH},
        {"htu": None},
        {"htu": 1},
        {"ath": None},
        {"ath": "x"},
        {"ath": ["x"]},
        {"jti": None},
        {"jti": ""},
        {"jti": "j" * 257},
        {"jti": 7},
        {"iat": None},
        {"iat": "now"},
        {"iat": True},
        {"iat": -1},
        {"iat": 10**400},
        {"iat": float("nan")},
        {"iat": float("inf")},
    ],
)
def test_a_proof_of_another_request_is_refused_T02(
    verifier: ProofVerifier, key: DeviceKey, claims: dict[str, Any]
) -> None:
    with pytest.raises(InvalidDpopProof):
        verify(verifier, key.proof("GET", URL, TOKEN, claims=claims))


@pytest.mark.parametrize(
    ("age_s", "passes"), [(-601, False), (-600, True), (0, True), (600, True), (601, False)]
)
def test_a_desktops_clock_may_be_ten_minutes_off_R14(
    verifier: ProofVerifier, clock: FakeClock, key: DeviceKey, age_s: int, *, passes: bool
) -> None:
    proof = key.proof("GET", URL, TOKEN, claims={"iat": int(clock.now().timestamp()) - age_s})
    if passes:
        assert verify(verifier, proof).thumbprint == key.thumbprint
    else:
        with pytest.raises(InvalidDpopProof, match="10 minutes"):
            verify(verifier, proof)


def test_a_proof_signed_by_another_key_is_refused_T02(
    verifier: ProofVerifier, clock: FakeClock, key: DeviceKey
) -> None:
    claimed = {"jwk": DeviceKey(clock).public}
    with pytest.raises(InvalidDpopProof, match="signature"):
        verify(verifier, key.proof("GET", URL, TOKEN, header=claimed))


def test_a_header_that_was_shown_before_vouches_for_nothing_new_T02(
    verifier: ProofVerifier, clock: FakeClock, key: DeviceKey
) -> None:
    verify(verifier, key.proof("GET", URL, TOKEN))
    head, payload, signature = key.proof("GET", URL, TOKEN).split(".")
    _, others, forged = DeviceKey(clock).proof("GET", URL, TOKEN).split(".")
    wrong = {
        "another key's signature": f"{head}.{others}.{forged}",
        "a payload that was not signed": f"{head}.{others}.{signature}",
        "a header that was not signed": f"{head}Cg.{payload}.{signature}",
        "no signature": f"{head}.{payload}.",
        "half a signature": f"{head}.{payload}.{signature[:-2]}",
        "a part too many": f"{head}.{payload}.{payload}.{signature}",
        "a part too few": f"{head}.{signature}",
    }
    for proof in wrong.values():
        with pytest.raises(InvalidDpopProof):
            verify(verifier, proof)
    assert verify(verifier, f"{head}.{payload}.{signature}").thumbprint == key.thumbprint


def test_a_header_longer_than_any_key_needs_is_refused_R23(verifier: ProofVerifier, key: DeviceKey) -> None:
    with pytest.raises(InvalidDpopProof):
        verify(verifier, key.proof("GET", URL, TOKEN, header={"kid": "k" * 2_048}))


def test_a_proof_may_be_so_long_and_no_longer_R23(verifier: ProofVerifier, key: DeviceKey) -> None:
    fillings = ("x" * size for size in range(2_500, PROOF_BYTES_MAX))
    proofs = (key.proof("GET", URL, TOKEN, claims={"filling": filling}) for filling in fillings)
    longest, too_long = next(pair for pair in pairwise(proofs) if len(pair[1]) > PROOF_BYTES_MAX)
    assert len(longest) == PROOF_BYTES_MAX
    assert verify(verifier, longest).thumbprint == key.thumbprint
    with pytest.raises(InvalidDpopProof):
        verify(verifier, too_long)


@pytest.mark.parametrize(
    "header",
    [
        {"typ": None},
        {"typ": "JWT"},
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "ES384"},
        {"alg": "EdDSA"},
        {"alg": None},
        {"alg": 7},
        {"jwk": None},
        {"jwk": "key"},
        {"jwk": {"kty": "oct", "k": "AAAA"}},
        {"jwk": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}},
        {"jwk": {"kty": "EC", "crv": "P-256"}},
        {"jwk": {"kty": "EC", "crv": "Ed25519", "x": "AA", "y": "AA"}, "alg": "EdDSA"},
        {"jwk": {"kty": "OKP", "crv": "P-256", "x": "AA"}},
        {"jwk": RSAKey.generate_key(2048).as_dict(private=False)},
        {"jwk": ECKey.generate_key("P-384").as_dict(private=False)},
        {"crit": ["exp"], "exp": 1},
        {"crit": ["b64"], "b64": False},
    ],
)
def test_a_header_that_is_not_dpop_is_refused_T02(
    verifier: ProofVerifier, key: DeviceKey, header: dict[str, Any]
) -> None:
    with pytest.raises(InvalidDpopProof):
        verify(verifier, key.proof("GET", URL, TOKEN, header=header))


def test_a_private_key_in_the_header_is_refused(verifier: ProofVerifier, key: DeviceKey) -> None:
    with pytest.raises(InvalidDpopProof):
        verify(verifier, key.proof("GET", URL, TOKEN, header={"jwk": key.key.as_dict(private=True)}))


def test_a_request_carries_exactly_one_proof_T02(verifier: ProofVerifier, key: DeviceKey) -> None:
    with pytest.raises(InvalidDpopProof):
        verify(verifier)
    with pytest.raises(InvalidDpopProof):
        verify(verifier, key.proof("GET", URL, TOKEN), key.proof("GET", URL, TOKEN))


@pytest.mark.parametrize("payload", [b"", b"[]", b"1", b"null", b'{"jti"', b"\xff", b"[" * 2_000])
def test_a_payload_that_is_no_object_is_refused_T10(
    verifier: ProofVerifier, key: DeviceKey, payload: bytes
) -> None:
    header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": key.public}
    with pytest.raises(InvalidDpopProof):
        verify(verifier, key.sign(header, payload))


@settings(deadline=None)
@given(
    st.text(max_size=200)
    | st.binary(max_size=200).map(lambda data: f"{base64url(data)}.{base64url(data)}.AA")
)
def test_no_header_breaks_the_verifier_T10(header: str) -> None:
    with pytest.raises(InvalidDpopProof):
        verify(verifier_for(FakeClock()), header)


members = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
KEY = DeviceKey(FakeClock())


@settings(deadline=None)
@given(
    header=st.dictionaries(st.sampled_from(["typ", "alg", "jwk", "crit", "b64", "kid"]), members),
    claims=st.dictionaries(st.sampled_from(["jti", "htm", "htu", "iat", "ath"]), members, min_size=1),
)
def test_a_well_signed_proof_of_nonsense_is_refused_T10(
    header: dict[str, Any], claims: dict[str, Any]
) -> None:
    head = {"typ": "dpop+jwt", "alg": "ES256", "jwk": KEY.public, **header}
    proof = KEY.sign(head, json.dumps(claims).encode())
    with pytest.raises(InvalidDpopProof):
        verify(verifier_for(FakeClock()), proof)


@settings(deadline=None)
@given(at=st.integers(min_value=0, max_value=10_000), other=st.sampled_from("AZaz09-_"))
def test_one_changed_character_breaks_a_proof_T02(at: int, other: str) -> None:
    proof = KEY.proof("GET", URL, TOKEN)
    # The last character of a part may hold bits that do not count.
    counted = [i for i, char in enumerate(proof) if char != "." and proof[i + 1 : i + 2] not in {"", "."}]
    place = counted[at % len(counted)]
    assume(proof[place] != other)
    with pytest.raises(InvalidDpopProof):
        verify(verifier_for(FakeClock()), proof[:place] + other + proof[place + 1 :])


def test_a_proof_that_nobody_used_up_takes_no_room_R23_T32(clock: FakeClock, key: DeviceKey) -> None:
    verifier = ProofVerifier(origins=[ORIGIN], clock=clock, nonces=nonces_for(clock), proofs_max=1)
    stranger = DeviceKey(clock)
    for _ in range(3):
        proof = stranger.proof("GET", URL, TOKEN)
        verifier.verify([proof], method="GET", path=PATH, access_token=TOKEN)
    assert verify(verifier, key.proof("GET", URL, TOKEN)).thumbprint == key.thumbprint


def test_more_proofs_than_can_be_remembered_are_refused_until_old_ones_end_R23(
    clock: FakeClock, key: DeviceKey
) -> None:
    nonces = nonces_for(clock)
    verifier = ProofVerifier(origins=[ORIGIN], clock=clock, nonces=nonces, proofs_max=2)
    for _ in range(2):
        verify(verifier, key.proof("GET", URL, TOKEN))
    with pytest.raises(TooManyProofs) as refusal:
        verify(verifier, key.proof("GET", URL, TOKEN))
    assert refusal.value.retry_after_s == 360
    clock.pass_(420)
    nonces.learn(NONCE_KEY)
    assert verify(verifier, key.proof("GET", URL, TOKEN)).thumbprint == key.thumbprint


def test_one_desktop_cannot_take_the_room_of_the_others_proofs_R23_T32(
    clock: FakeClock, key: DeviceKey
) -> None:
    verifier = ProofVerifier(
        origins=[ORIGIN], clock=clock, nonces=nonces_for(clock), proofs_max=4, of_key_max=2
    )
    other = DeviceKey(clock)
    for _ in range(2):
        verify(verifier, other.proof("GET", URL, TOKEN))
    with pytest.raises(TooManyProofs):
        verify(verifier, other.proof("GET", URL, TOKEN))
    assert verify(verifier, key.proof("GET", URL, TOKEN)).thumbprint == key.thumbprint
