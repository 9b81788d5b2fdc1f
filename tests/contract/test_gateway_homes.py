"""What the store of ids' homes promises the gateway, on the fake and on Postgres."""

import asyncpg
import pytest

import chassis.clock
import chassis.db
import chassis.entropy
import chassis.env
import chassis.vault
import sallyport.provision
import sallyport.provision.database
import sallyport.provision.ground
import sallyport.provision.handout
from chassis.secrecy import Secret
from fakes.clock import FakeClock
from fakes.gateway_homes import FakeHomes
from services.gateway.fingerprints import FingerprintedHomes
from services.gateway.forward.ports import HomeStore
from services.gateway.model.calls import Region
from services.gateway.shared_key import SharedKey
from services.gateway.store import Store
from services.gateway.vault import HOME_KEY_PATH, GatewayVault
from tests.conftest import PoolFor

NA, EU = Region.NA, Region.EU
ORDER = "114-3941689-8772232"


@pytest.fixture
async def store(pool_for: PoolFor) -> Store:
    return Store(await pool_for("gateway"))


@pytest.fixture
def key() -> SharedKey:
    key = SharedKey(FakeClock())
    key.learn(Secret(b"h" * 32))
    return key


@pytest.fixture
def real_homes(store: Store, key: SharedKey) -> FingerprintedHomes:
    return FingerprintedHomes(key=key, store=store)


@pytest.fixture
def fake_homes() -> FakeHomes:
    return FakeHomes()


@pytest.fixture(params=["fake_homes", "real_homes"])
def homes(request: pytest.FixtureRequest) -> HomeStore:
    made: HomeStore = request.getfixturevalue(request.param)
    return made


async def test_what_a_region_told_is_found_for_its_seller_only_T07(homes: HomeStore) -> None:
    await homes.settle("seller-1", ["a", "b"], EU)
    assert [await homes.homes("seller-1", each) for each in ("a", "b", "c")] == [{EU}, {EU}, set()]
    assert await homes.homes("seller-2", "a") == set()


async def test_every_region_that_told_an_id_is_known_however_often_it_did(homes: HomeStore) -> None:
    for region in (NA, EU, NA):
        await homes.settle("seller-1", ["a"], region)
    assert await homes.homes("seller-1", "a") == {NA, EU}


async def test_a_fingerprint_is_found_for_its_seller_only_whatever_made_it_T07(store: Store) -> None:
    await store.settle("seller-1", [b"fingerprint"], EU)
    assert await store.homes("seller-1", b"fingerprint") == {EU}
    assert await store.homes("seller-2", b"fingerprint") == set()


async def test_replicas_with_one_key_know_the_same_homes(store: Store, key: SharedKey) -> None:
    await FingerprintedHomes(key=key, store=store).settle("seller-1", ["a"], EU)
    assert await FingerprintedHomes(key=key, store=store).homes("seller-1", "a") == {EU}


async def test_storage_holds_fingerprints_that_differ_between_sellers_T15(
    real_homes: FingerprintedHomes, owner: chassis.db.Connection
) -> None:
    for seller_id in ("seller-1", "seller-2"):
        await real_homes.settle(seller_id, [ORDER], EU)
    rows = await owner.fetch("SELECT * FROM gateway.id_homes")
    assert len({row["fingerprint"] for row in rows}) == 2
    assert ORDER not in str(rows)
    assert not any(ORDER.encode() in row["fingerprint"] for row in rows)


async def test_without_its_key_nobody_can_say_R06(store: Store) -> None:
    homes = FingerprintedHomes(key=SharedKey(FakeClock()), store=store)
    with pytest.raises(chassis.vault.KeyServiceUnavailable):
        await homes.homes("seller-1", "a")
    with pytest.raises(chassis.vault.KeyServiceUnavailable):
        await homes.settle("seller-1", ["a"], EU)


async def test_the_gateways_policy_lets_it_make_the_key_once_and_read_it(
    ground: sallyport.provision.ground.Ground,
) -> None:
    config = sallyport.provision.handout.vault_config(ground.openbao, ground.folder, "gateway")
    async with await chassis.vault.connect(config, chassis.clock.SystemClock()) as vault:
        keys = GatewayVault(vault, chassis.entropy.SystemEntropy())
        made = await keys.read_home_key()
        assert (await keys.read_home_key()).reveal() == made.reveal()
        with pytest.raises(chassis.vault.KeyAccessDenied):
            await vault.kv_write(HOME_KEY_PATH, {"key": "another"})


async def test_ids_that_no_region_told_for_long_are_forgotten_some_at_a_time(
    real_homes: FingerprintedHomes, store: Store, owner: chassis.db.Connection
) -> None:
    await real_homes.settle("seller-1", ["a", "b", "c"], EU)
    assert await store.forget_homes(10) == 0
    await owner.execute("UPDATE gateway.id_homes SET told_at = told_at - interval '91 days'")
    await real_homes.settle("seller-1", ["c"], EU)
    assert [await store.forget_homes(1) for _ in range(3)] == [1, 1, 0]
    assert [await real_homes.homes("seller-1", each) for each in ("a", "c")] == [set(), {EU}]


@pytest.mark.parametrize(("hours", "is_written"), [(0, False), (23, False), (25, True)])
async def test_what_is_told_again_is_written_again_once_a_day(
    real_homes: FingerprintedHomes, owner: chassis.db.Connection, hours: int, *, is_written: bool
) -> None:
    await real_homes.settle("seller-1", ["a"], EU)
    before = await owner.fetchval(
        "UPDATE gateway.id_homes SET told_at = told_at - make_interval(hours => $1) RETURNING told_at", hours
    )
    await real_homes.settle("seller-1", ["a"], EU)
    assert (await owner.fetchval("SELECT told_at FROM gateway.id_homes") > before) is is_written


async def test_a_schema_of_before_is_a_store_that_cannot_say_R26(
    real_homes: FingerprintedHomes, store: Store, owner: chassis.db.Connection
) -> None:
    await owner.execute("DROP TABLE gateway.id_homes")
    for asked in (
        real_homes.homes("seller-1", "a"),
        real_homes.settle("seller-1", ["a"], EU),
        store.forget_homes(1),
    ):
        with pytest.raises(chassis.db.StoreUnavailable):
            await asked


async def test_the_gateways_role_cannot_change_what_was_told(pool_for: PoolFor) -> None:
    pool = await pool_for("gateway")
    for statement in ("UPDATE gateway.id_homes SET region = 'na'", "TRUNCATE gateway.id_homes"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await pool.execute(statement)
