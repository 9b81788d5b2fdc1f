"""Every refusal there is, as libraries read it: Amazon's shape, and no word that makes one of them loop."""

import importlib
import json
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

import chassis.errors
import services.gateway
from chassis.errors import SallyportError, rebuild
from services.gateway.model import faults, storage_faults, token_faults
from services.gateway.model.calls import Answer

ERRORS_PAGE = Path(__file__).parents[3] / "docs" / "errors.md"
ROW = re.compile(r"^\| `([a-z_]+)` \| ([0-9, ]+) \| (.+) \| [a-z, ]+ \|$", re.MULTILINE)
# Wider than the library's own expression, which minds case and lines.
LOOPING = re.compile("access token.*expired", re.IGNORECASE | re.DOTALL)
# What the table of the wire contract says beside the status.
AMAZONS = {
    400: {"InvalidInput"},
    403: {"Unauthorized", "AccessDenied"},
    404: {"NotFound"},
    413: {"InvalidInput"},
    429: {"QuotaExceeded"},
    500: {"InternalFailure"},
    502: {"InternalFailure"},
    503: {"ServiceUnavailable"},
    504: {"InternalFailure"},
}
# Source: RFC 6749, 5.2; Login with Amazon's list, as its SDK spells it (LwaExceptionErrorCode).
LWAS = {"invalid_client", "invalid_grant", "invalid_request", "invalid_scope", "unauthorized_client"} | {
    "unsupported_grant_type",
    "server_error",
    "temporarily_unavailable",
    "access_denied",
}


def of_the_gateway() -> Iterator[SallyportError]:
    """Yield one of each refusal that the gateway's own code can raise."""
    for module in pkgutil.walk_packages(services.gateway.__path__, "services.gateway."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    waiting = [SallyportError]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if kind.__module__.startswith(("services.gateway", "chassis")):
            yield from _made(kind)


def _made(kind: type[SallyportError]) -> Iterator[SallyportError]:
    if kind is faults.QuotaExceeded:
        yield faults.QuotaExceeded(retry_after_s=3.0, rate_per_s=0.5)
        return
    try:
        yield kind()
    except TypeError:
        # One that goes to a browser by redirect, and has an address of its own.
        return


def on_the_page() -> Iterator[SallyportError]:
    """Yield every refusal of the page, as a peer would describe it."""
    by_status = {kind.http_status: kind.__name__ for kind in chassis.errors.KINDS}
    for code, statuses, texts in ROW.findall(ERRORS_PAGE.read_text(encoding="utf-8")):
        for status in map(int, statuses.split(",")):
            kind = by_status.get(status, "InvalidInput" if status < 500 else "Unavailable")
            for text in texts.split(" / "):
                yield rebuild(kind, code=code, text=text, http_status=status, retry_after_s=None)


EVERY = [*of_the_gateway(), *on_the_page()]
NAMES = [f"{type(error).__name__}-{error.code}-{error.http_status}" for error in EVERY]


def told(answer: Answer) -> dict[str, str]:
    (error,) = json.loads(answer.body)["errors"]
    return dict(error)


def header(answer: Answer, name: str) -> str:
    return next((value for known, value in answer.headers if known == name), "")


def test_the_page_of_errors_is_read_whole() -> None:
    assert len({error.code for error in on_the_page()}) > 100


@pytest.mark.parametrize("error", EVERY, ids=NAMES)
def test_a_refusal_of_a_call_has_amazons_shape_and_code(error: SallyportError) -> None:
    answer = faults.render(error, "request-1")
    assert told(answer).keys() == {"code", "message", "details"}
    assert told(answer)["code"] in AMAZONS.get(answer.status, {told(answer)["code"]})
    assert header(answer, "x-amzn-requestid") == "request-1"
    assert header(answer, "content-type") == "application/json"


@pytest.mark.parametrize("error", EVERY, ids=NAMES)
def test_only_an_ended_token_makes_a_library_ask_for_a_new_one(error: SallyportError) -> None:
    for is_bound in (False, True):
        answer = faults.render(error, "r", is_bound=is_bound)
        says_so = LOOPING.search(answer.body.decode()) is not None
        assert says_so == (error.code == faults.TOKEN_EXPIRED)


@pytest.mark.parametrize("error", EVERY, ids=NAMES)
def test_every_429_names_a_limit_that_a_timer_can_wait_for_T32(error: SallyportError) -> None:
    answer = faults.render(error, "r")
    limit = header(answer, "x-amzn-ratelimit-limit")
    assert (limit != "") == (answer.status == 429)
    if limit:
        assert 1.0 <= 1 / float(limit) <= faults.RETRY_AFTER_S_MAX * 3
        assert int(header(answer, "retry-after")) >= 1


@pytest.mark.parametrize("error", EVERY, ids=NAMES)
def test_a_refused_document_is_told_in_the_shape_of_amazons_storage(error: SallyportError) -> None:
    """What a library makes of a refusal is its two members; of another shape it shows nothing."""
    answer, shown = storage_faults.render(error, "r"), faults.render(error, "r")
    told = ET.fromstring(answer.body)
    assert [(each.tag, each.text) for each in told] == [("Code", error.code), ("Message", error.text)]
    assert (told.tag, answer.status) == ("Error", shown.status)
    assert header(answer, "content-type") == "application/xml"
    assert header(answer, "retry-after") == header(shown, "retry-after")


@pytest.mark.parametrize("error", EVERY, ids=NAMES)
def test_a_refused_token_is_told_in_lwas_words(error: SallyportError) -> None:
    answer = token_faults.render(error, "r")
    members = json.loads(answer.body)
    assert answer.status >= 400
    assert members["error_description"]
    assert header(answer, "cache-control") == "no-store"
    # Those of the desktop's own sign-in are told on the same faces, never to a library.
    own = token_faults._OAUTH_CODES
    assert members["error"] in LWAS | own


@pytest.mark.parametrize(
    ("retry_after_s", "rate_per_s", "limit"),
    [(2.0, 0.5, "0.5"), (9.0, 0.5, "0.5"), (60.0, 0.5, "0.01666666667"), (180.4, 0.0056, "0.0056")],
)
def test_a_limit_is_the_plans_unless_the_next_turn_is_far(
    retry_after_s: float, rate_per_s: float, limit: str
) -> None:
    error = faults.QuotaExceeded(retry_after_s=retry_after_s, rate_per_s=rate_per_s)
    assert header(faults.render(error, "r"), "x-amzn-ratelimit-limit") == limit
