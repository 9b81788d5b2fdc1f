"""SP-API client libraries, as they come from PyPI and npm, take the gateway for Amazon and notice nothing."""

import asyncio
import hashlib
import inspect
import json
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from urllib.parse import parse_qs

import pytest
import sp_api.base.exceptions
import sp_api.util
import urllib3
from spapi.auth.lwa_request import AccessTokenCache

from sallyport.demo.stage import set_stage
from sallyport.stack import Stack
from tests.e2e.libraries.programs import HERE, Library, blocks
from tests.e2e.libraries.stories import AS_BEFORE, FEED, OTHER_FEEDS, Story, play, set_story
from tests.e2e.npm import installed
from tests.stage import APART

ASKS_BY_ITSELF = frozenset({"restricted"})
LIBRARIES = (
    Library("amzn_sp_api", "python", ASKS_BY_ITSELF),
    Library("python_amazon_sp_api", "python", ASKS_BY_ITSELF),
    Library("python_amazon_sp_api_asyncio", "python", ASKS_BY_ITSELF),
    Library("amazon_sp_api", "js", ASKS_BY_ITSELF | {AS_BEFORE}),
    Library("amazon_sp_api_sdk_js", "js", ASKS_BY_ITSELF),
    Library("sp_api_sdk", "js", frozenset()),
)
RESTRICTED = [library.name for library in LIBRARIES if "restricted" in library.verbs]
KEEPS_HANDLES = [library.name for library in LIBRARIES if AS_BEFORE in library.verbs]
NAMES = [library.name for library in LIBRARIES]

# The libraries that do it by themselves; the others leave it to the program. Read in their source by
# `test_what_makes_a_library_ask_again_is_what_the_refusals_are_made_for`.
RETRIES_WHEN_THROTTLED = set(NAMES) - {"amazon_sp_api_sdk_js"}
RENEWS_WHEN_EXPIRED = {"amazon_sp_api"}
# Source: spapi/auth/lwa_request.py, AccessTokenCache: max_retries=3.
TOKEN_REQUESTS_WHEN_REFUSED = {"amzn_sp_api": 4}
REPEATS = {"python_amazon_sp_api", "python_amazon_sp_api_asyncio"}
REPEATED = [FEED["kind"], OTHER_FEEDS]
# A library that asks again without pause would be far above.
CALLS_WHEN_THROTTLED_MAX = 8

# Six processes, of which one waits 14 seconds for nothing: on a busy machine that takes its time.
STORIES_S_MAX = 240
pytestmark = pytest.mark.timeout(STORIES_S_MAX)

TOKENS_PATH = "/auth/o2/token"
# Source: Orders v0 model, getOrders: MaxResultsPerPage, when it is not given.
PAGE_ORDERS = 100
RESTRICTED_PATH = "/tokens/2021-03-01/restrictedDataToken"
DIGEST_CHARS = 16


@pytest.fixture(scope="module")
async def stories(stack: Stack) -> AsyncIterator[dict[str, Story]]:
    """Every library's story, played."""
    async with set_stage(stack, account=APART.start) as scene, AsyncExitStack() as things:
        await scene.amazon.set_hostility("none")
        accounts = (await scene.amazon.sellers())[APART.start : APART.stop]
        homes, abroads = ([each for each in accounts if each["region"] == region] for region in ("na", "eu"))
        opening = [
            set_story(library, scene, homes[place], abroads[place]) for place, library in enumerate(LIBRARIES)
        ]
        told = await asyncio.gather(*(things.enter_async_context(each) for each in opening))
        await play(told, scene)
        yield {story.library.name: story for story in told}


@pytest.fixture(params=NAMES)
def story(request: pytest.FixtureRequest, stories: dict[str, Story]) -> Story:
    return stories[request.param]


def test_a_library_gets_a_token_and_lists_orders_of_the_marketplaces_region(story: Story) -> None:
    assert story.seen["list"].paths()[0] == TOKENS_PATH
    for name in ("list", "list abroad"):
        there = {order.order_id for order in story.orders_at_first[name]}
        listed = story.seen[name].value
        assert listed
        assert there.issuperset(listed)
        assert len(set(listed)) == min(len(there), PAGE_ORDERS)


def test_a_library_reads_one_order(story: Story) -> None:
    assert (story.seen["read"].value, story.seen["read"].statuses) == (story.newest.order_id, (200,))


def test_a_library_reads_by_its_id_an_order_that_it_listed_abroad(story: Story) -> None:
    seen = story.seen["read abroad"]
    assert story.newest_abroad.order_id in story.seen["list abroad"].value
    assert (seen.value, seen.statuses) == (story.newest_abroad.order_id, (200,))


async def test_amazon_gets_the_parameters_and_the_gateways_own_token_and_name_T05(story: Story) -> None:
    calls = await story.calls(story.first_call)
    listed = [call for call in calls if call["operation"] == "ordersV0.getOrders"]
    assert {tuple(sorted(call["query_names"])) for call in listed} == {
        ("CreatedAfter", "MarketplaceIds", "OrderStatuses")
    }
    assert [call["seller_id"] for call in listed] == [story.home["seller_id"], story.abroad["seller_id"]]
    assert all(call["user_agent"].startswith("Sallyport/") for call in calls if call["face"] == "api")
    held = {hashlib.sha256(token.encode()).hexdigest()[:DIGEST_CHARS] for token in story.tokens}
    assert held
    assert not held.intersection(call["token_digest"] for call in calls)


@pytest.mark.parametrize("story", RESTRICTED, indirect=True)
def test_a_library_asks_for_a_restricted_token_and_sees_the_address(story: Story) -> None:
    seen = story.seen["restricted"]
    assert RESTRICTED_PATH in seen.paths()
    assert any(needle in json.dumps(seen.value) for needle in story.newest.needles)


async def test_a_library_makes_a_report_and_downloads_it_through_the_gateway(story: Story) -> None:
    fetched = [call for call in await story.calls(story.first_call) if call["face"] == "storage"]
    assert story.newest.order_id in story.seen["report"].value
    # The gateway's own requests, by its own client: no library's name, and nobody's token.
    assert {call["method"] for call in fetched} == {"GET", "PUT"}
    assert {(call["user_agent"], call["token_kind"]) for call in fetched} == {("", "")}


def test_a_library_polls_a_report_that_it_made_abroad_and_downloads_it(story: Story) -> None:
    assert story.newest_abroad.order_id in story.seen["report abroad"].value


def test_a_library_uploads_a_feed_through_the_gateway(story: Story) -> None:
    # The simulated Amazon ends a feed whose document never came as FATAL.
    assert story.seen["feed"].value == "DONE"


def test_a_list_of_values_arrives_however_a_library_writes_it(story: Story) -> None:
    seen = story.seen["list feeds"]
    query = parse_qs(seen.requests[-1][1].partition("?")[2])
    values = REPEATED if story.library.name in REPEATS else [",".join(REPEATED)]
    assert query["feedTypes"] == values
    assert seen.value == [FEED["kind"]]


def test_a_library_survives_a_429_and_does_not_hammer_T32(story: Story) -> None:
    throttled, after = story.seen["throttled"], story.seen["not throttled"]
    assert throttled.statuses[0] == 429
    if story.library.name in RETRIES_WHEN_THROTTLED:
        assert throttled.value == after.value
        assert throttled.statuses[-1] == 200
    assert len(throttled.statuses) <= CALLS_WHEN_THROTTLED_MAX
    assert after.statuses == (200,)
    assert after.value > 0


def test_a_library_gets_over_the_end_of_its_token(story: Story) -> None:
    expired, renewed = story.seen["expired"], story.seen["renewed"]
    if story.library.name in RENEWS_WHEN_EXPIRED:
        assert expired.paths()[1] == TOKENS_PATH
        assert expired.statuses == (403, 200, 200)
        assert expired.value == renewed.value
    else:
        assert expired.statuses == (403,)
        assert expired.raised
    assert renewed.statuses == (200, 200)
    assert renewed.value == story.seen["read"].value


@pytest.mark.parametrize("story", KEEPS_HANDLES, indirect=True)
def test_a_library_raises_at_the_end_of_its_restricted_token_and_does_not_loop_T32(story: Story) -> None:
    """It renews its access token on the words that this refusal has not, and would call as before."""
    assert story.seen[AS_BEFORE].value == story.seen["restricted"].value
    ended = story.seen["restricted when it has ended"]
    assert ended.statuses == (403,)
    assert "handle_expired" in ended.raised


async def test_a_library_raises_when_its_device_is_revoked_and_does_not_loop_T01(story: Story) -> None:
    revoked, anew = story.seen["revoked"], story.seen["revoked anew"]
    token_requests = TOKEN_REQUESTS_WHEN_REFUSED.get(story.library.name, 1)
    assert revoked.statuses == (403,)
    assert revoked.raised
    assert anew.paths() == [TOKENS_PATH] * token_requests
    assert anew.statuses == (400,) * token_requests
    assert anew.raised
    # Login with Amazon may be asked meanwhile, for the seller's own sake.
    assert [call for call in await story.calls(story.last_call) if call["face"] == "api"] == []


def test_the_page_says_how_each_library_is_set_up_and_no_other() -> None:
    assert blocks().keys() == {*NAMES, "gateway_agent"}


async def test_what_makes_a_library_ask_again_is_what_the_refusals_are_made_for() -> None:
    """A new version that asks again on other words or statuses fails here, before it loops at a seller's."""
    packages = await installed(HERE) / "node_modules"
    node = (packages / "amazon-sp-api" / "lib" / "SellingPartner.js").read_text(encoding="utf-8")
    assert re.findall(r"/(.+?)/\.test\(error\.details\)", node) == ["access token.*expired"]
    assert re.findall(r"res\.statusCode === (\d+) && error\.code === '(\w+)'", node) == [
        ("429", "QuotaExceeded")
    ]
    assert "1 / (res.headers['x-amzn-ratelimit-limit'] * 1)" in node
    assert re.findall(r"json_res\.Error\.(\w+)", node) == ["Code", "Message"]
    common = (packages / "@sp-api-sdk" / "common" / "dist" / "index.js").read_text(encoding="utf-8")
    assert re.findall(r"retryCondition: \(error\) => (.+),", common) == ["error.response?.status === 429"]
    official = packages / "@amazon-sp-api-release" / "amazon-sp-api-sdk-js" / "src" / "orders_v0"
    assert ".retry(" not in (official / "ApiClient.js").read_text(encoding="utf-8")
    assert {413, 429, 503} == urllib3.Retry.RETRY_AFTER_STATUS_CODES
    assert inspect.signature(AccessTokenCache).parameters["max_retries"].default == 3
    assert "SellingApiRequestThrottledException" in inspect.getsource(sp_api.util.throttle_retry)
    assert (
        sp_api.base.exceptions.get_exception_for_code(429).__name__ == "SellingApiRequestThrottledException"
    )
