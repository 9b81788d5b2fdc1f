"""No member that looks personal comes into the catalogue unjudged."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.gateway.catalogue import build, candidates, pii, swagger
from services.gateway.catalogue.candidates import UnjudgedMembers, looks_personal
from services.gateway.catalogue.swagger import CLOSED, Leaf

SITE = "the seller's own site"


def members(**named: Any) -> dict[str, Any]:
    return {"type": "object", "properties": named}


TEXT = {"type": "string"}


def model(answer: dict[str, Any], *, parameters: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    """Return a model of one operation, as Amazon publishes models."""
    return {
        "info": {"version": "v1"},
        "paths": {
            "/parcels/v1/parcels/{parcelId}": {
                "get": {
                    "operationId": "getParcel",
                    "parameters": [{"name": "parcelId", "in": "path", "type": "string"}, *parameters],
                    "responses": {"200": {"schema": {"$ref": "#/definitions/Parcel"}}},
                }
            }
        },
        "definitions": {"Parcel": answer},
    }


def check(folder: Path, made: dict[str, Any], reviews: candidates.Reviews | None = None) -> None:
    file = folder / "parcels-api-model" / "parcels_v1.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(made))
    candidates.check(swagger.read(folder), reviews or {})


def review(place: str, *fields: str) -> candidates.Reviews:
    return {SITE: {"parcels_v1": {place: fields}}}


def test_a_member_that_looks_personal_fails_the_build_until_somebody_judges_it(tmp_path: Path) -> None:
    made = model(members(parcelId=TEXT, depot=members(name=TEXT, slot=TEXT)))
    with pytest.raises(UnjudgedMembers) as caught:
        check(tmp_path, made)
    assert "1 members look personal" in str(caught.value)
    assert "parcels_v1: depot.name  (getParcel $.depot.name)" in str(caught.value)
    check(tmp_path, made, review("depot", "name"))


def test_a_new_member_beside_a_reviewed_one_fails_the_build(tmp_path: Path) -> None:
    made = model(members(depot=members(name=TEXT, keyholderPhone=TEXT)))
    with pytest.raises(UnjudgedMembers, match="keyholderphone"):
        check(tmp_path, made, review("depot", "name"))


def test_a_review_in_another_place_does_not_count(tmp_path: Path) -> None:
    made = model(members(depot=members(name=TEXT), collectedBy=members(name=TEXT)))
    with pytest.raises(UnjudgedMembers, match=r"collectedby\.name"):
        check(tmp_path, made, review("depot", "name"))


def test_a_classified_member_needs_no_review(tmp_path: Path) -> None:
    check(tmp_path, model(members(recipient=members(name=TEXT, phone=TEXT), buyerEmail=TEXT)))


def test_a_review_of_what_is_not_there_any_more_fails_the_build(tmp_path: Path) -> None:
    with pytest.raises(UnjudgedMembers, match="are of no such member"):
        check(tmp_path, model(members(parcelId=TEXT)), review("depot", "name"))


def test_the_words_of_a_description_count_as_much_as_a_name(tmp_path: Path) -> None:
    told = {"type": "string", "description": "Whom the recipient trusts with it."}
    with pytest.raises(UnjudgedMembers, match="deputy"):
        check(tmp_path, model(members(deputy=told)))


@pytest.mark.parametrize("place", ["query", "header", "path"])
def test_personal_parameters_fail_the_build_too(tmp_path: Path, place: str) -> None:
    parameter = {"name": "recipientPhone", "in": place, "type": "string"}
    with pytest.raises(UnjudgedMembers, match=r"\?recipientPhone"):
        check(tmp_path, model(members(parcelId=TEXT), parameters=(parameter,)))


def test_what_stands_in_an_object_with_free_names_is_looked_at(tmp_path: Path) -> None:
    slots = {"type": "object", "additionalProperties": members(holderName=TEXT)}
    with pytest.raises(UnjudgedMembers, match=r"slots\.\*\.holderName"):
        check(tmp_path, model(members(slots=slots)))


def test_a_personal_member_in_an_object_with_free_names_cannot_be_classified_alone(tmp_path: Path) -> None:
    slots = {"type": "object", "additionalProperties": members(recipient=members(name=TEXT))}
    with pytest.raises(UnjudgedMembers, match=r"slots\.\*\.recipient\.name"):
        check(tmp_path, model(members(slots=slots)))


@pytest.mark.parametrize(
    ("leaf", "is_personal"),
    [
        (Leaf("$.buyerTaxID", ("buyertaxid",), "string"), True),
        (Leaf("$.contacts[*]", ("contacts",), "string", "People."), False),
        (Leaf("$.contact[*]", ("contact",), "string"), True),
        (Leaf("$.parcelId", ("parcelid",), "string"), False),
        (Leaf("$.usernames", ("usernames",), "string", "The customer's names."), True),
        (Leaf("$.buyerKind", ("buyerkind",), CLOSED), False),
        (Leaf("$.taxAmount", ("taxamount",), "number"), False),
        (Leaf("$.latitude", ("latitude",), "number"), True),
    ],
)
def test_names_forms_and_words_tell_a_candidate(leaf: Leaf, *, is_personal: bool) -> None:
    assert looks_personal(leaf) is is_personal


@pytest.mark.parametrize(
    "schema",
    [{"type": "string", "enum": ["A"]}, {"type": "boolean"}, {"type": "string", "format": "date-time"}],
)
def test_a_closed_form_holds_nobodys_data(tmp_path: Path, schema: dict[str, Any]) -> None:
    check(tmp_path, model(members(buyerName2=schema)))


def test_every_review_gives_its_reason_and_none_is_of_a_classified_field() -> None:
    reviews = json.loads(build.FACTS.read_bytes())["reviewed"]["rows"]
    assert all(len(reason) > 10 for reason in reviews)
    fields = {
        field
        for apis in reviews.values()
        for places in apis.values()
        for each in places.values()
        for field in each
    }
    assert not fields & pii.ALWAYS.keys()


def test_the_command_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "parcels-api-model"
    folder.mkdir()
    (folder / "parcels_v1.json").write_text(json.dumps(model(members(guestName=TEXT))))
    assert build.main(["--models", str(tmp_path), "--check"]) == 1
    assert "facts.json" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("pattern", "is_left_out"), [("", False), ("^.{1,20}$", False), ("^[A-Z0-9]*$", True), ("[0-9]", True)]
)
def test_a_members_pattern_decides_whether_it_can_be_masked(pattern: str, *, is_left_out: bool) -> None:
    name = Leaf("$.buyerInfo.buyerName", ("buyerinfo", "buyername"), "string", pattern=pattern)
    sku = Leaf("$.sku", ("sku",), "string", pattern="^[A-Z0-9]*$")
    assert pii.unmaskable("parcels_v1", [name, sku]) == ([name.path] if is_left_out else [])
