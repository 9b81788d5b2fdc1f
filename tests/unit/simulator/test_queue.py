"""The vendor's queue, asked by the unmodified library of Amazon's cloud over TLS."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiobotocore.config
import aiobotocore.session
import botocore.exceptions
import pytest

from tests.unit.simulator.rig import APPLICATION
from tests.unit.simulator.test_http import House, opened


@asynccontextmanager
async def sqs(house: House) -> AsyncIterator[Any]:
    client = aiobotocore.session.get_session().create_client(
        "sqs",
        region_name="us-east-1",
        endpoint_url=house.base,
        verify=house.running.ca_file,
        aws_access_key_id="AKIAEXAMPLE",
        aws_secret_access_key="made up",
        config=aiobotocore.config.AioConfig(retries={"total_max_attempts": 1}),
    )
    async with client as opened_client:
        yield opened_client


async def test_a_letter_is_found_received_and_deleted(tmp_path: Path) -> None:
    async with opened(tmp_path) as house, sqs(house) as client:
        url = (await client.get_queue_url(QueueName="client-secrets"))["QueueUrl"]
        assert (await client.receive_message(QueueUrl=url)).get("Messages") is None
        await house.control("POST", "/queue", {"text": "a letter"})
        (message,) = (await client.receive_message(QueueUrl=url, WaitTimeSeconds=20))["Messages"]
        assert message["Body"] == "a letter"
        assert message["MD5OfBody"] == hashlib.md5(b"a letter", usedforsecurity=False).hexdigest()
        assert (await house.control("GET", "/queue"))[1] | {"visible": 0, "in_flight": 1} == {
            "path": "/000000000000/client-secrets",
            "visible": 0,
            "in_flight": 1,
            "dead": 0,
        }
        await client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        _, queue = await house.control("GET", "/queue")
        assert (queue["visible"], queue["in_flight"]) == (0, 0)
        operations = [call.operation for call in house.running.core.record.after(0, limit=100)]
        expected = ["getQueueUrl", "receiveMessage", "receiveMessage", "deleteMessage"]
        assert operations == [f"sqs.{action}" for action in expected]


async def test_a_letter_that_is_not_deleted_comes_again_and_dies_in_the_end(tmp_path: Path) -> None:
    async with opened(tmp_path) as house, sqs(house) as client:
        url = (await client.get_queue_url(QueueName="client-secrets"))["QueueUrl"]
        await house.control("POST", "/queue", {"text": "malformed"})
        for _ in range(5):
            answer = await client.receive_message(QueueUrl=url, VisibilityTimeout=60)
            assert len(answer["Messages"]) == 1
            assert "Messages" not in await client.receive_message(QueueUrl=url)
            await house.control("POST", "/clock", {"advance_s": 61})
        assert "Messages" not in await client.receive_message(QueueUrl=url)
        _, queue = await house.control("GET", "/queue")
        assert (queue["visible"], queue["dead"]) == (0, 1)
        named = await client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
        assert "deadLetterTargetArn" in named["Attributes"]["RedrivePolicy"]


async def test_who_waits_gets_the_letter_when_it_comes(tmp_path: Path) -> None:
    async with opened(tmp_path) as house, sqs(house) as client:
        url = (await client.get_queue_url(QueueName="client-secrets"))["QueueUrl"]
        waiting = asyncio.create_task(client.receive_message(QueueUrl=url, WaitTimeSeconds=20))
        await house.control("POST", "/queue", {"text": "late"})
        (message,) = (await waiting)["Messages"]
        assert message["Body"] == "late"


async def test_a_rotation_is_heard_on_the_queue(tmp_path: Path) -> None:
    async with opened(tmp_path) as house, sqs(house) as client:
        url = (await client.get_queue_url(QueueName="client-secrets"))["QueueUrl"]
        house.running.core.client_secrets.rotate(APPLICATION, house.running.core.clock.now())
        (message,) = (await client.receive_message(QueueUrl=url))["Messages"]
        assert "APPLICATION_OAUTH_CLIENT_NEW_SECRET" in message["Body"]
        recorded = (tmp_path / "state" / "calls.jsonl").read_text() + (
            tmp_path / "state" / "journal.jsonl"
        ).read_text()
        assert "oa2-cs" not in recorded


async def test_what_is_not_there_is_refused_as_sqs_does(tmp_path: Path) -> None:
    refusals: list[tuple[str, dict[str, str], str]] = [
        ("receive_message", {"QueueUrl": "https://localhost/000000000000/other"}, "QueueDoesNotExist"),
        ("get_queue_url", {"QueueName": "other"}, "QueueDoesNotExist"),
        ("purge_queue", {"QueueUrl": "/000000000000/client-secrets"}, "UnsupportedOperation"),
    ]
    async with opened(tmp_path) as house, sqs(house) as client:
        for action, parameters, code in refusals:
            with pytest.raises(botocore.exceptions.ClientError) as refusal:
                await getattr(client, action)(**parameters)
            assert code in refusal.value.response["Error"]["Code"]


async def test_the_queue_breaks_on_request_R28(tmp_path: Path) -> None:
    async with opened(tmp_path) as house, sqs(house) as client:
        url = (await client.get_queue_url(QueueName="client-secrets"))["QueueUrl"]
        for kind in ("throttle", "fail", "unavailable", "lost", "hang_up", "deny"):
            await house.control("POST", "/faults", {"operation": "sqs.receiveMessage", "kind": kind})
            with pytest.raises((botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError)):
                await client.receive_message(QueueUrl=url)
            await client.receive_message(QueueUrl=url)


async def test_an_unsigned_request_is_refused(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        headers = {"X-Amz-Target": "AmazonSQS.ReceiveMessage", "Content-Type": "application/x-amz-json-1.0"}
        body = b'{"QueueUrl":"https://localhost/000000000000/client-secrets"}'
        async with house.session.post(house.base, headers=headers, data=body) as response:
            assert response.status == 403
            assert "AccessDenied" in (await response.json(content_type=None))["__type"]
