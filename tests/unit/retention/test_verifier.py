"""The verifier finds every path that is open, and signs only when none is."""

import pytest

import chassis.errors
import chassis.vault.errors
from chassis.secrecy import Secret
from fakes.entropy import FakeEntropy
from fakes.retention_house import CONSOLE, DAY, SELLER, House
from fakes.retention_store import FakeErasureStore
from services.retention.model.audit import Origin
from services.retention.model.erasures import Erasure, Subject
from services.retention.model.errors import ErasureUnproven, RequestInvalid, SubjectUnknown
from services.retention.model.records import DataKey
from services.retention.service.key_cache import KeyCache
from services.retention.verifier import Verifier, VerifierPorts

SELLER_SUBJECT = Subject.of_seller(SELLER)


async def sealed_house() -> House:
    house = House()
    await house.observe()
    await house.seal()
    return house


def day_of(house: House) -> Subject:
    return next(Subject.parse(text) for text in house.tables.subjects if text.startswith("day:"))


def verifier_of(house: House, cache: KeyCache) -> Verifier:
    return Verifier(
        VerifierPorts(
            traces=FakeErasureStore(house.tables),
            keys=house.keys,
            cipher=chassis.crypto.seal,
            signer=house.receipt_key,
            is_cached=cache.holds,
            clock=house.clock,
            entropy=FakeEntropy(3),
        )
    )


async def open_paths(house: House, subject: Subject) -> set[str]:
    findings = await house.use.verifier.inspect(subject)
    return {found.path for found in findings if not found.is_unreachable}


async def test_everything_is_open_while_a_day_lives() -> None:
    house = await sealed_house()
    assert await open_paths(house, day_of(house)) == {"key", "partition", "record", "cache"}


async def test_everything_is_open_while_a_seller_lives() -> None:
    house = await sealed_house()
    assert await open_paths(house, SELLER_SUBJECT) == {"seller_key", "partition", "record", "cache"}


async def test_nothing_is_open_after_an_erasure() -> None:
    house = await sealed_house()
    house.pass_(31 * DAY)
    await house.use.erasing.erase_due(CONSOLE)
    await house.use.erasing.erase_seller(SELLER, CONSOLE)
    for subject in (day_of(house), SELLER_SUBJECT):
        assert await open_paths(house, subject) == set()


async def test_a_living_key_is_found_and_so_is_what_it_opens() -> None:
    house = await sealed_house()
    day = day_of(house)
    key = house.keys.living[day]
    house.pass_(31 * DAY)
    await house.use.erasing.erase_due(CONSOLE)
    house.keys.living[day] = key
    assert await open_paths(house, day) == {"key", "record"}


async def test_a_new_key_of_the_same_name_opens_nothing_old() -> None:
    house = await sealed_house()
    day = day_of(house)
    house.pass_(31 * DAY)
    await house.use.erasing.erase_due(CONSOLE)
    await house.keys.create(day)
    assert await open_paths(house, day) == {"key"}


async def test_a_partition_left_behind_is_found_even_when_it_is_empty() -> None:
    house = await sealed_house()
    day = day_of(house)
    house.pass_(31 * DAY)
    await house.use.erasing.erase_due(CONSOLE)
    assert day.day is not None
    house.tables.partitions[day.day] = []
    assert await open_paths(house, day) == {"partition"}


async def test_a_data_key_left_behind_is_found() -> None:
    house = await sealed_house()
    await house.use.erasing.erase_seller(SELLER, CONSOLE)
    assert day_of(house).day is not None
    left = DataKey(key_id="k", seller_id=SELLER, erase_day=house.now.date(), wrapped="w")
    house.tables.data_keys["k"] = left
    assert await open_paths(house, SELLER_SUBJECT) == {"partition"}


async def test_a_key_in_memory_is_found() -> None:
    house = await sealed_house()
    await house.use.erasing.erase_seller(SELLER, CONSOLE)
    cache = KeyCache(clock=house.clock)
    day = day_of(house).day
    assert day is not None
    cache.keep(DataKey(key_id="k", seller_id=SELLER, erase_day=day, wrapped="w"), Secret(b"k"))
    findings = await verifier_of(house, cache).inspect(SELLER_SUBJECT)
    assert [found.path for found in findings if not found.is_unreachable] == ["cache"]


async def test_no_receipt_is_signed_while_a_path_is_open() -> None:
    house = await sealed_house()
    erasure = Erasure(
        erasure_id="e",
        subject=SELLER_SUBJECT,
        origin=Origin("console", ""),
        intent_id="i",
        outcome_id="o",
        closed_at=house.now,
    )
    with pytest.raises(ErasureUnproven):
        await house.use.verifier.certify(erasure)


@pytest.mark.parametrize(
    "error",
    [chassis.vault.errors.KeyServiceUnavailable(), chassis.vault.errors.KeyAccessDenied()],
    ids=["sealed", "denied"],
)
async def test_a_path_that_cannot_be_tried_is_no_proof(error: chassis.errors.SallyportError) -> None:
    house = await sealed_house()
    house.keys.error = error
    with pytest.raises(type(error)):
        await house.use.verifier.inspect(SELLER_SUBJECT)


async def test_a_key_service_that_goes_away_between_two_looks_is_no_finding_R06() -> None:
    house = await sealed_house()
    exists = house.keys.exists

    async def exists_and_is_gone(subject: Subject) -> bool:
        answer = await exists(subject)
        house.keys.error = chassis.vault.errors.KeyServiceUnavailable()
        return answer

    house.keys.exists = exists_and_is_gone  # type: ignore[method-assign]
    with pytest.raises(chassis.vault.errors.KeyServiceUnavailable):
        await house.use.verifier.inspect(SELLER_SUBJECT)


async def test_what_was_never_kept_is_unknown() -> None:
    house = House()
    with pytest.raises(SubjectUnknown):
        await house.use.verifier.inspect(SELLER_SUBJECT)


@pytest.mark.parametrize("text", ["", "day:", "day:tomorrow", "seller:", "seller:a/b", "vendor:x", "seller"])
def test_a_subject_out_of_form_is_refused_T10(text: str) -> None:
    with pytest.raises(RequestInvalid):
        Subject.parse(text)


@pytest.mark.parametrize("text", ["day:2026-12-22", "seller:A1B2"])
def test_a_subject_is_written_as_it_is_read(text: str) -> None:
    assert str(Subject.parse(text)) == text
