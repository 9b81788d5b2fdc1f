"""Uploads on their way: what Amazon gets of them, what is told, and what never gets through."""

from typing import Any

import pytest

import chassis.errors
from services.gateway.model.codings import EncodingBroken, EncodingNotServed
from services.gateway.model.documents import (
    ContentTypeDiffers,
    DocumentRefused,
    DocumentTooLarge,
    LengthRequired,
)
from services.gateway.model.faults import UpstreamLost
from services.gateway.model.tripwire import CredentialsNotAccepted
from tests.unit.gateway.moving import BODY, TYPE, URL, Moving
from tests.unit.gateway.packing import PACKERS


@pytest.fixture
def rig() -> Moving:
    return Moving()


async def test_an_upload_lies_at_amazon_with_what_was_declared(rig: Moving) -> None:
    spelled = rig.uploading(rig.auth.enrol(), headers=(("content-md5", "5d"),))
    await rig.write(spelled, b"<feed>", b"</feed>", content_type="text/xml;charset=utf-8")
    body, headers = rig.storage.stored[URL]
    assert (body, headers) == (b"<feed></feed>", [("content-type", TYPE), ("content-md5", "5d")])
    assert rig.told == [
        ("gateway.document.written", "intent", ""),
        ("gateway.document.written", "outcome", "done"),
    ]
    assert rig.signals.documents == [("PUT", "whole", 13)]


async def test_where_none_was_declared_the_clients_content_type_goes_on(rig: Moving) -> None:
    await rig.write(rig.uploading(rig.auth.enrol(), content_type=""), b"x", content_type="image/png")
    assert rig.storage.stored[URL][1] == [("content-type", "image/png")]


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"content_type": "text/csv"}, ContentTypeDiffers),
        ({"content_type": ""}, ContentTypeDiffers),
        ({"length_bytes": None}, LengthRequired),
        ({"length_bytes": 2**31 + 1}, DocumentTooLarge),
    ],
)
async def test_what_amazon_would_not_take_is_refused_before_it_is_asked(
    rig: Moving, changes: dict[str, Any], refusal: type[chassis.errors.SallyportError]
) -> None:
    with pytest.raises(refusal):
        await rig.write(rig.uploading(rig.auth.enrol()), b"x", **changes)
    assert not rig.storage.stored
    assert not rig.told


SECRET = b"amzn1.oa2-cs.v1.0123456789"


@pytest.mark.parametrize("at", range(0, len(SECRET), 5))
@pytest.mark.parametrize("secret", [SECRET, b"Atzr%257C" + SECRET[12:]])
async def test_a_credential_in_an_upload_is_found_wherever_it_is_cut_T06(
    rig: Moving, secret: bytes, at: int
) -> None:
    with pytest.raises(CredentialsNotAccepted):
        await rig.write(rig.uploading(rig.auth.enrol()), b"x" * 2_000 + secret[:at], secret[at:] + b"x")
    assert not rig.storage.stored
    assert rig.told[1:] == [
        ("gateway.credentials.refused", "fact", "credentials_not_accepted"),
        ("gateway.document.written", "outcome", "not_done"),
    ]
    assert SECRET.decode() not in repr(rig.audit.events)


@pytest.mark.parametrize("name", sorted(PACKERS))
async def test_a_packed_credential_is_refused_and_told_like_any_other_T06(rig: Moving, name: str) -> None:
    encoding, pack = PACKERS[name]
    body = pack(b"x" * 2_000 + SECRET)
    with pytest.raises(CredentialsNotAccepted):
        await rig.write(rig.uploading(rig.auth.enrol()), body[:9], body[9:], content_encoding=encoding)
    assert not rig.storage.stored
    assert rig.told[1:] == [
        ("gateway.credentials.refused", "fact", "credentials_not_accepted"),
        ("gateway.document.written", "outcome", "not_done"),
    ]


async def test_a_packed_credential_is_found_when_only_its_link_tells_of_packing_T06(rig: Moving) -> None:
    spelled = rig.uploading(rig.auth.enrol(), headers=(("content-encoding", "gzip"),))
    with pytest.raises(CredentialsNotAccepted):
        await rig.write(spelled, PACKERS["gzip"][1](SECRET))
    assert not rig.storage.stored


async def test_a_packed_upload_lies_at_amazon_as_it_came(rig: Moving) -> None:
    body = PACKERS["gzip"][1](BODY)
    await rig.write(rig.uploading(rig.auth.enrol()), body[:100], body[100:], content_encoding="gzip")
    assert rig.storage.stored[URL] == (body, [("content-type", TYPE), ("content-encoding", "gzip")])


@pytest.mark.parametrize(
    ("encoding", "refusal"),
    [("compress", EncodingNotServed), ("gzip, gzip", EncodingNotServed), ("gzip", EncodingBroken)],
)
async def test_what_nobody_could_look_into_does_not_pass_T06(
    rig: Moving, encoding: str, refusal: type[chassis.errors.SallyportError]
) -> None:
    with pytest.raises(refusal):
        await rig.write(rig.uploading(rig.auth.enrol()), BODY, content_encoding=encoding)
    assert not rig.storage.stored


async def test_an_upload_that_amazon_refuses_was_not_done_and_one_without_an_answer_may_be(
    rig: Moving,
) -> None:
    for fault, result in ((DocumentRefused(), "not_done"), (UpstreamLost(), "unknown")):
        rig.storage.faults.append(fault)
        with pytest.raises(type(fault)):
            await rig.write(rig.uploading(rig.auth.enrol()), b"x")
        assert rig.told[-1][2] == result
