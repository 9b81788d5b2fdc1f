"""A share of Amazon's sandbox cases on running processes: one for each place where customers or links pass.

Amazon's own cases when its models lie beside the checkout, else some made up from the catalogue. All of them:
`python -m bench sandbox`; on a clock of their own: tests/integration/gateway/test_sandbox_replay.py.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import bench.sandbox.cases
import bench.sandbox.facts
import bench.sandbox.made_up
from bench.sandbox import show
from bench.sandbox.cases import Case
from bench.sandbox.facts import NOTHING_KNOWN, Facts
from bench.sandbox.report import is_held, lines
from bench.sandbox.verdict import THROTTLED
from sallyport.demo.scene import Scene

MODELS = Path(__file__).parents[3] / "shared" / "spapi" / "models"


async def test_sandbox_cases_come_back_as_amazon_gave_them_or_bare_of_customers_T19(
    scene: Scene, tmp_path: Path
) -> None:
    models = MODELS if MODELS.is_dir() else bench.sandbox.made_up.write(tmp_path / "models")
    facts = bench.sandbox.facts.load()
    cases = list(_chosen(bench.sandbox.cases.load(models), facts))
    verdicts = await show.take(scene, models, cases=cases, facts=facts, report=lambda _: None)
    assert is_held(verdicts), "\n".join(lines(verdicts))


def _chosen(cases: Sequence[Case], facts: Mapping[str, Facts]) -> Iterator[Case]:
    """Yield the first success of each operation with personal data or links, and one of each other sort."""
    seen: set[tuple[str, int]] = set()
    for case in cases:
        fact = facts.get(case.key, NOTHING_KNOWN)
        is_telling = case.is_success and bool(fact.customer_paths or fact.link_paths)
        sort = (case.key if is_telling else case.method, case.status)
        if case.status < THROTTLED and sort not in seen:
            seen.add(sort)
            yield case
