"""Uploads by form: links whose query a client sends as fields of a POST, and what the storage makes of it.

A link's policy says what the form must hold, to the last field, and lives POLICY_LIVES of virtual time; the
storage checks it as S3 does, and in S3's words. A form is sent to the bucket, not to the object, and without
the link's query.

Source: Amazon S3 API Reference, "POST Object", "POST Policy" and "Error responses"; the example in SP-API's
"A+ Content API Use Case Guide".
"""

import base64
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from simulator.documents.storage import BUCKET, MISMATCH, Storage, StorageRefusal
from simulator.exchange import Request
from simulator.seed import Seed

POLICY_LIVES = timedelta(hours=3)
FILE_BYTES_MIN, FILE_BYTES_MAX = 1, 3_145_728
HEAD_BYTES_MAX = 20_480
FORM_TYPE = "multipart/form-data; boundary="

_BLANK_LINE = b"\r\n\r\n"
_DISPOSITION = 'content-disposition: form-data; name="'
_EXPIRATION_FORM = "%Y-%m-%dT%H:%M:%S.000Z"
# What a form may hold without its policy saying so.
_UNSAID = frozenset({"policy", "x-amz-signature", "file"})


@dataclass(frozen=True)
class Form:
    """A form in parts: its fields by their names in lower case, and its file."""

    fields: Mapping[str, str]
    file: bytes = field(repr=False)


@dataclass(frozen=True)
class Taken:
    """A file that was taken: where it lies, whose it is, and what it holds."""

    path: str
    seller_id: str
    file: bytes = field(repr=False)


class Forms:
    """Makes links for forms, and takes the forms."""

    def __init__(self, *, seed: Seed, storage: Storage) -> None:
        self._key = seed.digest("storage forms")
        self._storage = storage

    def link(self, name: str, seller_id: str, now: datetime) -> tuple[str, str]:
        """Return the object behind a new link, "<bucket>/<key>", and the link itself."""
        key = self._storage.reserve(name, seller_id).removeprefix(f"{BUCKET}/")
        told = {
            "x-amz-meta-owner": seller_id,
            "acl": "private",
            "key": key,
            "x-amz-algorithm": "AWS4-HMAC-SHA256",
            "x-amz-credential": f"SIMULATED/{now:%Y%m%d}/us-east-1/s3/aws4_request",
            "x-amz-date": now.strftime("%Y%m%dT%H%M%SZ"),
        }
        policy = _policy(told, now)
        fields = {"x-amz-signature": self._signature(policy), "policy": policy, **told}
        query = "&".join(f"{each}={quote(value, safe='/=')}" for each, value in fields.items())
        return f"{BUCKET[1:]}/{key}", f"{self._storage.origin}{BUCKET}/?{query}"

    def take(self, request: Request, now: datetime) -> Taken:
        """Keep the file of a form, and return it.

        Raises:
            StorageRefusal: it is no form, or not one that its policy allows.
        """
        conflicting = [name for name in ("acl", "policy") if request.first(name) is not None]
        if conflicting:
            text = f"Conflicting query string parameters: {', '.join(conflicting)}"
            raise StorageRefusal(400, "InvalidArgument", text)
        form = read(request)
        if not hmac.compare_digest(
            form.fields.get("x-amz-signature", "").encode(),
            self._signature(form.fields.get("policy", "")).encode(),
        ):
            raise StorageRefusal(403, "SignatureDoesNotMatch", MISMATCH)
        _check(json.loads(base64.b64decode(form.fields["policy"])), form, now)
        path = f"{BUCKET}/{form.fields['key']}"
        return Taken(path, self._storage.put(path, form.file), form.file)

    def _signature(self, policy: str) -> str:
        return hmac.digest(self._key, policy.encode(), "sha256").hex()


def read(request: Request) -> Form:
    """Return a form in parts; what stands behind its file counts for nothing.

    Raises:
        StorageRefusal: 412, 400: it is none.
    """
    content_type = request.headers.get("content-type", "")
    if not content_type.startswith(FORM_TYPE):
        text = "At least one of the pre-conditions you specified did not hold"
        condition = "Bucket POST must be of the enclosure-type multipart/form-data"
        raise StorageRefusal(412, "PreconditionFailed", text, Condition=condition)
    delimiter = b"\r\n--" + content_type.removeprefix(FORM_TYPE).strip('"').encode()
    nothing, *parts, end = (b"\r\n" + request.body).split(delimiter)
    if nothing or end not in {b"--", b"--\r\n"}:
        raise _malformed()
    fields: dict[str, str] = {}
    head_bytes = 0
    for part in parts:
        head, blank, content = part.partition(_BLANK_LINE)
        head_bytes += len(delimiter) + len(head) + len(blank)
        name = _name(head) if blank else ""
        if not name:
            raise _malformed()
        if name == "file":
            _check_head(head_bytes)
            return Form(fields, content)
        head_bytes += len(content)
        fields[name] = content.decode("utf-8", "replace")
    text = "POST requires exactly one file upload per request."
    raise StorageRefusal(400, "InvalidArgument", text, ArgumentName="file", ArgumentValue="0")


def _name(head: bytes) -> str:
    """Return what a part is called, in lower case; empty when its headers do not say."""
    for line in head.decode("utf-8", "replace").split("\r\n"):
        if line.lower().startswith(_DISPOSITION):
            return line[len(_DISPOSITION) :].partition('"')[0].lower()
    return ""


def _check_head(head_bytes: int) -> None:
    if head_bytes > HEAD_BYTES_MAX:
        text = "Your POST request fields preceding the upload file were too large."
        raise StorageRefusal(
            400, "MaxPostPreDataLengthExceeded", text, MaxPostPreDataLength=str(HEAD_BYTES_MAX)
        )


def _policy(told: Mapping[str, str], now: datetime) -> str:
    conditions: list[Any] = [{"bucket": BUCKET[1:]}, *({name: value} for name, value in told.items())]
    conditions.append(["content-length-range", FILE_BYTES_MIN, FILE_BYTES_MAX])
    document = {"conditions": conditions, "expiration": (now + POLICY_LIVES).strftime(_EXPIRATION_FORM)}
    return base64.b64encode(json.dumps(document, separators=(",", ":")).encode()).decode()


def _check(policy: Mapping[str, Any], form: Form, now: datetime) -> None:
    """Return if a policy of ours allows a form."""
    expires_at = datetime.strptime(policy["expiration"], _EXPIRATION_FORM).replace(tzinfo=UTC)
    if now >= expires_at:
        raise _not_allowed("Policy expired.")
    *named, (_, bytes_min, bytes_max) = policy["conditions"]
    wanted = {name: value for condition in named for name, value in condition.items()}
    told = {"bucket": BUCKET[1:], **form.fields}
    for name, value in wanted.items():
        if told.get(name) != value:
            raise _not_allowed(f'Policy Condition failed: ["eq", "${name}", "{value}"]')
    extra = [name for name in form.fields if name not in wanted.keys() | _UNSAID]
    if extra:
        raise _not_allowed(f"Extra input fields: {extra[0]}")
    _check_size(len(form.file), (bytes_min, bytes_max))


def _check_size(size_bytes: int, bounds: Sequence[int]) -> None:
    bytes_min, bytes_max = bounds
    if size_bytes < bytes_min:
        text = "Your proposed upload is smaller than the minimum allowed size"
        raise StorageRefusal(400, "EntityTooSmall", text, ProposedSize=str(size_bytes))
    if size_bytes > bytes_max:
        text = "Your proposed upload exceeds the maximum allowed size"
        raise StorageRefusal(400, "EntityTooLarge", text, ProposedSize=str(size_bytes))


def _malformed() -> StorageRefusal:
    text = "The body of your POST request is not well-formed multipart/form-data."
    return StorageRefusal(400, "MalformedPOSTRequest", text)


def _not_allowed(reason: str) -> StorageRefusal:
    return StorageRefusal(403, "AccessDenied", f"Invalid according to Policy: {reason}")
