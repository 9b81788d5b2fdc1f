"""What every library goes through: one seller each with accounts in two regions, all at the same time.

The virtual time moves once for all, so that every access token ends at the same moment; what comes before
and after is each library's own.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import chassis.errors
import sallyport.vendor
from sallyport.demo.amazon import Order
from sallyport.demo.browser import Browser
from sallyport.demo.patience import patiently
from sallyport.demo.scene import Program, Scene
from sallyport.demo.stage import TAP_CERTIFICATE
from sallyport.demo.wiretap import Wiretap
from tests.conftest import free_port
from tests.e2e.libraries.programs import Library, RunningProgram, Seen, running

STATUSES = ["Unshipped", "Shipped"]
EVER = datetime(2020, 1, 1, tzinfo=UTC)
# No order is out of its time so soon; fewer come than stand on a page.
READABLE = timedelta(days=14)
# Longer than an access token lives.
MORE_THAN_AN_HOUR_DAYS = 1.1 / 24

THROTTLED_OPERATION = "ordersV0.getOrderItems"
THROTTLED = 429
# The simulated Amazon works three seconds on each.
PAUSE_S = 1.0
REPORT = "GET_FLAT_FILE_ALL_ORDERS_DATA_BY_ORDER_DATE_GENERAL"
FEED = {
    "kind": "JSON_LISTINGS_FEED",
    "content": '{"header":{"sellerId":"A1","version":"2.0"},"messages":[{"messageId":1,"sku":"\u00e9"}]}',
    "content_type": "application/json; charset=UTF-8",
}
OTHER_FEEDS = "POST_FLAT_FILE_INVLOADER_DATA"
# Calls with the restricted token that the library has already.
AS_BEFORE = "restricted as before"
# More than all libraries together meet until Amazon relents.
FAULTS = 1_000


@dataclass
class Story:
    """One library's way through; `seen` is by errand.

    Attributes:
        scene: its seller, in its owner's browser.
        home, abroad: the seller's accounts at Amazon, in na and in eu.
        first_call, last_call: numbers of Amazon's last calls before it, and when the device was revoked.
        tokens: every access token that the library held.
    """

    library: Library
    scene: Scene
    home: dict[str, Any]
    abroad: dict[str, Any]
    device: Program
    first_call: int
    last_call: int = 0
    seen: dict[str, Seen] = field(default_factory=dict)
    orders_at_first: dict[str, list[Order]] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set, repr=False)

    async def orders(self, account: dict[str, Any]) -> list[Order]:
        """Return the orders that an account is asked for, as Amazon has them; oldest first."""
        found = await self.scene.amazon.orders(account["seller_id"])
        here = account["marketplace_ids"][0]
        return [order for order in found if order.status in STATUSES and order.marketplace_id == here]

    @property
    def newest(self) -> Order:
        """The order at home that was placed last, when the story began."""
        return self.orders_at_first["list"][-1]

    @property
    def newest_abroad(self) -> Order:
        """The same abroad."""
        return self.orders_at_first["list abroad"][-1]

    async def calls(self, after: int) -> list[dict[str, Any]]:
        """Return the calls that Amazon got for the seller after the one with this number."""
        ours = {self.home["seller_id"], self.abroad["seller_id"]}
        return [call for call in await self.scene.amazon.calls(after) if call["seller_id"] in ours]


@asynccontextmanager
async def set_story(
    library: Library, scene: Scene, home: dict[str, Any], abroad: dict[str, Any]
) -> AsyncIterator[Story]:
    """Give a library's story: a new seller with both accounts connected, and a device that may see PII."""
    async with Browser(trust_of(scene)) as browser:
        seller_id = await sallyport.vendor.create_seller(scene.admin)
        own = replace(scene, browser=browser, seller_id=seller_id, account=home)
        await own.come_in()
        # The newest connection's region is that of calls which name none.
        await _connect(own, abroad)
        await _connect(own, home)
        device = await own.enrol_program(library.name.replace("_", " "))
        await own.allow(device.device_id)
        yield Story(library, own, home, abroad, device, first_call=await scene.amazon.latest_call())


@asynccontextmanager
async def on_stage(story: Story) -> AsyncIterator[RunningProgram]:
    """Give the program of a story."""
    layout, port = story.scene.stack.layout, free_port()
    tap = Wiretap(
        listen_port=port,
        gateway_port=layout.gateway_port,
        certificate=layout.folder / TAP_CERTIFICATE,
        trust=trust_of(story.scene),
        capture=layout.folder / f"tap-{story.library.name}.bin",
    )
    ca_file = story.scene.stack.ground.folder.services_ca_file
    async with AsyncExitStack() as things:
        opened = await things.enter_async_context(tap)
        gateway = f"https://localhost:{port}"
        yield await things.enter_async_context(
            running(story.library, story.device, opened, gateway=gateway, ca_file=ca_file)
        )


def trust_of(scene: Scene) -> ssl.SSLContext:
    """Return what the people's machines trust."""
    context = ssl.create_default_context(cafile=scene.stack.ground.folder.services_ca_file)
    context.load_verify_locations(cafile=scene.stack.layout.amazon_ca_file)
    return context


async def play(stories: Sequence[Story], scene: Scene) -> None:
    """Take every library through all of it; what each saw is in its story afterwards."""
    together = asyncio.Barrier(len(stories) + 1)
    async with asyncio.TaskGroup() as group:
        for story in stories:
            group.create_task(_play_one(story, together))
        await together.wait()
        await scene.amazon.break_operation(THROTTLED_OPERATION, "throttle", FAULTS)
        await together.wait()
        # Everybody is refused now.
        await together.wait()
        await scene.amazon.mend()
        await together.wait()
        await scene.amazon.advance(MORE_THAN_AN_HOUR_DAYS)
        await together.wait()


async def _play_one(story: Story, together: asyncio.Barrier) -> None:
    async with on_stage(story) as program:
        await _call(story, program)
        await _move_documents(story, program)
        await together.wait()
        await together.wait()
        await _survive_throttling(story, program, together)
        await together.wait()
        await together.wait()
        await _survive_the_end_of_a_token(story, program)
        await _lose_the_device(story, program)
        story.tokens = program.tokens()


async def _call(story: Story, program: RunningProgram) -> None:
    lately = (await story.orders(story.abroad))[-1].placed_at - READABLE
    for name, account, since in (("list", story.home, EVER), ("list abroad", story.abroad, lately)):
        asked = {
            "marketplace_id": account["marketplace_ids"][0],
            "statuses": STATUSES,
            "since": since.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        orders = await story.orders(account)
        story.orders_at_first[name] = [order for order in orders if order.placed_at > since]
        story.seen[name] = await program.do("list", **_asked(story, account, asked))
    order = {"order_id": story.newest_abroad.order_id}
    story.seen["read abroad"] = await program.do("read", **_asked(story, story.abroad, order))
    for verb in ("read", *sorted(story.library.verbs)):
        story.seen[verb] = await program.do(verb, **_an_order(story))


async def _move_documents(story: Story, program: RunningProgram) -> None:
    for verb, more in (("report", {"kind": REPORT}), ("feed", FEED)):
        story.seen[verb] = await _make(story, program, verb, story.home, more)
    story.seen["report abroad"] = await _make(story, program, "report", story.abroad, {"kind": REPORT})
    kinds = {"kinds": [FEED["kind"], OTHER_FEEDS]}
    story.seen["list feeds"] = await program.do("list feeds", **_asked(story, story.home, kinds))


async def _make(
    story: Story, program: RunningProgram, verb: str, account: dict[str, Any], more: dict[str, Any]
) -> Seen:
    asked = {"marketplace_id": account["marketplace_ids"][0], "pause_s": PAUSE_S, **more}
    return await program.do(verb, **_asked(story, account, asked))


async def _survive_throttling(story: Story, program: RunningProgram, together: asyncio.Barrier) -> None:
    asked = _an_order(story)
    errand = asyncio.create_task(program.do("items", **asked))
    await patiently(lambda: _expect_refused(program))
    await together.wait()
    story.seen["throttled"] = await errand
    story.seen["not throttled"] = await program.do("items", **asked)


async def _expect_refused(program: RunningProgram) -> None:
    if THROTTLED not in program.statuses():
        raise chassis.errors.Unavailable


async def _survive_the_end_of_a_token(story: Story, program: RunningProgram) -> None:
    asked = _an_order(story)
    story.seen["expired"] = await program.do("read", **asked)
    story.seen["renewed"] = await program.do("read anew", **asked)
    if AS_BEFORE in story.library.verbs:
        story.seen["restricted when it has ended"] = await program.do(AS_BEFORE, **asked)


async def _lose_the_device(story: Story, program: RunningProgram) -> None:
    asked = _an_order(story)
    home = await story.scene.open("/portal")
    await story.scene.submit(home, f"/portal/devices/{story.device.device_id}/revoke")
    story.last_call = await story.scene.amazon.latest_call()
    story.seen["revoked"] = await program.do("read", **asked)
    story.seen["revoked anew"] = await program.do("read anew", **asked)


def _an_order(story: Story) -> dict[str, Any]:
    """Return the errand that names the newest order."""
    return _asked(story, story.home, {"order_id": story.newest.order_id})


def _asked(story: Story, account: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
    """Return an errand in the words of the program's language."""
    if story.library.language == "python":
        return asked
    named = {"region": account["region"], **asked}
    return {_camel(name): value for name, value in named.items()}


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


async def _connect(scene: Scene, account: dict[str, Any]) -> None:
    page = await scene.open("/portal/connect")
    consent = await scene.submit(page, "/portal/connect", marketplace_id=account["marketplace_ids"][0])
    home = await scene.submit(consent, "/apps/authorize/consent", seller_id=account["seller_id"])
    assert ">active<" in home.text, home.status
