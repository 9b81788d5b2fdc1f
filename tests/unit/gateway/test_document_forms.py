"""Uploads by form: a client's form goes in, Amazon's comes out, and all that they share is the file."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

import chassis.errors
from chassis.secrecy import Secret
from fakes import s3_forms
from fakes.gateway_ports import DeviceRevoked, json_answer
from fakes.s3_forms import BOUNDARY, CREDENTIAL, SIGNATURE
from services.gateway.forward import documents as moving
from services.gateway.forward.documents import Upload
from services.gateway.model.audit import AuditUnavailable
from services.gateway.model.documents import (
    FORM,
    UPLOAD,
    ContentTypeDiffers,
    DocumentFormInvalid,
    DocumentRefused,
    DocumentTooLarge,
    DocumentUnknown,
    LengthRequired,
    StorageUnavailable,
)
from services.gateway.model.tripwire import CredentialsNotAccepted
from tests.unit.gateway.forwarding import ORIGIN, error_of
from tests.unit.gateway.moving import Moving, parts

DESTINATIONS = "/uploads/2020-11-01/uploadDestinations/aplus/2020-11-01/contentDocuments"
TARGET = f"{DESTINATIONS}?marketplaceIds=A&contentMD5=5d41&contentType=image%2Fpng"
BASE = "https://aplus-media.s3.amazonaws.com/"
FILE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
FORM_TYPE = f"multipart/form-data; boundary={BOUNDARY}"
SENT = s3_forms.form([("key", "sealed")], FILE, head='; filename="a.png"\r\nContent-Type: image/png')


class Posting(Moving):
    """The rig of documents, with forms."""

    async def link(self, token: str, url: str) -> str:
        """Return the link that a desktop gets for an image of A+ content."""
        asked = {"Content-Encoding": "gzip", "x-amz-meta-owner": "another"}
        told = {"uploadDestinationId": "aplus-media/sc/1.png", "url": url, "headers": asked}
        self.upstream.replies.append(json_answer(json.dumps({"errors": [], "payload": told}).encode()))
        answer = await self.call(token, TARGET, "POST")
        assert answer.status == 200, answer.body
        return str(json.loads(answer.body)["payload"]["url"])

    def posting(self, token: str, *conditions: Any, **more: str) -> str:
        url = s3_forms.link(s3_forms.fields(*conditions, **more))
        return self.uploading(token, method=FORM, url=Secret(url), content_type="image/png")

    async def post(self, spelled: str, *chunks: bytes, **changes: Any) -> None:
        made = Upload(FORM_TYPE, "", sum(map(len, chunks)), parts(*chunks))
        await self.finish(self.documents.take_form(spelled, "request-1", replace(made, **changes)))

    def stored(self) -> tuple[dict[str, str], str, bytes]:
        """Return what lies at Amazon: the form's fields, the head of its file, and the file."""
        body, headers = self.storage.stored[BASE]
        *told, (head, file) = s3_forms.read(dict(headers)["content-type"], body)
        named = {name.partition('name="')[2].partition('"')[0]: value.decode() for name, value in told}
        return named, head, file


@pytest.fixture
def rig() -> Posting:
    return Posting()


async def test_a_client_that_takes_the_link_apart_uploads_and_never_sees_whose_form_it_is(
    rig: Posting,
) -> None:
    told = s3_forms.fields()
    link = urlsplit(await rig.link(rig.auth.enrol(), s3_forms.link(told)))
    assert f"{link.scheme}://{link.netloc}" == ORIGIN
    own = parse_qsl(link.query)
    assert {name for name, _ in own} == told.keys()
    assert not any(value in link.geturl() for value in (*told.values(), "aplus-media"))

    await rig.post(link.path.rsplit("/", 1)[1], s3_forms.form(own, FILE, head="\r\nContent-Type: image/png"))
    named, head, file = rig.stored()
    assert (named, file) == (told, FILE)
    assert head.endswith('name="file"; filename="file"\r\nContent-Type: image/png')
    assert rig.told[-2:] == [
        ("gateway.document.written", "intent", ""),
        ("gateway.document.written", "outcome", "done"),
    ]


async def test_an_answer_that_shows_a_signature_beside_the_link_does_not_leave_T29(rig: Posting) -> None:
    told = {"uploadDestinationId": f"x?X-Amz-Signature={SIGNATURE}", "url": s3_forms.link(s3_forms.fields())}
    rig.upstream.replies.append(json_answer(json.dumps({"payload": told}).encode()))
    answer = await rig.call(rig.auth.enrol(), TARGET, "POST")
    assert error_of(answer)["details"].startswith("upstream_invalid")
    assert SIGNATURE.encode() not in answer.body


async def test_a_links_form_that_could_be_read_in_two_ways_is_no_link_T29(rig: Posting) -> None:
    url = s3_forms.link({**s3_forms.fields(), "Key": "another"})
    rig.upstream.replies.append(json_answer(json.dumps({"payload": {"url": url}}).encode()))
    answer = await rig.call(rig.auth.enrol(), TARGET, "POST")
    assert error_of(answer)["details"].startswith("upstream_invalid")


@pytest.mark.parametrize("size", [1, 13, 4_096])
@pytest.mark.parametrize("end", [b"", b"\r\n"])
async def test_a_form_is_as_long_as_was_said_before_its_first_byte(
    rig: Posting, size: int, end: bytes
) -> None:
    body = s3_forms.form([], FILE, end=end)
    await rig.post(rig.posting(rig.auth.enrol()), *(body[at : at + size] for at in range(0, len(body), size)))
    assert rig.stored()[2] == FILE
    assert rig.storage.stored[BASE][0].endswith(b"--" + end)


async def test_what_a_client_says_of_amazons_fields_does_not_reach_amazon(rig: Posting) -> None:
    forged = [("key", "sc/another.png"), ("ACL", "public-read"), ("policy", "forged")]
    await rig.post(rig.posting(rig.auth.enrol()), s3_forms.form(forged, FILE))
    assert rig.stored()[0] == s3_forms.fields()


async def test_no_file_can_hold_the_boundary_of_amazons_form(rig: Posting) -> None:
    spelled = rig.posting(rig.auth.enrol())
    for _ in range(2):
        await rig.post(spelled, SENT)
        first = dict(rig.storage.stored[BASE][1])["content-type"]
    await rig.post(spelled, SENT)
    second = dict(rig.storage.stored[BASE][1])["content-type"]
    assert first != second
    assert BOUNDARY not in first + second


ANY_IMAGE = ["starts-with", "$Content-Type", "image/"]


async def test_a_content_type_that_the_policy_names_is_the_declared_one(rig: Posting) -> None:
    await rig.post(rig.posting(rig.auth.enrol(), ANY_IMAGE), SENT)
    assert rig.stored()[0]["Content-Type"] == "image/png"
    own = s3_forms.form([("Content-Type", "IMAGE/png")], FILE)
    await rig.post(rig.posting(rig.auth.enrol(), ANY_IMAGE), own)
    assert rig.stored()[0]["Content-Type"] == "image/png"
    with pytest.raises(ContentTypeDiffers):
        await rig.post(
            rig.posting(rig.auth.enrol(), ANY_IMAGE), s3_forms.form([("Content-Type", "image/gif")], FILE)
        )


async def test_a_content_type_that_nobody_declared_is_the_forms_own(rig: Posting) -> None:
    url = Secret(s3_forms.link(s3_forms.fields(ANY_IMAGE)))
    spelled = rig.uploading(rig.auth.enrol(), method=FORM, url=url, content_type="")
    await rig.post(spelled, s3_forms.form([("Content-Type", "image/gif")], FILE))
    assert rig.stored()[0]["Content-Type"] == "image/gif"


async def test_a_content_type_that_amazon_tells_or_does_not_ask_for_is_amazons_affair(rig: Posting) -> None:
    token = rig.auth.enrol()
    await rig.post(rig.posting(token, ANY_IMAGE, **{"Content-Type": "image/tiff"}), SENT)
    assert rig.stored()[0]["Content-Type"] == "image/tiff"
    with pytest.raises(DocumentFormInvalid):
        await rig.post(rig.posting(token), s3_forms.form([("Content-Type", "image/png")], FILE))


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"content_type": "image/png"}, DocumentFormInvalid),
        ({"content_type": "multipart/form-data"}, DocumentFormInvalid),
        ({"content_encoding": "gzip"}, DocumentFormInvalid),
        ({"length_bytes": None}, LengthRequired),
        ({"length_bytes": 2**31 + 1}, DocumentTooLarge),
    ],
)
async def test_what_cannot_be_a_form_is_refused_before_anything_is_told(
    rig: Posting, changes: dict[str, Any], refusal: type[chassis.errors.SallyportError]
) -> None:
    with pytest.raises(refusal):
        await rig.post(rig.posting(rig.auth.enrol()), SENT, **changes)
    assert (rig.told, rig.storage.stored) == ([], {})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        SENT[: SENT.index(b"filename")],
        SENT + b"x",
        SENT[:-4],
        s3_forms.form([("x-amz-acl", "public-read")], FILE),
        s3_forms.form([], FILE, name="key"),
    ],
)
async def test_what_turns_out_to_be_no_form_is_never_whole_at_amazon(rig: Posting, body: bytes) -> None:
    with pytest.raises(DocumentFormInvalid):
        await rig.post(rig.posting(rig.auth.enrol()), *(body[at : at + 99] for at in range(0, len(body), 99)))
    assert not rig.storage.stored
    assert rig.told[-1] == ("gateway.document.written", "outcome", "not_done")
    assert rig.signals.documents[-1][:2] == ("POST", "document_form_invalid")


SECRET = b"amzn1.oa2-cs.v1.0123456789"


@pytest.mark.parametrize(
    "body",
    [
        s3_forms.form([("key", SECRET.decode())], FILE),
        s3_forms.form([], FILE, head=f'; filename="{SECRET.decode()}"'),
        s3_forms.form([], FILE + SECRET + FILE),
    ],
)
@pytest.mark.parametrize("size", [7, 50_000])
async def test_a_credential_anywhere_in_a_form_is_refused_and_told_and_not_kept_T06(
    rig: Posting, body: bytes, size: int
) -> None:
    chunks = [body[at : at + size] for at in range(0, len(body), size)]
    with pytest.raises(CredentialsNotAccepted):
        await rig.post(rig.posting(rig.auth.enrol()), *chunks)
    assert not rig.storage.stored
    assert ("gateway.credentials.refused", "fact", "credentials_not_accepted") in rig.told


async def test_a_form_beyond_the_cap_does_not_pass_T29(rig: Posting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving, "DOCUMENT_BYTES_MAX", 2_048)
    with pytest.raises(DocumentTooLarge):
        await rig.post(rig.posting(rig.auth.enrol()), SENT)
    assert not rig.storage.stored


async def test_a_link_for_a_form_is_for_nothing_else_and_none_else_for_a_form_T11(rig: Posting) -> None:
    token = rig.auth.enrol()
    with pytest.raises(DocumentUnknown):
        await rig.write(rig.posting(token), FILE)
    with pytest.raises(DocumentUnknown):
        await rig.read(rig.posting(token))
    for other in (rig.uploading(token), rig.capability(token)):
        with pytest.raises(DocumentUnknown):
            await rig.post(other, SENT)


async def test_a_revoked_device_posts_no_form_T01(rig: Posting) -> None:
    token = rig.auth.enrol()
    spelled = rig.posting(token)
    rig.auth.revoke(token)
    with pytest.raises(DeviceRevoked):
        await rig.post(spelled, SENT)


async def test_without_the_audit_log_no_form_is_read_R02(rig: Posting) -> None:
    rig.audit.fails_from = 0
    is_read = False

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal is_read
        is_read = True
        yield SENT

    with pytest.raises(AuditUnavailable):
        await rig.post(rig.posting(rig.auth.enrol()), SENT, chunks=chunks())
    assert not is_read


async def test_what_the_storage_says_of_a_form_is_the_outcome(rig: Posting) -> None:
    for fault, outcome in ((DocumentRefused(), "not_done"), (StorageUnavailable(), "unknown")):
        rig.storage.faults.append(fault)
        with pytest.raises(type(fault)):
            await rig.post(rig.posting(rig.auth.enrol()), SENT)
        assert rig.told[-1] == ("gateway.document.written", "outcome", outcome)


async def test_a_link_that_is_signed_for_put_stays_one(rig: Posting) -> None:
    url = "https://s3.amazonaws.com/b/k?X-Amz-SignedHeaders=host&X-Amz-Signature=5e"
    link = await rig.link(rig.auth.enrol(), url)
    assert rig.capabilities.open(link.rsplit("/", 1)[1], UPLOAD).url.reveal() == url


def test_nothing_of_a_form_shows_T28(rig: Posting) -> None:
    spelled = rig.posting(rig.auth.enrol())
    assert CREDENTIAL not in repr(rig.capabilities.open(spelled, FORM))
