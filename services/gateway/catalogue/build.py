"""Makes `operations.json` from Amazon's model files: `python -m services.gateway.catalogue.build`.

What the models say is read from them; what no model says (rates of Amazon's SDK, restricted and grantless
operations, members that look personal and are not) stands in `facts.json` with its source. Where model and
SDK disagree about a rate, the lower one is taken: the quota learns the true one from Amazon's answers. An
operation that is no GET counts as a read only when `facts.json` says so, with words that still stand in its
model.
"""

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from services.gateway.catalogue import candidates, pii, swagger

FOLDER = Path(__file__).parent
CATALOGUE = FOLDER / "operations.json"
FACTS = FOLDER / "facts.json"
# The facts that are told by operation.
OF_OPERATIONS = ("rates", "restricted", "grantless", "reads", "not_reads")

# Methods that change nothing. Source: RFC 9110, 9.2.1.
_SAFE = frozenset({"GET", "HEAD"})

# The row of the usage plan's table in an operation's description: | rate | burst |.
_USAGE_PLAN = re.compile(r"\|\s*([\d.]+)\s*\|\s*(\d+)\s*\|")


def main(arguments: Sequence[str]) -> int:
    """Write the catalogue, or with --check only compare; 0 when it is as the models say, else 1."""
    parser = argparse.ArgumentParser(prog="services.gateway.catalogue.build", description=__doc__)
    parser.add_argument("--models", type=Path, required=True, metavar="DIR", help="Amazon's models/ folder")
    parser.add_argument("--check", action="store_true", help="compare with the catalogue, write nothing")
    options = parser.parse_args(arguments)
    try:
        made = render(operations(options.models))
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if options.check:
        is_same = CATALOGUE.read_bytes() == made
        sys.stdout.write("The catalogue is as the models say.\n" if is_same else "The catalogue differs.\n")
        return 0 if is_same else 1
    CATALOGUE.write_bytes(made)
    sys.stdout.write(f"{made.count(b'operation_id')} operations written to {CATALOGUE}\n")
    return 0


def operations(models: Path) -> list[dict[str, Any]]:
    """Return one row per operation of the models, ready for JSON.

    Raises:
        ValueError: a fact names an operation that no model has, or calls one a read with words of no model.
        UnjudgedMembers: a member looks personal, and is neither classified nor reviewed.
    """
    facts = {name: table["rows"] for name, table in orjson.loads(FACTS.read_bytes()).items()}
    found = swagger.read(models)
    known = {_key(each) for each in found}
    for name in OF_OPERATIONS:
        if strangers := facts[name].keys() - known:
            raise ValueError(f"facts.json, {name}: no model has {sorted(strangers)}")
    _check_reads(found, facts["reads"])
    candidates.check(found, facts["reviewed"])
    return [_row(each, facts) for each in found]


def render(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Return the catalogue as JSON with one operation a line, so that changes can be read."""
    return b"[\n" + b",\n".join(orjson.dumps(row) for row in rows) + b"\n]\n"


def _check_reads(found: Sequence[swagger.ModelOperation], reads: Mapping[str, str]) -> None:
    """Return if each read's description still holds the words by which it was judged one."""
    for each in found:
        if reads.get(_key(each), "") not in each.node.get("description", ""):
            raise ValueError(f"facts.json, reads: judge {_key(each)} again, its description has changed")


def _key(operation: swagger.ModelOperation) -> str:
    return f"{operation.method} {operation.path}"


def _row(operation: swagger.ModelOperation, facts: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    key = _key(operation)
    rate_per_s, burst = _rate(operation, facts["rates"].get(key))
    answer = operation.answer_leaves()
    return {
        "operation_id": operation.operation_id,
        "api": operation.api,
        "version": operation.version,
        "method": operation.method,
        "path": operation.path,
        "is_read": operation.method in _SAFE or key in facts["reads"],
        "rate_per_s": rate_per_s,
        "burst": burst,
        "restricted": facts["restricted"].get(key),
        "grantless": facts["grantless"].get(key),
        "pii": pii.customer_paths(operation.api, answer),
        "unmaskable": pii.unmaskable(operation.api, answer),
        "pii_request": pii.customer_paths(operation.api, operation.request_leaves()),
        "document_links": pii.document_links(answer),
        "buyer_links": pii.buyer_links(operation.api, answer),
        "query": operation.named("query"),
        "headers": operation.named("header"),
    }


def _rate(operation: swagger.ModelOperation, sdk: Sequence[float] | None) -> tuple[float | None, int | None]:
    plan = _USAGE_PLAN.search(operation.node.get("description", ""))
    plans = [(float(plan[1]), int(plan[2]))] if plan else []
    if sdk is not None:
        plans.append((float(sdk[0]), int(sdk[1])))
    if not plans:
        return None, None
    return min(rate for rate, _ in plans), min(burst for _, burst in plans)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
