"""What auth's key service promises, on the fake and on OpenBao."""

import uuid
from dataclasses import replace

import pytest

import chassis.clock
import chassis.entropy
from chassis.errors import SallyportError
from chassis.secrecy import Secret
from fakes.auth_vault import FakeVault
from fakes.clock import START
from services.auth.model.credentials import SECRET_LIFE, ClientSecret, Origin, SecretPair
from services.auth.model.refusals import ApplicationMissing
from services.auth.model.sealing import Place
from services.auth.vault import AuthVault
from tests.conftest import VaultFor

AnyVault = FakeVault | AuthVault

SELLER, OTHER = "0190b2f0-0000-7000-8000-000000000001", "0190b2f0-0000-7000-8000-000000000002"
HOME = Place(seller_id=SELLER, table="consents", column="refresh_token_sealed", row_id="row", version=3)


@pytest.fixture
async def fake_vault() -> FakeVault:
    vault = FakeVault()
    await _make_keys(vault)
    return vault


@pytest.fixture
async def real_vault(vault_for: VaultFor) -> AuthVault:
    vault = AuthVault(await vault_for("auth"), chassis.clock.SystemClock(), chassis.entropy.SystemEntropy())
    await vault.ensure_digest_key()
    await _make_keys(vault)
    return vault


@pytest.fixture(params=["fake_vault", "real_vault"])
def vault(request: pytest.FixtureRequest) -> AnyVault:
    vault: AnyVault = request.getfixturevalue(request.param)
    return vault


async def _make_keys(vault: AnyVault) -> None:
    for seller_id in (SELLER, OTHER):
        await vault.create_key(seller_id)


async def test_what_was_sealed_for_a_place_opens_there(vault: AnyVault) -> None:
    sealed = await vault.seal(HOME, Secret("Atzr|ünïcode"))
    assert "Atzr" not in sealed
    assert (await vault.open(HOME, sealed)).reveal() == "Atzr|ünïcode"


@pytest.mark.parametrize(
    "place",
    [
        Place(seller_id=OTHER, table="consents", column="refresh_token_sealed", row_id="row", version=3),
        Place(seller_id=SELLER, table="devices", column="refresh_token_sealed", row_id="row", version=3),
        Place(seller_id=SELLER, table="consents", column="name_sealed", row_id="row", version=3),
        Place(seller_id=SELLER, table="consents", column="refresh_token_sealed", row_id="other", version=3),
        Place(seller_id=SELLER, table="consents", column="refresh_token_sealed", row_id="row", version=2),
    ],
    ids=["tenant", "table", "column", "row", "version"],
)
async def test_what_was_moved_or_rolled_back_does_not_open_T16(vault: AnyVault, place: Place) -> None:
    sealed = await vault.seal(HOME, Secret("Atzr|token"))
    with pytest.raises(SallyportError) as refusal:
        await vault.open(place, sealed)
    assert (refusal.value.code, refusal.value.http_status) == ("integrity_failure", 503)


async def test_what_was_changed_does_not_open_T16(vault: AnyVault) -> None:
    sealed = await vault.seal(HOME, Secret("Atzr|token"))
    changed = sealed[:-6] + ("A" if sealed[-6] != "A" else "B") + sealed[-5:]
    with pytest.raises(SallyportError) as refusal:
        await vault.open(HOME, changed)
    assert refusal.value.code == "integrity_failure"


async def test_a_seller_without_a_key_has_nothing_sealed_T18(vault: AnyVault) -> None:
    place = Place(seller_id="0190b2f0-0000-7000-8000-00000000000f", table="t", column="c", row_id="r")
    with pytest.raises(SallyportError) as refusal:
        await vault.seal(place, Secret("x"))
    assert refusal.value.code == "key_gone"


async def test_a_key_made_again_is_the_same_key(vault: AnyVault) -> None:
    sealed = await vault.seal(HOME, Secret("Atzr|token"))
    await vault.create_key(SELLER)
    assert (await vault.open(HOME, sealed)).reveal() == "Atzr|token"


async def test_digests_repeat_within_a_purpose_and_differ_between_T15(vault: AnyVault) -> None:
    digest = await vault.digest("session", "sp_se_token")
    assert len(digest) == 32
    assert await vault.digest("session", "sp_se_token") == digest
    assert await vault.digest("session", "sp_se_other") != digest
    assert await vault.digest("code", "sp_se_token") != digest


def pair(older: ClientSecret | None = None) -> SecretPair:
    newest = ClientSecret(
        secret_id="0190b2f0-0000-7000-8000-00000000000a",
        secret=Secret("amzn1.oa2-cs.v1.newest"),
        origin=Origin.QUEUE,
        kept_at=START,
        expires_at=START + SECRET_LIFE,
        is_estimated=False,
    )
    return SecretPair(client_id="c", newest=newest, older=older)


OLDER = replace(
    pair().newest,
    secret_id="0190b2f0-0000-7000-8000-00000000000b",
    secret=Secret("amzn1.oa2-cs.v1.older"),
    origin=Origin.PASTED,
    is_estimated=True,
    accepted_at=START,
)


async def test_two_secrets_are_found_as_they_were_kept(vault: AnyVault) -> None:
    application_id = f"amzn1.sellerapps.app.{uuid.uuid4()}"
    with pytest.raises(ApplicationMissing):
        await vault.find_secrets(application_id)
    assert await vault.keep_secrets(application_id, pair(OLDER), number=0)
    kept = await vault.find_secrets(application_id)
    assert kept.pair == pair(OLDER)
    assert await vault.keep_secrets(application_id, kept.pair.without_older(), number=kept.number)
    assert (await vault.find_secrets(application_id)).pair == pair()


async def test_secrets_are_changed_only_by_who_saw_the_last_change_R12(vault: AnyVault) -> None:
    application_id = f"amzn1.sellerapps.app.{uuid.uuid4()}"
    assert await vault.keep_secrets(application_id, pair(), number=0)
    assert not await vault.keep_secrets(application_id, pair(OLDER), number=0)
    seen = await vault.find_secrets(application_id)
    assert await vault.keep_secrets(application_id, pair(OLDER), number=seen.number)
    assert not await vault.keep_secrets(application_id, pair(), number=seen.number)
    await vault.forget_secrets(application_id)
    await vault.forget_secrets(application_id)
    assert (await vault.find_secrets(application_id)).pair == pair(OLDER)


async def test_a_secret_that_was_given_up_is_in_no_version_R12(vault_for: VaultFor) -> None:
    client = await vault_for("auth")
    vault = AuthVault(client, chassis.clock.SystemClock(), chassis.entropy.SystemEntropy())
    application_id = f"amzn1.sellerapps.app.{uuid.uuid4()}"
    await vault.keep_secrets(application_id, pair(OLDER), number=0)
    await vault.keep_secrets(application_id, pair(), number=1)
    await vault.forget_secrets(application_id)
    assert await client.kv_forget_older(f"auth/applications/{application_id}") == 0
    assert "older" not in str((await client.kv_find(f"auth/applications/{application_id}")).data)


async def test_what_an_earlier_release_kept_is_one_secret_of_estimated_date(vault_for: VaultFor) -> None:
    client = await vault_for("auth")
    vault = AuthVault(client, chassis.clock.SystemClock(), chassis.entropy.SystemEntropy())
    application_id = f"amzn1.sellerapps.app.{uuid.uuid4()}"
    undated = {"client_id": "c", "client_secret": "amzn1.oa2-cs.v1.undated"}
    await client.kv_write(f"auth/applications/{application_id}", undated)
    kept = await vault.find_secrets(application_id)
    newest = kept.pair.newest
    assert newest.secret.reveal() == "amzn1.oa2-cs.v1.undated"
    assert (kept.pair.older, newest.is_estimated) == (None, True)
    assert newest.expires_at - newest.kept_at == SECRET_LIFE
    assert (await vault.find_secrets(application_id)).pair.newest.secret_id == newest.secret_id


async def test_an_earlier_release_finds_the_newest_secret_R26(vault_for: VaultFor) -> None:
    client = await vault_for("auth")
    vault = AuthVault(client, chassis.clock.SystemClock(), chassis.entropy.SystemEntropy())
    application_id = f"amzn1.sellerapps.app.{uuid.uuid4()}"
    await vault.keep_secrets(application_id, pair(OLDER), number=0)
    data = await client.kv_read(f"auth/applications/{application_id}")
    assert (data["client_id"], data["client_secret"]) == ("c", "amzn1.oa2-cs.v1.newest")
