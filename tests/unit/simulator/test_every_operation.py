"""All 370 operations, and the cases of Amazon's sandbox when it has learnt some."""

import json
from pathlib import Path
from typing import Any

import pytest

import simulator.sandbox
from simulator import operations
from simulator.operations import OPERATIONS, Operation, Restriction
from simulator.sandbox import ModelsInvalid
from tests.unit.simulator.papers import fetch
from tests.unit.simulator.rig import Rig, error

LABELS = "/fba/inbound/v0/shipments/S1/labels"
THING = "/vehicles/2024-11-01/vehicles"
MODEL = {
    "paths": {
        "/catalog/2024-11-01/automotive/vehicles": {
            "get": {
                "operationId": "getVehicles",
                "responses": {
                    "200": {
                        "x-amzn-api-sandbox": {
                            "static": [
                                {
                                    "request": {
                                        "parameters": {
                                            "marketplaceId": {"value": "M1"},
                                            "includedData": {"value": ["a", "b"]},
                                        }
                                    },
                                    "response": {"cars": ["é"]},
                                },
                                {"request": {"parameters": {"marketplaceId": {"value": "M2"}}}},
                            ]
                        }
                    },
                    "404": {
                        "examples": {
                            "x-amzn-api-sandbox": {
                                "static": [
                                    {
                                        "request": {"parameters": {"marketplaceId": {"value": "M3"}}},
                                        "response": {"errors": []},
                                    }
                                ]
                            }
                        }
                    },
                },
            }
        }
    }
}
VEHICLES = "/catalog/2024-11-01/automotive/vehicles"


def token_for(rig: Rig, operation: Operation) -> str:
    if operation.scope:
        granted = rig.lwa(grant_type="client_credentials", scope=operation.scope)
        own: str = granted.document()["access_token"]
        return own
    access = rig.access()
    if operation.restriction is Restriction.ALWAYS:
        return rig.restricted(access, [{"method": operation.method, "path": operation.path}])
    return access


def learned(tmp_path: Path) -> Rig:
    (tmp_path / "vehicles_2024-11-01.json").write_text(json.dumps(MODEL), encoding="utf-8")
    return Rig(sandbox=simulator.sandbox.load(tmp_path))


def test_every_operation_is_found_by_its_own_path() -> None:
    assert len(OPERATIONS) == len({operation.name for operation in OPERATIONS}) == 370
    for operation in OPERATIONS:
        found = operations.match(operation.method, operation.path.replace("{", "").replace("}", ""))
        assert found is not None
        assert found.operation is operation


def test_every_operation_answers_in_json_or_without_a_body() -> None:
    rig = Rig()
    for operation in OPERATIONS:
        path = operation.path.replace("{", "").replace("}", "")
        headers = {"x-amz-access-token": token_for(rig, operation)}
        answer = rig.send(operation.method, path, headers=headers)
        assert answer.status in {operation.status, 400, 403, 404, 409}, operation.name
        assert not answer.body or isinstance(answer.document(), dict | list), operation.name


def test_an_operation_without_a_state_answers_the_same_again_in_its_models_shape() -> None:
    rig = Rig()
    path = "/awd/2024-05-09/inventory"
    first, second = (rig.get(path, rig.access()) for _ in range(2))
    assert (first.status, first.body) == (200, second.body)
    assert "sku" in first.document()["inventory"][0]
    assert rig.get(path, rig.access(1)).body != first.body


def test_links_in_made_up_answers_lead_to_a_page_with_a_buyer() -> None:
    rig = Rig()
    url = rig.get(LABELS, rig.access()).document()["payload"]["DownloadURL"]
    page = fetch(rig, url)
    assert (page.status, page.header("Content-Type")) == (200, "application/pdf")
    assert rig.orders()[0].buyer.marker.encode() in page.body


def test_a_path_that_amazon_does_not_have_is_absent() -> None:
    rig = Rig()
    assert rig.get(THING, rig.access()).status == 404


@pytest.mark.parametrize(
    ("query", "status", "body"),
    [
        ({"marketplaceId": "M1", "includedData": "a,b"}, 200, '{"cars":["é"]}'),
        ({"marketplaceId": "M1", "includedData": "b"}, 200, '{"cars":["é"]}'),
        ({"marketplaceId": "M2", "unheardOf": "x"}, 200, ""),
        ({"marketplaceId": "M3"}, 404, '{"errors":[]}'),
    ],
)
def test_a_case_of_the_sandbox_is_answered_as_it_stands(
    tmp_path: Path, query: dict[str, str], status: int, body: str
) -> None:
    rig = learned(tmp_path)
    answer = rig.get(VEHICLES, rig.access(), **query)
    assert (answer.status, answer.body.decode()) == (status, body)


@pytest.mark.parametrize(
    "query",
    [{}, {"marketplaceId": "M9"}, {"marketplaceId": "M1", "includedData": "c"}, {"includedData": "a,b"}],
)
def test_what_matches_no_case_is_refused_in_amazons_words(tmp_path: Path, query: dict[str, Any]) -> None:
    rig = learned(tmp_path)
    refused = rig.get(VEHICLES, rig.access(), **query)
    assert refused.status == 400
    assert error(refused)["message"] == "Could not match input arguments"


def test_the_sandbox_can_be_learnt_and_forgotten_by_the_controls(tmp_path: Path) -> None:
    rig = learned(tmp_path)
    assert rig.controls.set_sandbox({"models": None}) == {"cases": 0}
    assert rig.get(VEHICLES, rig.access()).status == 200
    assert rig.controls.set_sandbox({"models": str(tmp_path)}) == {"cases": 3}
    assert rig.get(VEHICLES, rig.access()).status == 400


def test_a_folder_without_models_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelsInvalid, match="no model"):
        simulator.sandbox.load(tmp_path)
    (tmp_path / "broken.json").write_text("{", encoding="utf-8")
    with pytest.raises(ModelsInvalid, match="not JSON"):
        simulator.sandbox.load(tmp_path)
