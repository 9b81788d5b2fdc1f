"""The life of a process: real processes, real signals, exit codes a script can trust."""

import asyncio
import gzip
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

PATIENCE_S = 60.0
LEVELS = ("debug", "error", "info", "warning")


class Running:
    """A started process, its log lines as they come."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.lines: list[dict[str, Any]] = []

    async def wait_for(self, event: str) -> dict[str, Any]:
        assert self.process.stdout is not None
        while data := await self.process.stdout.readline():
            self.lines.append(json.loads(data))
            if self.lines[-1]["event"] == event:
                return self.lines[-1]
        raise AssertionError(f"ended without {event}: {self.events}")

    async def end(self) -> tuple[int, str]:
        """Wait for the end; return exit code and standard error."""
        out, err = await self.process.communicate()
        self.lines += [json.loads(line) for line in out.splitlines()]
        code = self.process.returncode
        assert code is not None
        return code, err.decode()

    @property
    def events(self) -> list[str]:
        return [line["event"] for line in self.lines]


@asynccontextmanager
async def running(behaviour: str, *arguments: str, **environ: str) -> AsyncIterator[Running]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-W",
        "error",
        "-m",
        "tests.integration.chassis.process",
        *arguments,
        stdout=PIPE,
        stderr=PIPE,
        env={**os.environ, "BEHAVIOUR": behaviour, **environ},
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            yield Running(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def status_of(port: int, path: str) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    data = await reader.read()
    writer.close()
    return int(data.split(b" ")[1])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_makes_it_unready_at_once_and_requests_in_flight_finish_R16(
    number: signal.Signals,
) -> None:
    async with running("serve") as service:
        ports = await service.wait_for("listening")
        assert await status_of(ports["private"], "/readyz") == 200
        reader, writer = await asyncio.open_connection("127.0.0.1", ports["public"])
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
        assert b"100" in await reader.readuntil(b"\r\n\r\n")
        writer.write(b"bo")
        service.process.send_signal(number)
        await service.wait_for("stopping")
        assert await status_of(ports["private"], "/readyz") == 503
        assert await status_of(ports["private"], "/livez") == 200
        writer.write(b"dy")
        answer = await reader.read()
        writer.close()
        assert answer.startswith(b"HTTP/1.1 200")
        assert answer.endswith(b"4")
        assert await service.end() == (0, "")
        assert service.events[-2:] == ["closed", "stopped"]


async def test_a_task_that_loses_its_cancellation_does_not_keep_the_process_alive_R16() -> None:
    async with running("lose_cancellation") as service:
        await service.wait_for("listening")
        service.process.send_signal(signal.SIGTERM)
        assert await service.end() == (0, "")
        assert "cancellation_lost" in service.events


async def test_a_process_leaves_no_core_and_lets_nobody_look_inside_T20() -> None:
    async with running("serve") as service:
        told = await service.wait_for("listening")
        assert (told["core_bytes_max"], told["is_dumpable"]) == (0, 0)
        assert told["loop"] == "uvloop"
        service.process.terminate()
        assert await service.end() == (0, "")


@pytest.mark.parametrize(
    ("behaviour", "environ", "line"),
    [
        ("refuse", {}, "refused to start: synchronous_commit_required: switch synchronous_commit on\n"),
        (
            "serve",
            {"SALLYPORT_LISTEN": "nonsense"},
            "refused to start: config_invalid: SALLYPORT_LISTEN must be host:port\n",
        ),
        (
            "serve",
            {"SALLYPORT_LOG_LEVEL": "loud"},
            f"refused to start: config_invalid: SALLYPORT_LOG_LEVEL must be one of: {', '.join(LEVELS)}\n",
        ),
    ],
    ids=["part", "configuration", "log-level"],
)
async def test_a_refused_start_says_why_in_one_line_and_exits_2(
    behaviour: str,
    environ: dict[str, str],
    line: str,
) -> None:
    async with running(behaviour, **environ) as service:
        assert await service.end() == (2, line)


async def test_help_tells_every_key_of_the_environment() -> None:
    async with running("serve", "--help") as service:
        out, err = await service.process.communicate()
        assert (service.process.returncode, err) == (0, b"")
        assert b"SALLYPORT_LISTEN\n      where to listen (default 127.0.0.1:0)\n" in out


async def test_an_argument_is_refused_and_not_repeated() -> None:
    async with running("serve", "s3cret") as service:
        code, err = await service.end()
        assert code == 2
        assert "--help" in err
        assert "s3cret" not in err


async def test_a_crashed_task_ends_the_process_with_1_after_logging_T28() -> None:
    async with running("crash") as service:
        assert await service.end() == (1, "")
        assert service.events[-2:] == ["task_crashed", "process_crashed"]
        assert "Jane" not in json.dumps(service.lines)


async def test_a_part_that_is_unavailable_at_start_is_a_crash_to_be_restarted() -> None:
    async with running("unavailable") as service:
        assert await service.end() == (1, "")
        assert service.lines[-1]["error"]["code"] == "unavailable"


async def test_a_signal_while_starting_ends_the_start() -> None:
    async with running("hang") as service:
        await service.wait_for("hanging")
        service.process.terminate()
        assert await service.end() == (0, "")
        assert service.events[-1] == "stopped_while_starting"


async def test_an_error_that_nobody_awaits_is_logged_without_its_message_T28() -> None:
    async with running("lose") as service:
        told = await service.wait_for("loop_error")
        assert told["error"]["type"] == "ValueError"
        service.process.terminate()
        assert await service.end() == (0, "")
        assert "Jane" not in json.dumps(service.lines)


def gzip_or_plain(data: bytes) -> bytes:
    return gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data


async def send_body(port: int) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\nConnection: close\r\n\r\nJane Doe")
    data = await reader.read()
    writer.close()
    return int(data.split(b" ")[1])


async def test_spans_reach_the_collector_with_event_kinds_and_nothing_else_T28() -> None:
    received: list[bytes] = []

    async def collect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        size = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        received.extend([head.split(b"\r\n")[0], gzip_or_plain(await reader.readexactly(size))])
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    collector = await asyncio.start_server(collect, "127.0.0.1", 0)
    endpoint = f"http://127.0.0.1:{collector.sockets[0].getsockname()[1]}"
    async with collector, running("serve", SALLYPORT_TRACE_ENDPOINT=endpoint) as service:
        ports = await service.wait_for("listening")
        assert await send_body(ports["public"]) == 200
        service.process.terminate()
        assert await service.end() == (0, "")
    assert received[0] == b"POST /v1/traces HTTP/1.1"
    assert b"test.body.sent" in received[1]
    assert b"Jane" not in received[1]
    line = next(line for line in service.lines if line["event"] == "request_served")
    assert bytes.fromhex(line["trace_id"]) in received[1]


async def test_a_collector_that_is_gone_holds_up_nobody_R24() -> None:
    async with running("serve", SALLYPORT_TRACE_ENDPOINT="http://127.0.0.1:9") as service:
        ports = await service.wait_for("listening")
        assert await send_body(ports["public"]) == 200
        service.process.terminate()
        assert await service.end() == (0, "")
