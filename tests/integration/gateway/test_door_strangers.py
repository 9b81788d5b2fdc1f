"""Strangers with large bodies: they are turned away before anybody reads, and keep no place from a device."""

import asyncio
import dataclasses

import pytest

from fakes.clock import FakeClock
from services.gateway.door import SpapiFace
from services.gateway.proof import ProofVerifier
from tests.integration.gateway.door import (
    LIMITS,
    PATIENCE_S,
    dial,
    exchange,
    heard,
    one_answer,
    request,
    serving,
)
from tests.unit.gateway.doors import FakeForwarder
from tests.unit.gateway.proofs import nonces_for

LARGE = 100_000
ONE_PLACE = dataclasses.replace(LIMITS, large_bodies_max=1)


def face(forwarder: FakeForwarder) -> SpapiFace:
    clock = FakeClock()
    proofs = ProofVerifier(origins=["https://gateway.example"], clock=clock, nonces=nonces_for(clock))
    return SpapiFace(forwarder=forwarder, proofs=proofs)


def large(token: str) -> bytes:
    return request("POST /", f"x-amz-access-token: {token}", f"Content-Length: {LARGE}", is_last=True)


async def test_a_stranger_that_drips_a_large_body_is_refused_and_takes_no_place_R25_T32() -> None:
    forwarder = FakeForwarder(strangers={"stranger"})
    async with asyncio.timeout(PATIENCE_S), serving(face(forwarder), ONE_PLACE) as door:
        reader, writer = await dial(door.port)
        writer.write(large("stranger") + b"{")
        refused = await one_answer(reader)
        (served,) = heard(await exchange(door.port, large("device") + bytes(LARGE)))
        writer.close()
    assert (refused.status, refused.code, refused.headers["connection"]) == (403, "token_invalid", "close")
    assert served.status == 200
    assert [(call.access_token, call.came_from) for call in forwarder.calls] == [("device", "127.0.0.1")]


@pytest.mark.parametrize(
    "lines",
    [
        ["Authorization: DPoP stranger"],
        ["x-amz-access-token: stranger", "DPoP: a proof that nobody has looked at"],
    ],
    ids=["a bound token", "a proof"],
)
async def test_a_stranger_that_comes_as_a_bound_desktop_is_told_so_as_one(lines: list[str]) -> None:
    forwarder = FakeForwarder(strangers={"stranger"})
    data = request("POST /", *lines, f"Content-Length: {LARGE}")
    async with asyncio.timeout(PATIENCE_S), serving(face(forwarder)) as door:
        (refused,) = heard(await exchange(door.port, data))
    assert refused.status == 401
    assert refused.headers["www-authenticate"].startswith("dpop ")


async def test_a_small_body_of_a_stranger_is_judged_together_with_its_call() -> None:
    forwarder = FakeForwarder(strangers={"stranger"})
    small = request("POST /", "x-amz-access-token: stranger", "Content-Length: 2", is_last=True) + b"{}"
    async with asyncio.timeout(PATIENCE_S), serving(face(forwarder)) as door:
        (judged,) = heard(await exchange(door.port, small))
    assert judged.status == 200
    assert [call.body for call in forwarder.calls] == [b"{}"]
