"""Makes `operations.json` from Amazon's model files: `python -m simulator.facts.build --models DIR`.

Of each operation it keeps method, path, usage plan, the status of success, and the bare shape of that answer:
names and kinds of the members that must be there. No description, example or schema of Amazon's is copied.

Source: the models of amzn/selling-partner-api-models, snapshot 2026-08-05 (Apache-2.0); rates that no model
gives, from `rates.json`, whose source stands in it.
"""

import argparse
import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from simulator.facts.shape import Shaper

FOLDER = Path(__file__).parent
FILE = FOLDER / "operations.json"
RATES = FOLDER / "rates.json"
NO_CONTENT = 204
METHODS = ("get", "post", "put", "patch", "delete")

# The row of the usage plan's table in an operation's description: | rate | burst |.
_USAGE_PLAN = re.compile(r"\|\s*([\d.]+)\s*\|\s*(\d+)\s*\|")

Document = Mapping[str, Any]


def main(arguments: Sequence[str]) -> int:
    """Write the facts, or with --check only compare; 0 when they are as the models say, else 1."""
    parser = argparse.ArgumentParser(prog="simulator.facts.build", description=__doc__)
    parser.add_argument("--models", type=Path, required=True, metavar="DIR", help="Amazon's models/ folder")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    options = parser.parse_args(arguments)
    made = render(rows(options.models))
    if options.check:
        return 0 if FILE.read_text(encoding="utf-8") == made else 1
    FILE.write_text(made, encoding="utf-8")
    return 0


def rows(models: Path) -> list[dict[str, Any]]:
    """Return one row for each operation, models and paths in alphabetical order."""
    rates = json.loads(RATES.read_text(encoding="utf-8"))["rows"]
    found: list[dict[str, Any]] = []
    for file in sorted(models.glob("*/*.json"), key=lambda each: each.stem):
        model = json.loads(file.read_text(encoding="utf-8"))
        for path in sorted(model["paths"]):
            methods = model["paths"][path]
            found += [
                _row(model, methods[each], api=file.stem, key=(each.upper(), path), rates=rates)
                for each in METHODS
                if each in methods
            ]
    return _named_once(found)


def render(found: Sequence[Document]) -> str:
    """Return rows as JSON, one a line, so that changes can be read."""
    lines = ",\n".join(json.dumps(row, separators=(",", ":"), ensure_ascii=False) for row in found)
    return f"[\n{lines}\n]\n"


def _row(
    model: Document, node: Document, *, api: str, key: tuple[str, str], rates: Mapping[str, Sequence[float]]
) -> dict[str, Any]:
    method, path = key
    told = _USAGE_PLAN.search(node.get("description", ""))
    plan = [float(told[1]), int(told[2])] if told else rates.get(f"{method} {path}")
    status = min(int(each) for each in node["responses"] if each.startswith("2"))
    # HTTP has no body with 204, whatever a model says.
    answer = None if status == NO_CONTENT else node["responses"][str(status)].get("schema")
    row = {
        "name": f"{api}.{node['operationId']}",
        "method": method,
        "path": path,
        "plan": plan,
        "status": status,
    }
    return row | ({"shape": Shaper(model["definitions"]).of(answer)} if answer else {})


def _named_once(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows with names that tell them apart: Amazon uses one operationId twice in a model."""
    names: set[str] = set()
    for row in found:
        if row["name"] in names:
            row["name"] += f".{row['method'].lower()}"
        names.add(row["name"])
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
