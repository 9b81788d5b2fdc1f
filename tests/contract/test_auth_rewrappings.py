"""What key rotation may rely on of storage: the same of the fake and of Postgres."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

import chassis.db
import chassis.env
import sallyport.provision
import sallyport.provision.database
import sallyport.provision.ground
from fakes.auth_store import FakeStore
from fakes.clock import START, FakeClock
from services.auth.model.consents import Application, Consent, Ending, Region
from services.auth.model.key_refusals import RoundMissing
from services.auth.model.people import Seller
from services.auth.model.rewrapping import SETTLING_S, KeyKind, KeyOwner, Outcome, Rewrapping, SealedValue
from services.auth.store import Store
from tests.conftest import PoolFor

APPLICATION = Application(application_id="amzn1.sellerapps.app.1", client_id="client", is_draft=True)
OF_APPLICATION = KeyOwner(kind=KeyKind.APPLICATION, owner_id=APPLICATION.application_id)
LEASE_S = 60.0


@dataclass(frozen=True)
class Stage:
    """Storage, and a way to let its clock run ahead."""

    store: FakeStore | Store
    pass_s: Callable[[float], Awaitable[None]]


@pytest.fixture
async def fake_stage() -> Stage:
    clock = FakeClock()

    async def pass_s(span_s: float) -> None:
        clock.pass_(span_s)

    return await _with_application(Stage(FakeStore(clock), pass_s))


@pytest.fixture
async def real_stage(
    pool_for: PoolFor, database: chassis.env.DatabaseConfig, ground: sallyport.provision.ground.Ground
) -> AsyncIterator[Stage]:
    async with sallyport.provision.database.signed_in(
        ground.postgres, ground.openbao, role=sallyport.provision.OWNER, database=database.name
    ) as owner:

        async def pass_s(span_s: float) -> None:
            await owner.execute(
                """
                UPDATE auth.rewrappings
                SET held_until = held_until - $1::interval, rewrapped_at = rewrapped_at - $1
                """,
                timedelta(seconds=span_s),
            )

        yield await _with_application(Stage(Store(await pool_for("auth")), pass_s))


async def _with_application(stage: Stage) -> Stage:
    await stage.store.register_application(APPLICATION, START)
    return stage


@pytest.fixture(params=["fake_stage", "real_stage"])
def stage(request: pytest.FixtureRequest) -> Stage:
    """Storage with an application, and nobody else in it."""
    stage: Stage = request.getfixturevalue(request.param)
    return stage


async def seller(store: FakeStore | Store, created_at: datetime = START) -> KeyOwner:
    seller_id = str(uuid.uuid4())
    made = Seller(seller_id=seller_id, name_sealed=f"vault:v1:name {seller_id}", created_at=created_at)
    await store.create_seller(made)
    return KeyOwner(kind=KeyKind.SELLER, owner_id=seller_id)


async def connected(store: FakeStore | Store) -> tuple[KeyOwner, Consent]:
    """Return a seller with three sealed values: a name, an account and a token in its third writing."""
    owner, consent_id = await seller(store), str(uuid.uuid4())
    made = Consent(
        consent_id=consent_id,
        seller_id=owner.owner_id,
        region=Region.EU,
        marketplace_id="A1",
        application_id=APPLICATION.application_id,
        selling_partner_sealed=f"vault:v1:partner {consent_id}",
        refresh_token_sealed=f"vault:v1:token {consent_id}",
        refresh_version=3,
        granted_at=START,
        expires_at=START + timedelta(days=365),
        used_at=START,
    )
    await store.record_consent(made, uuid.uuid4().bytes * 2)
    return owner, made


async def claimed(stage: Stage) -> Rewrapping:
    rewrapping = await stage.store.claim_rewrapping(LEASE_S)
    assert rewrapping is not None
    return rewrapping


def new_round() -> str:
    return str(uuid.uuid4())


def anew(value: SealedValue, version: int = 2) -> str:
    return value.sealed.replace(":v1:", f":v{version}:")


async def test_a_round_takes_up_one_key_or_all_that_are_not_under_way(stage: Stage) -> None:
    one, _ = await connected(stage.store)
    await seller(stage.store)
    begun = await stage.store.begin_round(new_round(), one, START)
    assert (begun.keys, begun.keys_under_way) == (1, 0)
    again = await stage.store.begin_round(new_round(), one, START)
    assert (again.keys, again.keys_under_way) == (0, 1)
    everything = await stage.store.begin_round(new_round(), None, START)
    assert (everything.keys, everything.keys_under_way) == (2, 1)
    progress = await stage.store.find_progress(begun.round_id)
    assert (progress.keys, progress.keys_rewrapped, progress.values, progress.values_done) == (1, 0, 3, 0)


async def test_nobodys_key_is_not_taken_up(stage: Stage) -> None:
    nobody = KeyOwner(kind=KeyKind.SELLER, owner_id=str(uuid.uuid4()))
    for owner in (nobody, KeyOwner(kind=KeyKind.STAFF, owner_id="")):
        begun = await stage.store.begin_round(new_round(), owner, START)
        assert (begun.keys, begun.keys_under_way) == (0, 0)
    with pytest.raises(RoundMissing):
        await stage.store.find_progress(new_round())


async def test_old_values_are_listed_with_what_they_are_bound_to_T16(stage: Stage) -> None:
    owner, consent = await connected(stage.store)
    await connected(stage.store)
    older = await stage.store.list_older(owner, 2, "")
    assert [value.sealed for value in older] == sorted(value.sealed for value in older)
    by_column = {value.column: value for value in older}
    assert by_column["consents.refresh_token_sealed"] == SealedValue(
        column="consents.refresh_token_sealed",
        place=consent.refresh_token_place,
        sealed=f"vault:v1:token {consent.consent_id}",
    )
    assert by_column["consents.selling_partner_sealed"].place == consent.selling_partner_place
    assert by_column["sellers.name_sealed"].place.row_id == owner.owner_id
    assert len(older) == 3
    assert await stage.store.list_older(owner, 1, "") == []
    assert await stage.store.list_older(owner, 2, older[0].sealed) == older[1:]


async def test_versions_are_compared_as_numbers_and_garbage_counts_as_old(stage: Stage) -> None:
    owner = await seller(stage.store)
    (name,) = await stage.store.list_older(owner, 10, "")
    for sealed, is_old in (("vault:v9:x", True), ("vault:v10:x", False), ("x", True), ("vault:vx:", True)):
        assert await stage.store.replace_sealed(owner, name, sealed)
        name = replace(name, sealed=sealed)
        assert bool(await stage.store.list_older(owner, 10, "")) == is_old


async def test_a_value_is_replaced_only_while_it_is_the_same_R12(stage: Stage) -> None:
    owner, _ = await connected(stage.store)
    older = await stage.store.list_older(owner, 2, "")
    for value in older:
        assert await stage.store.replace_sealed(owner, value, anew(value))
        assert not await stage.store.replace_sealed(owner, value, anew(value, 3))
    assert await stage.store.list_older(owner, 2, "") == []
    newest = await stage.store.list_older(owner, 3, "")
    assert [value.sealed for value in newest] == [anew(value) for value in older]


async def test_a_value_is_not_replaced_for_another_owner_T07(stage: Stage) -> None:
    owner, _ = await connected(stage.store)
    other = await seller(stage.store)
    for value in await stage.store.list_older(owner, 2, ""):
        assert not await stage.store.replace_sealed(other, value, anew(value))


async def test_what_is_kept_for_an_inquiry_is_left_alone_T16(stage: Stage) -> None:
    owner, consent = await connected(stage.store)
    await stage.store.end_consent(consent.consent_id, Ending.QUARANTINED, START)
    columns = {value.column for value in await stage.store.list_older(owner, 2, "")}
    assert columns == {"sellers.name_sealed", "consents.selling_partner_sealed"}


async def test_each_key_is_claimed_by_one_at_a_time_R12(stage: Stage) -> None:
    owners = {(await connected(stage.store))[0] for _ in range(3)}
    await stage.store.begin_round(new_round(), None, START)
    claims = await asyncio.gather(*(stage.store.claim_rewrapping(LEASE_S) for _ in range(6)))
    given = [claim for claim in claims if claim is not None]
    assert {claim.owner for claim in given} == owners | {OF_APPLICATION}
    assert len(given) == 4
    await stage.pass_s(LEASE_S + 1)
    assert await stage.store.claim_rewrapping(LEASE_S) is not None


async def test_a_claim_further_ahead_than_any_is_given_holds_nobody_up_R14(stage: Stage) -> None:
    """As when storage's clock was set back after whoever had it had died."""
    owner, _ = await connected(stage.store)
    await stage.store.begin_round(new_round(), owner, START)
    assert await stage.store.claim_rewrapping(10 * LEASE_S) is not None
    assert (await claimed(stage)).owner == owner
    assert await stage.store.claim_rewrapping(LEASE_S) is None


async def test_what_was_noted_is_found_by_the_next_holder_R12(stage: Stage) -> None:
    owner, _ = await connected(stage.store)
    begun = await stage.store.begin_round(new_round(), owner, START)
    first = await claimed(stage)
    assert (first.version_before, first.version, first.is_settled) == (None, None, False)
    await stage.store.note_beginning(first, 1)
    await stage.store.note_beginning(first, 2)
    await stage.pass_s(LEASE_S + 1)
    second = await claimed(stage)
    assert (second.version_before, second.version) == (1, None)
    await stage.store.note_rotation(second, 2)
    await stage.store.note_rotation(second, 3)
    await stage.store.note_page(second, 2, LEASE_S)
    assert await stage.store.claim_rewrapping(LEASE_S) is None
    await stage.pass_s(LEASE_S + 1)
    third = await claimed(stage)
    assert (third.version_before, third.version, third.is_settled) == (1, 2, False)
    assert (await stage.store.find_progress(begun.round_id)).values_done == 2


async def test_a_key_settles_before_it_is_looked_at_once_more(stage: Stage) -> None:
    owner, _ = await connected(stage.store)
    begun = await stage.store.begin_round(new_round(), owner, START)
    held = await claimed(stage)
    await stage.store.note_beginning(held, 1)
    await stage.store.note_rotation(held, 2)
    await stage.store.end_pass(held, 1)
    assert await stage.store.claim_rewrapping(LEASE_S) is None
    progress = await stage.store.find_progress(begun.round_id)
    assert (progress.keys_rewrapped, progress.keys_closed, progress.values_damaged) == (1, 0, 1)
    assert progress.closes_in_s is not None
    assert SETTLING_S - 30 < progress.closes_in_s <= SETTLING_S
    await stage.pass_s(SETTLING_S + 1)
    settled = await claimed(stage)
    assert settled.is_settled
    await stage.store.close_rewrapping(settled, Outcome.DONE, START)
    await stage.store.close_rewrapping(settled, Outcome.GONE, START)
    progress = await stage.store.find_progress(begun.round_id)
    assert (progress.is_closed, progress.closes_in_s) == (True, None)
    await stage.pass_s(LEASE_S + SETTLING_S)
    assert await stage.store.claim_rewrapping(LEASE_S) is None
    assert (await stage.store.begin_round(new_round(), owner, START)).keys == 1


async def test_a_keys_age_is_that_of_its_newest_version(stage: Stage) -> None:
    day = timedelta(days=1)
    old = await seller(stage.store, START - 400 * day)
    since = START - 335 * day
    ages = await stage.store.find_ages(since)
    assert (ages.keys, ages.oldest_since, ages.aged, ages.under_way) == (2, START - 400 * day, 1, 0)
    begun = new_round()
    assert await stage.store.begin_aged(begun, since, START) == 1
    assert await stage.store.begin_aged(new_round(), since, START) == 0
    held = await claimed(stage)
    assert (held.round_id, held.owner) == (begun, old)
    assert (await stage.store.find_ages(since)).under_way == 1
    await stage.store.note_beginning(held, 1)
    await stage.store.note_rotation(held, 2)
    await stage.store.close_rewrapping(held, Outcome.DONE, START)
    ages = await stage.store.find_ages(since)
    assert (ages.oldest_since, ages.aged, ages.under_way) == (START, 0, 0)


async def test_what_became_of_a_key_is_forgotten_after_two_years_and_what_is_under_way_never(
    stage: Stage,
) -> None:
    over, begun = new_round(), new_round()
    await stage.store.begin_round(over, OF_APPLICATION, START)
    await stage.store.close_rewrapping(await claimed(stage), Outcome.DONE, START)
    await stage.store.begin_round(begun, await seller(stage.store), START)
    assert await stage.store.purge(START + timedelta(days=730), 10) == 0
    assert (await stage.store.find_progress(over)).is_closed
    assert await stage.store.purge(START + timedelta(days=730, seconds=1), 10) == 1
    with pytest.raises(RoundMissing):
        await stage.store.find_progress(over)
    assert not (await stage.store.find_progress(begun)).is_closed


async def test_a_key_that_was_found_gone_is_not_asked_for_again_at_once(stage: Stage) -> None:
    await seller(stage.store, START - timedelta(days=400))
    since = START - timedelta(days=335)
    await stage.store.begin_aged(new_round(), since, START)
    await stage.store.close_rewrapping(await claimed(stage), Outcome.GONE, START)
    assert await stage.store.begin_aged(new_round(), since, START) == 0
