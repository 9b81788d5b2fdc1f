"""Uploads by form as the simulated storage takes them: by their policies, in S3's words."""

import json
from base64 import b64decode, b64encode
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from fakes import s3_forms
from simulator.exchange import Answer
from tests.unit.simulator.rig import Rig

DESTINATIONS = "/uploads/2020-11-01/uploadDestinations/aplus/2020-11-01/contentDocuments"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 100
FORM_TYPE = f"multipart/form-data; boundary={s3_forms.BOUNDARY}"


def place(rig: Rig, **changes: str) -> Answer:
    asked = {"marketplaceIds": "ATVPDKIKX0DER", "contentMD5": "5d41", "contentType": "image/png"} | changes
    return rig.send("POST", DESTINATIONS, list(asked.items()), headers={"x-amz-access-token": rig.access()})


def fields_of(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query))


def post(rig: Rig, url: str, body: bytes, **headers: str) -> Answer:
    told = {"content-type": FORM_TYPE, "content-length": str(len(body))}
    told |= {name.replace("_", "-"): value for name, value in headers.items()}
    return rig.send("POST", urlsplit(url).path, [], headers=told, body=body)


def form(fields: dict[str, str], file: bytes = PNG, **rest: Any) -> bytes:
    return s3_forms.form(list(fields.items()), file, **rest)


def test_an_image_is_uploaded_with_the_fields_of_its_link() -> None:
    rig = Rig()
    made = place(rig).document()
    url, ident = made["payload"]["url"], made["payload"]["uploadDestinationId"]
    assert made["payload"]["headers"] is None
    answer = post(rig, url, form(fields_of(url)))
    assert (answer.status, answer.body) == (204, b"")
    assert str(answer.header("Location")).endswith(f"/{ident}")
    (kept,) = rig.documents.uploads()["uploads"]
    assert (kept["bytes"], kept["seller_id"]) == (len(PNG), rig.sellers[0].seller_id)


def test_the_case_of_names_and_the_order_of_fields_are_all_the_same() -> None:
    rig = Rig()
    url = place(rig).document()["payload"]["url"]
    told = {name.upper(): value for name, value in reversed(fields_of(url).items())}
    assert post(rig, url, form(told, name="File", end=b"")).status == 204


@pytest.mark.parametrize("content_type", ["", "text/html"])
def test_a_place_for_an_image_is_for_an_image(content_type: str) -> None:
    assert place(Rig(), contentType=content_type).status == 400


def altered_policy(fields: dict[str, str]) -> dict[str, str]:
    policy = json.loads(b64decode(fields["policy"]))
    policy["conditions"][-1][2] = 10**9
    return fields | {"policy": b64encode(json.dumps(policy).encode()).decode()}


@pytest.mark.parametrize(
    ("change", "file", "status", "word"),
    [
        (lambda f: f | {"acl": "public-read"}, PNG, 403, b"Policy Condition failed"),
        (lambda f: f | {"key": "uploads/another"}, PNG, 403, b"Policy Condition failed"),
        (lambda f: f | {"content-type": "image/png"}, PNG, 403, b"Extra input fields: content-type"),
        (lambda f: {n: v for n, v in f.items() if n != "x-amz-date"}, PNG, 403, b"Policy Condition failed"),
        (altered_policy, PNG, 403, b"SignatureDoesNotMatch"),
        (lambda _: {}, PNG, 403, b"SignatureDoesNotMatch"),
        (lambda f: f, b"", 400, b"EntityTooSmall"),
        (lambda f: f, b"x" * 3_145_729, 400, b"EntityTooLarge"),
        (lambda f: f | {"x": "x" * 20_480}, PNG, 400, b"MaxPostPreDataLengthExceeded"),
    ],
)
def test_what_the_policy_does_not_say_is_refused(change: Any, file: bytes, status: int, word: bytes) -> None:
    rig = Rig()
    url = place(rig).document()["payload"]["url"]
    answer = post(rig, url, form(change(fields_of(url)), file))
    assert (answer.status, word in answer.body) == (status, True)
    assert not rig.documents.uploads()["uploads"]


def test_a_policy_ends_after_three_hours() -> None:
    rig = Rig()
    url = place(rig).document()["payload"]["url"]
    rig.clock.advance(seconds=3 * 3_600)
    assert b"Policy expired" in post(rig, url, form(fields_of(url))).body


def test_a_form_goes_to_the_link_without_its_query_and_an_upload_by_put_nowhere() -> None:
    rig = Rig()
    url = place(rig).document()["payload"]["url"]
    query, body = parse_qsl(urlsplit(url).query), form(fields_of(url))
    told = {"content-type": FORM_TYPE, "content-length": str(len(body))}
    refused = rig.send("POST", urlsplit(url).path, query, headers=told, body=body)
    assert (refused.status, b"Conflicting query string parameters" in refused.body) == (400, True)
    assert rig.send("PUT", urlsplit(url).path, query, headers=told, body=PNG).status == 403


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (form({}), {"content_type": "image/png"}, 412),
        (form({})[:-6], {}, 400),
        (form({}, name="picture"), {}, 400),
        (form({}), {"transfer_encoding": "chunked"}, 501),
    ],
)
def test_what_is_no_form_is_refused_as_s3_does(body: bytes, headers: dict[str, str], status: int) -> None:
    rig = Rig()
    url = place(rig).document()["payload"]["url"]
    assert post(rig, url, body, **headers).status == status
