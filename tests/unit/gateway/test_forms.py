"""Forms: which links are for one, what a client learns of it, what its own may say, how Amazon's is made."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes import s3_forms
from fakes.s3_forms import BOUNDARY, CREDENTIAL, KEY, SIGNATURE
from services.gateway.model import forms
from services.gateway.model.documents import DocumentFormInvalid
from services.gateway.model.faults import UpstreamInvalid
from services.gateway.model.form_reader import FormReader, boundary_of
from services.gateway.model.forms import FIELDS_MAX, FORM_HEAD_BYTES_MAX

LINK = s3_forms.link(s3_forms.fields())
NAMES = forms.destination(LINK).names
FILE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) + b"\r\n--" + BOUNDARY[:-1].encode() + b"\r\n\r\n"
TOLD = [(name, "sealed") for name in s3_forms.fields()]


def read(body: bytes, *, sizes: list[int] | None = None, names: frozenset[str] = NAMES) -> FormReader:
    """Return a reader that has taken a form whole, cut at some places, and seen its end."""
    reader, _, _ = taken(body, sizes=sizes, names=names)
    return reader


def taken(
    body: bytes, *, sizes: list[int] | None = None, names: frozenset[str] = NAMES
) -> tuple[FormReader, bytes, bytes]:
    """Return a reader, the file that it gave out, and what stood behind the closing boundary."""
    reader = FormReader(BOUNDARY, names=names, length_bytes=len(body))
    file, at = b"", 0
    for size in [*(sizes or ()), len(body)]:
        file += reader.take(body[at : at + size])
        at += size
    return reader, file, reader.end()


# --- Amazon's link


def test_a_link_with_a_signed_policy_is_for_a_form_and_no_other_is() -> None:
    assert forms.is_form(LINK)
    for other in (
        "https://s3.amazonaws.com/b/k?X-Amz-Algorithm=A&X-Amz-SignedHeaders=host&X-Amz-Signature=5e",
        f"{LINK}&X-Amz-SignedHeaders=host",
        LINK.replace("policy=", "p="),
        "https://d1.cloudfront.net/x?Policy=eyJ9&Signature=5e&Key-Pair-Id=K",
        "https://aplus-media.s3.amazonaws.com/",
    ):
        assert not forms.is_form(other)


def test_a_link_is_taken_apart_as_clients_take_it_apart() -> None:
    to = forms.destination(LINK)
    assert to.url == "https://aplus-media.s3.amazonaws.com/"
    assert dict(to.fields) == s3_forms.fields()
    assert forms.destination(s3_forms.link({**s3_forms.fields(), "x": "a+b%"})).fields[-1] == ("x", "a+b%")


@pytest.mark.parametrize(
    "told",
    [
        {"KEY": "again"},
        {'x"; filename="y': "1"},
        {"x": 'a\r\n--b\r\nContent-Disposition: form-data; name="key"'},
        {"x": "é"},
        {f"x-{each}": "1" for each in range(FIELDS_MAX)},
    ],
)
def test_a_link_that_cannot_be_written_as_a_form_is_none_of_amazons_T29(told: dict[str, str]) -> None:
    with pytest.raises(UpstreamInvalid):
        forms.destination(s3_forms.link({**s3_forms.fields(), **told}))


def test_of_amazons_fields_a_client_learns_the_names_only() -> None:
    query = forms.sealed_query(LINK)
    assert query == "&".join(f"{name}=sealed" for name in s3_forms.fields())


@pytest.mark.parametrize(
    ("conditions", "more", "takes"),
    [
        ([], {}, False),
        ([["starts-with", "$Content-Type", "image/"]], {}, True),
        ([{"content-type": "image/png"}], {}, True),
        ([{"Content-Type": "image/png"}], {}, True),
        ([{"content-type": "image/png"}], {"Content-Type": "image/png"}, False),
        ([["starts-with", 7], [], 7, "content-type"], {}, False),
    ],
)
def test_a_content_type_is_asked_for_where_the_policy_names_it_and_the_link_does_not_tell_it(
    conditions: list[object], more: dict[str, str], *, takes: bool
) -> None:
    told = s3_forms.fields(*conditions, **more)
    to = forms.destination(s3_forms.link(told))
    assert to.takes_content_type is takes
    assert to.names == {name.lower() for name in told} | ({"content-type"} if takes else set())


@pytest.mark.parametrize("policy", ["", "%", "e30", "bnVsbA==", "W10="])
def test_a_policy_that_cannot_be_read_asks_for_nothing(policy: str) -> None:
    assert not forms.destination(s3_forms.link({**s3_forms.fields(), "policy": policy})).takes_content_type


def test_amazons_form_holds_the_sealed_fields_first_and_then_the_file() -> None:
    to = forms.destination(LINK)
    body = forms.opening(to, content_type="image/png", file_type="", boundary="b" * 32)
    read = s3_forms.read(f"multipart/form-data; boundary={'b' * 32}", body + FILE + forms.closing("b" * 32))
    *told, (head, file) = read
    named = {re.findall('name="(.*)"', each)[0]: content.decode() for each, content in told}
    assert named == s3_forms.fields()
    assert head.splitlines() == [
        'Content-Disposition: form-data; name="file"; filename="file"',
        "Content-Type: application/octet-stream",
    ]
    assert file == FILE


# --- a client's form


@pytest.mark.parametrize(
    "type_",
    [
        f"multipart/form-data; boundary={BOUNDARY}",
        f'Multipart/Form-Data;boundary="{BOUNDARY}"',
        f"multipart/form-data; charset=utf-8; boundary={BOUNDARY}",
    ],
)
def test_a_forms_type_names_its_boundary(type_: str) -> None:
    assert boundary_of(type_) == BOUNDARY


@pytest.mark.parametrize(
    "type_",
    [
        "",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=" + "x" * 71,
        'multipart/form-data; boundary="x\r\n"',
        'multipart/form-data; boundary="x "',
        "multipart/form-data; boundary=é",
        f"multipart/mixed; boundary={BOUNDARY}",
        f"application/x-www-form-urlencoded; boundary={BOUNDARY}",
    ],
)
def test_what_is_no_forms_type_is_refused(type_: str) -> None:
    with pytest.raises(DocumentFormInvalid):
        boundary_of(type_)


@given(
    st.lists(st.sampled_from(TOLD), unique=True),
    st.binary(max_size=300) | st.just(FILE) | st.text("\r\n-" + BOUNDARY[:3]).map(str.encode),
    st.sampled_from([b"", b"\r\n"]),
    st.lists(st.integers(1, 40), max_size=60),
)
def test_a_file_comes_out_as_it_went_in_however_its_form_is_cut(
    told: list[tuple[str, str]], file: bytes, end: bytes, sizes: list[int]
) -> None:
    body = s3_forms.form(told, file, end=end)
    reader, given_out, epilogue = taken(body, sizes=sizes)
    assert (given_out, epilogue) == (file, end)
    assert reader.rest_bytes == len(file) + len(forms.closing(BOUNDARY)) + len(end)


@given(st.data(), st.lists(st.integers(1, 40), max_size=20))
def test_no_form_that_was_damaged_has_an_end_unless_it_holds_the_same(
    data: st.DataObject, sizes: list[int]
) -> None:
    body = bytearray(s3_forms.form(TOLD[:2], FILE, head="\r\nContent-Type: image/png"))
    at = data.draw(st.integers(0, len(body) - 1))
    match data.draw(st.sampled_from(["change", "drop", "insert", "cut"])):
        case "change":
            body[at] = data.draw(st.integers(0, 255))
        case "drop":
            del body[at]
        case "insert":
            body.insert(at, data.draw(st.integers(0, 255)))
        case "cut":
            del body[at:]
    try:
        reader, file, epilogue = taken(bytes(body), sizes=sizes)
    except DocumentFormInvalid:
        return
    assert reader.rest_bytes == len(file) + len(forms.closing(BOUNDARY)) + len(epilogue)
    assert bytes(body).endswith(file + forms.closing(BOUNDARY) + epilogue)


def test_a_clients_own_values_of_amazons_fields_count_for_nothing() -> None:
    assert read(s3_forms.form([("KEY", "another"), ("policy", "forged")], FILE)).content_type == ""


@pytest.mark.parametrize("name", ["file", "File", "FILE"])
def test_the_file_may_be_spelled_as_clients_spell_it(name: str) -> None:
    _, file, _ = taken(s3_forms.form([], FILE, name=name, head='; filename="käse.png"'))
    assert file == FILE


def test_a_content_type_is_read_where_it_may_be_told() -> None:
    names = NAMES | {"content-type"}
    body = s3_forms.form([("Content-Type", "image/png")], FILE, head="\r\nContent-Type: image/jpeg")
    reader = read(body, names=names)
    assert (reader.content_type, reader.file_type) == ("image/png", "image/jpeg")
    odd = s3_forms.form([("Content-Type", "image/png\r\nx: y")], FILE, head="\r\nContent-Type: \x07")
    reader = read(odd, names=names)
    assert (reader.content_type, reader.file_type) == ("", "")
    with pytest.raises(DocumentFormInvalid):
        read(body)


def part(name: str, content: bytes = b"x") -> bytes:
    return f'\r\n--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + content


GOOD = s3_forms.form([], FILE)
CLOSED = f"\r\n--{BOUNDARY}--".encode()
REFUSED = {
    "a field that is not of the link": s3_forms.form([("success_action_redirect", "https://x")], FILE),
    "a field twice": s3_forms.form([("key", "a"), ("Key", "b")], FILE),
    "a field without a name": s3_forms.form([("", "a")], FILE),
    "no file": s3_forms.form([], FILE, name="key"),
    "two files": GOOD.removesuffix(CLOSED + b"\r\n") + part("file") + CLOSED,
    "a field behind the file": GOOD.removesuffix(CLOSED + b"\r\n") + part("submit") + CLOSED,
    "something behind the end": GOOD + b"x",
    "a second line end behind the end": GOOD + b"\r\n",
    "another boundary": GOOD.replace(BOUNDARY.encode(), b"other"),
    "no end": GOOD.removesuffix(b"--\r\n"),
    "nothing at all": b"",
    "an end at once": CLOSED,
    "a part of another disposition": GOOD.replace(b"form-data", b"attachment"),
    "a header that goes on in the next line": GOOD.replace(b"; name", b";\r\n name"),
    "bare line feeds": GOOD.replace(b"\r\n", b"\n"),
    "a long head": s3_forms.form([("key", "x" * FORM_HEAD_BYTES_MAX)], FILE),
    "a head without an end": f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"'.encode()
    + b"x" * 30_000,
    "many headers": s3_forms.form([], FILE, head="\r\nx: y" * 20),
    "a nested length that is wrong": s3_forms.form([], FILE, head="\r\nContent-Length: 3"),
}


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_what_is_not_fields_then_one_file_and_an_end_is_refused(body: bytes, size: int) -> None:
    with pytest.raises(DocumentFormInvalid):
        taken(body, sizes=[size] * (len(body) // size))


def test_the_bounds_are_amazons() -> None:
    assert FORM_HEAD_BYTES_MAX == 20 * 1_024


def test_nothing_of_a_destination_shows_T28() -> None:
    shown = repr(forms.destination(LINK))
    assert not any(secret in shown for secret in (KEY, CREDENTIAL, SIGNATURE, "aplus-media"))
