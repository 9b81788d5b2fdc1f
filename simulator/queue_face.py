"""SQS as its callers meet it: four actions of the vendor's one queue, in AWS's JSON protocol.

The signature of a request must be there, and is not checked; what it takes to be let in is not simulated.

Source: AWS JSON 1.0 protocol (the action in a header, errors by `__type`); SQS API reference.
"""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import simulator.faults
import simulator.letters
from simulator.client_secrets import ClientSecrets
from simulator.exchange import Answer, Request
from simulator.hostility import Fault, Hostility, Kind
from simulator.letters import RECEIVES_MAX, VISIBLE_AGAIN_S, Letters
from simulator.notes import Note

TARGET_HEADER = "x-amz-target"
TARGET_PREFIX = "AmazonSQS."
CONTENT_TYPE = "application/x-amz-json-1.0"
SIGNATURE_PREFIX = "AWS4-HMAC-SHA256 "
COUNT_MAX = 10
WAIT_S_MAX = 20
VISIBLE_AGAIN_S_MAX = 43_200

Document = dict[str, Any]


class QueueRefusal(Exception):
    """An error of SQS: a status and the name of its shape."""

    def __init__(self, status: int, shape: str, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.shape = shape
        self.text = text


def is_for_queue(request: Request) -> bool:
    """Return whether a request is meant for SQS."""
    return request.headers.get(TARGET_HEADER, "").startswith(TARGET_PREFIX)


class QueueFace:
    """The vendor's queue behind SQS's protocol."""

    def __init__(self, *, letters: Letters, client_secrets: ClientSecrets, hostility: Hostility) -> None:
        self._letters = letters
        self._client_secrets = client_secrets
        self._hostility = hostility
        self._actions: dict[str, Callable[[Document, datetime], Document]] = {
            "ReceiveMessage": self._receive,
            "DeleteMessage": self._delete,
            "GetQueueAttributes": self._attributes,
        }

    def answer(self, request: Request, note: Note, now: datetime) -> Answer:
        """Return the answer to an action, and tell `note` what the record should say of it."""
        action = request.headers[TARGET_HEADER].removeprefix(TARGET_PREFIX)
        note.operation = f"sqs.{action[:1].lower()}{action[1:]}"
        fault = self._hostility.decide(note.operation, note.face)
        note.fault = fault.kind
        try:
            _refuse_for(fault)
            answer = _json(200, self._done(action, request, now))
        except QueueRefusal as refusal:
            return _refused(refusal)
        if fault.kind is Kind.LOST:
            return _refused(_UNAVAILABLE)
        return simulator.faults.spoilt(answer, fault)

    def awaits_letter(self, request: Request, now: datetime) -> float:
        """Return for how many more seconds a receiver would wait, while there is no letter for it."""
        if request.headers.get(TARGET_HEADER) != f"{TARGET_PREFIX}ReceiveMessage":
            return 0.0
        self._client_secrets.remind(now)
        if self._letters.has_any(now):
            return 0.0
        try:
            return float(_number(_document(request), "WaitTimeSeconds", 0, high=WAIT_S_MAX))
        except QueueRefusal:
            return 0.0

    def _done(self, action: str, request: Request, now: datetime) -> Document:
        if not request.headers.get("authorization", "").startswith(SIGNATURE_PREFIX):
            raise QueueRefusal(403, "AccessDenied", "The request is not signed.")
        body = _document(request)
        if action == "GetQueueUrl":
            return _url(body, request)
        if action not in self._actions:
            raise QueueRefusal(400, "UnsupportedOperation", f"The simulator doesn't answer {action}.")
        if urlsplit(str(body.get("QueueUrl"))).path != simulator.letters.PATH:
            raise _NO_QUEUE
        return self._actions[action](body, now)

    def _receive(self, body: Document, now: datetime) -> Document:
        self._client_secrets.remind(now)
        count = _number(body, "MaxNumberOfMessages", 1, low=1, high=COUNT_MAX)
        _number(body, "WaitTimeSeconds", 0, high=WAIT_S_MAX)
        again_s = _number(body, "VisibilityTimeout", VISIBLE_AGAIN_S, high=VISIBLE_AGAIN_S_MAX)
        letters = self._letters.receive(now, count=count, visible_again_s=again_s)
        messages = [
            {
                "MessageId": letter.letter_id,
                "ReceiptHandle": letter.receipt,
                "MD5OfBody": letter.body_digest,
                "Body": letter.body,
            }
            for letter in letters
        ]
        return {"Messages": messages} if messages else {}

    def _delete(self, body: Document, _now: datetime) -> Document:
        receipt = body.get("ReceiptHandle")
        if not isinstance(receipt, str) or not receipt:
            raise QueueRefusal(400, "ReceiptHandleIsInvalid", "The receipt handle is not valid.")
        self._letters.delete(receipt)
        return {}

    def _attributes(self, _body: Document, now: datetime) -> Document:
        counts = self._letters.counts(now)
        redrive = {
            "deadLetterTargetArn": _arn(f"{simulator.letters.NAME}-dead"),
            "maxReceiveCount": RECEIVES_MAX,
        }
        attributes = {
            "ApproximateNumberOfMessages": counts.visible,
            "ApproximateNumberOfMessagesNotVisible": counts.in_flight,
            "QueueArn": _arn(simulator.letters.NAME),
            "RedrivePolicy": json.dumps(redrive),
            "VisibilityTimeout": VISIBLE_AGAIN_S,
        }
        return {"Attributes": {name: str(value) for name, value in attributes.items()}}


_NO_QUEUE = QueueRefusal(400, "QueueDoesNotExist", "The specified queue does not exist.")
_UNAVAILABLE = QueueRefusal(503, "ServiceUnavailable", "Service is temporarily unavailable.")


def _refuse_for(fault: Fault) -> None:
    refusals = {
        Kind.THROTTLE: QueueRefusal(403, "RequestThrottled", "Rate exceeded."),
        Kind.FAIL: QueueRefusal(500, "InternalFailure", "The request failed."),
        Kind.UNAVAILABLE: _UNAVAILABLE,
        Kind.DENY: QueueRefusal(403, "AccessDenied", "Access to the resource is denied."),
    }
    if fault.kind in refusals:
        raise refusals[fault.kind]


def _url(body: Document, request: Request) -> Document:
    if body.get("QueueName") != simulator.letters.NAME:
        raise _NO_QUEUE
    return {"QueueUrl": f"https://{request.headers.get('host', '')}{simulator.letters.PATH}"}


def _arn(name: str) -> str:
    return f"arn:aws:sqs:us-east-1:{simulator.letters.ACCOUNT}:{name}"


def _document(request: Request) -> Document:
    try:
        return request.document()
    except ValueError as error:
        raise QueueRefusal(400, "SerializationException", "The body is not a JSON object.") from error


def _number(body: Document, name: str, default: int, *, low: int = 0, high: int) -> int:
    value = body.get(name, default)
    if type(value) is not int or not low <= value <= high:
        raise QueueRefusal(400, "InvalidParameterValue", f"{name} must lie between {low} and {high}.")
    return value


def _json(status: int, document: Document, *headers: tuple[str, str]) -> Answer:
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    return Answer(status, body, (("Content-Type", CONTENT_TYPE), *headers))


def _refused(refusal: QueueRefusal) -> Answer:
    document = {"__type": f"com.amazonaws.sqs#{refusal.shape}", "message": refusal.text}
    fault = "Sender" if refusal.status < 500 else "Receiver"
    return _json(refusal.status, document, ("x-amzn-query-error", f"{refusal.shape};{fault}"))
