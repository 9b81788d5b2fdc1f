"""The reads that are measured: what they ask for, as whom, and how large the answers are.

No two requests of a round are alike, so that nothing is saved that would not be saved in earnest: neither by
joining calls under way nor by keeping answers.
"""

import functools
import itertools
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import aiohttp

from bench.parts import Parts
from sallyport.bench.load import connected, get
from sallyport.bench.upstream import LIMIT_PER_S
from sallyport.demo.scene import Program, Scene
from sallyport.layout import LOOPBACK
from sallyport.provision.database import signed_in
from sallyport.stack import Stack

SMALL, PAGE = "1 KB", "20 KB"
PROOFS = 3_000
ANSWER_S_MAX = 30.0
ENDLESS = "UPDATE gateway.buckets SET rate_per_s = $1::int, burst = $1::int, calls_left = $1::int"

Requests = Callable[[], Iterator[bytes]]
"""Makes the requests of one round."""


@dataclass(frozen=True)
class Read:
    """One kind of read.

    Attributes:
        size: of the answer.
        requests: a fresh round of them; without an end where that is cheap.
    """

    name: str
    size: str
    requests: Requests


@dataclass(frozen=True)
class Reads:
    """What the gateway is asked.

    Attributes:
        plain: shows no personal data, so by policy it leaves no audit event.
        audited: buyers of an order's items, in full: intent and outcome are durable before it is answered.
        others: more of the gateway's reads, the page of orders first in full, then masked.
    """

    plain: Read
    audited: Read
    others: tuple[Read, ...]

    @property
    def limited(self) -> tuple[Read, ...]:
        """One for each of Amazon's plans that they spend from."""
        return self.plain, self.audited, self.others[0]

    @property
    def all(self) -> tuple[Read, ...]:
        """Every one."""
        return self.plain, self.audited, *self.others


_numbers = itertools.count(1)


async def lift_limits(stack: Stack, parts: Parts, reads: Reads) -> None:
    """Have a plan without an end behind every read: what waiting for a permit costs is not it."""
    async with connected((LOOPBACK, parts.gateway.port), parts.tls, connections=1) as load:
        for read in reads.limited:
            await load.drive(itertools.islice(read.requests(), 1), seconds=ANSWER_S_MAX)
    async with signed_in(stack.ground.postgres, stack.ground.openbao, role="postgres") as connection:
        await connection.execute(ENDLESS, LIMIT_PER_S)


async def prepare(scene: Scene) -> Reads:
    """Return the reads, with the tokens of the scene's desktops."""
    if scene.trusted is None or scene.untrusted is None:
        raise LookupError("the desktops are not enrolled")
    trusted, untrusted = await _token(scene, scene.trusted), await _token(scene, scene.untrusted)
    of_order = functools.partial(buyers, scene.the_order.order_id)
    address = f"/orders/v0/orders/{scene.the_order.order_id}/address"
    return Reads(
        plain=Read("a read of 1 KB without personal data, not audited", SMALL, endless(tracking, trusted)),
        audited=Read("a read of 1 KB with personal data, audited", SMALL, endless(of_order, trusted)),
        others=(
            Read("a page of orders, 20 KB, in full, audited", PAGE, endless(orders, trusted)),
            Read("a page of orders, 20 KB, masked, audited", PAGE, endless(orders, untrusted)),
            Read("a read of 1 KB, not audited, with a DPoP proof", SMALL, lambda: _proven(scene)),
            Read("an address from the safe, in full, audited", SMALL, endless(lambda _: address, trusted)),
            Read("an address from the safe, masked, audited", SMALL, endless(lambda _: address, untrusted)),
        ),
    )


def endless(target_of: Callable[[int], str], token: str = "") -> Requests:
    """Return requests without an end, each for the target of another number."""
    return lambda: (get(target_of(number), x_amz_access_token=token) for number in _numbers)


def tracking(number: int) -> str:
    """Return a target without personal data."""
    return f"/shipping/v2/tracking?trackingId=1Z{number}&carrierId=UPS"


def buyers(order_id: str, number: int) -> str:
    """Return the target of one page of the buyers of an order's items; retention knows the order."""
    return f"/orders/v0/orders/{order_id}/orderItems/buyerInfo?NextToken=n{number}"


def orders(number: int) -> str:
    """Return the target of a page of orders."""
    moment = f"2026-10-{number % 28 + 1:02}T{number // 28 % 24:02}%3A{number // 672 % 60:02}%3A00Z"
    return f"/orders/v0/orders?MarketplaceIds=ATVPDKIKX0DER&CreatedAfter={moment}&NextToken=n{number}"


def _proven(scene: Scene) -> Iterator[bytes]:
    """Return requests that were signed beforehand: signing is the desktops' work."""
    token, signed = scene.desktop.access_token, list[bytes]()
    for number in itertools.islice(_numbers, PROOFS):
        target = tracking(number)
        proof = scene.desktop.proof("GET", scene.stack.layout.public_url + target.partition("?")[0], token)
        signed.append(get(target, Authorization=f"DPoP {token}", DPoP=proof))
    return iter(signed)


async def _token(scene: Scene, program: Program) -> str:
    """Return an access token, got as an unmodified library gets it."""
    form = {
        "grant_type": "refresh_token",
        "client_id": program.device_id,
        "refresh_token": program.refresh_token,
    }
    tls = ssl.create_default_context(cafile=scene.stack.ground.folder.services_ca_file)
    async with aiohttp.ClientSession(raise_for_status=True) as session:
        url = f"{scene.stack.layout.public_url}/auth/o2/token"
        async with session.post(url, data=form, ssl=tls) as answer:
            token: str = (await answer.json())["access_token"]
            return token
