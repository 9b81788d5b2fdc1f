"""A stored secret that was written wrong: operators are told where and what to do, nobody the value."""

import base64
import io
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

import chassis.log
from chassis.vault import Entry, KeyServiceUnavailable, SecretDamaged

PATH, VALUE = "auth/queue", "hunter2 of a seller"
SIZE = 32
json_values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(),
    st.lists(st.text()),
    st.dictionaries(st.text(), st.text()),
)
READERS = {
    "text": lambda entry: entry.text("it"),
    "key": lambda entry: entry.key("it", SIZE),
    "moment": lambda entry: entry.moment("it"),
    "word": lambda entry: entry.read("it", ["yes", "no"].index, form="yes or no"),
}
readers = pytest.mark.parametrize("reader", READERS)


def test_members_are_read_as_what_they_were_kept_as() -> None:
    kept = {
        "text": VALUE,
        "key": base64.b64encode(bytes(SIZE)).decode(),
        "moment": "2026-11-22T12:00:00+02:00",
        "more": "",
    }
    entry = Entry(PATH, kept)
    assert entry.text("text") == VALUE
    assert entry.key("key", SIZE).reveal() == bytes(SIZE)
    assert entry.moment("moment") == datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert ("more" in entry, "less" in entry) == (True, False)


@readers
def test_a_member_that_is_missing_is_damage(reader: str) -> None:
    with pytest.raises(SecretDamaged):
        READERS[reader](Entry(PATH, {"another": VALUE}))


@readers
@given(value=json_values)
def test_whatever_stands_there_is_read_or_is_damage(reader: str, value: object) -> None:
    try:
        READERS[reader](Entry(PATH, {"it": value}))
    except SecretDamaged:
        return
    assert isinstance(value, str)


@pytest.mark.parametrize("size", [0, SIZE - 1, SIZE + 1])
def test_a_key_of_another_size_is_damage(size: int) -> None:
    with pytest.raises(SecretDamaged):
        Entry(PATH, {"it": base64.b64encode(bytes(size)).decode()}).key("it", SIZE)


@pytest.mark.parametrize("spoilt", ["\n{}", "{}\n", "{}é", "*{}", "{}="])
def test_a_key_with_anything_beside_its_base64_is_damage(spoilt: str) -> None:
    with pytest.raises(SecretDamaged):
        Entry(PATH, {"it": spoilt.format(base64.b64encode(bytes(SIZE)).decode())}).key("it", SIZE)


def test_a_moment_without_an_offset_is_damage() -> None:
    with pytest.raises(SecretDamaged):
        Entry(PATH, {"it": "2026-11-22T12:00:00"}).moment("it")


@pytest.mark.parametrize("reader", ["key", "moment", "word"])
def test_the_operator_is_told_path_member_and_remedy_and_never_the_value_T28(reader: str) -> None:
    stream = io.StringIO()
    with (
        chassis.log.configure("auth", "info", context=dict, stream=stream),
        pytest.raises(SecretDamaged) as caught,
    ):
        READERS[reader](Entry(PATH, {"it": VALUE}))
    line = json.loads(stream.getvalue())
    assert (line["level"], line["event"]) == ("error", "secret_damaged")
    assert (line["path"], line["member"]) == ("kv/auth/queue", "it")
    assert "vault kv rollback -mount=kv -version=N auth/queue" in line["remedy"]
    assert line["must_be"]
    assert VALUE not in stream.getvalue()
    assert (str(caught.value), caught.value.__context__) == (KeyServiceUnavailable.text, None)
    assert caught.value.advice == f"kv/auth/queue: `it` must be {line['must_be']}; {line['remedy']}"


def test_to_a_caller_it_is_the_key_service_that_cannot_answer_R06() -> None:
    error = SecretDamaged("kv/auth/queue: put a good version back")
    assert isinstance(error, KeyServiceUnavailable)
    assert (error.code, error.http_status) == ("key_service_unavailable", 503)
    assert error.text == KeyServiceUnavailable.text
    assert chassis.errors.treatment_of(error).log_level == "error"
