"""The gateway's process on the real key service: it starts, tells the truth, serves and ends."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlencode

import pytest

import chassis.clock
import chassis.rpc
import sallyport.provision.ground
from fakes import gateway_auth_server, gateway_consents_server
from fakes.gateway_auth import FakeAuth
from fakes.gateway_consents import US_URI, FakeConsents
from services.gateway.app import build
from services.gateway.config import load
from tests.conftest import KeeperFor
from tests.integration.gateway.process import PATIENCE_S, PEERS, GatewayProcess, Peer
from wire.telemetry.v1 import telemetry_pb2, telemetry_pb2_grpc

START_REFUSED = 2
POLICY = 'version = 1\n[[allow]]\noperations = ["*"]\n'
TASKS = {
    *("vault", "certificate", "public_certificate", "nonce_key", "document_key", "home_key"),
    *("auth_health", "retention_health", "audit_health", "store_health", "policy", "revocations"),
    *("quota", "quota_ticks", "deadlines", "coalesced_calls"),
    *("audit", "late_events", "late_document_outcomes", "untold_refusals"),
    *("idle_buckets", "old_documents", "old_revisions", "old_homes"),
}
READY = dict.fromkeys(("process", "auth", "retention", "audit", "store"), True)


class Log(telemetry_pb2_grpc.TelemetryServiceServicer):
    """Takes every event and keeps the ids."""

    def __init__(self) -> None:
        self.kinds: dict[str, str] = {}
        self._came = asyncio.Condition()

    async def Append(
        self, request: telemetry_pb2.AppendRequest, _context: object
    ) -> telemetry_pb2.AppendResponse:
        async with self._came:
            self.kinds.update({event.event_id: event.kind for event in request.events})
            self._came.notify_all()
        return telemetry_pb2.AppendResponse(sequences=range(len(request.events)))

    async def until(self, kind: str, times: int) -> None:
        """Return once so many events of a kind have come; a test that waits longer fails."""
        async with asyncio.timeout(PATIENCE_S), self._came:
            await self._came.wait_for(lambda: list(self.kinds.values()).count(kind) >= times)

    def service(self) -> chassis.rpc.Service:
        row = chassis.rpc.Method(callers=frozenset({"gateway"}), deadline_s=5.0, event="telemetry.fake.told")
        return chassis.rpc.Service(
            descriptor=telemetry_pb2.DESCRIPTOR.services_by_name["TelemetryService"],
            add=telemetry_pb2_grpc.add_TelemetryServiceServicer_to_server,
            servicer=self,
            methods={"Append": row},
        )


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def auth() -> FakeAuth:
    return FakeAuth(chassis.clock.SystemClock())


@pytest.fixture
async def peers(keeper_for: KeeperFor, log: Log, auth: FakeAuth) -> AsyncIterator[Mapping[str, Peer]]:
    auths = [gateway_auth_server.service(auth), gateway_consents_server.service(FakeConsents(auth))]
    services = {"auth": auths, "telemetry": [log.service()], "retention": []}
    async with AsyncExitStack() as stack:
        served = {name: Peer(await keeper_for(name), services[name]) for name in PEERS}
        for peer in served.values():
            await peer.start()
            stack.push_async_callback(peer.stop)
        yield served


@pytest.fixture
async def gateway(
    ground: sallyport.provision.ground.Ground, peers: Mapping[str, Peer], tmp_path: Path
) -> AsyncIterator[GatewayProcess]:
    process = GatewayProcess(ground, peers, tmp_path)
    yield process
    await process.end()


async def test_it_starts_serves_under_its_own_certificate_and_ends_cleanly_R16(
    gateway: GatewayProcess, auth: FakeAuth, log: Log
) -> None:
    await gateway.spawn()
    await gateway.until(**READY)
    status, text = await gateway.ask("GET", f"/portal/enter/{auth.invite()}")
    assert (status, "You are invited" in text) == (200, True)
    status, text = await gateway.ask("GET", "/.well-known/oauth-authorization-server")
    assert json.loads(text)["issuer"] == gateway.origin
    status, text = await gateway.ask("GET", "/orders/v0/orders")
    assert (status, json.loads(text)["errors"][0]["code"]) == (403, "Unauthorized")
    assert list(log.kinds.values()).count("gateway.process.started") == 1
    assert await gateway.stop() == 0


async def test_whatever_a_part_has_to_do_beside_calls_is_among_the_processs_tasks(
    gateway: GatewayProcess, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY)
    config = load({**gateway.environ, "SALLYPORT_POLICY_FILE": str(policy)})
    async with build(config) as application:
        assert {name for name, _ in application.tasks} == TASKS
    assert len(application.tasks) == len(TASKS)


async def test_a_regions_own_name_is_in_its_certificate(gateway: GatewayProcess) -> None:
    name = "eu.localhost"
    await gateway.spawn({"SALLYPORT_PUBLIC_URL_EU": f"https://{name}:{gateway.public_port}"})
    await gateway.until(**READY)
    for each in ("localhost", name):
        _, writer = await asyncio.open_connection(
            "127.0.0.1", gateway.public_port, ssl=gateway.trust, server_hostname=each
        )
        writer.close()
        await writer.wait_closed()
    with pytest.raises(ssl.SSLCertVerificationError):
        await asyncio.open_connection(
            "127.0.0.1", gateway.public_port, ssl=gateway.trust, server_hostname="fe.localhost"
        )


async def test_the_policy_file_is_followed_while_it_can_be_understood(
    gateway: GatewayProcess, log: Log, tmp_path: Path
) -> None:
    file = tmp_path / "policy.toml"
    settings = {"SALLYPORT_POLICY_FILE": str(file)}
    file.write_text(POLICY + "wrong = 1\n")
    await gateway.spawn(settings)
    assert await gateway.wait() == START_REFUSED
    assert "policy_invalid" in gateway.log_file.read_text()
    file.write_text(POLICY)
    await gateway.spawn(settings)
    await log.until("gateway.policy.changed", 1)
    file.write_text(POLICY + "wrong = 1\n")
    await log.until("gateway.policy.refused", 1)
    file.write_text(f'deny = ["feeds_2021-06-30.*"]\n{POLICY}')
    await log.until("gateway.policy.changed", 2)
    assert await gateway.stop() == 0
    assert "there is no such key" in gateway.log_file.read_text()


@pytest.mark.parametrize("name", ["nonce-key", "document-key"])
async def test_a_damaged_key_refuses_the_start_in_a_line_that_says_which_and_what_to_do(
    gateway: GatewayProcess, ground: sallyport.provision.ground.Ground, name: str
) -> None:
    await ground.openbao.call("POST", f"kv/data/gateway/{name}", {"data": {"key": "c2hvcnQ="}})
    try:
        await gateway.spawn()
        assert await gateway.wait() == START_REFUSED
    finally:
        await ground.openbao.call("DELETE", f"kv/metadata/gateway/{name}")
    told = gateway.log_file.read_text()
    assert f"refused to start: secret_damaged: kv/gateway/{name}: `key` must be base64 of 32 bytes;" in told
    assert f"vault kv rollback -mount=kv -version=N gateway/{name}" in told.splitlines()[-1]
    assert not any(each in told for each in ("process_crashed", "c2hvcnQ="))


async def test_readiness_follows_each_peer_away_and_back_R16(
    gateway: GatewayProcess, peers: Mapping[str, Peer]
) -> None:
    await gateway.spawn()
    await gateway.until(**READY)
    for name, truth in {"auth": "auth", "retention": "retention", "telemetry": "audit"}.items():
        await peers[name].stop()
        await gateway.until(**{**READY, truth: False})
        await peers[name].start()
        await gateway.until(**READY)


async def test_what_is_logged_holds_no_invitation_no_code_and_no_query_T28(
    gateway: GatewayProcess, auth: FakeAuth
) -> None:
    await gateway.spawn()
    await gateway.until(**READY)
    invitation = auth.invite()
    await gateway.ask("GET", f"/portal/enter/{invitation}")
    await gateway.ask("GET", "/consent/callback?state=sp_st_secret&spapi_oauth_code=ANsecret")
    handed_over = {"amazon_callback_uri": US_URI, "amazon_state": "AZstate", "selling_partner_id": "A3SECRET"}
    status, _ = await gateway.ask("GET", f"/consent/login?{urlencode(handed_over)}")
    assert status == 303
    await gateway.ask("POST", "/auth/o2/token", data={"client_secret": "amzn1.oa2-cs.v1.secret"})
    assert await gateway.stop() == 0
    logged = gateway.log_file.read_text()
    assert "gateway.consent.answered" in logged
    assert "gateway.handover.viewed" in logged
    for secret in (invitation, "sp_st_secret", "ANsecret", "AZstate", "A3SECRET", "amzn1.oa2-cs"):
        assert secret not in logged


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"SALLYPORT_TLS": "off"}, "tls_required"),
        ({"SALLYPORT_PUBLIC_URL": "http://localhost"}, "tls_required"),
        ({"SALLYPORT_AUDIT": "off"}, "config_invalid"),
        (
            {"SALLYPORT_PUBLIC_CERTIFICATE_FILE": "/none.pem", "SALLYPORT_PUBLIC_KEY_FILE": "/none.pem"},
            "certificate_unreadable",
        ),
    ],
)
async def test_it_refuses_to_start_and_says_why(
    gateway: GatewayProcess, changes: dict[str, str], code: str
) -> None:
    await gateway.spawn(changes)
    assert await gateway.wait() == 2
    assert f"refused to start: {code}" in gateway.log_file.read_text()
