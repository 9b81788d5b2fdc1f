"""Cases made up from the gateway's own catalogue, for where Amazon's models are not at hand.

For every operation one success that holds a text of its own at each of its customers' members and a link at
each link's, and one refusal. They are written as small models, so that the same readers read them.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

import services.gateway.catalogue.build
from services.gateway.model.buyer_links import Holding

FILE = "made-up.json"
LINK = "https://d34o8swod1owfl.cloudfront.net/made-up"
# The parameter that tells the two cases apart.
_MARK = "marketplaceIds"


def write(folder: Path) -> Path:
    """Write the models into a new folder and return it; one file for each of Amazon's models."""
    folder.mkdir()
    models: dict[str, dict[str, Any]] = {}
    for number, row in enumerate(orjson.loads(services.gateway.catalogue.build.CATALOGUE.read_bytes())):
        paths = models.setdefault(row["api"], {"paths": {}})["paths"]
        paths.setdefault(row["path"], {})[row["method"].lower()] = _operation(number, row)
    for api, model in models.items():
        (folder / f"{api}.json").write_text(json.dumps(model), encoding="utf-8")
    return folder


def _operation(number: int, row: Mapping[str, Any]) -> dict[str, Any]:
    names = [part[1:-1] for part in row["path"].split("/") if part.startswith("{")]
    good, bad = ({name: {"value": f"{end}-{number}"} for name in names} for end in ("GOOD", "BAD"))
    if not names:
        bad = {_MARK: {"value": "BAD"}} if _MARK in row["query"] else {}
    document: dict[str, Any] = {"simulated": number}
    for path in (*row["document_links"], *row["buyer_links"].get(Holding.LINK, ())):
        _put(document, path, f"{LINK}/{number}")
    for place, path in enumerate(path for paths in row["pii"].values() for path in paths):
        _put(document, path, f"customer {number}.{place}")
    refusal = {"errors": [{"code": "InvalidInput", "message": "Made up.", "details": ""}]}
    responses = {"200": _response(good, document)}
    if bad:
        responses["400"] = _response(bad, refusal)
    return {"operationId": row["operation_id"], "responses": responses}


def _response(parameters: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
    case = {"request": {"parameters": parameters}, "response": answer}
    return {"x-amzn-api-sandbox": {"static": [case]}}


def _put(document: dict[str, Any], path: str, value: str) -> None:
    """Put a value at a JSONPath of members and `[*]`; what stands above it already stays."""
    holder: Any = document
    *above, last = steps = path.replace("[*]", ".[*]").split(".")[1:]
    for step, following in zip(above, steps[1:], strict=True):
        empty: Any = [] if following == "[*]" else {}
        holder = _entry(holder, empty) if step == "[*]" else holder.setdefault(step, empty)
    if last == "[*]":
        holder.append(value)
    else:
        holder.setdefault(last, value)


def _entry(holder: list[Any], empty: Any) -> Any:
    if not holder:
        holder.append(empty)
    return holder[0]
