"""The client of Amazon's token endpoints against answers that Amazon would not, or should not, give."""

import gzip
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

import services.auth.amazon
from chassis.secrecy import Secret
from fakes.auth_amazon_server import AmazonServer, Scripted
from fakes.clock import FakeClock
from services.auth.amazon import ANSWER_BYTES_MAX, Amazon, Endpoints
from services.auth.model.consents import Credentials, Region
from services.auth.model.refusals import (
    AccessTokenRefused,
    AmazonThrottled,
    ApplicationRefused,
    AuthorizationUnavailable,
    RestrictionRefused,
    UpstreamInvalid,
)
from services.auth.model.restricted import Resource, Restriction

CREDENTIALS = Credentials(client_id="client", client_secret=Secret("amzn1.oa2-cs.v1.stub"))
TOKEN = Secret("Atzr|alive")
ORDERS = Resource(
    restriction=Restriction(method="GET", path="/orders/v0/orders", data_elements=("buyerInfo",))
)
GRANT = {"access_token": "Atza|x", "refresh_token": "Atzr|x", "expires_in": 3600}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[AmazonServer]:
    async with AmazonServer(refresh_tokens={TOKEN.reveal()}).serve(tmp_path) as server:
        yield server


@pytest.fixture
async def amazon(server: AmazonServer) -> AsyncIterator[Amazon]:
    async with services.auth.amazon.connect(endpoints(server), FakeClock()) as amazon:
        yield amazon


def endpoints(server: AmazonServer, timeout_s: float = 5.0) -> Endpoints:
    return Endpoints(
        lwa_url=server.url,
        spapi_urls=dict.fromkeys(Region, server.url),
        ca_file=server.ca_file,
        timeout_s=timeout_s,
    )


def document(**members: object) -> bytes:
    return json.dumps({**GRANT, **members}).encode()


@pytest.mark.parametrize(
    "scripted",
    [
        Scripted(200, b""),
        Scripted(200, b"<html>"),
        Scripted(200, b"[]"),
        Scripted(200, b"[" * 10_000),
        Scripted(200, b"x" * (ANSWER_BYTES_MAX + 1)),
        Scripted(200, gzip.compress(document()), {"Content-Encoding": "gzip"}),
        Scripted(200, document(access_token="")),
        Scripted(200, document(access_token=7)),
        Scripted(200, document(access_token="Atza|x\r\nx: y")),
        Scripted(200, document(access_token="x" * 2049)),
        Scripted(200, document(refresh_token=["Atzr|x"])),
        Scripted(200, document(expires_in=0)),
        Scripted(200, document(expires_in=-1)),
        Scripted(200, document(expires_in=True)),
        Scripted(200, document(expires_in="3600")),
        Scripted(204, b""),
        Scripted(301, b"", {"Location": "https://evil.example/"}),
        Scripted(307, b"", {"Location": "https://evil.example/"}),
        Scripted(400, b"<html>strict http</html>"),
        Scripted(400, json.dumps({"error": "invalid_request"}).encode()),
        Scripted(400, json.dumps({"error": ["invalid_grant"]}).encode()),
    ],
    ids=lambda scripted: f"{scripted.status} {scripted.body[:24]!r}",
)
async def test_an_answer_out_of_form_is_not_used_T29(
    amazon: Amazon, server: AmazonServer, scripted: Scripted
) -> None:
    server.scripted.append(scripted)
    with pytest.raises(UpstreamInvalid) as refusal:
        await amazon.refresh(CREDENTIALS, TOKEN)
    assert (refusal.value.code, refusal.value.http_status) == ("upstream_invalid", 502)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("scripted", "retry_after_s"),
    [
        (Scripted(429, b"", {"Retry-After": "7"}), 7.0),
        (Scripted(429, b"", {"Retry-After": "999999999"}), 300.0),
        (Scripted(503, b"", {"Retry-After": "Fri, 31 Dec 9999 23:59:59 GMT"}), None),
        (Scripted(500, b"x" * 100), None),
        (Scripted(400, json.dumps({"error": "temporarily_unavailable"}).encode()), None),
    ],
)
async def test_come_back_later_is_said_within_reason_T29(
    amazon: Amazon, server: AmazonServer, scripted: Scripted, retry_after_s: float | None
) -> None:
    server.scripted.append(scripted)
    with pytest.raises(AuthorizationUnavailable) as refusal:
        await amazon.refresh(CREDENTIALS, TOKEN)
    assert refusal.value.retry_after_s == retry_after_s


async def test_too_often_is_told_from_not_now_R10(amazon: Amazon, server: AmazonServer) -> None:
    server.scripted.extend([Scripted(429), Scripted(503)])
    with pytest.raises(AmazonThrottled):
        await amazon.refresh(CREDENTIALS, TOKEN)
    with pytest.raises(AuthorizationUnavailable) as refusal:
        await amazon.refresh(CREDENTIALS, TOKEN)
    assert not isinstance(refusal.value, AmazonThrottled)


async def test_an_answer_that_does_not_come_is_given_up_R07(server: AmazonServer) -> None:
    server.takes_s = 1.0
    async with services.auth.amazon.connect(endpoints(server, timeout_s=0.1), FakeClock()) as amazon:
        with pytest.raises(AuthorizationUnavailable):
            await amazon.refresh(CREDENTIALS, TOKEN)


async def test_a_server_that_is_not_amazon_is_not_spoken_to_T24(server: AmazonServer, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    async with AmazonServer().serve(tmp_path / "other") as other:
        mixed = Endpoints(
            lwa_url=other.url, spapi_urls={Region.NA: other.url}, ca_file=server.ca_file, timeout_s=5.0
        )
        async with services.auth.amazon.connect(mixed, FakeClock()) as amazon:
            with pytest.raises(AuthorizationUnavailable):
                await amazon.refresh(CREDENTIALS, TOKEN)
        assert other.asked == []


async def test_nobody_at_home_is_unavailable_R08(server: AmazonServer, unused_tcp_port: int) -> None:
    gone = Endpoints(
        lwa_url=f"https://localhost:{unused_tcp_port}",
        spapi_urls={},
        ca_file=server.ca_file,
        timeout_s=5.0,
    )
    async with services.auth.amazon.connect(gone, FakeClock()) as amazon:
        with pytest.raises(AuthorizationUnavailable):
            await amazon.refresh(CREDENTIALS, TOKEN)


async def test_a_token_for_another_application_is_asked_for_by_its_name(
    amazon: Amazon, server: AmazonServer
) -> None:
    target = "amzn1.sellerapps.app.0a1b2c3d-0000-4000-8000-000000000009"
    await amazon.restrict(Region.EU, Secret("Atza|access"), replace(ORDERS, target_application=target))
    _, asked = server.asked[0]
    assert asked["target_application"] == target


async def test_errors_hold_nothing_that_amazon_said_T31(amazon: Amazon) -> None:
    wrong = Credentials(client_id="client", client_secret=Secret("amzn1.oa2-cs.v1.wrong"))
    with pytest.raises(ApplicationRefused) as refusal:
        await amazon.refresh(wrong, TOKEN)
    error: BaseException | None = refusal.value
    while error is not None:
        assert "amzn1" not in repr(error)
        assert "Atzr" not in repr(error)
        error = error.__cause__ or error.__context__


async def test_requests_are_shaped_as_amazon_documents_them(amazon: Amazon, server: AmazonServer) -> None:
    await amazon.refresh(CREDENTIALS, TOKEN)
    await amazon.restrict(Region.EU, Secret("Atza|access"), ORDERS)
    path, form = server.asked[0]
    assert path == "/auth/o2/token"
    assert form == {
        "grant_type": "refresh_token",
        "refresh_token": "Atzr|alive",
        "client_id": "client",
        "client_secret": "amzn1.oa2-cs.v1.stub",
    }
    assert server.headers[0]["Content-Type"].startswith("application/x-www-form-urlencoded")
    path, asked = server.asked[1]
    assert path == "/tokens/2021-03-01/restrictedDataToken"
    assert json.loads(asked["resources"]) == [
        {"method": "GET", "path": "/orders/v0/orders", "dataElements": ["buyerInfo"]}
    ]
    assert server.headers[1]["x-amz-access-token"] == "Atza|access"
    assert server.headers[1]["x-amz-date"] == "20261122T120000Z"
    assert "Language=" in server.headers[1]["User-Agent"]


@pytest.mark.parametrize(
    ("scripted", "error"),
    [
        (Scripted(200, b'{"payload":{"restrictedDataToken":"Atz.sprdt|x","expiresIn":3600}}'), None),
        (Scripted(200, b'{"restrictedDataToken":"Atz.sprdt|x","expiresIn":3600}'), None),
        (Scripted(200, b'{"payload":[]}'), UpstreamInvalid),
        (Scripted(200, b'{"restrictedDataToken":"Atz.sprdt|x"}'), UpstreamInvalid),
        (Scripted(400, b'{"errors":[{"code":"InvalidInput"}]}'), RestrictionRefused),
        (Scripted(403, b'{"errors":[{"code":"Unauthorized"}]}'), AccessTokenRefused),
        (Scripted(429, b'{"errors":[{"code":"QuotaExceeded"}]}'), AuthorizationUnavailable),
    ],
)
async def test_the_tokens_apis_answers_are_told_apart(
    amazon: Amazon, server: AmazonServer, scripted: Scripted, error: type[Exception] | None
) -> None:
    server.scripted.append(scripted)
    if error is None:
        grant = await amazon.restrict(Region.EU, Secret("Atza|access"), ORDERS)
        assert grant.access_token.reveal() == "Atz.sprdt|x"
    else:
        with pytest.raises(error):
            await amazon.restrict(Region.EU, Secret("Atza|access"), ORDERS)
