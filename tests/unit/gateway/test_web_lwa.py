"""The LWA-shaped token endpoint, as unmodified SP-API libraries use it."""

import json

import pytest

import chassis.errors
from tests.unit.gateway.doors import Heard, House, Person

PATH = "/auth/o2/token"
FORM_TYPES = [
    "application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded;charset=UTF-8",
    "application/x-www-form-urlencoded; charset=iso-8859-1",
    "application/x-www-form-urlencoded;charset=no-such-charset",
]


@pytest.fixture
async def credentials(house: House, person: Person) -> dict[str, str]:
    home = await person.get("/portal")
    form = {"form_token": home.form_token("/portal/devices"), "device_name": "Warehouse PC"}
    await person.post("/portal/devices", form)
    ((refresh_token, device_id),) = house.auth.compat.items()
    return {
        "grant_type": "refresh_token",
        "client_id": device_id,
        "client_secret": "x",
        "refresh_token": refresh_token,
    }


async def ask(house: House, body: bytes, content_type: str) -> Heard:
    return await house.ask("POST", PATH, data=body, headers={"Content-Type": content_type})


async def ask_json(house: House, fields: object) -> Heard:
    return await ask(house, json.dumps(fields).encode(), "application/json")


def problem(heard: Heard) -> tuple[int, str]:
    told = json.loads(heard.body)
    assert told["error_description"]
    assert heard.headers["Cache-Control"] == "no-store"
    return heard.status, told["error"]


@pytest.mark.parametrize("content_type", FORM_TYPES)
async def test_a_form_gets_a_token_whatever_its_charset(
    house: House, credentials: dict[str, str], content_type: str
) -> None:
    body = "&".join(f"{name}={value}" for name, value in credentials.items()).encode()
    heard = await ask(house, body, content_type)
    told = json.loads(heard.body)
    assert heard.status == 200
    assert told.keys() == {"access_token", "refresh_token", "token_type", "expires_in"}
    assert told["access_token"].startswith("sp_at_")
    assert (told["token_type"], told["expires_in"]) == ("bearer", 3600)
    assert told["refresh_token"] == credentials["refresh_token"]
    assert heard.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("content_type", ["application/json", "application/json;charset=utf-8"])
async def test_json_gets_a_token(house: House, credentials: dict[str, str], content_type: str) -> None:
    heard = await ask(house, json.dumps({**credentials, "scope": None}).encode(), content_type)
    assert heard.status == 200


@pytest.mark.parametrize("secret", ["x", "", None, "anything at all"])
async def test_any_client_secret_is_taken(
    house: House, credentials: dict[str, str], secret: str | None
) -> None:
    assert (await ask_json(house, {**credentials, "client_secret": secret})).status == 200


async def test_client_credentials_get_a_token_when_the_secret_is_the_refresh_token(
    house: House, credentials: dict[str, str]
) -> None:
    asked = {
        "grant_type": "client_credentials",
        "scope": "sellingpartnerapi::notifications",
        "client_id": credentials["client_id"],
        "client_secret": credentials["refresh_token"],
    }
    heard = await ask_json(house, asked)
    assert heard.status == 200
    assert json.loads(heard.body).keys() == {"access_token", "token_type", "expires_in"}
    assert problem(await ask_json(house, {**asked, "client_secret": "sp_rt_unknown"})) == (
        400,
        "invalid_grant",
    )


async def test_the_host_header_is_not_obeyed(house: House, credentials: dict[str, str]) -> None:
    headers = {"Content-Type": "application/json", "Host": "api.amazon.com"}
    heard = await house.ask("POST", PATH, data=json.dumps(credentials).encode(), headers=headers)
    assert heard.status == 200


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"grant_type": "client_credentials"}, (400, "unauthorized_client")),
        ({"grant_type": "authorization_code"}, (400, "unauthorized_client")),
        ({"grant_type": "password"}, (400, "unsupported_grant_type")),
        ({"grant_type": None}, (400, "invalid_request")),
        ({"client_id": None}, (400, "invalid_request")),
        ({"refresh_token": None}, (400, "invalid_request")),
        ({"refresh_token": "sp_rt_unknown"}, (400, "invalid_grant")),
        ({"client_id": "00000000-0000-7000-8000-000000000000"}, (400, "invalid_grant")),
        ({"refresh_token": 7}, (400, "invalid_request")),
    ],
)
async def test_everything_else_is_refused_in_lwas_words(
    house: House, credentials: dict[str, str], changes: dict[str, object], expected: tuple[int, str]
) -> None:
    assert problem(await ask_json(house, {**credentials, **changes})) == expected


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"[]", "application/json"),
        (b"{", "application/json"),
        (b"[" * 9_000, "application/json"),
        (b"\xff\xfe", "application/x-www-form-urlencoded"),
        (b"grant_type=refresh_token&grant_type=x", "application/x-www-form-urlencoded"),
        (b"", "text/plain"),
    ],
)
async def test_a_body_that_cannot_be_read_is_refused_T10(
    house: House, body: bytes, content_type: str
) -> None:
    assert problem(await ask(house, body, content_type)) == (400, "invalid_request")


@pytest.mark.parametrize("field", ["client_secret", "refresh_token", "client_id", "access_token"])
@pytest.mark.parametrize("secret", ["amzn1.oa2-cs.v1.abc", "Atzr|IwEBIA", "Atza|IwEBIA", "Atzr%7CIwEBIA"])
async def test_amazons_secrets_are_refused_and_kept_nowhere_T06(
    house: House, credentials: dict[str, str], field: str, secret: str
) -> None:
    heard = await ask_json(house, {**credentials, field: secret})
    told = json.loads(heard.body)
    assert (heard.status, told["error"], told["code"]) == (422, "invalid_request", "credentials_not_accepted")
    assert secret not in heard.text
    (event,) = house.audit.events
    assert (event.kind, event.result, event.details) == (
        "gateway.credentials.refused",
        "credentials_not_accepted",
        {"operation": "lwa"},
    )
    assert house.signals.refusals == ["credentials_not_accepted"]


async def test_the_refusal_stands_when_it_cannot_be_audited_T06(
    house: House, credentials: dict[str, str]
) -> None:
    class AuditDown(chassis.errors.Unavailable):
        code = "audit_unavailable"

    house.audit.failure = AuditDown()
    heard = await ask_json(house, {**credentials, "client_secret": "amzn1.oa2-cs.v1.abc"})
    assert heard.status == 422
    assert house.signals.failures == [("audit_refusal", "audit_unavailable")]


async def test_an_outage_of_auth_is_temporary(house: House, credentials: dict[str, str]) -> None:
    house.auth.is_down = True
    assert problem(await ask_json(house, credentials)) == (503, "temporarily_unavailable")


async def test_a_large_body_is_refused_T09(house: House) -> None:
    assert problem(await ask_json(house, {"scope": "x" * 20_000})) == (413, "invalid_request")
