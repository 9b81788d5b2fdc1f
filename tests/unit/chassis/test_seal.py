"""Sealing: known answers, and what changes must not open."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import chassis.crypto.seal
import chassis.errors
from chassis.crypto.seal import IntegrityFailure, associated, open_, seal
from chassis.secrecy import Secret
from fakes.entropy import FakeEntropy

KEY = chassis.crypto.seal.new_key(FakeEntropy())
PLACE = associated(table="orders", row=7)

# Source: McGrew and Viega, "The Galois/Counter Mode of Operation", test case 16.
CASE_KEY = bytes.fromhex("feffe9928665731c6d6a8f9467308308" * 2)
CASE_NONCE = bytes.fromhex("cafebabefacedbaddecaf888")
CASE_ASSOCIATED = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
CASE_PLAINTEXT = bytes.fromhex(
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5"
    "aa0de657ba637b39",
)
CASE_CIPHERTEXT = bytes.fromhex(
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e63"
    "93ba7a0abcc9f662",
)
CASE_TAG = bytes.fromhex("76fc6ece0f4e1768cddf8853bb2d551b")

parts = st.dictionaries(
    st.from_regex(r"[a-z_]{1,6}", fullmatch=True),
    st.text(max_size=6) | st.integers(),
    max_size=4,
)


def test_the_known_answer_opens() -> None:
    sealed = b"\x01" + CASE_NONCE + CASE_CIPHERTEXT + CASE_TAG
    assert open_(Secret(CASE_KEY), sealed, CASE_ASSOCIATED) == CASE_PLAINTEXT


@given(st.binary(max_size=300), parts, st.integers())
def test_what_was_sealed_opens_unchanged(plaintext: bytes, place: dict[str, str | int], seed: int) -> None:
    key = chassis.crypto.seal.new_key(FakeEntropy(seed))
    assert open_(key, seal(key, plaintext, associated(**place)), associated(**place)) == plaintext


def test_sealing_twice_gives_different_bytes() -> None:
    assert seal(KEY, b"same", PLACE) != seal(KEY, b"same", PLACE)


@given(st.binary(max_size=60), parts, parts)
def test_a_value_opens_in_no_other_place_T16(
    plaintext: bytes,
    here: dict[str, str | int],
    there: dict[str, str | int],
) -> None:
    sealed = seal(KEY, plaintext, associated(**here))
    if here != there:
        with pytest.raises(IntegrityFailure):
            open_(KEY, sealed, associated(**there))


@given(st.binary(max_size=60), st.data())
def test_a_value_with_one_changed_bit_does_not_open_T16(plaintext: bytes, data: st.DataObject) -> None:
    sealed = bytearray(seal(KEY, plaintext, PLACE))
    position = data.draw(st.integers(0, len(sealed) - 1))
    sealed[position] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(IntegrityFailure):
        open_(KEY, bytes(sealed), PLACE)


@given(st.binary(max_size=40), st.sampled_from([b"", chassis.crypto.seal.FORMAT]))
def test_no_bytes_open_by_chance_or_break_the_opener(data: bytes, beginning: bytes) -> None:
    with pytest.raises(IntegrityFailure):
        open_(KEY, beginning + data, PLACE)


def test_another_key_does_not_open_and_the_answer_is_the_same() -> None:
    with pytest.raises(IntegrityFailure) as caught:
        open_(chassis.crypto.seal.new_key(FakeEntropy(2)), seal(KEY, b"x", PLACE), PLACE)
    assert (caught.value.code, caught.value.http_status) == ("integrity_failure", 503)
    assert chassis.errors.kind_of(caught.value) is chassis.errors.Unavailable


@given(parts, parts)
def test_different_parts_never_give_the_same_associated_bytes(
    left: dict[str, str | int],
    right: dict[str, str | int],
) -> None:
    assert (associated(**left) == associated(**right)) is (left == right)


def test_order_of_parts_does_not_matter_and_text_differs_from_a_number() -> None:
    assert associated(a=1, b="x") == associated(b="x", a=1)
    assert associated(a=1) != associated(a="1")
    assert associated(a="bc") != associated(ab="c")


def test_the_associated_bytes_are_what_stored_values_were_sealed_with() -> None:
    assert associated(row=7, table="orders") == (
        b"\x00\x00\x00\x03rowi\x00\x00\x00\x017\x00\x00\x00\x05tables\x00\x00\x00\x06orders"
    )


def test_a_truth_value_is_no_part() -> None:
    with pytest.raises(TypeError):
        associated(held=True)


def test_a_key_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        seal(Secret(b"short"), b"", b"")


def test_more_than_64_mib_is_not_sealed_R23() -> None:
    with pytest.raises(chassis.crypto.seal.PlaintextTooLarge):
        seal(KEY, bytes(64 * 1024 * 1024 + 1), PLACE)


def test_a_value_that_does_not_open_is_logged_as_an_alarm_T16() -> None:
    treatment = chassis.errors.treatment_of(chassis.crypto.seal.IntegrityFailure())
    assert (treatment.log_level, treatment.grpc_status) == ("error", "UNAVAILABLE")
    assert chassis.errors.treatment_of(chassis.errors.Unavailable()).log_level == "warning"
