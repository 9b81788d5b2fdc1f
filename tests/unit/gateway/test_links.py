"""Links in answers: which may be followed, and how another takes their place byte for byte."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.catalogue.documents import DocumentTable
from services.gateway.catalogue.table import Catalogue
from services.gateway.model.faults import UpstreamInvalid
from services.gateway.model.links import AMAZON_HOSTS, DocumentHosts, LinkPaths, host_of

OURS = "https://gateway.example/_doc/capability"
HOSTS = DocumentHosts(AMAZON_HOSTS)

GOOD = (
    "https://tortuga-prod-na.s3-external-1.amazonaws.com/%2FNinetyDays/a.T1?X-Amz-Date=1&X-Amz-Signature=2",
    "https://tortuga-prod-eu.s3-eu-west-1.amazonaws.com/8f.amzn1.tortuga.4.eu.T1",
    "https://tortuga-prod-fe.s3-us-west-2.amazonaws.com:443/x",
    "https://invoicesdocumentbucket.s3.eu-east-1.amazonaws.com/1.xml?X-Amz-Credential=<CREDENTIAL>",
    "https://s3.amazonaws.com/bucket",
    "HTTPS://S3.AMAZONAWS.COM/bucket",
    "https://d34o8swod1owfl.cloudfront.net/Feed_101__POST_PRODUCT_DATA_.xml",
    "https://www.amazon.com/gp/orc/rml/D50WttPHRRMA",
    "https://zme-caps.amazon.com/t/bR6qHkzSOxuB/J8nbWhze0Bd3DkajkOdY-XQbWkFralegp2sr_QZiKEE/1",
    "https://1p-df-public-data.s3.amazonaws.com/111-1260745-6291416_58362154013561.zip",
)
BAD = (
    "",
    "http://s3.amazonaws.com/bucket",
    "ftp://s3.amazonaws.com/bucket",
    "//s3.amazonaws.com/bucket",
    "https://evil.example/",
    "https://s3.amazonaws.com.evil.example/",
    "https://evil.example/?https://s3.amazonaws.com/",
    "https://s3.amazonaws.com@evil.example/",
    "https://user:password@s3.amazonaws.com/",
    "https://s3.amazonaws.com\\@evil.example/",
    "https://s3.amazonaws.com:8443/",
    "https://s3.amazonaws.com:0443/",
    "https://s3.amazonaws.com/#fragment",
    "https://s3.amazonaws.com/a b",
    "https://s3.amazonaws.com/\r\nhost: evil.example",
    "https://s3.amazonaws.com/ü",
    "https://a.b.s3.amazonaws.com/",
    "https://ec2-198-51-100-7.compute-1.amazonaws.com/",
    "https://www.amazon.example/",
    "https://127.0.0.1/",
    "https://[::1]/",
    "https://169.254.169.254/latest/meta-data",
    "https://s3.amazonaws.com./",
    "https://s3.amazonaws.com/" + "a" * 4_096,
)


@pytest.mark.parametrize("url", GOOD)
def test_what_amazon_presigns_may_be_followed(url: str) -> None:
    HOSTS.check(url)


@pytest.mark.parametrize("url", BAD)
def test_nothing_else_is_followed_T05_T29(url: str) -> None:
    with pytest.raises(UpstreamInvalid):
        HOSTS.check(url)


def test_another_port_is_followed_only_where_it_is_configured() -> None:
    hosts = DocumentHosts(["localhost:8443"])
    hosts.check("https://localhost:8443/x")
    for url in ("https://localhost/x", "https://localhost:8444/x"):
        with pytest.raises(UpstreamInvalid):
            hosts.check(url)


@pytest.mark.parametrize("pattern", ["", "https://s3.amazonaws.com", "a..b", "a:0", "a:65536", "A.example"])
def test_what_is_no_host_is_no_pattern(pattern: str) -> None:
    with pytest.raises(ValueError, match="not a host"):
        DocumentHosts([pattern])


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://Files.Example/t/secret?a=1", "files.example"),
        ("https://files.example:8443/t", "files.example:8443"),
        ("https://user:password@files.example/", ""),
        ("javascript:alert(1)", ""),
        ("https://" + "a" * 254 + "/", ""),
        ("https://files.example/" + "a" * 4_096, ""),
    ],
)
def test_of_a_link_that_is_not_followed_just_its_host_can_be_told_T28(url: str, host: str) -> None:
    assert host_of(url) == host


def rewritten(paths: list[str], body: bytes) -> bytes:
    return LinkPaths(paths).rewrite(body, lambda _: OURS)


def test_only_the_bytes_of_the_link_change() -> None:
    body = (
        b' {"reportDocumentId" : "https://s3.amazonaws.com/x",\n"url":\t"https:\\/\\/s3.amazonaws.com\\/x" } '
    )
    expected = body.replace(b'"https:\\/\\/s3.amazonaws.com\\/x"', f'"{OURS}"'.encode())
    assert rewritten(["$.url"], body) == expected


def test_the_link_is_told_without_its_escapes() -> None:
    told: list[str] = []

    def link_for(url: str) -> str:
        told.append(url)
        return OURS

    body = b'{"url":"https:\\/\\/s3.amazonaws.com\\/x?a=1\\u0026b=2"}'
    LinkPaths(["$.url"]).rewrite(body, link_for)
    assert told == ["https://s3.amazonaws.com/x?a=1&b=2"]


@pytest.mark.parametrize(
    "body",
    [
        *(
            b"",
            b"{}",
            b"[]",
            b"7",
            b'"x"',
            b"null",
            b'{"url":null}',
            b'{"url":""}',
            b'{"url":"***"}',
            b'{"a":[]}',
        ),
        b'{"b":%b"\\n"%b}' % (b"[" * 1_000, b"]" * 1_000),
    ],
)
def test_where_there_is_no_link_nothing_changes(body: bytes) -> None:
    assert rewritten(["$.url", "$.a[*].url"], body) == body


def test_every_occurrence_counts_however_it_is_spelled() -> None:
    body = b'{"url":"1","\\u0075rl":"2","url":"3"}'
    assert rewritten(["$.url"], body).count(OURS.encode()) == 3


@pytest.mark.parametrize("body", [b'{"url":{}}', b'{"url":["x"]}', b"{", b'{"url"}'])
def test_a_container_where_a_link_is_expected_does_not_leave_T29(body: bytes) -> None:
    with pytest.raises(UpstreamInvalid):
        rewritten(["$.url"], body)


@pytest.mark.parametrize(
    "body",
    [
        b'[{"url":"https://s3.amazonaws.com/x?X-Amz-Signature=1"}]',
        b'{"other":"https://s3.amazonaws.com/x?AWSAccessKeyId=1&Signature=2"}',
        b'{"other":"https://s3.amazonaws.com/x?X\\u002dAmz-Signature=1"}',
        b'{"other":"https://s3.amazonaws.com/x?X\\u002DAmz-\\u0053ignature=1","other":""}',
    ],
)
def test_a_presigned_link_in_another_place_does_not_leave_T29(body: bytes) -> None:
    with pytest.raises(UpstreamInvalid):
        rewritten(["$.url"], body)


def test_an_answer_that_is_larger_than_any_does_not_leave_T29() -> None:
    with pytest.raises(UpstreamInvalid):
        rewritten(["$.url"], b'{"url":"' + b"x" * 4 * 1_048_576 + b'"}')


NAMES = st.sampled_from(["url", "a", "b", 'q"u', "\\", "ü"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just("https://link.example/1"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=20,
)


def expected(value: Any, paths: list[list[str]]) -> Any:
    """Return the document with the links of these paths replaced, by the plainest way there is."""
    if any(not path for path in paths):
        return OURS if value and isinstance(value, str) else value
    if isinstance(value, list):
        return [expected(entry, [path[1:] for path in paths if path[0] == "[*]"]) for entry in value]
    if isinstance(value, dict):
        return {
            name: expected(member, [path[1:] for path in paths if path[0] == name])
            for name, member in value.items()
        }
    return value


def is_linked_to_text(value: Any, paths: list[list[str]]) -> bool:
    """Return whether no container stands where a link is expected."""
    if any(not path for path in paths):
        return not isinstance(value, (list, dict))
    if isinstance(value, list):
        below = [path[1:] for path in paths if path[0] == "[*]"]
        return all(is_linked_to_text(entry, below) for entry in value)
    if isinstance(value, dict):
        return all(
            is_linked_to_text(member, [path[1:] for path in paths if path[0] == name])
            for name, member in value.items()
        )
    return True


@given(VALUES, st.booleans(), st.sampled_from([None, 1]))
def test_in_any_document_just_the_named_members_change(
    value: Any, ascii_only: bool, indent: int | None
) -> None:
    paths = ["$.url", "$.a[*].url", "$.b.url"]
    steps = [["url"], ["a", "[*]", "url"], ["b", "url"]]
    body = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()
    if not is_linked_to_text(value, steps):
        with pytest.raises(UpstreamInvalid):
            rewritten(paths, body)
        return
    assert json.loads(rewritten(paths, body)) == expected(value, steps)
    identical = LinkPaths(paths).rewrite(body, lambda link: json.dumps(link)[1:-1])
    assert json.loads(identical) == value


def test_every_operation_that_answers_with_links_is_known_and_no_other() -> None:
    linked = {operation.name for operation in Catalogue.load() if operation.document_links}
    assert set(DocumentTable.load()) == linked
    assert len(linked) == 20


def test_where_an_answer_can_be_masked_all_its_links_are() -> None:
    for operation in Catalogue.load():
        if operation.document_links and operation.mask is not None:
            hidden = {path for paths in operation.pii.values() for path in paths}
            assert hidden.issuperset(operation.document_links)
