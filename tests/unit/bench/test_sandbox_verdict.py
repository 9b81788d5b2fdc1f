"""The judge of the sandbox replay finds what it is there for."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from bench.sandbox.cases import Case
from bench.sandbox.facts import Facts
from bench.sandbox.verdict import Kind, Told, Verdict, judge

PERSONAL = Facts(frozenset({"$.buyer.name", "$.tags[*].text"}), frozenset(), is_grantless=False)
LINKED = Facts(frozenset(), frozenset({"$.url"}), is_grantless=False)
CUSTOMIZED = Facts(
    frozenset({"$.url", "$.note"}),
    frozenset(),
    is_grantless=False,
    buyer_paths=frozenset({"$.url", "$.note"}),
)
GRANTLESS = Facts(frozenset(), frozenset(), is_grantless=True)
ANSWER = {"buyer": {"name": "Jane Roe-Sample"}, "tags": [{"text": "Leave it"}], "city": "Seattle"}
MASKED = {"buyer": {"name": "***"}, "tags": [{"text": "***"}], "city": "Seattle"}
ORIGIN = "https://gw.example"
REFUSAL = {"errors": [{"code": "InvalidInput", "message": "No.", "details": ""}]}


def encoded(document: Any) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def case(answer: Any = ANSWER, status: int = 200, **more: Any) -> Case:
    facts: dict[str, Any] = {"operation": "x.y", "key": "GET /x", "number": 0, "target": "/x", "body": b""}
    return Case(**(facts | {"status": status, "answer": encoded(answer)} | more))


def told(document: Any, status: int = 200) -> Told:
    return Told(status, encoded(document))


def judged(
    permitted: Told, plain: Told, *, facts: Facts = PERSONAL, of: Case | None = None
) -> tuple[Kind, str]:
    verdict: Verdict = judge(of or case(), facts, permitted=permitted, plain=plain, origin=ORIGIN)
    return verdict.kind, verdict.reason


def test_amazons_bytes_and_a_masked_answer_are_right() -> None:
    assert judged(told(ANSWER), told(MASKED)) == (Kind.REPLAYED, "")


def test_a_refusal_without_the_scope_is_right_for_whole_documents_only() -> None:
    linked = case({"url": "https://s3.amazonaws.com/x"})
    ours = told({"url": f"{ORIGIN}/_doc/abc"})
    said = judged(ours, told(REFUSAL, 403), facts=LINKED, of=linked)
    assert said == (Kind.REPLAYED, "refused without the scope")
    assert judged(told(ANSWER), told(REFUSAL, 403))[0] is Kind.WRONG


@pytest.mark.parametrize(
    "leak",
    [
        ANSWER,
        MASKED | {"buyer": {"name": "Jane Roe-Sample"}},
        MASKED | {"tags": [{"text": "Leave it"}]},
        MASKED | {"note": "for Jane Roe-Sample, urgent"},
    ],
)
def test_a_customers_value_without_the_scope_is_wrong_wherever_it_stands(leak: Any) -> None:
    kind, reason = judged(told(ANSWER), told(leak))
    assert kind is Kind.WRONG
    assert "Jane" not in reason


@pytest.mark.parametrize("told_as", [str, lambda link: base64.b64encode(link.encode()).decode()])
def test_a_buyers_link_is_right_when_it_leads_to_the_gateway_and_masked_without_the_scope(
    told_as: Callable[[str], str],
) -> None:
    def answer(link: str) -> dict[str, str]:
        return {"note": "Leave it", "url": told_as(link)}

    amazons, ours = answer("https://zme-caps.amazon.com/t/1"), answer(f"{ORIGIN}/_doc/abc")
    masked, of = told({"note": "***", "url": "***"}), case(amazons)
    assert judged(told(ours), masked, facts=CUSTOMIZED, of=of) == (Kind.REPLAYED, "")
    astray = (Kind.WRONG, "a link leads past the gateway")
    assert judged(told(amazons), masked, facts=CUSTOMIZED, of=of) == astray
    assert judged(told(ours), told(REFUSAL, 403), facts=CUSTOMIZED, of=of)[0] is Kind.WRONG


def test_a_short_value_counts_at_its_own_place_only() -> None:
    answer = {"buyer": {"name": "US"}, "country": "US"}
    assert judged(told(answer), told({"buyer": {"name": "***"}, "country": "US"}), of=case(answer))[0] is (
        Kind.REPLAYED
    )
    assert judged(told(answer), told(answer), of=case(answer))[0] is Kind.WRONG


@pytest.mark.parametrize(
    "permitted",
    [told(MASKED), told(ANSWER, 202), Told(200, encoded(ANSWER) + b" "), told(REFUSAL, 429)],
)
def test_other_bytes_or_another_status_are_wrong(permitted: Told) -> None:
    assert judged(permitted, told(MASKED))[0] is Kind.WRONG


def test_a_failure_keeps_its_status_and_says_whose_words_it_has() -> None:
    failure = case(REFUSAL, 400)
    own = {"errors": [{"code": "InvalidInput", "message": "Other words.", "details": ""}]}
    assert judged(told(REFUSAL, 400), told(REFUSAL, 400), of=failure) == (Kind.REPLAYED, "")
    assert judged(told(own, 400), told(own, 400), of=failure)[1] == "told in the gateway's own words"
    assert judged(told(REFUSAL, 404), told(REFUSAL, 404), of=failure)[0] is Kind.WRONG


def test_links_must_lead_to_the_gateway_and_the_rest_stay_as_it_was() -> None:
    linked = case({"url": "https://s3.amazonaws.com/x?y=1", "id": "D1"})
    ours = {"url": "https://gw.example/_doc/abc", "id": "D1"}
    theirs = {"url": "https://s3.amazonaws.com/x?y=1", "id": "D1"}
    assert judged(told(ours), told(ours), facts=LINKED, of=linked) == (Kind.REPLAYED, "")
    assert judged(told(theirs), told(theirs), facts=LINKED, of=linked)[0] is Kind.WRONG
    assert judged(told(ours), told(theirs), facts=LINKED, of=linked)[0] is Kind.WRONG
    assert judged(told(ours | {"id": "D2"}), told(ours), facts=LINKED, of=linked)[0] is Kind.WRONG


@pytest.mark.parametrize(("bought", "kind"), [("2024-12-25T14:45:00Z", Kind.ASIDE), (None, Kind.WRONG)])
def test_a_list_that_is_masked_for_everybody_is_aside_only_when_its_orders_are_old(
    bought: str | None, kind: Kind
) -> None:
    order = {"orderId": "902-1845936-5435065", "createdTime": bought or datetime.now(UTC).isoformat()}
    facts = Facts(frozenset({"$.orders[*].buyer.name"}), frozenset(), is_grantless=False)
    listed = case(
        {"orders": [order | {"buyer": {"name": "Jane Roe-Sample"}}]},
        operation="orders_2026-01-01.searchOrders",
    )
    masked = told({"orders": [order | {"buyer": {"name": "***"}}]})
    assert judged(masked, masked, facts=facts, of=listed)[0] is kind


def test_what_is_refused_by_design_is_counted_aside_with_its_reason() -> None:
    no = told(REFUSAL, 403)
    held = Told(429, b'{"errors":[{"details":"quota_exceeded: later"}]}')
    elsewhere = case({"url": "https://elsewhere.example/x"})
    for verdict, reason in (
        (judged(no, no, facts=GRANTLESS), "the application's own operation"),
        (judged(no, no, of=case(target="/x/")), "a path that lacks a name"),
        (judged(held, told(MASKED)), "held back by the operation's published plan"),
        (
            judged(told(REFUSAL, 502), told(REFUSAL, 502), facts=LINKED, of=elsewhere),
            "an example's link that leads past Amazon",
        ),
    ):
        assert verdict == (Kind.ASIDE, reason)


def test_no_reason_excuses_an_answer_that_was_given() -> None:
    assert judged(told(ANSWER), told(ANSWER), of=case(target="/x/"))[0] is Kind.WRONG
    assert judged(told(ANSWER), told(ANSWER), facts=GRANTLESS, of=case())[0] is Kind.REPLAYED
