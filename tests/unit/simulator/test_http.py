"""The simulator over real TLS sockets, inside the test's own process."""

import asyncio
import contextlib
import io
import json
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import aiohttp
import pytest

import simulator.app
import simulator.config
from simulator.app import Running
from tests.unit.simulator.rig import APPLICATION, REDIRECT_URI

CONSENT = "/apps/authorize/consent"
DOCUMENT = {
    "application_id": APPLICATION.application_id,
    "client_id": APPLICATION.client_id,
    "client_secret": APPLICATION.client_secret,
    "redirect_uris": list(APPLICATION.redirect_uris),
}


class House:
    """A running simulator and a client that trusts its authority."""

    def __init__(self, running: Running, session: aiohttp.ClientSession) -> None:
        self.running = running
        self.session = session
        self.base = running.https[0]
        self.seller_id = running.core.world.sellers[0].seller_id

    async def control(self, method: str, path: str, document: object = None) -> tuple[int, dict[str, object]]:
        url = f"{self.running.control}/_simulator{path}"
        async with self.session.request(method, url, json=document) as response:
            return response.status, await response.json()

    async def called_again_after(self, ordinal: int) -> None:
        """Return once a call later than number `ordinal` has been recorded."""
        async with asyncio.timeout(30):
            while self.running.core.record.ordinal <= ordinal:  # noqa: ASYNC110 - there is no event to wait for
                await asyncio.sleep(0)

    async def connect(self) -> dict[str, str]:
        """Walk through the consent page as a browser would and exchange the code."""
        form = {"application_id": APPLICATION.application_id, "state": "s", "seller_id": self.seller_id}
        async with self.session.post(self.base + CONSENT, data=form, allow_redirects=False) as response:
            query = parse_qs(urlsplit(response.headers["Location"]).query)
        fields = {
            "grant_type": "authorization_code",
            "code": query["spapi_oauth_code"][0],
            "redirect_uri": REDIRECT_URI,
            "client_id": APPLICATION.client_id,
            "client_secret": APPLICATION.client_secret,
        }
        async with self.session.post(f"{self.base}/auth/o2/token", data=fields) as response:
            tokens: dict[str, str] = await response.json()
            return tokens


@contextlib.asynccontextmanager
async def opened(folder: Path, *arguments: str) -> AsyncIterator[House]:
    applications = folder / "applications.json"
    applications.write_text(json.dumps({"applications": [DOCUMENT]}), encoding="utf-8")
    fixed = [
        "--applications",
        str(applications),
        "--state-folder",
        str(folder / "state"),
        "--control",
        "127.0.0.1:0",
    ]
    listens = [] if "--listen" in arguments else ["--listen", "127.0.0.1:0"]
    config = simulator.config.parse([*fixed, *listens, "--hostility", "none", *arguments])
    async with simulator.app.build(config) as running:
        tls = ssl.create_default_context(cafile=running.ca_file)
        connector = aiohttp.TCPConnector(ssl=tls)
        async with aiohttp.ClientSession(connector=connector) as session:
            yield House(running, session)


async def test_a_seller_connects_and_an_order_is_read_over_tls(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        tokens = await house.connect()
        order_id = house.running.core.world.order_id(house.running.core.world.sellers[0], 23)
        headers = {"x-amz-access-token": tokens["access_token"]}
        url = f"{house.base}/orders/2026-01-01/orders/{order_id}?{urlencode({'includedData': 'BUYER'})}"
        async with house.session.get(url, headers=headers) as response:
            assert response.status == 200
            assert response.headers["x-amzn-RateLimit-Limit"] == "0.5"
            assert (await response.json())["order"]["orderId"] == order_id
        _, calls = await house.control("GET", "/calls?after=0&limit=10")
        faces = [call["face"] for call in calls["calls"]]  # type: ignore[attr-defined]
        assert faces == ["consent", "lwa", "api"]


async def test_calls_are_recorded_with_when_they_came_and_their_answers_left(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        fault = {"operation": "lwa.token", "kind": "hang_up"}
        await house.control("POST", "/faults", fault | {"count": 1})
        with pytest.raises(aiohttp.ClientError):
            await house.connect()
        await house.connect()
        _, page = await house.control("GET", "/calls")
        calls = [call for call in page["calls"] if call["face"] == "lwa"]  # type: ignore[attr-defined]
        assert [(call["status"], call["seller_id"]) for call in calls] == [
            (0, house.seller_id),
            (200, house.seller_id),
        ]
        assert 0 < calls[0]["began_s"] <= calls[0]["ended_s"] <= calls[1]["began_s"] <= calls[1]["ended_s"]


async def test_the_consent_page_is_html_and_the_location_holds_no_more_than_it_should(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        query = urlencode({"application_id": APPLICATION.application_id, "state": "s"})
        async with house.session.get(f"{house.base}{CONSENT}?{query}") as response:
            assert response.headers["Content-Type"] == "text/html; charset=UTF-8"
            assert "Confirm" in await response.text()


async def test_a_get_with_a_body_gets_a_400_page(tmp_path: Path) -> None:
    async with (
        opened(tmp_path) as house,
        house.session.get(f"{house.base}/orders/v0/orders", data=b"{}") as response,
    ):
        assert (response.status, response.content_type) == (400, "text/html")
        assert response.headers["Server"] == "Server"


async def test_too_large_a_body_is_refused(tmp_path: Path) -> None:
    async with (
        opened(tmp_path) as house,
        house.session.post(f"{house.base}/auth/o2/token", data=io.BytesIO(b"x" * 1_048_577)) as response,
    ):
        assert response.status == 413


async def test_ports_serve_their_own_faces_only(tmp_path: Path) -> None:
    split = ["--listen", "127.0.0.1:0=lwa", "--listen", "127.0.0.1:0=consent,api"]
    async with opened(tmp_path, *split) as house:
        lwa, rest = house.running.https
        statuses = {}
        for base in (lwa, rest):
            for path in ("/auth/o2/token", "/orders/v0/orders", CONSENT):
                async with house.session.get(base + path) as response:
                    statuses[base == lwa, path] = response.status
        assert statuses == {
            (True, "/auth/o2/token"): 405,
            (True, "/orders/v0/orders"): 404,
            (True, CONSENT): 404,
            (False, "/auth/o2/token"): 404,
            (False, "/orders/v0/orders"): 403,
            (False, CONSENT): 400,
        }


async def test_a_hung_up_call_ends_without_an_answer_and_a_204_without_a_body(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        fault = {"operation": "lwa.token", "kind": "hang_up", "count": 1}
        assert (await house.control("POST", "/faults", fault))[0] == 200
        with pytest.raises(aiohttp.ClientError):
            await house.connect()
        tokens = await house.connect()
        order = house.running.core.world.order(
            house.running.core.world.order_id(house.running.core.world.sellers[0], 23)
        )
        assert order is not None
        document = {
            "marketplaceId": order.marketplace.marketplace_id,
            "packageDetail": {
                "packageReferenceId": "1",
                "carrierCode": "UPS",
                "trackingNumber": "1Z",
                "shipDate": house.running.core.clock.now().isoformat(),
                "orderItems": [{"orderItemId": i.item_id, "quantity": i.quantity} for i in order.items],
            },
        }
        url = f"{house.base}/orders/v0/orders/{order.order_id}/shipmentConfirmation"
        headers = {"x-amz-access-token": tokens["access_token"]}
        async with house.session.post(url, json=document, headers=headers) as response:
            assert (response.status, await response.read()) == (204, b"")


async def test_a_slow_answer_does_not_hold_up_others(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        await house.control("POST", "/faults", {"operation": "lwa.token", "kind": "slow", "delay_s": 300})
        slow = asyncio.create_task(house.connect())
        await house.called_again_after(1)
        assert (await house.control("GET", "/health"))[0] == 200
        slow.cancel()
        with pytest.raises(asyncio.CancelledError):
            await slow


async def test_the_control_interface_moves_time_ships_and_delivers(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        assert (await house.control("POST", "/clock", {"advance_s": 86_400}))[1]["offset_s"] == 86_400
        assert float((tmp_path / "state" / "clock").read_text(encoding="ascii")) == 86_400
        order_id = house.running.core.world.order_id(house.running.core.world.sellers[0], 7)
        assert (await house.control("POST", f"/orders/{order_id}/deliver"))[0] == 409
        assert (await house.control("POST", f"/orders/{order_id}/ship"))[1]["status"] == "Shipped"
        assert (await house.control("POST", f"/orders/{order_id}/deliver"))[1]["delivered_at"]
        assert (await house.control("GET", f"/orders/{order_id}"))[1]["status"] == "Shipped"
        _, rotated = await house.control("POST", f"/applications/{APPLICATION.application_id}/secret")
        assert str(rotated["client_secret"]).startswith("amzn1.oa2-cs.v1.")
        plan = {"operation": "lwa.token", "rate": 1, "burst": 5}
        assert (await house.control("POST", "/plans", plan))[0] == 200
        assert (await house.control("POST", "/hostility", {"level": "rough"}))[1]["level"] == 0.2
        assert (
            (await house.control("DELETE", "/faults"))[0]
            == (await house.control("DELETE", "/calls"))[0]
            == 200
        )
        for path in ("/health", "/clock", "/sellers", "/orders", "/consents", "/hostility", "/calls"):
            assert (await house.control("GET", path))[0] == 200


async def test_the_control_interface_refuses_nonsense_and_web_pages(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        url = f"{house.running.control}/_simulator"
        for body in (b"", b"[]", b"{", b"[" * 50_000):
            async with house.session.post(f"{url}/clock", data=body) as response:
                assert response.status == 400
        async with house.session.get(f"{url}/calls?after=x") as response:
            assert response.status == 400
        async with house.session.get(f"{url}/nothing") as response:
            assert (response.status, response.content_type) == (404, "application/json")
        async with house.session.get(f"{url}/health", headers={"Origin": "https://evil.example"}) as response:
            assert response.status == 403
        async with house.session.get(f"{house.base}/_simulator/health") as response:
            assert response.status == 403


async def test_the_authoritys_certificate_is_copied_where_it_is_wanted(tmp_path: Path) -> None:
    wanted = tmp_path / "copy.pem"
    async with opened(tmp_path, "--ca-file", str(wanted), "--name", "simulator.test") as house:
        assert house.running.ca_file == str(wanted)
        assert wanted.read_bytes() == (tmp_path / "state" / "ca.pem").read_bytes()


async def test_an_address_in_use_refuses_the_start(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        taken = house.base.removeprefix("https://")
        (tmp_path / "second").mkdir()
        with pytest.raises(simulator.app.StartRefused) as refused:
            async with opened(tmp_path / "second", "--listen", taken):
                pass
        assert refused.value.code == "unavailable"
