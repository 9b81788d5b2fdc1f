"""Fingerprints: known answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import chassis.crypto.digest
from chassis.secrecy import Secret


def test_the_keyed_digest_is_the_known_answer() -> None:
    # Source: RFC 4231, test case 6.
    digest = chassis.crypto.digest.keyed(
        Secret(b"\xaa" * 131),
        "Test Using Larger Than Block-Size Key - Hash Key First",
    )
    assert digest.hex() == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"


def test_the_bare_digest_is_the_known_answer() -> None:
    # Source: FIPS 180-2, appendix B.1.
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert chassis.crypto.digest.sha256(b"abc").hex() == expected


def test_the_code_challenge_is_the_known_answer_T04() -> None:
    # Source: RFC 7636, appendix B.
    challenge = chassis.crypto.digest.pkce_s256("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    assert challenge == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_a_short_digest_key_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        chassis.crypto.digest.keyed(Secret(b"k" * 31), "token")


def test_another_key_gives_another_digest_T15() -> None:
    one, other = (chassis.crypto.digest.keyed(Secret(bytes([n]) * 32), "token") for n in (1, 2))
    assert one != other


@given(st.binary(), st.binary())
def test_equality_is_equality_T11(left: bytes, right: bytes) -> None:
    assert chassis.crypto.digest.equal(left, right) is (left == right)
    assert chassis.crypto.digest.equal(left, bytes(left))
