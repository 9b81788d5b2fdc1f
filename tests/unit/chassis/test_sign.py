"""Signing: known answers, and what must not verify."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from chassis.crypto.sign import Signer, verify
from chassis.secrecy import Secret
from fakes.entropy import FakeEntropy

# Source: RFC 8032, section 7.1, test 2.
CASE_SEED = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
CASE_SIGNATURE = bytes.fromhex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
)
CASE_PUBLIC_PEM = """-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAPUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=
-----END PUBLIC KEY-----
"""


class CaseEntropy(FakeEntropy):
    """Gives the private key of the known answer."""

    def token(self, size_bytes: int) -> bytes:
        return CASE_SEED[:size_bytes]


def test_the_known_answer_is_made_and_verifies() -> None:
    signer = Signer.generate(CaseEntropy())
    assert signer.sign(b"\x72") == CASE_SIGNATURE
    assert signer.public_pem == CASE_PUBLIC_PEM
    assert verify(CASE_PUBLIC_PEM, b"\x72", CASE_SIGNATURE)


def test_a_signer_survives_being_stored() -> None:
    signer = Signer.generate(FakeEntropy())
    again = Signer(signer.private_pem)
    assert again.public_pem == signer.public_pem
    assert verify(signer.public_pem, b"message", again.sign(b"message"))


@given(st.binary(max_size=100), st.binary(max_size=100), st.integers())
def test_a_signature_belongs_to_one_message_and_one_key(message: bytes, other: bytes, seed: int) -> None:
    signer = Signer.generate(FakeEntropy(seed))
    signature = signer.sign(message)
    assert verify(signer.public_pem, message, signature)
    assert verify(signer.public_pem, other, signature) is (message == other)
    assert not verify(CASE_PUBLIC_PEM, message, signature)


@given(st.binary(max_size=80))
def test_no_bytes_are_a_signature_by_chance_or_break_the_verifier(signature: bytes) -> None:
    assert not verify(CASE_PUBLIC_PEM, b"message", signature)


@given(st.text(max_size=80))
def test_an_unreadable_key_verifies_nothing(public_pem: str) -> None:
    assert not verify(public_pem, b"\x72", CASE_SIGNATURE)


def test_another_kind_of_key_verifies_and_signs_nothing() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert not verify(public.decode(), b"\x72", CASE_SIGNATURE)
    with pytest.raises(ValueError, match="signing key"):
        Signer(Secret(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())))
