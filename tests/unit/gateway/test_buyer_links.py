"""Links to what buyers handed in: ours in the place of Amazon's, by bytes alone, or nothing at all."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.model.buyer_links import MEMBERS_MAX, BuyerLinks, Holding
from services.gateway.model.faults import UpstreamInvalid
from services.gateway.model.links import ANSWER_BYTES_MAX

OURS = "https://gateway.example/_doc/capability"
THEIRS = "https://zme-caps.amazon.com/t/bR6qHkzSOxuB/J8nbWhze0Bd3DkajkOdY/1"
PRESIGNED = "https://s3.amazonaws.com/b/k?X-Amz-Signature=5e"
ITEMS = BuyerLinks(Holding.LINK, ["$.payload.OrderItems[*].BuyerCustomizedInfo.CustomizedURL"])
FIELDS = BuyerLinks(Holding.MIXED, ["$.payload.RegulatedInformation.Fields[*].FieldValue"])


def link_for(url: str) -> str | None:
    """Return our link in the place of one on Amazon's own hosts."""
    return OURS if url.startswith(("https://zme-caps.amazon.com/", "https://s3.amazonaws.com/")) else None


def item(value: Any) -> bytes:
    return json.dumps({"CustomizedURL": value}).encode()


def field(value: str) -> bytes:
    return json.dumps({"FieldType": "Text", "FieldValue": value}).encode()


def base64_of(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_only_the_bytes_of_the_link_change() -> None:
    told = json.dumps(THEIRS).replace("/", "\\/").encode()
    body = b'{ "Title" : "\\u0041, \\"CustomizedURL\\": ", "CustomizedURL"\t:\n' + told + b' , "n":1.0}'
    assert ITEMS.rewrite(body, link_for) == body.replace(told, f'"{OURS}"'.encode())


def test_a_link_that_is_told_in_base64_is_told_so_again() -> None:
    for told in (base64_of(THEIRS), base64_of(THEIRS).rstrip("=")):
        assert json.loads(ITEMS.rewrite(item(told), link_for)) == {"CustomizedURL": base64_of(OURS)}


@pytest.mark.parametrize(
    "value",
    [
        "https://evil.example/x",
        base64_of("https://evil.example/x"),
        "zme-caps.amazon.com/t/1",
        "//zme-caps.amazon.com/t/1",
        " " + THEIRS,
        "none",
        "\ud800",
    ],
)
def test_what_may_not_be_followed_is_hidden_and_costs_the_answer_nothing_T05(value: str) -> None:
    body = json.dumps([{"CustomizedURL": value}, {"CustomizedURL": THEIRS}]).encode()
    hidden, shown = json.loads(ITEMS.rewrite(body, link_for))
    assert (hidden, shown) == ({"CustomizedURL": "***"}, {"CustomizedURL": OURS})


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"[]", b'"CustomizedURL"', item(""), item("***"), item(None), item(7), b'{"a":"\\u0041"}'],
)
def test_where_there_is_no_link_nothing_changes(body: bytes) -> None:
    assert ITEMS.rewrite(body, link_for) == body


@pytest.mark.parametrize(
    "value", ["Rex", base64_of("Rex"), "12/34", "Dog // cat", "Name: Rex", "***", "", "\ud800", "a" * 4_000]
)
def test_a_buyers_text_stays_where_texts_and_links_may_stand(value: str) -> None:
    assert FIELDS.rewrite(field(value), link_for) == field(value)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (PRESIGNED, OURS),
        (base64_of(PRESIGNED), base64_of(OURS)),
        ("https://evil.example/x", "***"),
        ("HTTP://s3.amazonaws.com/b", "***"),
        ("ftp://s3.amazonaws.com/b", "***"),
        (f"See {PRESIGNED}", "***"),
    ],
)
def test_a_link_among_texts_is_ours_or_hidden(value: str, shown: str) -> None:
    assert json.loads(FIELDS.rewrite(field(value), link_for))["FieldValue"] == shown


@pytest.mark.parametrize(
    ("host", "is_told"),
    [
        ("files.amazon.co.jp", True),
        ("m.media-amazon.com", True),
        ("bucket.s3.eu-west-1.amazonaws.com", True),
        ("amazon.de", True),
        ("d1.cloudfront.net", True),
        ("jane-roe.example", False),
        ("amazon.com.jane-roe.example", False),
        ("notamazon.com", False),
    ],
)
def test_of_a_link_that_may_be_a_buyers_own_words_only_amazons_host_is_told_T28(
    host: str, *, is_told: bool
) -> None:
    assert FIELDS.host(f"https://{host}/jane") == (host if is_told else "")
    assert ITEMS.host(f"https://{host}/jane") == host


def test_every_occurrence_counts_however_its_name_is_spelled() -> None:
    names = ("CustomizedURL", "\\u0043ustomizedURL", "Customi\\u007AedURL", "Customi\\u007aed\\u0055RL")
    body = "{" + ",".join(f'"{name}":"{THEIRS}"' for name in names) + "}"
    shown = ITEMS.rewrite(body.encode(), link_for)
    assert (shown.count(OURS.encode()), THEIRS.encode() in shown) == (len(names), False)


@pytest.mark.parametrize("value", [[THEIRS], {"Url": THEIRS}])
def test_a_container_where_a_link_is_expected_does_not_leave_T29(value: Any) -> None:
    with pytest.raises(UpstreamInvalid):
        ITEMS.rewrite(item(value), link_for)


def test_an_answer_that_is_larger_than_any_is_not_looked_through_T29() -> None:
    large = b'{"Title":"' + b"x" * ANSWER_BYTES_MAX + b'"}'
    assert ITEMS.rewrite(large, link_for) is large
    with pytest.raises(UpstreamInvalid):
        ITEMS.rewrite(large.replace(b"Title", b"CustomizedURL"), link_for)


def test_an_answer_with_more_such_members_than_any_does_not_leave_T29() -> None:
    members = [{"CustomizedURL": ""}] * MEMBERS_MAX
    assert ITEMS.rewrite(json.dumps(members).encode(), link_for) == json.dumps(members).encode()
    with pytest.raises(UpstreamInvalid):
        ITEMS.rewrite(json.dumps([*members, {"\u0043ustomizedURL": ""}]).encode(), link_for)


def test_a_text_that_is_none_does_not_leave_T29() -> None:
    for token in (b'"\\x"', b'"\xff"'):
        with pytest.raises(UpstreamInvalid):
            ITEMS.rewrite(b'{"CustomizedURL":' + token + b"}", link_for)


NAMES = st.sampled_from(["CustomizedURL", "a", 'q"CustomizedURL', "CustomizedURL\\", "ü"])
TEXTS = st.text(max_size=8) | st.sampled_from([THEIRS, "https://evil.example/", "***", '"CustomizedURL":"x"'])
LEAVES = st.none() | st.booleans() | st.integers() | TEXTS
VALUES = st.recursive(
    st.lists(TEXTS, max_size=2),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.fixed_dictionaries({}, optional={"CustomizedURL": LEAVES, "a": inner})
        | st.dictionaries(NAMES.filter(lambda name: name != "CustomizedURL"), inner | LEAVES, max_size=4)
    ),
    max_leaves=20,
)


def expected(value: Any) -> Any:
    """Return the document with its links replaced, by the plainest way there is."""
    if isinstance(value, list):
        return [expected(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    shown = {name: expected(member) for name, member in value.items()}
    told = shown.get("CustomizedURL")
    if isinstance(told, str) and told not in {"", "***"}:
        shown["CustomizedURL"] = link_for(told) or "***"
    return shown


@given(VALUES, st.booleans(), st.sampled_from([None, 1]))
def test_in_any_document_just_the_named_members_change(
    value: Any, ascii_only: bool, indent: int | None
) -> None:
    body = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode("utf-8", "replace")
    assert json.loads(ITEMS.rewrite(body, link_for)) == expected(json.loads(body))
