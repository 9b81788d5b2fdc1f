"""What a thief of memory finds: only auth ever holds Amazon's refresh tokens and the client secret (T-20).

Looks into the real processes right after they served, as root. The refresh tokens that are looked for are the
real ones: taken from the database and opened with the key service's root token, which no service has.
"""

import asyncio
import base64
import re
import sys
from pathlib import Path

import pytest

import sallyport.provision
import sallyport.provision.database
from sallyport.demo.scene import Scene
from sallyport.demo.steps.people import connect_a_seller, enrol_the_desktops
from sallyport.layout import SERVICES
from services.auth.model.consents import refresh_token_place
from services.auth.vault import _associated
from tests.e2e import memory

OUTSIDERS = ("gateway", "retention", "telemetry")
CALLERS = 8
ORDERS = 5
LOOKS_MAX = 5
NEEDLE = "needle-in-a-process-0123456789"
# Holds what is written in hexadecimal on its command line, or lets go of it, and waits.
HOLDER = """
import sys
import chassis.run
if "wiping" in sys.argv:
    chassis.run._wipe_what_is_freed()
chassis.run._harden()
held = [bytes.fromhex(sys.argv[1]).decode() for _ in range(100)]
if "freed" in sys.argv:
    del held
print("ready", flush=True)
sys.stdin.readline()
"""


async def _serve(scene: Scene) -> None:
    """Have desktops read orders and renew their tokens, many at a time."""
    await connect_a_seller(scene)
    await enrol_the_desktops(scene)
    orders = (await scene.amazon.orders(scene.account["seller_id"]))[-ORDERS:]

    async def read() -> None:
        for order in orders:
            answer = await scene.desktop.call("GET", f"/orders/v0/orders/{order.order_id}")
            assert answer.status == 200

    await asyncio.gather(*(read() for _ in range(CALLERS)))
    await scene.desktop.refresh()
    await read()


async def _refresh_tokens(scene: Scene) -> list[bytes]:
    """Return the refresh tokens that Amazon gave for this scene's seller."""
    ground = scene.stack.ground
    async with sallyport.provision.database.signed_in(
        ground.postgres,
        ground.openbao,
        role=sallyport.provision.OWNER,
        database=sallyport.provision.DATABASE,
    ) as owner:
        rows = await owner.fetch(
            """
            SELECT consent_id, refresh_token_sealed, refresh_version FROM auth.consents
            WHERE seller_id = $1 AND refresh_token_sealed IS NOT NULL
            """,
            scene.seller_id,
        )
    tokens = []
    for row in rows:
        place = refresh_token_place(scene.seller_id, str(row["consent_id"]), row["refresh_version"])
        sealed = {
            "ciphertext": row["refresh_token_sealed"],
            "associated_data": base64.b64encode(_associated(place)).decode(),
        }
        opened = await ground.openbao.call("POST", f"transit/decrypt/auth-seller-{scene.seller_id}", sealed)
        tokens.append(base64.b64decode(opened["data"]["plaintext"]))
    return tokens


async def _look(scene: Scene, part: str, needles: dict[str, bytes]) -> dict[str, int]:
    pid = scene.stack.supervisor.pid_of(part)
    assert pid is not None
    return await asyncio.to_thread(memory.count, pid, needles)


async def _held(*ways: str) -> int:
    """Return how often a needle lies in a process that holds it, or freed it, and is closed to others."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", HOLDER, NEEDLE.encode().hex(), *ways),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"
    found = await asyncio.to_thread(memory.count, process.pid, {"needle": NEEDLE.encode()})
    process.stdin.close()
    await process.wait()
    return found["needle"]


def _limits(scene: Scene, service: str) -> str:
    return Path(f"/proc/{scene.stack.supervisor.pid_of(service)}/limits").read_text(encoding="ascii")


async def test_whoever_looks_finds_what_is_held_and_what_was_only_freed() -> None:
    assert await _held() >= 100
    assert await _held("freed") > 0


async def test_what_is_freed_is_overwritten_where_that_is_asked_for_T20() -> None:
    assert await _held("wiping") >= 100
    assert await _held("wiping", "freed") == 0


@pytest.mark.timeout(300)
async def test_only_auth_holds_what_amazon_gave_and_only_while_it_is_used_T20(scene: Scene) -> None:
    await _serve(scene)
    tokens = await _refresh_tokens(scene)
    assert tokens
    assert all(re.fullmatch(rb"Atzr\|[\x21-\x7e]{50,}", token) for token in tokens)
    forbidden = {f"refresh token {number}": token for number, token in enumerate(tokens)}
    secret = {"client secret": scene.stack.application.client_secret.encode()}
    access = {"device's access token": scene.desktop.access_token.encode()}
    found = {part: await _look(scene, part, forbidden | secret | access) for part in OUTSIDERS}
    for part in OUTSIDERS:
        assert [found[part][name] for name in forbidden | secret] == [0] * (len(tokens) + 1), part
    # The gateway had to be shown this one by every call, so a scan that misses it proves nothing.
    assert found["gateway"]["device's access token"] > 0
    # Auth used each of them a moment ago; what it freed since is overwritten. It may be using one just now.
    looks = [await _look(scene, "auth", forbidden)]
    while any(looks[-1].values()) and len(looks) < LOOKS_MAX:
        await asyncio.sleep(1.0)
        looks.append(await _look(scene, "auth", forbidden))
    assert not any(looks[-1].values()), looks


async def test_no_service_leaves_a_core_T20(scene: Scene) -> None:
    for service in SERVICES:
        limits = await asyncio.to_thread(_limits, scene, service)
        assert re.search(r"^Max core file size +0 +0 ", limits, re.MULTILINE), service
