"""Auth as a process with a queue, and the operator's verbs as processes: killed, restarted, and silent."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import chassis.env
import chassis.errors
import sallyport.access
import sallyport.provision.ground
import sallyport.provision.handout
from fakes.auth_house import APPLICATION
from sallyport.application import steps
from simulator.app import Running
from simulator.controls import Controls
from tests.integration.auth.conftest import Peers
from tests.integration.auth.process import AuthProcess
from tests.integration.auth.rehearsal import DAY, FIRST_SECRET, simulated_amazon
from tests.integration.service import ROOT, until

ID = APPLICATION.application_id
KEY = "[default]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = made-up-key\n"


class Vendor:
    """A vendor's console beside one auth process; keeps all that the console ever showed."""

    def __init__(
        self, process: AuthProcess, running: Running, ground: sallyport.provision.ground.Ground
    ) -> None:
        self.process = process
        self.running = running
        self.controls = Controls(running.core)
        self.shown = ""
        vault = sallyport.provision.handout.vault_config(ground.openbao, ground.folder, "console")
        self._environ = {
            **sallyport.provision.handout.vault_settings(vault),
            "SALLYPORT_AUTH_ADDRESS": str(process.address),
            "SALLYPORT_RETENTION_ADDRESS": "127.0.0.1:1",
            "SALLYPORT_TELEMETRY_ADDRESS": "127.0.0.1:1",
        }
        self.access = sallyport.access.load(self._environ)

    async def run(self, *arguments: str, typed: str = "") -> tuple[int, str]:
        """Run `sallyport application ...` and return its exit code and what it showed."""
        verb = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "sallyport", "application", *arguments),
            cwd=ROOT,
            env={"PATH": os.defpath, **self._environ},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        shown, _ = await verb.communicate(typed.encode())
        self.shown += shown.decode()
        return await verb.wait(), shown.decode()

    async def has_heard(self) -> bool:
        """Return whether the queue is empty, and Amazon was seen to accept what came by it."""
        try:
            shown = await steps.show(self.access, "")
        except chassis.errors.Unavailable:
            return False
        counts, newest = self.controls.queue(), shown.secrets[0]
        is_read = counts["visible"] == counts["in_flight"] == 0
        return is_read and newest.origin == "queue" and newest.HasField("accepted_at")


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    async with simulated_amazon(tmp_path) as amazon:
        yield amazon


@pytest.fixture
async def vendor(
    running: Running,
    ground: sallyport.provision.ground.Ground,
    database: chassis.env.DatabaseConfig,
    peers: Peers,
    tmp_path: Path,
) -> AsyncIterator[Vendor]:
    await ground.openbao.call("DELETE", f"kv/metadata/auth/applications/{ID}")
    (tmp_path / "queue-key").write_text(KEY)
    url = running.https[0]
    async with peers.telemetry.serve() as telemetry, peers.safe.serve() as retention:
        process = AuthProcess(
            ground,
            database,
            amazon=peers.amazon,
            telemetry=telemetry,
            retention=retention,
            log_file=tmp_path / "auth.log",
        )
        process.environ |= {
            **{f"SALLYPORT_{name}": url for name in ("LWA_URL", "SPAPI_URL_NA", "QUEUE_ENDPOINT")},
            "SALLYPORT_AMAZON_CA_FILE": running.ca_file,
            "SALLYPORT_QUEUE_URL": f"{url}/000000000000/client-secrets",
            "SALLYPORT_QUEUE_KEY_FILE": str(tmp_path / "queue-key"),
            "SALLYPORT_MODE": "development",
            "SALLYPORT_DEVELOPMENT_CLOCK_FILE": str(tmp_path / "amazon" / "clock"),
        }
        try:
            await process.start()
            yield Vendor(process, running, ground)
        finally:
            await process.end()


async def test_a_secret_is_rotated_by_the_console_heard_after_a_kill_and_shown_nowhere_R12_T20_T28(
    vendor: Vendor,
) -> None:
    identifiers = ("--application-id", ID, "--client-id", APPLICATION.client_id)
    assert (await vendor.run("register", *identifiers, typed=FIRST_SECRET))[0] == 0
    rotation = steps.rotate(vendor.access, steps.Rotation(), wait_s=60.0)
    assert [step async for step, _ in rotation] == ["asked", "arrived", "in use"]

    await vendor.process.stop(signal.SIGKILL)
    # Amazon was asked and auth died: the letter waits, and the secret before it ends meanwhile.
    application = vendor.running.core.applications.all[0]
    clock = vendor.running.core.clock
    vendor.running.core.client_secrets.rotate(application, clock.now())
    clock.turn(clock.offset_s + (3 * DAY).total_seconds())
    await vendor.process.start()
    await until(vendor.has_heard, limit_s=60.0)
    metrics = await vendor.process.metrics()
    assert f'sallyport_auth_client_secret_left_days{{application="{ID}"}}' in metrics

    by_hand = vendor.controls.rotate_secret(ID, {})["client_secret"]
    code, shown = await vendor.run("secret", "paste", typed=by_hand)
    assert (code, shown.splitlines()[0]) == (0, "Amazon accepts it; it is kept")
    told = vendor.process.log_file.read_text() + vendor.shown + metrics + str(vendor.process.environ)
    assert "oa2-cs" not in told
    assert "made-up-key" not in told
