"""What the subjects' keys and the receipt key promise, on the fake and on OpenBao."""

import itertools

import pytest

import chassis.crypto.seal
import chassis.crypto.sign
import chassis.vault.errors
from chassis.secrecy import Secret
from fakes.retention_keys import FakeKeys, FakeReceiptKey
from services.retention.model.erasures import Subject
from services.retention.vault import ReceiptKey, SubjectKeys
from tests.conftest import VaultFor

Keys = FakeKeys | SubjectKeys
Signer = FakeReceiptKey | ReceiptKey

KEY = Secret(bytes(range(32)))
PLACE = chassis.crypto.seal.associated(table="data_keys", key="1")
_sellers = itertools.count(1)


@pytest.fixture
def fake_keys() -> FakeKeys:
    return FakeKeys()


@pytest.fixture
async def real_keys(vault_for: VaultFor) -> SubjectKeys:
    return SubjectKeys(await vault_for("retention"))


@pytest.fixture(params=["fake_keys", "real_keys"])
def keys(request: pytest.FixtureRequest) -> Keys:
    chosen: Keys = request.getfixturevalue(request.param)
    return chosen


@pytest.fixture
def fake_signer() -> FakeReceiptKey:
    return FakeReceiptKey()


@pytest.fixture
async def real_signer(vault_for: VaultFor) -> ReceiptKey:
    return ReceiptKey(await vault_for("verifier"))


@pytest.fixture(params=["fake_signer", "real_signer"])
def signer(request: pytest.FixtureRequest) -> Signer:
    chosen: Signer = request.getfixturevalue(request.param)
    return chosen


@pytest.fixture(params=["day", "seller"])
def subject(request: pytest.FixtureRequest) -> Subject:
    """A subject that no other test uses."""
    number = next(_sellers)
    if request.param == "day":
        return Subject.parse(f"day:2101-01-{number % 28 + 1:02}")
    return Subject.of_seller(f"contract_Seller-{number}")


async def test_what_was_wrapped_is_unwrapped(keys: Keys, subject: Subject) -> None:
    await keys.create(subject)
    wrapped = await keys.wrap(subject, KEY, PLACE)
    assert wrapped.isascii()
    assert await keys.unwrap(subject, wrapped, PLACE) == KEY
    await keys.destroy(subject)


async def test_a_key_exists_until_it_is_destroyed(keys: Keys, subject: Subject) -> None:
    assert not await keys.exists(subject)
    await keys.create(subject)
    await keys.create(subject)
    assert await keys.exists(subject)
    await keys.destroy(subject)
    await keys.destroy(subject)
    assert not await keys.exists(subject)


async def test_making_a_key_again_does_not_replace_it(keys: Keys, subject: Subject) -> None:
    await keys.create(subject)
    wrapped = await keys.wrap(subject, KEY, PLACE)
    await keys.create(subject)
    assert await keys.unwrap(subject, wrapped, PLACE) == KEY
    await keys.destroy(subject)


async def test_nothing_unwraps_once_the_key_is_destroyed_T17(keys: Keys, subject: Subject) -> None:
    await keys.create(subject)
    wrapped = await keys.wrap(subject, KEY, PLACE)
    await keys.destroy(subject)
    with pytest.raises(chassis.vault.errors.KeyGone):
        await keys.unwrap(subject, wrapped, PLACE)


async def test_a_new_key_of_the_same_name_unwraps_nothing_old_T17(keys: Keys, subject: Subject) -> None:
    await keys.create(subject)
    wrapped = await keys.wrap(subject, KEY, PLACE)
    await keys.destroy(subject)
    await keys.create(subject)
    with pytest.raises(chassis.crypto.seal.IntegrityFailure):
        await keys.unwrap(subject, wrapped, PLACE)
    await keys.destroy(subject)


async def test_wrapping_does_not_bring_a_destroyed_key_back(keys: Keys, subject: Subject) -> None:
    await keys.create(subject)
    await keys.destroy(subject)
    with pytest.raises(chassis.vault.errors.KeyGone):
        await keys.wrap(subject, KEY, PLACE)
    assert not await keys.exists(subject)


async def test_another_place_or_changed_bytes_do_not_unwrap_T16(keys: Keys, subject: Subject) -> None:
    await keys.create(subject)
    wrapped = await keys.wrap(subject, KEY, PLACE)
    with pytest.raises(chassis.crypto.seal.IntegrityFailure):
        await keys.unwrap(subject, wrapped, chassis.crypto.seal.associated(table="data_keys", key="2"))
    changed = wrapped[:-8] + ("AAAAAAAA" if wrapped[-8:] != "AAAAAAAA" else "BBBBBBBB")
    with pytest.raises(chassis.crypto.seal.IntegrityFailure):
        await keys.unwrap(subject, changed, PLACE)
    await keys.destroy(subject)


async def test_one_subjects_key_does_not_open_anothers(keys: Keys, subject: Subject) -> None:
    other = Subject.of_seller("contract-other")
    await keys.create(subject)
    await keys.create(other)
    wrapped = await keys.wrap(subject, KEY, PLACE)
    with pytest.raises(chassis.crypto.seal.IntegrityFailure):
        await keys.unwrap(other, wrapped, PLACE)
    await keys.destroy(subject)
    await keys.destroy(other)


async def test_a_signature_checks_with_the_public_key_alone(signer: Signer) -> None:
    public_pem = await signer.public_key_pem()
    signature = await signer.sign(b"statement")
    assert len(signature) == 64
    assert chassis.crypto.sign.verify(public_pem, b"statement", signature)
    assert not chassis.crypto.sign.verify(public_pem, b"another", signature)
