"""What a device without the PII scope sees of an answer."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.gateway.catalogue.table import Catalogue
from services.gateway.model import orders
from services.gateway.model.masking import (
    DEPTH_MAX,
    HIDDEN_TEXT,
    NAMES_LOOKED_FOR_MAX,
    Mask,
    Unmaskable,
    hidden,
)
from services.gateway.model.operations import Operation

CATALOGUE = Catalogue.load()
MASKED = [operation for operation in CATALOGUE if operation.mask is not None]
SECRET = "Jane Roe, 1 Cedar Way"


def masked(paths: list[str], document: Any) -> Any:
    return json.loads(Mask(paths).apply(json.dumps(document).encode()))


def test_types_are_kept_and_contents_hidden() -> None:
    document = {"a": {"s": "x", "n": 7, "f": 1.5, "b": True, "z": None, "l": ["x", {"k": "x"}]}}
    expected = {"a": {"s": "***", "n": 0, "f": 0, "b": False, "z": None, "l": ["***", {"k": "***"}]}}
    assert masked(["$.a"], document) == expected


def test_what_no_path_names_is_untouched() -> None:
    document = {"orders": [{"id": "1", "name": "x"}, {"id": "2"}], "next": "token"}
    assert masked(["$.orders[*].name"], document) == {
        "orders": [{"id": "1", "name": "***"}, {"id": "2"}],
        "next": "token",
    }


NAMES = "abcdefg"
VALUES = (
    st.none()
    | st.booleans()
    | st.integers(0, 9)
    | st.text("ab*")
    | st.lists(st.text("ab*"))
    | st.just({"k": SECRET})
)


@given(st.lists(st.dictionaries(st.sampled_from(NAMES), VALUES)))
def test_many_names_at_one_place_are_hidden_like_each_of_them_alone(orders: list[dict[str, Any]]) -> None:
    paths = [f"$.orders[*].{name}" for name in NAMES[1:]]
    assert len(paths) > NAMES_LOOKED_FOR_MAX
    one_by_one: Any = {"orders": orders}
    for path in paths:
        one_by_one = masked([path], one_by_one)
    assert masked(paths, {"orders": orders}) == one_by_one


@pytest.mark.parametrize(
    "document",
    [
        {"orders": {"name": SECRET}},
        {"orders": [[{"name": SECRET}]]},
        {"orders": [SECRET]},
        {"orders": SECRET},
        [SECRET],
        SECRET,
    ],
)
def test_another_shape_than_the_model_says_is_hidden_whole(document: Any) -> None:
    assert SECRET not in json.dumps(masked(["$.orders[*].name"], document))


def test_what_is_dropped_is_not_there_any_more() -> None:
    mask = Mask(["$.orders[*].name"], ["$.orders[*].phone", "$.orders[*].notes[*]", "$.buyer"])
    document = {
        "orders": [{"id": "1", "name": SECRET, "phone": SECRET, "notes": [SECRET, 7]}, {"id": "2"}],
        "buyer": {"name": SECRET},
    }
    assert json.loads(mask.apply(json.dumps(document).encode())) == {
        "orders": [{"id": "1", "name": "***", "notes": []}, {"id": "2"}]
    }


def test_a_path_that_is_masked_and_dropped_is_dropped() -> None:
    assert json.loads(Mask(["$.a.b", "$.a.c"], ["$.a.b"]).apply(b'{"a":{"b":"x","c":"y"}}')) == {
        "a": {"c": "***"}
    }


def test_what_stands_beneath_something_hidden_is_hidden_with_it() -> None:
    assert json.loads(Mask(["$.a"], ["$.a.b"]).apply(b'{"a":{"b":"x","c":"y"}}')) == {
        "a": {"b": "***", "c": "***"}
    }


def test_where_entries_are_dropped_another_shape_is_masked() -> None:
    mask = Mask([], ["$.notes[*]"])
    assert json.loads(mask.apply(b'{"notes":{"a":"x"}}')) == {"notes": {"a": "***"}}


def test_null_on_the_way_stays_null() -> None:
    assert masked(["$.payload.Address.Name"], {"payload": {"Address": None}}) == {
        "payload": {"Address": None}
    }


@pytest.mark.parametrize("body", [b"<html>", b'{"a":', b"\xff", b"{'a': 1}", b"[" * 2_000 + b"]" * 2_000])
def test_what_is_not_json_cannot_be_masked(body: bytes) -> None:
    with pytest.raises(Unmaskable):
        Mask(["$.a"]).apply(body)


def test_too_deep_a_value_cannot_be_masked_T29() -> None:
    deepest = b"[" * (DEPTH_MAX + 1) + b"]" * (DEPTH_MAX + 1)
    assert Mask(["$.a"]).apply(b'{"a":%b}' % deepest) == b'{"a":%b}' % deepest
    with pytest.raises(Unmaskable):
        Mask(["$.a"]).apply(b'{"a":[%b]}' % deepest)


def test_an_answer_that_nothing_writes_again_cannot_be_masked_though_its_depth_is_elsewhere_T29() -> None:
    deep = b'{"payload":{"Orders":[{"AmazonOrderId":"old"}]},"x":%b}' % (b"[" * 300 + b"]" * 300)
    with pytest.raises(Unmaskable):
        Mask(["$.a"]).apply(deep)
    operation = next(each for each in MASKED if each.name == "ordersV0.getOrders")
    with pytest.raises(Unmaskable):
        orders.showing(operation, orjson.loads(deep), {"young"})


def test_an_empty_body_stays_empty() -> None:
    assert Mask(["$.a"]).apply(b"") == b""


@pytest.mark.parametrize("path", ["$", "a.b", "$.", "$..a", ""])
def test_a_path_of_another_form_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="not a path"):
        Mask([path])


def filled(paths: list[str], leaf: Any) -> Any:
    """Return a document that has every path, with `leaf` at its end."""
    root: dict[str, Any] = {}
    for path in paths:
        steps = path.replace("[*]", ".[*]").split(".")[1:]
        _place(root, steps, leaf)
    return root


def _place(here: Any, steps: list[str], leaf: Any) -> None:
    step, rest = steps[0], steps[1:]
    blank: Any = leaf if not rest else ([] if rest[0] == "[*]" else {})
    if step == "[*]":
        if not here:
            here.append(blank)
        target = here[0]
    else:
        target = here.setdefault(step, blank)
    if rest:
        _place(target, rest, leaf)


@pytest.mark.parametrize("operation", MASKED, ids=lambda each: each.key)
def test_every_personal_field_of_every_operation_is_masked(operation: Operation) -> None:
    paths = [path for listed in operation.pii.values() for path in listed]
    document = filled(paths, SECRET)
    document["kept"] = "kept"
    assert operation.mask is not None
    out = operation.mask.apply(json.dumps(document).encode())
    assert SECRET.encode() not in out
    assert json.loads(out)["kept"] == "kept"
    assert out.count(HIDDEN_TEXT.encode()) == len(set(paths) - operation.unmaskable)


@pytest.mark.parametrize(
    ("name", "id_path"),
    [
        ("ordersV0.getOrders", "$.payload.Orders[*].AmazonOrderId"),
        ("ordersV0.getOrder", "$.payload.AmazonOrderId"),
        ("orders_2026-01-01.searchOrders", "$.orders[*].orderId"),
        ("orders_2026-01-01.getOrder", "$.order.orderId"),
    ],
)
def test_of_an_order_past_its_clock_every_personal_field_is_hidden_and_of_others_none_R19(
    name: str, id_path: str
) -> None:
    operation = next(each for each in MASKED if each.name == name)
    paths = {path for listed in operation.pii.values() for path in listed}
    for order_id, hidden_count in (("old", len(paths)), ("young", 0)):
        document = filled([*paths], SECRET)
        _place(document, id_path.replace("[*]", ".[*]").split(".")[1:], order_id)
        out = orders.showing(operation, document, {"young"}).decode()
        assert (out.count(HIDDEN_TEXT), out.count(SECRET)) == (hidden_count, len(paths) - hidden_count)
        assert order_id in out


def test_of_an_order_without_a_proper_id_every_personal_field_is_hidden_R19() -> None:
    operation = next(each for each in MASKED if each.name == "ordersV0.getOrders")
    listed = [{"AmazonOrderId": id_, "BuyerInfo": {"BuyerName": SECRET}} for id_ in (["young"], "young")]
    document = {"payload": {"Orders": [*listed, 7]}}
    unnamed, young, number = json.loads(orders.showing(operation, document, {"young"}))["payload"]["Orders"]
    assert unnamed == {"AmazonOrderId": ["young"], "BuyerInfo": {"BuyerName": HIDDEN_TEXT}}
    assert (young["BuyerInfo"]["BuyerName"], number) == (SECRET, 7)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.just(SECRET),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)
STEPS = st.lists(st.sampled_from(["a", "b", "c", "[*]"]), min_size=1, max_size=4)


@settings(deadline=None)
@given(document=VALUES, ways=st.lists(STEPS, min_size=1, max_size=4))
def test_no_personal_text_survives_where_a_path_ends(document: Any, ways: list[list[str]]) -> None:
    paths = [_path(way) for way in ways]
    try:
        mask = Mask(paths)
    except ValueError:
        return
    out = json.loads(mask.apply(json.dumps(document).encode()))
    for way in ways:
        for value in _ends(out, way):
            assert SECRET not in json.dumps(value)


def _ends(value: Any, way: list[str]) -> list[Any]:
    """Return what a path names in a document, where the document has its shape."""
    if not way:
        return [value]
    if way[0] == "[*]":
        return [end for entry in value for end in _ends(entry, way[1:])] if isinstance(value, list) else []
    return _ends(value[way[0]], way[1:]) if isinstance(value, dict) and way[0] in value else []


def _path(way: list[str]) -> str:
    return "$" + "".join(step if step == "[*]" else f".{step}" for step in way)


def expected(value: Any, masked_ways: list[list[str]], dropped_ways: list[list[str]]) -> Any:
    """Return what is to be seen of a document, by the plainest way there is."""
    if not masked_ways and not dropped_ways:
        return value

    def after(step: str, value: Any) -> Any:
        if [step] in masked_ways:
            return hidden(value)
        return expected(value, *([way[1:] for way in ways if way[0] == step] for ways in both))

    both = (masked_ways, dropped_ways)
    is_list = any(way[0] == "[*]" for ways in both for way in ways)
    if is_list and isinstance(value, list):
        return [] if ["[*]"] in dropped_ways else [after("[*]", entry) for entry in value]
    if not is_list and isinstance(value, dict):
        return {name: after(name, each) for name, each in value.items() if [name] not in dropped_ways}
    return hidden(value)


@settings(deadline=None)
@given(
    document=VALUES,
    masked_ways=st.lists(STEPS, min_size=1, max_size=4),
    dropped_ways=st.lists(STEPS, max_size=2),
)
@example(document=[[{"a": SECRET, "b": "c"}]], masked_ways=[["[*]", "[*]", "a"]], dropped_ways=[])
def test_in_any_document_just_what_paths_name_is_hidden(
    document: Any, masked_ways: list[list[str]], dropped_ways: list[list[str]]
) -> None:
    mask = Mask(map(_path, masked_ways), map(_path, dropped_ways))
    seen = json.loads(mask.apply(json.dumps(document).encode()))
    assert seen == expected(document, masked_ways, dropped_ways)


@settings(deadline=None)
@given(document=VALUES)
def test_masking_twice_is_masking_once(document: Any) -> None:
    mask = Mask(["$.a[*].b", "$.c"])
    once = mask.apply(json.dumps(document).encode())
    assert mask.apply(once) == once
