"""`sallyport bench`: what it refuses, and what it says of a gateway that answers."""

import asyncio
import os
import ssl
from pathlib import Path

import pytest

import sallyport.cli
from chassis.secrecy import Secret
from sallyport.bench import answers, beside, peers, upstream

TOKEN = "sp_at_made-up"


@pytest.mark.parametrize(
    "wrong",
    [
        ("--url", "http://gateway.example.com"),
        ("--url", "https://gateway.example.com/prefix"),
        ("--path", "orders"),
        ("--token", "two words"),
        ("--token", "@/nowhere/token"),
        ("--requests", "0"),
        ("--connections", "100000"),
        ("--pid", "999999999"),
    ],
)
def test_what_cannot_be_measured_is_refused_before_anything_starts(
    wrong: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    options = {"--url": "https://gateway.example.com", "--token": TOKEN, **dict([wrong])}
    words = [word for pair in options.items() for word in pair]
    assert sallyport.cli.main(["bench", *words]) == 2
    said = capsys.readouterr().err
    assert said.startswith("sallyport bench: ")
    assert TOKEN not in said


def test_a_gateway_that_is_not_there_could_not_be_tried(capsys: pytest.CaptureFixture[str]) -> None:
    assert sallyport.cli.main(["bench", "--url", "https://127.0.0.1:1", "--token", TOKEN]) == 2
    assert "could not be measured" in capsys.readouterr().err


def plan(gateway: peers.Peer, folder: Path, path: str) -> beside.Plan:
    return beside.Plan(
        host="localhost",
        port=gateway.port,
        path=path,
        token=Secret(TOKEN),
        tls=ssl.create_default_context(cafile=folder / "ca.pem"),
        requests=4,
        connections=2,
        pid=gateway.pid,
        axios_folder=folder,
    )


async def test_the_gateway_stands_beside_the_peers_that_are_installed(tmp_path: Path) -> None:
    (tmp_path / "gateway").mkdir()
    (tmp_path / "peers").mkdir()
    ground = peers.Ground(folder=tmp_path / "gateway", axios_folder=tmp_path)
    async with peers.open_peers(ground, small=answers.small()) as running:
        gateway = running[peers.UPSTREAM]
        assert gateway is not None
        lines = list(await beside.measure(plan(gateway, ground.folder, "/any"), tmp_path / "peers"))
    assert lines[0] == "\n## An answer of 1,024 bytes, 4 times over 2 connection(s)\n"
    assert f"| {peers.AXIOS} | not installed | not installed | not installed | not installed |" in lines
    (row,) = [line for line in lines if line.startswith(f"| {beside.GATEWAY} ")]
    assert all(float(cell.replace(",", "")) > 0 for cell in row.strip("| ").split(" | ")[1:4])
    assert not lines[-1].startswith("\nThe gateway's")


async def test_that_the_gateway_answered_from_what_it_keeps_is_told(tmp_path: Path) -> None:
    (tmp_path / "gateway").mkdir()
    (tmp_path / "peers").mkdir()
    ground = peers.Ground(folder=tmp_path / "gateway", axios_folder=tmp_path)
    async with peers.open_peers(ground, small=answers.small()):
        tls = upstream.server_tls(ground.folder)
        async with await asyncio.start_server(_keep, "localhost", 0, ssl=tls) as server:
            port = server.sockets[0].getsockname()[1]
            kept = plan(peers.Peer("gateway", port, os.getpid()), ground.folder, "/any")
            lines = list(await beside.measure(kept, tmp_path / "peers"))
    assert lines[-1] == "\nThe gateway's last answer came from: cache"


async def _keep(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await reader.read(4_096):
        writer.write(b"HTTP/1.1 200 OK\r\nX-Sallyport-Source: cache\r\nContent-Length: 2\r\n\r\n{}")
    writer.close()
