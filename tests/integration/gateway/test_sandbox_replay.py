"""Every static case of Amazon's sandbox through forwarding path and simulated Amazon, on a clock of its own.

The cases are those of Amazon's models when they lie beside the checkout, else made up from the catalogue. The
same replay on running processes is `python -m bench sandbox`.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import parse_qsl, unquote

import pytest

import bench.sandbox.cases
import bench.sandbox.facts
import bench.sandbox.made_up
import simulator.sandbox
from bench.sandbox.cases import Case
from bench.sandbox.facts import NOTHING_KNOWN
from bench.sandbox.report import lines
from bench.sandbox.verdict import OWN_PLAN, Kind, Told, Verdict, judge
from chassis.secrecy import Secret
from fakes.clock import START
from fakes.gateway_ports import TOKEN_LIFE_S, Down
from services.gateway.model.calls import (
    AmazonToken,
    Region,
    Restriction,
    UpstreamAnswer,
    UpstreamRequest,
)
from tests.unit.gateway.forwarding import DOCUMENT_KEY, ORIGIN, PII, finished, header
from tests.unit.gateway.forwarding import Rig as GatewayRig
from tests.unit.simulator.rig import Rig as AmazonRig
from tests.unit.simulator.rig import StillDial

MODELS = Path(__file__).parents[4] / "shared" / "spapi" / "models"
TOKENS = "/tokens/2021-03-01/restrictedDataToken"
PLAIN = frozenset({"orders"})
# Amazon's count. Source: a walk over the models of amzn/selling-partner-api-models, snapshot 2026-08-05.
CASES_OF_AMAZON = 913
# How the gateway tells that failures of Amazon's let the seller's calls rest for a while.
RESTING = b"upstream_resting: "
HOST = "sellingpartnerapi-na.amazon.com"


class Replayed(GatewayRig):
    """The gateway's rig with the simulated Amazon and its sandbox at the far end."""

    def __init__(self, models: Path) -> None:
        super().__init__()
        self.amazon = AmazonRig(clock=StillDial(START), sandbox=simulator.sandbox.load(models))
        self.access = self.amazon.access()
        self.upstream.send = self._send  # type: ignore[method-assign]
        self.auth.lend_amazon_token = self._lend  # type: ignore[method-assign]

    async def prove(self, case: Case, facts: bench.sandbox.facts.Facts) -> Verdict:
        """Return what a case proves, asked as a device with the scope `pii` and as one without."""
        permitted, plain = await self.ask(case, PII), await self.ask(case, PLAIN)
        return judge(case, facts, permitted=permitted, plain=plain, origin=ORIGIN)

    async def ask(self, case: Case, scopes: frozenset[str]) -> Told:
        """Return the answer to a case's call; told to come back later, a device does."""
        while True:
            self.document_key.learn(DOCUMENT_KEY)
            token = self.auth.enrol(scopes=scopes)
            calling = self.call(token, case.target, case.method, body=case.body, host=HOST)
            answer = await finished(self, calling)
            is_early = OWN_PLAN in answer.body and answer.status != case.status
            if not is_early and RESTING not in answer.body:
                return Told(answer.status, answer.body)
            await self.clock.advance(float(header(answer, "retry-after") or 1))

    async def _send(self, request: UpstreamRequest, *, timeout_s: float) -> UpstreamAnswer:
        assert timeout_s > 0
        headers = {**dict(request.headers), "x-amz-access-token": request.token.reveal()}
        query = parse_qsl(request.query, keep_blank_values=True)
        path = unquote(request.path)
        answer = self.amazon.send(request.method, path, query, headers=headers, body=request.body)
        kept = [(name.lower(), value) for name, value in answer.headers]
        return UpstreamAnswer(answer.status, kept, answer.body)

    async def _lend(
        self,
        device_id: str,
        region: Region,
        restriction: Restriction | None,
        *,
        refused_digest: bytes,
        timeout_s: float,
    ) -> AmazonToken:
        assert device_id
        assert region is Region.NA
        assert timeout_s > 0
        if restriction is None or refused_digest:
            return AmazonToken(Secret(self.access), TOKEN_LIFE_S)
        resource: dict[str, object] = {"method": restriction.method, "path": restriction.path}
        if restriction.data_elements:
            resource["dataElements"] = list(restriction.data_elements)
        given = self.amazon.post(TOKENS, self.access, {"restrictedResources": [resource]})
        if given.status != 200:
            raise Down
        return AmazonToken(Secret(given.document()["restrictedDataToken"]), TOKEN_LIFE_S)


@pytest.fixture(scope="module")
async def verdicts(tmp_path_factory: pytest.TempPathFactory) -> Sequence[Verdict]:
    """What every case proves."""
    is_amazons = MODELS.is_dir()
    models = (
        MODELS if is_amazons else bench.sandbox.made_up.write(tmp_path_factory.mktemp("replay") / "models")
    )
    others = MODELS.parent / "operations.json"
    facts = bench.sandbox.facts.load(others if is_amazons else None)
    cases = bench.sandbox.cases.load(models)
    assert not is_amazons or len(cases) == CASES_OF_AMAZON
    rig = Replayed(models)
    return [await rig.prove(case, facts.get(case.key, NOTHING_KNOWN)) for case in cases]


async def test_each_case_comes_back_as_amazon_gave_it_and_bare_of_customers_without_the_scope_T05_T19(
    verdicts: Sequence[Verdict],
) -> None:
    """A success has Amazon's status and bytes, links to documents apart; a failure has its status.

    Without the scope `pii` the status is the same, or 403 where a whole document is personal, and no
    customer's value of the case is in what comes back.
    """
    wrong = [each for each in verdicts if each.kind is Kind.WRONG]
    assert not wrong, "\n".join(lines(verdicts))


async def test_cases_are_counted_aside_for_known_reasons_only(verdicts: Sequence[Verdict]) -> None:
    aside = Counter(each.reason for each in verdicts if each.kind is Kind.ASIDE)
    assert aside.keys() <= {
        "the application's own operation",
        "the gateway's own handles",
        "a path that lacks a name",
        "an example's link that leads past Amazon",
        "Amazon has two answers to this request",
    }
    assert sum(aside.values()) <= len(verdicts) // 20
