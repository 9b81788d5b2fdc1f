import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.clock import START
from services.telemetry.model.errors import EventInvalid, KindNotOwned, SensitiveContent
from services.telemetry.model.events import (
    DETAIL_KEY_CHARS_MAX,
    DETAILS_MAX,
    KIND_CHARS_MAX,
    TEXT_CHARS_MAX,
    Actor,
    Event,
    Phase,
    check,
    timestamp,
)
from tests.unit.telemetry.house import event_id, fact, intent, outcome

SENSITIVE = [
    "Atzr|IwEBIExampleRefreshToken",
    "Atza|IQEBLjAsExampleAccessToken",
    "Atza%7CIQEBLjAsExample",
    "Atz.sprdt|AYABeOI4nExample",
    "Atz.sprdt%7cAYABeOI4nExample",
    "amzn1.oa2-cs.v1.0123456789abcdef",
    "AKIAIOSFODNN7EXAMPLE",
    "ASIAIOSFODNN7EXAMPLE",
    "https://bucket.example/key?X-Amz-Signature=abc",
    "https://bucket.example/key?X-Amz-Security-Token=abc",
    *(f"sp_{kind}_{'A' * 43}" for kind in ("at", "rt", "ac", "se", "in")),
    *(f"hv{kind}.CAESIAAAAAAAAAAAAAAAAAAAAA" for kind in "sbr"),
    "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.AAAA",
    "-----BEGIN PRIVATE KEY-----",
    "marta.nowak@example.com",
    "bu1yer9x@marketplace.amazon.com",
]


@pytest.mark.parametrize("value", SENSITIVE)
def test_credentials_and_addresses_in_details_are_refused_T14(value: str) -> None:
    with pytest.raises(SensitiveContent) as refusal:
        check("gateway", fact(1, details={"note": f"seen {value} there"}))
    assert refusal.value.code == "sensitive_content"
    assert refusal.value.http_status == 422
    assert value not in str(refusal.value)


@pytest.mark.parametrize("field", ["seller_id", "request_id", "result"])
def test_no_field_lets_a_credential_in_T14(field: str) -> None:
    with pytest.raises(SensitiveContent):
        check("gateway", fact(1, **{field: "Atzr|IwEBIExample"}))


@pytest.mark.parametrize(
    "value",
    ["902-3159896-1390916,702-1234567-7654321", "ATVPDKIKX0DER", "2026-11-22T10:00:00Z", "a@b", "eyJ.x"],
)
def test_order_ids_and_other_harmless_values_are_let_in(value: str) -> None:
    assert check("gateway", fact(1, details={"note": value})).event.details["note"] == value


@pytest.mark.parametrize("value", ['say "yes"', "back\\slash", "Größe 名", "x" * 4096, "ü" * 4096])
def test_texts_that_json_escapes_or_that_are_no_ascii_are_let_in(value: str) -> None:
    assert check("gateway", fact(1, details={"note": value})).event.details["note"] == value


def test_an_event_may_reach_every_bound() -> None:
    event = fact(
        1,
        kind=f"gateway.{'n' * (KIND_CHARS_MAX - 13)}.read",
        result="r" * TEXT_CHARS_MAX,
        seller_id="s" * TEXT_CHARS_MAX,
        details={f"k{number:0{DETAIL_KEY_CHARS_MAX - 1}}": "v" for number in range(DETAILS_MAX)},
    )
    assert len(event.kind) == KIND_CHARS_MAX
    assert check("gateway", event).event is event


def test_a_service_writes_only_in_its_own_name_T35() -> None:
    with pytest.raises(KindNotOwned) as refusal:
        check("retention", fact(1))
    assert refusal.value.code == "kind_not_owned"


def test_a_name_that_merely_begins_alike_is_not_the_own_name_T35() -> None:
    with pytest.raises(KindNotOwned):
        check("gate", fact(1))


BROKEN = {
    "id is not a UUID": fact(1, event_id="1"),
    "id is in upper case": fact(1, event_id=event_id(0xABC).upper()),
    "kind has two words": fact(1, kind="gateway.read"),
    "kind is too long": fact(1, kind="gateway." + "a" * 80 + ".read"),
    "kind ends with a newline": fact(1, kind="gateway.pii.read\n"),
    "fact has an intent": fact(1, intent_id=event_id(2)),
    "intent has a result": intent(1, result="done"),
    "intent has an intent": intent(1, intent_id=event_id(2)),
    "outcome has no intent": outcome(1, 2, intent_id=None),
    "outcome's intent is not a UUID": outcome(1, 2, intent_id="2"),
    "outcome has a free result": outcome(1, 2, "finished"),
    "seller id is too long": fact(1, seller_id="s" * 129),
    "seller id is empty": fact(1, seller_id=""),
    "request id holds a line break": fact(1, request_id="a\r\nb"),
    "actor's id holds an escape": fact(1, actor=Actor("device", "\x1b[31m")),
    "too many details": fact(1, details={f"k{n}": "v" for n in range(33)}),
    "detail's key is not a word": fact(1, details={"Order Id": "1"}),
    "detail is too long": fact(1, details={"note": "x" * 4097}),
    "detail holds a null": fact(1, details={"note": "a\x00b"}),
    "detail holds a delete": fact(1, details={"note": "a\x7fb"}),
    "detail holds a control character beyond ASCII": fact(1, details={"note": "a\x85b"}),
    "detail holds a line separator": fact(1, details={"note": "a\u2028b"}),
    "detail holds half a character": fact(1, details={"note": "a\ud800b"}),
    "detail in letters beyond ASCII is too long": fact(1, details={"note": "ü" * 4097}),
    "event is too large": fact(1, details={f"k{n}": "x" * 4000 for n in range(5)}),
}


@pytest.mark.parametrize("event", BROKEN.values(), ids=BROKEN.keys())
def test_an_event_of_the_wrong_shape_is_refused(event: Event) -> None:
    with pytest.raises(EventInvalid) as refusal:
        check("gateway", event)
    assert refusal.value.code == "event_invalid"
    assert not re.search(r"[\r\n\x1b]", str(refusal.value))


def test_the_digest_tells_any_two_events_apart_T35() -> None:
    events = [
        fact(1),
        fact(2),
        fact(1, kind="gateway.operation.called"),
        fact(1, occurred_at=START + timedelta(microseconds=1)),
        fact(1, result="other"),
        fact(1, result=None),
        fact(1, actor=None),
        fact(1, actor=Actor("user", "0192aa00-0000-7000-8000-000000000001")),
        fact(1, seller_id="seller-2"),
        fact(1, request_id=None),
        fact(1, details={}),
        intent(1),
        outcome(1, of=2),
        outcome(1, of=3),
        outcome(1, of=2, result="unknown"),
    ]
    assert len({check("gateway", event).digest for event in events}) == len(events)


def test_the_digest_covers_the_sender_T35() -> None:
    event = fact(1, kind="auth.device.revoked")
    assert check("auth", event).facts["sender"] == "auth"
    assert check("auth", event).digest == check("auth", event).digest


@given(st.text())
def test_any_text_is_either_let_in_or_refused_with_a_reason(text: str) -> None:
    try:
        entry = check("gateway", fact(1, details={"note": text}))
    except (EventInvalid, SensitiveContent):
        return
    assert entry.event.phase is Phase.FACT


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_moment_is_written_with_six_decimals_and_read_back_as_it_was(moment: datetime) -> None:
    written = timestamp(moment)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", written)
    assert datetime.fromisoformat(written) == moment
