"""The simulator as a process of its own: started, killed at any moment, started again."""

import contextlib
import json
import os
import signal
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from simulator.seed import Seed
from simulator.world import World
from tests.unit.simulator.rig import APPLICATION, BORN_AT, REDIRECT_URI
from tests.unit.simulator.test_http import DOCUMENT

STARTS_WITHIN_S = 60
ROOT = Path(__file__).parents[3]


class Process:
    """A running simulator process."""

    def __init__(self, popen: subprocess.Popen[str]) -> None:
        assert popen.stdout is not None
        self.popen = popen
        ready = json.loads(popen.stdout.readline())
        self.base, self.controls = ready["https"][0], ready["control"]
        self._tls = ssl.create_default_context(cafile=ready["ca_file"])

    def call(
        self, url: str, *, form: dict[str, str] | None = None, document: Any = None, token: str = ""
    ) -> tuple[int, Any]:
        body = (
            urlencode(form).encode()
            if form
            else json.dumps(document).encode()
            if document is not None
            else None
        )
        request = urllib.request.Request(url, data=body)
        if document is not None:
            request.add_header("Content-Type", "application/json")
        if token:
            request.add_header("x-amz-access-token", token)
        tls = self._tls if url.startswith("https:") else None
        try:
            with urllib.request.urlopen(request, context=tls, timeout=30) as response:
                return response.status, json.loads(response.read() or b"null")
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())

    def control(self, path: str, document: Any = None) -> Any:
        status, answer = self.call(f"{self.controls}/_simulator{path}", document=document)
        assert status == 200, answer
        return answer

    def token(self, **fields: str) -> tuple[int, Any]:
        form = {"client_id": APPLICATION.client_id, "client_secret": APPLICATION.client_secret} | fields
        return self.call(f"{self.base}/auth/o2/token", form=form)

    def kill(self) -> None:
        os.kill(self.popen.pid, signal.SIGKILL)
        self.popen.wait(timeout=STARTS_WITHIN_S)


def command(folder: Path, *arguments: str) -> list[str]:
    applications = folder / "applications.json"
    applications.write_text(json.dumps({"applications": [DOCUMENT]}), encoding="utf-8")
    fixed = [
        "--applications",
        str(applications),
        "--state-folder",
        str(folder / "state"),
        "--hostility",
        "none",
    ]
    ports = ["--listen", "127.0.0.1:0", "--control", "127.0.0.1:0"]
    return [sys.executable, "-m", "simulator", *fixed, *ports, *arguments]


@contextlib.contextmanager
def started(folder: Path, *arguments: str) -> Iterator[Process]:
    popen = subprocess.Popen(
        command(folder, *arguments),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Process(popen)
    finally:
        popen.kill()
        popen.wait(timeout=STARTS_WITHIN_S)
        assert popen.stdout is not None
        popen.stdout.close()


def refused(folder: Path, *arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        command(folder, *arguments),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=STARTS_WITHIN_S,
        check=False,
    )
    return done.returncode, done.stderr


def exchange(process: Process, seller_id: str) -> tuple[int, Any]:
    url = f"{process.base}/apps/authorize/consent?application_id={APPLICATION.application_id}&state=s"
    location = process.control("/consent", {"url": url, "seller_id": seller_id})["location"]
    code = parse_qs(urlsplit(location).query)["spapi_oauth_code"][0]
    return process.token(grant_type="authorization_code", code=code, redirect_uri=REDIRECT_URI)


def test_what_was_answered_survives_sigkill_R12(tmp_path: Path) -> None:
    with started(tmp_path, "--epoch", BORN_AT.isoformat()) as first:
        seller_id = first.control("/sellers")["sellers"][0]["seller_id"]
        tokens = exchange(first, seller_id)[1]
        order_id = first.control(f"/orders?seller_id={seller_id}")["orders"][-1]["order_id"]
        first.control(f"/orders/{order_id}/ship", {})
        offset_s = first.control("/clock", {"advance_s": 600})["offset_s"]
        seen = first.control("/calls")["latest"]
        first.kill()
    with started(tmp_path) as second:
        assert second.control("/health")["boot"] == 2
        assert second.control("/health")["born_at"] == BORN_AT.isoformat()
        assert second.control("/clock")["offset_s"] == offset_s
        assert second.control("/health")["now"].startswith("2026-01-05T08:1")
        assert second.control(f"/orders/{order_id}")["status"] == "Shipped"
        assert second.control("/calls")["latest"] == seen
        url = f"{second.base}/orders/2026-01-01/orders/{order_id}"
        assert second.call(url, token=tokens["access_token"])[0] == 200
        refreshed = second.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"])
        assert refreshed[0] == 200
        assert refreshed[1]["access_token"] != tokens["access_token"]
        calls = second.control("/calls")["calls"]
        assert len({call["request_id"] for call in calls}) == len(calls)


def test_the_world_of_a_seed_can_be_predicted_without_starting_it(tmp_path: Path) -> None:
    world = World(seed=Seed(7), born_at=BORN_AT, sellers_count=4)
    shown = subprocess.run(
        [*command(tmp_path, "--seed", "7", "--epoch", BORN_AT.isoformat()), "--show-world"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        timeout=STARTS_WITHIN_S,
    )
    sellers = json.loads(shown.stdout)["sellers"]
    assert [seller["seller_id"] for seller in sellers] == [seller.seller_id for seller in world.sellers]
    assert sellers[2]["orders"][5]["order_id"] == world.order_id(world.sellers[2], 5)
    assert not (tmp_path / "state").exists()


def test_sigterm_ends_it_cleanly(tmp_path: Path) -> None:
    with started(tmp_path) as process:
        process.popen.terminate()
        assert process.popen.wait(timeout=STARTS_WITHIN_S) == 0


def test_a_start_that_cannot_be_is_refused_by_name(tmp_path: Path) -> None:
    with started(tmp_path, "--seed", "1"):
        assert refused(tmp_path) == (1, f"state_in_use: another simulator uses {tmp_path / 'state'}\n")
    status, text = refused(tmp_path, "--seed", "2")
    assert (status, text.partition(":")[0]) == (1, "seed_mismatch")
    (tmp_path / "state" / "journal.jsonl").write_bytes(b"nonsense\n")
    assert refused(tmp_path)[1].startswith("journal_corrupt: ")
    status, text = refused(tmp_path, "--applications", "absent.json")
    assert (status, text.partition(":")[0]) == (1, "applications_invalid")
