import json
from dataclasses import replace
from datetime import timedelta

import pytest

from simulator.applications import Application
from simulator.exchange import Answer
from simulator.operations import LWA_TOKEN
from tests.unit.simulator.rig import APPLICATION, BORN_AT, PLAIN, REDIRECT_URI, Rig


def exchange(rig: Rig, code: str, application: Application = APPLICATION, uri: str = REDIRECT_URI) -> Answer:
    return rig.lwa(application, grant_type="authorization_code", code=code, redirect_uri=uri)


def refresh(rig: Rig, token: str, application: Application = APPLICATION, **more: str) -> Answer:
    return rig.lwa(application, **{"grant_type": "refresh_token", "refresh_token": token, **more})


def failure(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.document()["error"]


def test_a_code_gives_tokens_in_amazons_shape() -> None:
    rig = Rig()
    answer = exchange(rig, rig.code())
    document = answer.document()
    assert (document["token_type"], document["expires_in"]) == ("bearer", 3_600)
    assert document["access_token"].startswith("Atza|")
    assert document["refresh_token"].startswith("Atzr|")
    assert answer.header("Cache-Control") == "no-store"


def test_a_code_works_once() -> None:
    rig = Rig()
    code = rig.code()
    assert exchange(rig, code).status == 200
    again = exchange(rig, code)
    assert failure(again) == (400, "invalid_grant")
    assert again.document()["error_description"] == "The request has an invalid grant parameter : code"


def test_a_code_works_for_five_minutes() -> None:
    rig = Rig()
    early, late = rig.code(), rig.code()
    rig.clock.advance(minutes=4, seconds=59)
    assert exchange(rig, early).status == 200
    rig.clock.advance(seconds=1)
    assert failure(exchange(rig, late)) == (400, "invalid_grant")


def test_a_code_belongs_to_its_redirect_uri_and_its_application() -> None:
    rig = Rig()
    code = rig.code()
    assert failure(exchange(rig, code, uri=APPLICATION.redirect_uris[1])) == (400, "invalid_grant")
    assert failure(exchange(rig, code, PLAIN)) == (400, "invalid_grant")
    assert exchange(rig, code).status == 200


def test_a_refresh_token_is_echoed_and_gives_another_access_token() -> None:
    rig = Rig()
    first = rig.connect()
    second = refresh(rig, first["refresh_token"]).document()
    assert second["refresh_token"] == first["refresh_token"]
    assert second["access_token"] != first["access_token"]


def test_a_refresh_token_of_another_application_is_an_invalid_grant() -> None:
    rig = Rig()
    assert failure(refresh(rig, rig.connect()["refresh_token"], PLAIN)) == (400, "invalid_grant")


def test_an_access_token_is_no_refresh_token() -> None:
    rig = Rig()
    assert failure(refresh(rig, rig.access())) == (400, "invalid_grant")


def test_a_revoked_consent_is_an_invalid_grant_with_amazons_wording() -> None:
    rig = Rig()
    token = rig.connect()["refresh_token"]
    assert rig.controls.revoke({"seller_id": rig.sellers[0].seller_id}) == {"revoked": 1}
    answer = refresh(rig, token)
    assert failure(answer) == (400, "invalid_grant")
    assert "refresh_token. User may have revoked" in answer.document()["error_description"]


def test_a_consent_ends_after_365_days() -> None:
    rig = Rig()
    token = rig.connect()["refresh_token"]
    rig.clock.advance(days=364, hours=23)
    assert refresh(rig, token).status == 200
    rig.clock.advance(hours=1)
    assert failure(refresh(rig, token)) == (400, "invalid_grant")


def test_a_new_consent_does_not_end_an_older_one() -> None:
    rig = Rig()
    old, new = rig.connect()["refresh_token"], rig.connect()["refresh_token"]
    assert old != new
    assert refresh(rig, old).status == refresh(rig, new).status == 200


def test_a_wrong_secret_or_client_is_an_invalid_client() -> None:
    rig = Rig()
    token = rig.connect()["refresh_token"]
    assert failure(refresh(rig, token, client_secret="wrong")) == (401, "invalid_client")
    answer = refresh(rig, token, client_id="amzn1.application-oa2-client.none")
    assert answer.document() == {
        "error_description": "Client authentication failed",
        "error": "invalid_client",
    }


def test_a_rotated_secret_works_at_once_and_the_old_one_for_seven_more_days() -> None:
    rig = Rig()
    token = rig.connect()["refresh_token"]
    secret = rig.controls.rotate_secret(APPLICATION.application_id, {})["client_secret"]
    assert secret.startswith("amzn1.oa2-cs.v1.")
    assert refresh(rig, token, client_secret=secret).status == refresh(rig, token).status == 200
    rig.clock.advance(days=7)
    assert refresh(rig, token, client_secret=secret).status == 200
    assert failure(refresh(rig, token)) == (401, "invalid_client")


def test_a_rotated_secret_ends_after_180_days() -> None:
    rig = Rig()
    secret = rig.controls.rotate_secret(APPLICATION.application_id, {})["client_secret"]
    token = rig.connect()["refresh_token"]
    rig.clock.advance(days=179, hours=23)
    assert refresh(rig, token, client_secret=secret).status == 200
    rig.clock.advance(hours=1)
    assert failure(refresh(rig, token, client_secret=secret)) == (401, "invalid_client")


def test_the_secret_of_the_file_ends_when_the_file_says_so() -> None:
    rig = Rig()
    ending = replace(APPLICATION, secret_expires_at=BORN_AT + timedelta(days=2))
    secret, now = APPLICATION.client_secret, rig.clock.now()
    assert rig.core.ledger.is_secret(APPLICATION, secret, now + timedelta(days=5_000))
    assert rig.core.ledger.is_secret(ending, secret, now + timedelta(days=1))
    assert not rig.core.ledger.is_secret(ending, secret, now + timedelta(days=2))
    rig.controls.rotate_secret(APPLICATION.application_id, {})
    assert not rig.core.ledger.is_secret(ending, secret, now + timedelta(days=2))


def test_client_credentials_give_a_grantless_token_without_a_refresh_token() -> None:
    rig = Rig()
    document = rig.lwa(grant_type="client_credentials", scope="sellingpartnerapi::notifications").document()
    assert document.keys() == {"access_token", "token_type", "expires_in", "scope"}
    assert failure(rig.lwa(grant_type="client_credentials", scope="profile")) == (400, "invalid_scope")


def test_json_is_taken_as_well_as_a_form() -> None:
    rig = Rig()
    fields = {
        "grant_type": "refresh_token",
        "refresh_token": rig.connect()["refresh_token"],
        "client_id": APPLICATION.client_id,
        "client_secret": APPLICATION.client_secret,
    }
    answer = rig.send(
        "POST",
        "/auth/o2/token",
        headers={"content-type": "application/json"},
        body=json.dumps(fields).encode(),
    )
    assert answer.status == 200


@pytest.mark.parametrize("missing", ["grant_type", "client_id", "client_secret", "code", "redirect_uri"])
def test_a_missing_field_is_an_invalid_request(missing: str) -> None:
    rig = Rig()
    fields = {
        "grant_type": "authorization_code",
        "code": rig.code(),
        "redirect_uri": REDIRECT_URI,
        missing: "",
    }
    answer = rig.lwa(APPLICATION, **fields)
    assert failure(answer) == (400, "invalid_request")
    assert answer.document()["error_description"].endswith(missing)


def test_scope_and_refresh_token_exclude_each_other() -> None:
    rig = Rig()
    assert failure(refresh(rig, rig.connect()["refresh_token"], scope="x")) == (400, "invalid_request")


def test_what_is_no_token_request_is_refused() -> None:
    rig = Rig()
    assert failure(rig.lwa(grant_type="password")) == (400, "unsupported_grant_type")
    assert failure(rig.send("GET", "/auth/o2/token")) == (405, "invalid_request")
    json_type = {"content-type": "application/json"}
    for body in (b"[]", b"{", b'{"grant_type":1}', b"\xff", b"[" * 100_000):
        assert failure(rig.send("POST", "/auth/o2/token", headers=json_type, body=body)) == (
            400,
            "invalid_request",
        )
    assert failure(rig.send("POST", "/auth/o2/token", body=b"a=1&a=2")) == (400, "invalid_request")


def test_the_token_endpoint_can_be_given_a_plan() -> None:
    rig = Rig()
    token = rig.connect()["refresh_token"]
    rig.core.plans.set(LWA_TOKEN, rate=0.1, burst=1)
    assert refresh(rig, token).status == 200
    assert failure(refresh(rig, token)) == (429, "temporarily_unavailable")
    rig.clock.advance(seconds=10)
    assert refresh(rig, token).status == 200
