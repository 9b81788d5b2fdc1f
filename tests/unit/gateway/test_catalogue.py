"""The catalogue: made from the models, complete, and the only way to an operation."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.errors import SallyportError
from services.gateway.catalogue import build
from services.gateway.catalogue.table import GREEDY_PATHS, Catalogue
from services.gateway.model.faults import OperationNotAllowed
from services.gateway.model.operations import Operation, TokenRule
from services.gateway.model.priority import PAGE_PARAMETERS
from services.gateway.model.targets import (
    PATH_SEGMENTS_MAX,
    QUERY_PAIRS_MAX,
    TARGET_CHARS_MAX,
    QueryInvalid,
    canonical,
    parse,
)

CATALOGUE = Catalogue.load()
REFERENCE = Path(__file__).parents[4] / "shared" / "spapi"

FACTS: dict[str, dict[str, Any]] = json.loads(build.FACTS.read_bytes())

needs_reference = pytest.mark.skipif(not REFERENCE.exists(), reason="the reference data is not here")


def reference() -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads((REFERENCE / "operations.json").read_bytes())["operations"]
    return listed


def test_all_operations_of_the_models_are_known() -> None:
    operations = list(CATALOGUE)
    assert len(operations) == 370
    assert len({operation.key for operation in operations}) == 370
    assert sum(bool(operation.grantless_scope) for operation in operations) == 8
    assert sum(operation.token is not TokenRule.ORDINARY for operation in operations) == 31
    assert sum(operation.mask is not None for operation in operations) == 54


def test_operations_that_show_personal_data_without_a_restricted_token_are_masked_too() -> None:
    unguarded = [each for each in CATALOGUE if each.mask and each.token is TokenRule.ORDINARY]
    assert len(unguarded) == 24


def test_every_operation_is_found_by_its_own_path() -> None:
    for operation in CATALOGUE:
        segments = [part.strip("{}") for part in operation.path.split("/")[1:]]
        found, parameters = CATALOGUE.match(operation.method, segments)
        literal_twin = "{" in operation.path and "{" not in found.path
        assert found is operation or literal_twin
        assert set(parameters.values()) <= set(segments)


def test_a_literal_goes_before_a_parameter() -> None:
    found, _ = CATALOGUE.match("GET", ("orders", "v0", "orders", "1", "address"))
    assert found.operation_id == "getOrderAddress"


def test_what_an_upload_is_for_may_be_a_path_of_its_own() -> None:
    place = ("uploads", "2020-11-01", "uploadDestinations")
    for resource in (
        "x",
        "aplus/2020-11-01/contentDocuments",
        "messaging/v1/orders/1/messages/legalDisclosure",
    ):
        found, named = CATALOGUE.match("POST", (*place, *resource.split("/")))
        assert (found.operation_id, named) == ("createUploadDestinationForResource", {"resource": resource})
    with pytest.raises(OperationNotAllowed):
        CATALOGUE.match("GET", (*place, "x", "y"))
    with pytest.raises(OperationNotAllowed):
        CATALOGUE.match("POST", place)


@needs_reference
def test_amazons_models_have_no_other_greedy_paths() -> None:
    marked = {
        path
        for file in (REFERENCE / "models").rglob("*.json")
        for path, item in json.loads(file.read_bytes())["paths"].items()
        if "greedy-path-parameter" in json.dumps(item)
    }
    assert marked == GREEDY_PATHS


def of_path(method: str, path: str) -> Operation:
    return replace(next(iter(CATALOGUE)), method=method, path=path)


def test_a_path_that_begins_like_a_literal_one_and_goes_on_otherwise_is_found() -> None:
    literal, generic = of_path("GET", "/a/b/{id}/c"), of_path("GET", "/a/{id}/{part}/d")
    writing = of_path("POST", "/a/{id}/{part}/c")
    catalogue = Catalogue([writing, generic, literal])
    assert catalogue.match("GET", ("a", "b", "1", "c")) == (literal, {"id": "1"})
    assert catalogue.match("GET", ("a", "b", "1", "d")) == (generic, {"id": "b", "part": "1"})
    assert catalogue.match("POST", ("a", "b", "1", "c")) == (writing, {"id": "b", "part": "1"})


def test_operations_that_no_call_could_tell_apart_are_refused() -> None:
    with pytest.raises(ValueError, match="one method and path"):
        Catalogue([of_path("GET", "/a/{id}"), of_path("GET", "/a/{name}")])


def test_every_parameter_that_asks_for_a_next_page_is_known_for_one() -> None:
    words = {"nexttoken", "pagetoken", "paginationtoken", "nextpagetoken", "startingtoken"}
    spelled = {name for operation in CATALOGUE for name in operation.query if name.lower() in words}
    assert spelled == PAGE_PARAMETERS


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/orders/v0/orders/1/address/more"),
        ("DELETE", "/orders/v0/orders"),
        ("get", "/orders/v0/orders"),
        ("GET", "/Orders/v0/orders"),
        ("GET", "/mws/orders"),
        ("GET", "/"),
    ],
)
def test_unknown_operation_is_refused_T05(method: str, path: str) -> None:
    with pytest.raises(OperationNotAllowed):
        CATALOGUE.match(method, parse(path).segments)


@pytest.mark.parametrize(
    "target",
    [
        "/orders/v0/orders/..%2f..%2ftokens",
        "/orders/v0/orders/%2e%2e/address",
        "/orders/v0/orders/../address",
        "/orders/v0/orders/./address",
        "/orders/v0/orders/..;x/address",
        "/orders//v0/orders",
        "/orders/v0/orders/",
        "/orders/v0/orders/a%5cb",
        "/orders/v0/orders/a%00",
        "/orders/v0/orders/a%0d%0ab",
        "/orders/v0/orders/a%C2%85",
        "/orders/v0/orders/%252e%252e",
        "/orders/v0/orders/%25252f",
        "/orders/v0/orders/%zz",
        "/orders/v0/orders/%ff",
        "/orders/v0/orders/a b",
        "/orders/v0/orders/ä",
        "/orders/v0/orders#x",
        "//evil.example/orders/v0/orders",
        "https://evil.example/orders/v0/orders",
        "orders/v0/orders",
        "*",
        "",
    ],
)
def test_tricky_path_is_refused_T05(target: str) -> None:
    with pytest.raises(OperationNotAllowed):
        CATALOGUE.match("GET", parse(target).segments)


@pytest.mark.parametrize(
    "query", ["a b", "a=%zz", "a=%4", 'a="', "a=\u00e4", "a\r\nhost: x", "a#b", "a\\b", "a=<"]
)
def test_a_query_that_no_library_writes_is_refused_T10(query: str) -> None:
    with pytest.raises(QueryInvalid):
        parse(f"/orders/v0/orders?{query}")


@pytest.mark.parametrize(
    ("longest", "more", "refusal"),
    [
        ("/a?" + "b" * (TARGET_CHARS_MAX - 3), "b", QueryInvalid),
        ("/a?b" + "&b" * (QUERY_PAIRS_MAX - 1), "&b", QueryInvalid),
        ("/b" * PATH_SEGMENTS_MAX, "/b", OperationNotAllowed),
    ],
)
def test_a_target_is_read_up_to_its_bounds_and_no_further_T09(
    longest: str, more: str, refusal: type[SallyportError]
) -> None:
    assert parse(longest).segments
    with pytest.raises(refusal):
        parse(longest + more)


@settings(deadline=None)
@given(st.text(max_size=200))
def test_whatever_is_asked_the_path_that_leaves_is_of_the_catalogue_T05_T10(target: str) -> None:
    try:
        asked = parse(target)
        operation, parameters = CATALOGUE.match("GET", asked.segments)
    except (OperationNotAllowed, QueryInvalid):
        return
    template = operation.path
    for name, value in parameters.items():
        template = template.replace(f"{{{name}}}", canonical([value])[1:])
    assert asked.path == template


@settings(deadline=None)
@given(st.lists(st.text(alphabet="ab%2e./\\;{}:", min_size=0, max_size=6), max_size=6))
def test_canonical_paths_have_no_dots_slashes_or_empty_parts_T05(parts: list[str]) -> None:
    try:
        target = parse("/" + "/".join(parts))
    except OperationNotAllowed:
        return
    assert target.path == canonical(target.segments)
    assert target.path.isascii()
    assert not {"", ".", ".."} & set(target.path.split("/")[1:])
    assert parse(target.path) == target


@settings(deadline=None)
@given(st.lists(st.from_regex(r"[A-Za-z0-9~-][A-Za-z0-9._~-]{0,8}", fullmatch=True), min_size=1, max_size=20))
def test_a_target_of_plain_words_is_read_like_the_same_one_in_escapes_T05_T10(words: list[str]) -> None:
    escaped = [f"%{ord(word[0]):02X}{word[1:]}" for word in words]
    plain, other = (f"/{'/'.join(each)}?{'=1&'.join(each)}" for each in (words, escaped))
    try:
        target = parse(plain)
    except OperationNotAllowed:
        with pytest.raises(OperationNotAllowed):
            parse(other)
        return
    assert (target.segments, target.path) == (parse(other).segments, parse(other).path)
    assert [name for _, name, _ in target.pairs] == [name for _, name, _ in parse(other).pairs] == words


def test_a_read_is_a_get_or_stands_among_the_facts_with_its_words() -> None:
    reads = FACTS["reads"]["rows"]
    told = {each.key for each in CATALOGUE if each.is_read and each.method not in {"GET", "HEAD"}}
    assert told == reads.keys()
    assert len(told) == 22
    assert all(reads.values())
    assert all(each.is_read for each in CATALOGUE if each.method in {"GET", "HEAD"})


def test_what_is_called_like_a_read_and_is_no_get_was_judged() -> None:
    verbs = re.compile("(check|find|get|list|preview|query|retrieve|search|validate)[A-Z]")
    named = {each.key for each in CATALOGUE if each.method != "GET" and verbs.match(each.operation_id)}
    reads, others = FACTS["reads"]["rows"], FACTS["not_reads"]["rows"]
    assert named <= reads.keys() | others.keys()
    assert not reads.keys() & others.keys()
    assert not any(each.is_read for each in CATALOGUE if each.key in others)
    assert all(others.values())


def built(folder: Path, monkeypatch: pytest.MonkeyPatch, *, reads: Mapping[str, str]) -> dict[str, Any]:
    """Return the row that comes of a POST with a description, and of facts that name reads."""
    node = {"operationId": "getFees", "description": "Returns the fees.\n\nNo more.", "responses": {}}
    file, facts = folder / "fees-model" / "fees.json", folder / "facts.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps({"info": {"version": "v1"}, "paths": {"/fees": {"post": node}}}))
    empty: dict[str, Any] = {name: {"rows": {}} for name in (*build.OF_OPERATIONS, "reviewed")}
    facts.write_text(json.dumps({**empty, "reads": {"rows": reads}}))
    monkeypatch.setattr(build, "FACTS", facts)
    (row,) = build.operations(folder)
    return row


def test_what_nobody_judged_is_no_read_unless_it_is_a_get(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert built(tmp_path, monkeypatch, reads={})["is_read"] is False
    assert built(tmp_path, monkeypatch, reads={"POST /fees": "Returns the fees."})["is_read"] is True


def test_a_read_whose_words_have_changed_fails_the_build_until_it_is_judged_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ValueError, match="judge POST /fees again"):
        built(tmp_path, monkeypatch, reads={"POST /fees": "Returns an estimate."})
    with pytest.raises(ValueError, match="no model has"):
        built(tmp_path, monkeypatch, reads={"POST /charges": "Returns the fees."})


@needs_reference
def test_catalogue_is_what_the_script_makes_of_the_models() -> None:
    assert build.main(["--models", str(REFERENCE / "models"), "--check"]) == 0


@needs_reference
def test_check_notices_a_catalogue_that_differs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right, other = build.CATALOGUE.read_bytes(), tmp_path / "operations.json"
    other.write_bytes(b"[]\n")
    monkeypatch.setattr(build, "CATALOGUE", other)
    assert build.main(["--models", str(REFERENCE / "models"), "--check"]) == 1
    assert build.main(["--models", str(REFERENCE / "models")]) == 0
    assert other.read_bytes() == right


@needs_reference
def test_catalogue_agrees_with_the_reference_table() -> None:
    known = {operation.key: operation for operation in CATALOGUE}
    for row in reference():
        operation = known[f"{row['method']} {row['path']}"]
        assert (operation.operation_id, operation.api, operation.version) == (
            row["op"],
            row["api"],
            row["version"],
        )
        if row["rate"] is not None:
            rates = [(row["rate"], row["burst"]), row.get("rate_sdk") or (row["rate"], row["burst"])]
            assert operation.rate_per_s == min(rate for rate, _ in rates)
            assert operation.burst == min(burst for _, burst in rates)
        assert operation.grantless_scope == row.get("grantless", "")
        rule = row.get("restricted", {}).get("rdt", "ordinary").replace("by_report_type", "report")
        assert operation.token == rule
        assert set(operation.data_elements) == set(row.get("restricted", {}).get("dataElements", ()))


def by_path(classes: Mapping[str, Sequence[str]]) -> dict[str, str]:
    return {path: kind for kind, paths in classes.items() for path in paths}


@needs_reference
def test_personal_data_is_found_where_the_reference_table_finds_it_and_what_is_beyond_has_a_reason() -> None:
    known = {operation.key: operation for operation in CATALOGUE}
    beyond: dict[str, set[str]] = {}
    for row in reference():
        operation = known[f"{row['method']} {row['path']}"]
        for ours, table in ((operation.pii, "pii"), (operation.pii_request, "pii_request")):
            theirs = by_path(row.get(table, {}).get("customer", {}))
            assert theirs.items() <= by_path(ours).items()
            if more := by_path(ours).keys() - theirs.keys():
                beyond.setdefault(operation.key, set()).update(more)
    reasons = FACTS["beyond_the_reference"]["rows"]
    assert beyond == {key: set(paths) for key, paths in reasons.items()}
    assert all(reason for paths in reasons.values() for reason in paths.values())


@needs_reference
def test_every_presigned_link_of_the_reference_table_is_known() -> None:
    known = {operation.key: operation for operation in CATALOGUE}
    for row in reference():
        links = {path for owner in row.get("pii", {}).values() for path in owner.get("document_url", ())}
        ours = set(known[f"{row['method']} {row['path']}"].document_links)
        assert {link for link in links if not link.endswith("customerTrackingLink")} <= ours
