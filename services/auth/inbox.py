"""The vendor's queue at Amazon SQS, on which Amazon's notices about client secrets arrive.

- The library is loaded when the queue is first heard, since it costs half a second and 50 MB.
- The key to the queue comes from the key service or from a file, never from the environment, and is read anew
  for each connection; after any fault another connection is made.
- Nothing of a letter is logged, here or by the library.
"""

import asyncio
import configparser
import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chassis.secrecy import Secret
from services.auth.model.notices import Letter, QueueKey
from services.auth.model.secret_refusals import QueueUnavailable

LETTERS_MAX = 10
# Source: SQS, "ReceiveMessage": the longest wait for a letter.
WAIT_S = 20
# As long as reading, keeping and deleting a batch may take; after that its letters come again.
VISIBLE_AGAIN_S = 120
# Who we are, as at Amazon's other doors.
USER_AGENT = "Sallyport/0.1.0 (Language=Python)"
CONNECT_S_MAX = 5.0
ANSWER_S_MAX = WAIT_S + 10.0
ATTEMPTS_MAX = 2
KEY_FILE_BYTES_MAX = 16_384
KEY_SECTION = "default"

FindKey = Callable[[], Awaitable[QueueKey]]


@dataclass(frozen=True, kw_only=True)
class Queue:
    """Where the queue is.

    Attributes:
        url: the queue's own https URL.
        region: of Amazon's cloud, which is part of every request's signature.
        endpoint: https origin that stands in for SQS's own; None outside development.
        ca_file: the only authority trusted; None trusts those that the library knows.
    """

    url: str
    region: str
    endpoint: str | None
    ca_file: Path | None


@dataclass(frozen=True)
class _Sdk:
    """The library, loaded: what makes a client, and what its calls raise."""

    create_client: Callable[..., Any]
    faults: tuple[type[Exception], ...]


class Inbox:
    """Letters in, one batch at a time."""

    def __init__(self, queue: Queue, find_key: FindKey) -> None:
        self._queue = queue
        self._find_key = find_key
        self._sdk: _Sdk | None = None
        self._open = AsyncExitStack()
        self._client: Any = None

    async def receive(self) -> Sequence[Letter]:
        """Return letters as soon as there are any, at most LETTERS_MAX; none after WAIT_S."""
        answer = await self._call(
            "receive_message",
            MaxNumberOfMessages=LETTERS_MAX,
            WaitTimeSeconds=WAIT_S,
            VisibilityTimeout=VISIBLE_AGAIN_S,
        )
        return [
            Letter(body=Secret(message["Body"]), receipt=message["ReceiptHandle"])
            for message in answer.get("Messages", [])
        ]

    async def delete(self, letter: Letter) -> None:
        """Take a letter out of the queue; again is harmless."""
        await self._call("delete_message", ReceiptHandle=letter.receipt)

    async def close(self) -> None:
        """Close the connection; the next call makes another."""
        self._client = None
        await self._open.aclose()

    async def _call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        if self._sdk is None:
            self._sdk = await asyncio.to_thread(_load)
        try:
            client = self._client or await self._connect(self._sdk)
            answer: dict[str, Any] = await getattr(client, operation)(QueueUrl=self._queue.url, **parameters)
        except self._sdk.faults as error:
            await self.close()
            raise QueueUnavailable from error
        return answer

    async def _connect(self, sdk: _Sdk) -> Any:
        key = await self._find_key()
        client = sdk.create_client(
            "sqs",
            region_name=self._queue.region,
            endpoint_url=self._queue.endpoint,
            verify=str(self._queue.ca_file) if self._queue.ca_file else True,
            aws_access_key_id=key.access_key_id,
            aws_secret_access_key=key.secret_access_key.reveal(),
            aws_session_token=key.session_token.reveal() if key.session_token else None,
        )
        self._client = await self._open.enter_async_context(client)
        return self._client


@asynccontextmanager
async def connect(queue: Queue, find_key: FindKey) -> AsyncIterator[Inbox]:
    """Give the queue, and close its connection at the end; nothing is dialled before the first call.

    Args:
        queue: where it is.
        find_key: called for each connection; may raise Unavailable.
    """
    inbox = Inbox(queue, find_key)
    try:
        yield inbox
    finally:
        await inbox.close()


def _load() -> _Sdk:
    import aiobotocore.config  # noqa: PLC0415 - see above
    import aiobotocore.session  # noqa: PLC0415
    import botocore.exceptions  # noqa: PLC0415

    config = aiobotocore.config.AioConfig(
        connect_timeout=CONNECT_S_MAX,
        read_timeout=ANSWER_S_MAX,
        retries={"total_max_attempts": ATTEMPTS_MAX, "mode": "standard"},
        # Neither endpoints nor proxies from the environment.
        ignore_configured_endpoint_urls=True,
        proxies={},
        user_agent=USER_AGENT,
    )
    create_client = functools.partial(aiobotocore.session.get_session().create_client, config=config)
    return _Sdk(create_client, (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError, OSError))


def key_file(path: Path) -> FindKey:
    """Return what reads the key to the queue from a file in the form of AWS's own tools.

    Source: AWS CLI, "Configuration and credential file settings"; the section is KEY_SECTION.
    """

    async def find_key() -> QueueKey:
        try:
            with path.open("rb") as file:
                text = file.read(KEY_FILE_BYTES_MAX).decode("utf-8")
            return _key(text)
        except (OSError, ValueError, KeyError, configparser.Error):
            # Not "from" the parser's error, which quotes the file.
            raise QueueUnavailable from None

    return find_key


def _key(text: str) -> QueueKey:
    parser = configparser.ConfigParser(interpolation=None, default_section="")
    parser.read_string(text)
    section = parser[KEY_SECTION]
    token = section.get("aws_session_token")
    return QueueKey(
        access_key_id=section["aws_access_key_id"],
        secret_access_key=Secret(section["aws_secret_access_key"]),
        session_token=Secret(token) if token else None,
    )
