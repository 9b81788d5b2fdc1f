"""How the doors read forms, queries and JSON objects."""

import base64
import json
from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.gateway.model import inputs

CREDENTIALS_REFUSED = [
    "Bearer abc",
    "Basic",
    "Basic !!!",
    "Basic " + base64.b64encode(b"desktop:secret").decode(),
    "Basic " + base64.b64encode(b"\xff\xfe:").decode(),
    "Basic " + base64.b64encode(b"a" * 512 + b":").decode(),
]


def test_a_form_becomes_names_and_values() -> None:
    assert inputs.read_form(b"a=1&b=two+words&c=%C3%A9") == {"a": "1", "b": "two words", "c": "é"}


def test_an_empty_value_counts_as_absent() -> None:
    assert inputs.read_form(b"a=&b=1") == {"b": "1"}


@pytest.mark.parametrize("encoded", [b"a=1&a=2", b"a=1&a=", b"a=%ff", b"\xff=1"])
def test_a_form_that_can_be_read_in_two_ways_or_none_is_refused_T10(encoded: bytes) -> None:
    with pytest.raises(inputs.InvalidRequest):
        inputs.read_form(encoded)


@pytest.mark.parametrize(("read", "encode"), [(inputs.read_form, urlencode), (inputs.read_json, json.dumps)])
def test_as_many_fields_as_there_may_be_are_read_and_not_one_more_T09(
    read: Callable[[bytes], dict[str, str]], encode: Callable[[dict[str, str]], str]
) -> None:
    fields = {f"f{at}": "1" for at in range(inputs.FIELDS_MAX)}
    assert read(encode(fields).encode()) == fields
    with pytest.raises(inputs.InvalidRequest):
        read(encode({**fields, "more": "1"}).encode())


def test_an_oversized_form_is_refused_T09() -> None:
    with pytest.raises(inputs.BodyTooLarge):
        inputs.read_form(b"a=" + b"1" * inputs.FORM_BYTES_MAX)
    with pytest.raises(inputs.BodyTooLarge):
        inputs.read_json(b'"' + b"1" * inputs.FORM_BYTES_MAX + b'"')


def test_a_json_object_of_texts_becomes_names_and_values() -> None:
    assert inputs.read_json(b'{"a":"1","b":null,"c":""}') == {"a": "1"}


NOT_AN_OBJECT_OF_TEXTS = [
    b"",
    b"[]",
    b"1",
    b'{"a":1}',
    b'{"a":{}}',
    b'{"a":"1"',
    b"[" * 9_000,
    b'{"a":"\\ud800"}',
]
READ_IN_TWO_WAYS = [
    b'{"a":"1","a":"2"}',
    b'{"a":"1","\\u0061":"1"}',
    b'{"a":%b,"a":"1"}' % (b"[" * 1_000 + b"]" * 1_000),
]


@pytest.mark.parametrize("encoded", NOT_AN_OBJECT_OF_TEXTS + READ_IN_TWO_WAYS)
def test_any_other_json_is_refused_T10(encoded: bytes) -> None:
    with pytest.raises(inputs.InvalidRequest):
        inputs.read_json(encoded)


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_break_the_readers_T10(encoded: bytes) -> None:
    for read in (inputs.read_form, inputs.read_json):
        try:
            fields = read(encoded)
        except (inputs.InvalidRequest, inputs.BodyTooLarge):
            continue
        assert all(fields.values())


@settings(deadline=None)
@given(st.text(max_size=300))
def test_no_query_breaks_its_reader_T10(query: str) -> None:
    try:
        fields = inputs.read_query(query.encode("utf-8", "surrogatepass").decode("utf-8", "surrogateescape"))
    except inputs.InvalidRequest:
        return
    assert all(fields.values())


def test_a_public_client_names_itself_with_an_empty_password() -> None:
    assert inputs.basic_user("Basic " + base64.b64encode(b"desktop:").decode()) == "desktop"
    assert inputs.basic_user("basic " + base64.b64encode(b"desktop").decode()) == "desktop"


@pytest.mark.parametrize("authorization", CREDENTIALS_REFUSED)
def test_other_credentials_of_a_client_are_refused(authorization: str) -> None:
    with pytest.raises(inputs.InvalidRequest):
        inputs.basic_user(authorization)
