"""OpenBao itself: who may do what, and how a process comes back after it was sealed, killed or forgot us."""

import asyncio
import ssl
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

import chassis.clock
import chassis.crypto.tls
import chassis.env
import chassis.errors
import chassis.vault
import sallyport.engines.openbao
import sallyport.provision
import sallyport.provision.ground
import sallyport.provision.handout
from chassis.vault.session import CALLS_MAX, Lease
from fakes.certificates import Authority
from fakes.clock import FakeClock
from tests.conftest import VaultFor, free_port

AUTHS = "auth-seller-0191"
STAFFS = "auth-staff"
RETENTIONS = "retention-seller-0191"
DAYS = "retention-day-2026-11-22"


@pytest.fixture
def config(ground: sallyport.provision.ground.Ground) -> chassis.env.VaultConfig:
    return sallyport.provision.handout.vault_config(ground.openbao, ground.folder, "auth")


class ImpatientClock(chassis.clock.SystemClock):
    """Sleeps at once, its monotonic clock moving on by what was slept."""

    def __init__(self) -> None:
        self._slept_s = 0.0

    def monotonic_s(self) -> float:
        return self._slept_s

    async def sleep(self, delay_s: float) -> None:
        self._slept_s += delay_s
        await asyncio.sleep(0)


@asynccontextmanager
async def restored(openbao: sallyport.engines.openbao.OpenBao) -> AsyncIterator[None]:
    """Have the engine running again afterwards."""
    try:
        yield
    finally:
        await openbao.start()


@pytest.fixture
async def _keys(openbao: sallyport.engines.openbao.OpenBao) -> None:
    for key in (AUTHS, STAFFS, RETENTIONS, DAYS):
        await openbao.call("POST", f"transit/keys/{key}", {})


async def _try(vault: chassis.vault.Vault, verb: str, target: str) -> None:
    calls: dict[str, Callable[[], Awaitable[object]]] = {
        "create": lambda: vault.transit_create(target),
        "destroy": lambda: vault.transit_destroy(target),
        "rotate": lambda: vault.transit_rotate(target),
        "retire": lambda: vault.transit_retire(target, 1),
        "seal": lambda: vault.transit_seal(target, b"x", b""),
        "open": lambda: vault.transit_open(target, "vault:v1:AAAA", b""),
        "sign": lambda: vault.transit_sign(target, b"x"),
        "public": lambda: vault.transit_public_pem(target),
        "read": lambda: vault.kv_read(target),
        "write": lambda: vault.kv_write(target, {"a": "b"}),
        "delete": lambda: vault._session.ask("delete", f"kv/metadata/{target}"),
        "certificate": lambda: vault.issue_certificate(target, (f"{target}.sallyport.internal",), 60.0),
    }
    await calls[verb]()


async def _may(vault: chassis.vault.Vault, verb: str, target: str) -> bool:
    try:
        await _try(vault, verb, target)
    except chassis.vault.KeyAccessDenied:
        return False
    return True


@pytest.mark.usefixtures("_keys")
@pytest.mark.parametrize(
    ("identity", "verb", "target"),
    [
        ("gateway", "seal", AUTHS),
        ("gateway", "open", AUTHS),
        ("gateway", "open", RETENTIONS),
        ("gateway", "create", "auth-seller-x"),
        ("gateway", "read", "auth/digest-key"),
        ("gateway", "certificate", "auth"),
        ("auth", "seal", RETENTIONS),
        ("auth", "open", DAYS),
        ("auth", "destroy", RETENTIONS),
        ("auth", "create", "seller-x"),
        ("auth", "sign", "telemetry-checkpoint"),
        ("auth", "read", "retention/x"),
        ("auth", "write", "telemetry/x"),
        ("auth", "delete", "auth/digest-key"),
        ("auth", "delete", "auth/applications/x"),
        ("auth", "certificate", "gateway"),
        ("auth", "certificate", "sallyport_owner"),
        ("retention", "open", AUTHS),
        ("retention", "destroy", AUTHS),
        ("retention", "sign", "retention-receipt"),
        ("retention", "destroy", "retention-receipt"),
        ("retention", "read", "auth/digest-key"),
        ("retention", "read", "retention/x"),
        ("verifier", "seal", RETENTIONS),
        ("verifier", "create", "retention-day-2030-01-01"),
        ("verifier", "destroy", DAYS),
        ("verifier", "sign", "telemetry-checkpoint"),
        ("verifier", "certificate", "retention"),
        ("telemetry", "open", AUTHS),
        ("telemetry", "open", RETENTIONS),
        ("telemetry", "sign", "retention-receipt"),
        ("telemetry", "destroy", "telemetry-checkpoint"),
        ("telemetry", "delete", "telemetry/webhook"),
        ("console", "sign", "telemetry-checkpoint"),
        ("console", "sign", "retention-receipt"),
        ("console", "open", AUTHS),
        ("console", "rotate", AUTHS),
        ("gateway", "rotate", AUTHS),
        ("retention", "rotate", AUTHS),
        ("retention", "retire", AUTHS),
        ("telemetry", "retire", AUTHS),
        ("auth", "rotate", RETENTIONS),
        ("auth", "rotate", "telemetry-checkpoint"),
        ("auth", "destroy", STAFFS),
        ("console", "read", "auth/digest-key"),
        ("console", "certificate", "auth"),
    ],
)
async def test_identity_may_not_do_what_is_anothers_T19(
    vault_for: VaultFor, identity: str, verb: str, target: str
) -> None:
    assert not await _may(await vault_for(identity), verb, target)


@pytest.mark.usefixtures("_keys")
@pytest.mark.parametrize(
    ("identity", "verb", "target"),
    [
        ("gateway", "certificate", "gateway"),
        ("auth", "seal", AUTHS),
        ("auth", "rotate", AUTHS),
        ("auth", "retire", AUTHS),
        ("auth", "rotate", STAFFS),
        ("auth", "retire", STAFFS),
        ("auth", "write", "auth/applications/x"),
        ("retention", "seal", RETENTIONS),
        ("retention", "seal", DAYS),
        ("retention", "public", "retention-receipt"),
        ("retention", "certificate", "retention"),
        ("verifier", "public", "retention-receipt"),
        ("verifier", "sign", "retention-receipt"),
        ("telemetry", "sign", "telemetry-checkpoint"),
        ("console", "public", "telemetry-checkpoint"),
        ("console", "public", "retention-receipt"),
        ("console", "certificate", "console"),
    ],
)
async def test_identity_may_do_its_own(vault_for: VaultFor, identity: str, verb: str, target: str) -> None:
    assert await _may(await vault_for(identity), verb, target)


@pytest.mark.parametrize("wish", [{"exportable": True}, {"allow_plaintext_backup": True}])
async def test_no_identity_makes_a_key_that_can_leave_T19(vault_for: VaultFor, wish: dict[str, bool]) -> None:
    vault = await vault_for("retention")
    key = f"retention-seller-{uuid.uuid4()}"
    with pytest.raises(chassis.vault.KeyAccessDenied):
        await vault._session.ask("write_data", f"transit/keys/{key}", wish)
    await vault.transit_create(key)
    with pytest.raises(chassis.vault.KeyAccessDenied):
        await vault._session.ask("write_data", f"transit/keys/{key}/config", wish)


async def test_gateway_gets_the_public_doors_certificate(vault_for: VaultFor) -> None:
    vault = await vault_for("gateway")
    certificate = await vault.issue_certificate("public", ("localhost", "127.0.0.1"), 60.0)
    assert certificate.names == ("localhost",)


async def test_certificate_for_a_foreign_name_is_not_issued_T24(vault_for: VaultFor) -> None:
    vault = await vault_for("gateway")
    with pytest.raises(chassis.errors.Internal):
        await vault.issue_certificate("gateway", ("auth.sallyport.internal",), 60.0)


async def test_certificate_lives_a_day_at_most_T25(vault_for: VaultFor) -> None:
    vault = await vault_for("gateway")
    certificate = await vault.issue_certificate("gateway", ("gateway.sallyport.internal",), 90 * 86_400.0)
    assert (certificate.not_after - certificate.not_before).total_seconds() <= 24 * 3600 + 300


async def test_sealed_key_service_answers_nothing_and_comes_back_by_itself_R06(
    vault_for: VaultFor, openbao: sallyport.engines.openbao.OpenBao
) -> None:
    vault = await vault_for("auth")
    key = f"auth-seller-{uuid.uuid4()}"
    await vault.transit_create(key)
    sealed = await vault.transit_seal(key, b"token", b"place")
    async with restored(openbao):
        await openbao.seal()
        with pytest.raises(chassis.vault.KeyServiceUnavailable) as caught:
            await vault.transit_open(key, sealed, b"place")
        assert caught.value.code == "key_service_unavailable"
    assert await vault.transit_open(key, sealed, b"place") == b"token"


async def test_killed_key_service_forgets_nothing_it_acknowledged_R06(
    vault_for: VaultFor, openbao: sallyport.engines.openbao.OpenBao
) -> None:
    vault = await vault_for("retention")
    kept, destroyed = f"retention-seller-{uuid.uuid4()}", f"retention-seller-{uuid.uuid4()}"
    await vault.transit_create(kept)
    await vault.transit_create(destroyed)
    sealed = await vault.transit_seal(kept, b"address", b"place")
    lost = await vault.transit_seal(destroyed, b"address", b"place")
    async with restored(openbao):
        await vault.transit_destroy(destroyed)
        openbao.server.kill()
        await openbao.wait()
        with pytest.raises(chassis.vault.KeyServiceUnavailable):
            await vault.transit_open(kept, sealed, b"place")
    assert await vault.transit_open(kept, sealed, b"place") == b"address"
    with pytest.raises(chassis.vault.KeyGone):
        await vault.transit_open(destroyed, lost, b"place")


async def test_token_that_died_is_replaced_on_the_next_call_R06(config: chassis.env.VaultConfig) -> None:
    async with await chassis.vault.connect(config, chassis.clock.SystemClock()) as vault:
        await vault._session.ask("write_data", "auth/token/revoke-self", {})
        calls = [vault.transit_exists(f"auth-seller-{uuid.uuid4()}") for _ in range(20)]
        assert await asyncio.gather(*calls) == [False] * 20


async def test_token_is_renewed_before_it_dies(config: chassis.env.VaultConfig) -> None:
    clock = FakeClock()
    async with await chassis.vault.connect(config, clock) as vault:
        first = vault._session._lease
        assert first is not None
        assert (await _next_lease(vault, clock)).due_at_s > first.due_at_s


async def test_token_that_cannot_be_renewed_is_replaced_R06(config: chassis.env.VaultConfig) -> None:
    clock = FakeClock()
    async with await chassis.vault.connect(config, clock) as vault:
        await vault._session.ask("write_data", "auth/token/revoke-self", {})
        await _next_lease(vault, clock)
        assert await vault._session._is_alive(vault._session._lease)


async def _next_lease(vault: chassis.vault.Vault, clock: FakeClock) -> Lease:
    """Let the vault keep its token alive until it has a new lease."""
    lease = vault._session._lease
    assert lease is not None
    keeping = asyncio.create_task(vault.run())
    await clock.advance(lease.life_s * 2 / 3)
    while vault._session._lease is lease:  # noqa: ASYNC110 - the answer comes from a thread
        await asyncio.sleep(0.001)
    keeping.cancel()
    with suppress(asyncio.CancelledError):
        await keeping
    assert vault._session._lease is not None
    return vault._session._lease


async def test_calls_beyond_the_bound_are_refused_at_once_R23(vault_for: VaultFor) -> None:
    vault = await vault_for("auth")
    calls = [vault.transit_exists(f"auth-seller-{uuid.uuid4()}") for _ in range(CALLS_MAX + 100)]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, chassis.vault.KeyServiceUnavailable)]
    assert len(refused) == 100
    assert answers.count(False) == CALLS_MAX


async def test_wrong_secret_id_refuses_to_start(config: chassis.env.VaultConfig, tmp_path: Path) -> None:
    forged = tmp_path / "secret_id"
    forged.write_text(str(uuid.uuid4()))
    assert isinstance(config.login, chassis.env.AppRole)
    stranger = replace(config, login=replace(config.login, secret_id_file=forged))
    with pytest.raises(chassis.errors.StartRefused) as caught:
        await chassis.vault.connect(stranger, chassis.clock.SystemClock())
    assert caught.value.code == "key_service_login_refused"


async def test_absent_key_service_is_awaited_for_a_bounded_time(config: chassis.env.VaultConfig) -> None:
    absent = replace(config, address=f"https://127.0.0.1:{free_port()}")
    with pytest.raises(chassis.vault.KeyServiceUnavailable):
        await chassis.vault.connect(absent, ImpatientClock())


async def test_key_service_of_another_authority_is_not_believed_T24(
    config: chassis.env.VaultConfig, ground: sallyport.provision.ground.Ground
) -> None:
    misled = replace(config, ca_file=ground.folder.services_ca_file)
    with pytest.raises(chassis.vault.KeyServiceUnavailable):
        await chassis.vault.connect(misled, ImpatientClock())


async def test_key_service_without_the_newest_tls_is_not_spoken_to_T24(
    config: chassis.env.VaultConfig, tmp_path: Path
) -> None:
    authority, spoken = Authority(), []

    async def listen(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        spoken.append(writer.get_extra_info("ssl_object").version())
        writer.close()

    tls = chassis.crypto.tls.public_context(authority.issue("localhost"))
    tls.minimum_version = tls.maximum_version = ssl.TLSVersion.TLSv1_2
    async with await asyncio.start_server(listen, "127.0.0.1", 0, ssl=tls) as server:
        address = f"https://localhost:{server.sockets[0].getsockname()[1]}"
        outdated = replace(config, address=address, ca_file=authority.write_ca(tmp_path))
        with pytest.raises(chassis.vault.KeyServiceUnavailable):
            await chassis.vault.connect(outdated, ImpatientClock())
    assert spoken == []
