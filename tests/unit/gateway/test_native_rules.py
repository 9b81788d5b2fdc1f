"""Which authorization requests of native applications are accepted, and where refusals go."""

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.gateway.model import native
from services.gateway.model.device_facts import DeviceFacts
from services.gateway.model.native import NativeClient

ISSUER = "https://gateway.example"
CLIENT = NativeClient("desktop", "Order Desk")
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
REQUEST = {
    "response_type": "code",
    "client_id": "desktop",
    "redirect_uri": "http://127.0.0.1:49152/callback",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
    "scope": "orders",
    "state": "af0ifjsldkj",
}

ports = st.integers(min_value=1, max_value=65_535)
paths = st.from_regex(r"/[A-Za-z0-9._~/-]{0,40}", fullmatch=True)
hosts = st.sampled_from(["127.0.0.1", "[::1]"])


def read(**changes: str | None) -> native.AuthorizationRequest:
    parameters = {name: value for name, value in {**REQUEST, **changes}.items() if value is not None}
    return native.read_request(parameters, CLIENT, issuer=ISSUER)


def test_a_good_request_is_read_whole() -> None:
    request = read(scope="orders pii")
    assert request.scopes == ("orders", "pii")
    assert dict(request.fields()) == {**REQUEST, "scope": "orders pii"}


def test_a_request_without_scope_asks_for_orders() -> None:
    assert read(scope=None).scopes == ("orders",)


@settings(deadline=None)
@given(host=hosts, port=ports, path=paths)
def test_any_port_and_plain_path_of_this_machine_is_accepted(host: str, port: int, path: str) -> None:
    redirect_uri = f"http://{host}:{port}{path}"
    assert native.check_redirect(redirect_uri, CLIENT) == redirect_uri


@pytest.mark.parametrize(
    "redirect_uri",
    [
        "",
        "http://127.0.0.1/callback",
        "http://127.0.0.1:0/callback",
        "http://127.0.0.1:65536/callback",
        "http://127.0.0.1:08080/callback",
        "http://127.0.0.1:8080",
        "https://127.0.0.1:8080/callback",
        "http://localhost:8080/callback",
        "http://127.0.0.2:8080/callback",
        "http://127.1:8080/callback",
        "http://2130706433:8080/callback",
        "http://127.0.0.1:8080@evil.example/callback",
        "http://evil.example#@127.0.0.1:8080/",
        "http://127.0.0.1:8080.evil.example/",
        "http://[::2]:8080/callback",
        "http://[::ffff:127.0.0.1]:8080/callback",
        "http://user@127.0.0.1:8080/callback",
        "http://127.0.0.1:8080/callback#fragment",
        "http://127.0.0.1:8080/callback?next=x",
        "http://127.0.0.1:8080/call back",
        "http://127.0.0.1:8080/callback\r\nSet-Cookie: a=b",
        "http://127.0.0.1:8080/callback\n",
        "HTTP://127.0.0.1:8080/callback",
        "com.example.app:/callback",
        "javascript:alert(1)",
        "http://127.0.0.1:8080/" + "a" * 256,
        "http://127.0.0.1:\u0668\u0660\u0668\u0660/callback",
    ],
)
def test_any_other_redirect_uri_is_refused_T04(redirect_uri: str) -> None:
    with pytest.raises(native.RedirectRefused):
        read(redirect_uri=redirect_uri)


@settings(deadline=None)
@given(st.text(max_size=80))
def test_no_text_but_a_loopback_address_passes_T04(redirect_uri: str) -> None:
    try:
        native.check_redirect(redirect_uri, CLIENT)
    except native.RedirectRefused:
        return
    assert urlsplit(redirect_uri).hostname in {"127.0.0.1", "::1"}


@settings(deadline=None)
@given(host=hosts, port=ports, path=paths)
def test_a_registered_path_is_the_only_one_T04(host: str, port: int, path: str) -> None:
    client = NativeClient("desktop", "Order Desk", redirect_path="/callback")
    redirect_uri = f"http://{host}:{port}{path}"
    if path == "/callback":
        assert native.check_redirect(redirect_uri, client) == redirect_uri
    else:
        with pytest.raises(native.RedirectRefused):
            native.check_redirect(redirect_uri, client)


def test_another_client_is_refused_before_its_redirect_is_looked_at() -> None:
    with pytest.raises(native.ClientUnknown):
        read(client_id="other", redirect_uri="http://evil.example/")


@pytest.mark.parametrize("state", ["a" * 513, "a\nb", "caf\u00e9"])
def test_a_state_that_cannot_be_sent_back_is_refused(state: str) -> None:
    with pytest.raises(native.StateUnreadable):
        read(state=state)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": None}, "unsupported_response_type"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": CHALLENGE[:-1]}, "invalid_request"),
        ({"code_challenge": CHALLENGE + "="}, "invalid_request"),
        ({"scope": "orders admin"}, "invalid_scope"),
        ({"scope": " "}, "invalid_scope"),
    ],
)
def test_other_refusals_go_back_to_the_application_T04(changes: dict[str, str | None], code: str) -> None:
    with pytest.raises(native.AuthorizationRefused) as refusal:
        read(**changes)
    assert refusal.value.code == code
    where, _, query = refusal.value.target.partition("?")
    answer = parse_qs(query)
    assert where == REQUEST["redirect_uri"]
    assert (answer["error"], answer["state"], answer["iss"]) == ([code], [REQUEST["state"]], [ISSUER])


@settings(deadline=None)
@given(state=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=512))
def test_the_answer_carries_code_state_and_issuer(state: str) -> None:
    target = read(state=state).answered(code="sp_ac_1", issuer=ISSUER)
    answer = parse_qs(urlsplit(target).query)
    assert answer["code"] == ["sp_ac_1"]
    assert answer["iss"] == [ISSUER]
    assert answer.get("state", [""]) == [state]


def test_a_desktop_may_name_its_key_and_say_what_it_is() -> None:
    told = {
        "dpop_jkt": "k" * 43,
        "device_platform": "windows",
        "device_version": "4.2.0",
        "device_key_storage": "os_keystore",
    }
    request = read(**told)
    assert (request.key_thumbprint, request.facts) == (
        "k" * 43,
        DeviceFacts("windows", "4.2.0", "os_keystore"),
    )
    assert dict(request.fields()) == {**REQUEST, **told}


@pytest.mark.parametrize(
    "changes",
    [
        {"dpop_jkt": "short"},
        {"device_platform": "beos"},
        {"device_version": "4.2 0"},
        {"device_version": "1" * 33},
        {"device_key_storage": "tpm"},
    ],
)
def test_a_key_or_facts_of_another_form_go_back_by_redirect_T10(changes: dict[str, str]) -> None:
    with pytest.raises(native.AuthorizationRefused) as refusal:
        read(**changes)
    assert refusal.value.code == "invalid_request"
    assert refusal.value.target.startswith(REQUEST["redirect_uri"])


@pytest.mark.parametrize(
    ("scopes", "fields", "withheld"),
    [
        (("orders",), {}, ()),
        (("orders", "pii"), {}, ("pii",)),
        (("orders", "pii"), {"allow_pii": "yes"}, ()),
        (("pii",), {"allow_orders": "yes"}, ("pii",)),
    ],
)
def test_a_box_without_its_tick_withholds_what_was_asked_for(
    scopes: tuple[str, ...], fields: dict[str, str], withheld: tuple[str, ...]
) -> None:
    assert native.withheld(scopes, fields) == withheld
