"""The facts about Amazon's operations: what is kept of a model, and that they are as the models say."""

import json
from pathlib import Path
from typing import Any

from simulator.facts import build
from simulator.facts.shape import Shaper
from simulator.operations import OPERATIONS

# Beside the checkout, where somebody has them; never in it.
MODELS = Path(__file__).parents[4] / "shared" / "spapi" / "models"

DEFINITIONS: dict[str, Any] = {
    "Thing": {
        "type": "object",
        "required": ["id", "kind", "parts"],
        "properties": {
            "id": {"type": "string", "description": "not kept", "example": "not kept either"},
            "kind": {"type": "string", "enum": ["FIRST", "SECOND"]},
            "parts": {"type": "array", "items": {"$ref": "#/definitions/Part"}},
            "note": {"type": "string"},
            "papers": {"$ref": "#/definitions/Papers"},
        },
    },
    "Part": {"allOf": [{"properties": {"at": {"type": "string", "format": "date-time"}}}]},
    "Papers": {"properties": {"documentUrl": {"type": "string"}}, "required": []},
}


def test_a_shape_keeps_names_and_kinds_of_what_must_be_there_and_the_way_to_links() -> None:
    assert Shaper(DEFINITIONS).of({"$ref": "#/definitions/Thing"}) == {
        "id": "text",
        "kind": "=FIRST",
        "parts": [{"at": "time"}],
        "papers": {"documentUrl": "link"},
    }


def test_a_schema_that_holds_itself_ends() -> None:
    tree = {"Tree": {"required": ["next"], "properties": {"next": {"$ref": "#/definitions/Tree"}}}}
    assert "next" in Shaper(tree).of({"$ref": "#/definitions/Tree"})


def test_rows_are_made_from_a_model(tmp_path: Path) -> None:
    node = {
        "operationId": "getThing",
        "description": "| Rate (requests per second) | Burst |\n| ---- | ---- |\n| 0.5 | 30 |",
        "responses": {"201": {"schema": {"$ref": "#/definitions/Thing"}}, "400": {}},
    }
    empty = {"operationId": "getThing", "responses": {"204": {"schema": {"type": "string"}}}}
    model = {"definitions": DEFINITIONS, "paths": {"/things/{id}": {"get": node, "delete": empty}}}
    (tmp_path / "things").mkdir()
    (tmp_path / "things" / "things.json").write_text(json.dumps(model), encoding="utf-8")
    first, second = build.rows(tmp_path)
    assert (first["name"], first["plan"], first["status"]) == ("things.getThing", [0.5, 30], 201)
    assert (second["name"], second["plan"]) == ("things.getThing.delete", None)
    assert "shape" not in second


def test_the_facts_that_are_kept_are_as_the_models_beside_the_checkout_say() -> None:
    kept = json.loads(build.FILE.read_text(encoding="utf-8"))
    assert len(kept) == len(OPERATIONS) == 370
    assert build.render(kept) == build.FILE.read_text(encoding="utf-8")
    assert not MODELS.is_dir() or build.render(build.rows(MODELS)) == build.render(kept)
