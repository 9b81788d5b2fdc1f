"""What a service may rely on of the key service: the same of the fake and of OpenBao."""

import uuid
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import chassis.crypto.seal
import chassis.crypto.sign
import chassis.crypto.tls
import chassis.vault
import sallyport.engines.openbao
from fakes.vault import FakeVault
from tests.conftest import VaultFor

Vault = chassis.vault.Vault | FakeVault
EXAMPLES = 15


@pytest.fixture
async def auths_openbao(vault_for: VaultFor) -> chassis.vault.Vault:
    return await vault_for("auth")


@pytest.fixture
async def telemetrys_openbao(vault_for: VaultFor) -> chassis.vault.Vault:
    return await vault_for("telemetry")


@pytest.fixture(params=["fake", "auths_openbao"])
def vault(request: pytest.FixtureRequest) -> Vault:
    """The key service as auth sees it."""
    chosen: Vault = request.getfixturevalue(request.param)
    return chosen


@pytest.fixture
async def fake() -> FakeVault:
    """The fake with what provisioning makes: the key that telemetry signs with."""
    vault = FakeVault()
    await vault.transit_create("telemetry-checkpoint", "ed25519")
    return vault


@pytest.fixture(params=["fake", "telemetrys_openbao"])
def signer(request: pytest.FixtureRequest) -> Vault:
    """The key service as telemetry sees it."""
    chosen: Vault = request.getfixturevalue(request.param)
    return chosen


@pytest.fixture
def key() -> str:
    return f"auth-seller-{uuid.uuid4()}"


@pytest.fixture
def path() -> str:
    return f"auth/applications/{uuid.uuid4()}"


async def test_secret_is_read_as_written(vault: Vault, path: str) -> None:
    await vault.kv_write(path, {"client_secret": "s", "previous": ""})
    assert await vault.kv_read(path) == {"client_secret": "s", "previous": ""}


async def test_newest_version_of_a_secret_is_read(vault: Vault, path: str) -> None:
    await vault.kv_write(path, {"client_secret": "old", "note": "old"})
    await vault.kv_write(path, {"client_secret": "new"})
    assert await vault.kv_read(path) == {"client_secret": "new"}


async def test_a_secret_is_created_only_where_there_is_none(vault: Vault, path: str) -> None:
    assert await vault.kv_create(path, {"key": "first"})
    assert not await vault.kv_create(path, {"key": "second"})
    assert await vault.kv_read(path) == {"key": "first"}


async def test_a_secret_is_replaced_only_by_who_saw_its_newest_version(vault: Vault, path: str) -> None:
    await vault.kv_write(path, {"client_secret": "first"})
    seen = await vault.kv_find(path)
    assert (seen.number, seen.data) == (1, {"client_secret": "first"})
    assert await vault.kv_replace(path, {"client_secret": "second"}, number=seen.number)
    assert not await vault.kv_replace(path, {"client_secret": "late"}, number=seen.number)
    assert (await vault.kv_find(path)).data == {"client_secret": "second"}


async def test_older_versions_are_forgotten_for_good_and_again_is_harmless_R12(
    vault: Vault, path: str
) -> None:
    assert await vault.kv_forget_older(path) == 0
    for secret in ("first", "second", "third"):
        await vault.kv_write(path, {"client_secret": secret})
    assert await vault.kv_forget_older(path) == 2
    assert await vault.kv_forget_older(path) == 0
    assert (await vault.kv_find(path)).number == 3
    assert await vault.kv_read(path) == {"client_secret": "third"}


async def test_a_versions_secret_is_not_in_its_repr_T28(vault: Vault, path: str) -> None:
    await vault.kv_write(path, {"client_secret": "amzn1.oa2-cs.v1.shown"})
    assert "shown" not in repr(await vault.kv_find(path))


async def test_absent_secret_is_not_found(vault: Vault, path: str) -> None:
    with pytest.raises(chassis.vault.SecretNotFound):
        await vault.kv_read(path)


async def test_a_secret_that_an_operator_deleted_is_not_found(
    auths_openbao: chassis.vault.Vault, openbao: sallyport.engines.openbao.OpenBao, path: str
) -> None:
    await auths_openbao.kv_write(path, {"client_secret": "s"})
    await openbao.call("DELETE", f"kv/metadata/{path}")
    with pytest.raises(chassis.vault.SecretNotFound):
        await auths_openbao.kv_read(path)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(plaintext=st.binary(max_size=1_000), associated=st.binary(max_size=200))
async def test_whatever_was_sealed_opens_at_its_place(
    vault: Vault, key: str, plaintext: bytes, associated: bytes
) -> None:
    await vault.transit_create(key)
    sealed = await vault.transit_seal(key, plaintext, associated)
    assert await vault.transit_open(key, sealed, associated) == plaintext


async def test_making_a_key_again_changes_nothing(vault: Vault, key: str) -> None:
    await vault.transit_create(key)
    sealed = await vault.transit_seal(key, b"token", b"place")
    await vault.transit_create(key)
    assert await vault.transit_open(key, sealed, b"place") == b"token"


async def test_value_moved_to_another_place_does_not_open_T16(vault: Vault, key: str) -> None:
    await vault.transit_create(key)
    sealed = await vault.transit_seal(key, b"token", b"seller 1")
    with pytest.raises(chassis.crypto.seal.IntegrityFailure):
        await vault.transit_open(key, sealed, b"seller 2")


async def test_value_of_another_key_does_not_open_T16(vault: Vault, key: str) -> None:
    await vault.transit_create(key)
    await vault.transit_create(f"{key}-2")
    sealed = await vault.transit_seal(key, b"token", b"place")
    with pytest.raises(chassis.crypto.seal.IntegrityFailure):
        await vault.transit_open(f"{key}-2", sealed, b"place")


@pytest.mark.parametrize("garbage", ["", "vault:v1:", "vault:v1:AAAA", "no ciphertext", "vault:v9:AAAA"])
async def test_garbage_does_not_open_T16(vault: Vault, key: str, garbage: str) -> None:
    await vault.transit_create(key)
    with pytest.raises(chassis.crypto.seal.IntegrityFailure):
        await vault.transit_open(key, garbage, b"place")


async def test_nothing_opens_once_its_key_is_destroyed_R18(vault: Vault, key: str) -> None:
    await vault.transit_create(key)
    sealed = await vault.transit_seal(key, b"token", b"place")
    assert await vault.transit_exists(key)
    await vault.transit_destroy(key)
    assert not await vault.transit_exists(key)
    with pytest.raises(chassis.vault.KeyGone):
        await vault.transit_open(key, sealed, b"place")


async def test_key_of_the_same_name_does_not_open_what_its_forerunner_sealed_R18(
    vault: Vault, key: str
) -> None:
    await vault.transit_create(key)
    sealed = await vault.transit_seal(key, b"token", b"place")
    await vault.transit_destroy(key)
    await vault.transit_create(key)
    with pytest.raises(chassis.crypto.seal.IntegrityFailure):
        await vault.transit_open(key, sealed, b"place")


async def test_destroying_a_key_again_is_harmless_R12(vault: Vault, key: str) -> None:
    await vault.transit_destroy(key)
    await vault.transit_create(key)
    await vault.transit_destroy(key)
    await vault.transit_destroy(key)
    assert not await vault.transit_exists(key)


async def test_sealing_never_makes_a_key_R18(vault: Vault, key: str) -> None:
    with pytest.raises(chassis.vault.KeyGone):
        await vault.transit_seal(key, b"token", b"place")
    assert not await vault.transit_exists(key)


async def test_values_of_every_version_open_until_the_old_ones_are_retired_T16(
    vault: Vault, key: str
) -> None:
    await vault.transit_create(key)
    assert await vault.transit_versions(key) == chassis.vault.KeyVersions(latest=1, oldest_opened=1)
    old = await vault.transit_seal(key, b"token", b"place")
    await vault.transit_rotate(key)
    new = await vault.transit_seal(key, b"token", b"place")
    assert (old.split(":")[:2], new.split(":")[:2]) == (["vault", "v1"], ["vault", "v2"])
    for sealed in (old, new):
        assert await vault.transit_open(key, sealed, b"place") == b"token"
    await vault.transit_retire(key, 2)
    await vault.transit_retire(key, 2)
    assert await vault.transit_versions(key) == chassis.vault.KeyVersions(latest=2, oldest_opened=2)
    assert await vault.transit_open(key, new, b"place") == b"token"
    with pytest.raises(chassis.crypto.seal.IntegrityFailure):
        await vault.transit_open(key, old, b"place")


@pytest.mark.parametrize("claimed", [1, 2, 3])
async def test_a_value_that_claims_another_version_does_not_open_T16(
    vault: Vault, key: str, claimed: int
) -> None:
    await vault.transit_create(key)
    sealed = {1: await vault.transit_seal(key, b"token", b"place")}
    await vault.transit_rotate(key)
    sealed[2] = await vault.transit_seal(key, b"token", b"place")
    for version, value in sealed.items():
        if version != claimed:
            with pytest.raises(chassis.crypto.seal.IntegrityFailure):
                await vault.transit_open(key, value.replace(f":v{version}:", f":v{claimed}:"), b"place")


async def test_many_values_are_sealed_and_opened_in_one_call(vault: Vault, key: str) -> None:
    await vault.transit_create(key)
    parts = [(str(number).encode(), f"place {number}".encode()) for number in range(chassis.vault.BATCH_MAX)]
    sealed = await vault.transit_seal_many(key, parts)
    places = [place for _, place in parts]
    opened = await vault.transit_open_many(key, list(zip(sealed, places, strict=True)))
    assert opened == [plaintext for plaintext, _ in parts]
    assert await vault.transit_open(key, sealed[7], b"place 7") == b"7"


@pytest.mark.parametrize("others", [0, 3])
async def test_one_value_at_a_wrong_place_spoils_its_batch_T16(vault: Vault, key: str, others: int) -> None:
    await vault.transit_create(key)
    sealed = await vault.transit_seal(key, b"token", b"place")
    parts = [(sealed, b"place")] * others + [(sealed, b"another place")]
    with pytest.raises(chassis.crypto.seal.IntegrityFailure):
        await vault.transit_open_many(key, parts)


async def test_an_absent_key_is_neither_rotated_nor_made_R18(vault: Vault, key: str) -> None:
    for step in (
        vault.transit_versions(key),
        vault.transit_rotate(key),
        vault.transit_retire(key, 1),
        vault.transit_open_many(key, [("vault:v1:AAAA", b"")]),
        vault.transit_seal_many(key, [(b"token", b"")]),
    ):
        with pytest.raises(chassis.vault.KeyGone):
            await step
    assert not await vault.transit_exists(key)


async def test_signature_is_verified_with_the_public_key(signer: Vault) -> None:
    public_pem = await signer.transit_public_pem("telemetry-checkpoint")
    signature = await signer.transit_sign("telemetry-checkpoint", b"checkpoint 1")
    assert chassis.crypto.sign.verify(public_pem, b"checkpoint 1", signature)
    assert not chassis.crypto.sign.verify(public_pem, b"checkpoint 2", signature)


async def test_absent_key_has_no_public_half(vault: Vault, key: str) -> None:
    with pytest.raises(chassis.vault.KeyGone):
        await vault.transit_public_pem(key)


async def test_certificate_carries_its_names_for_the_time_asked(vault: Vault) -> None:
    certificate = await vault.issue_certificate("auth", ("auth.sallyport.internal",), 3600.0)
    assert certificate.names == ("auth.sallyport.internal",)
    assert (
        timedelta(hours=1) <= certificate.not_after - certificate.not_before <= timedelta(hours=1, minutes=5)
    )
    chassis.crypto.tls.server_context(certificate)
    chassis.crypto.tls.client_context(certificate)
