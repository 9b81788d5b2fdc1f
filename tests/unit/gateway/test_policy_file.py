"""Reading a policy file: what it says, and everything that is wrong with it at once."""

import contextlib
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.gateway.catalogue.table import Catalogue
from services.gateway.model.application_policy import (
    BUILT_IN,
    CLASSES,
    Caller,
    Share,
    Sight,
)
from services.gateway.model.calls import Profile
from services.gateway.model.policy_advice import advise
from services.gateway.model.policy_file import (
    POLICY_BYTES_MAX,
    PROBLEMS_MAX,
    RULES_MAX,
    WORDS_MAX,
    PolicyInvalid,
    lines,
    parse,
)
from services.gateway.model.priority import Priority

CATALOGUE = tuple(Catalogue.load())
PAGE = Path(__file__).parents[3] / "docs" / "policy.md"
DEVICE = "018f6a3e-1c2d-7000-8000-3b9a1f0c5d21"
LEAST = 'version = 1\n[[allow]]\noperations = ["*"]\n'


def example() -> str:
    found = re.search(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found
    return found[1]


def caller(*scopes: str, purpose: str = "order_handling", profile: Profile = Profile.BOUND) -> Caller:
    return Caller(DEVICE, profile, frozenset(scopes), purpose)


def problems(text: str) -> list[str]:
    with pytest.raises(PolicyInvalid) as caught:
        parse(text.encode())
    return [str(each) for each in caught.value.problems]


def is_followed(raw: bytes) -> bool:
    with contextlib.suppress(PolicyInvalid):
        parse(raw)
        return True
    return False


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_file_that_was_cut_short_within_a_line_is_not_followed(end: bytes) -> None:
    text = f"{LEAST}# for invoices\n[[caches]]\noperations = ['*']\nseconds = 300\n"
    raw = text.encode().replace(b"\n", end)
    followed = [raw[:length] for length in range(len(raw) + 1) if is_followed(raw[:length])]
    assert raw in followed
    assert all(each.endswith(end) for each in followed)
    assert problems(LEAST + "# for") == [
        "line 4: the file ends within a line, as one does that is not there in full; end the line"
    ]


def test_the_example_of_the_documentation_can_be_followed_and_every_rule_of_it_does_something() -> None:
    policy = parse(example().encode())
    assert advise(policy, CATALOGUE, lines(example())) == []
    read, shipping = "ordersV0.getOrderAddress", caller("orders", "pii", purpose="shipping")
    assert policy.sight(read, "name", shipping) is Sight.FULL
    assert policy.sight(read, "tax_id", shipping) is Sight.DROPPED
    assert policy.sight(read, "tax_id", caller("orders", "pii", purpose="tax")) is Sight.FULL
    assert policy.sight(read, "name", caller("orders")) is Sight.MASKED
    compat = caller("orders", "pii", purpose="shipping", profile=Profile.COMPAT)
    assert policy.sight(read, "phone", compat) is Sight.DROPPED
    assert policy.opens_grantless("notifications.getDestinations", caller("orders"))
    assert policy.delegates(read, "amzn1.sellerapps.app.7e8f")
    assert not policy.delegates(read, "amzn1.sellerapps.app.other")
    assert policy.cache_life_s("catalogItems_2022-04-01.getCatalogItem") == 300
    assert policy.cache_life_s("sellers.getAccount") is None
    assert policy.share("feeds_2021-06-30.createFeed", Priority.BULK) == Share(0.8, 0.5)
    assert policy.share("feeds_2021-06-30.createFeed", Priority.INTERACTIVE) == Share()
    assert policy.is_personal_report("GET_FLAT_FILE_ORDER_REPORT_DATA_SHIPPING")
    assert not policy.is_personal_report("GET_MERCHANT_LISTINGS_ALL_DATA")


def test_without_a_file_the_scope_alone_decides() -> None:
    for operation in CATALOGUE:
        for kind in operation.pii:
            assert BUILT_IN.sight(operation.name, kind, caller("orders", "pii")) is Sight.FULL
            assert BUILT_IN.sight(operation.name, kind, caller("orders")) is Sight.MASKED


def test_the_classes_of_the_model_are_those_of_the_catalogue() -> None:
    assert {kind for operation in CATALOGUE for kind in operation.pii} == CLASSES


@pytest.mark.parametrize(
    ("purposes", "default", "known"),
    [
        ("", "unstated", {"unstated"}),
        ('[purposes]\nothers = ["tax"]\n', "unstated", {"unstated", "tax"}),
        ('[purposes]\ndefault = "handling"\nothers = ["tax"]\n', "handling", {"handling", "tax"}),
    ],
)
def test_a_call_that_says_nothing_is_for_the_default_or_unstated(
    purposes: str, default: str, known: set[str]
) -> None:
    policy = parse(f"{LEAST}{purposes}".encode())
    assert (policy.purpose_default, set(policy.purposes)) == (default, known)


def test_a_cache_may_be_closed() -> None:
    policy = parse(f'{LEAST}[[caches]]\noperations = ["*"]\nseconds = 0\n'.encode())
    assert policy.cache_life_s("sellers.getMarketplaceParticipations") == 0


def test_every_problem_is_told_at_once_with_its_line_and_what_to_do() -> None:
    told = problems(
        """\
version = 2
deny = "x"
wrong = 1

[purposes]
default = "Shipping"

[[allow]]
scopes = ["orders", "tax"]
profiles = ["bund"]

[[fields]]
operations = ["ordersV0.*"]
scopes = ["pii"]
purposes = ["labels"]
full = ["name", "nmae"]
masked = ["name"]

[[fields]]
operations = ["ordersV0.get?"]

[[grantless]]
operations = ["application_2023-11-30.rotateApplicationClientSecret"]

[[delegates]]
operations = ["*"]

[[caches]]
operations = ["*"]
seconds = 86400

[[budgets]]
operations = ["*"]
priority = "urgent"
of_plan = 0
"""
    )
    expected = (
        "line 1, version: must be 1",
        "line 2, deny: must be a list",
        "line 3, wrong: there is no such key",
        "line 6, purposes.default: 'Shipping' is not of the form",
        "line 8, allow[0].operations: must be a list of 1 to",
        "line 9, allow[0].scopes: 'tax' is not known here; there are orders, pii",
        "line 10, allow[0].profiles: 'bund' is not known here; there are bound, compat",
        "line 15, fields[0].purposes: 'labels' is not known here; there are unstated",
        "line 16, fields[0].full: 'nmae' is not known here",
        "line 17, fields[0].masked: name is also full in this rule",
        "line 20, fields[1].operations: the rule says nothing",
        "line 20, fields[1].operations: 'ordersV0.get?' is not of the form",
        "line 22, grantless[0].devices: must be a list of 1 to",
        "line 23, grantless[0].operations: application_2023-11-30.rotateApplicationClientSecret is open",
        "line 25, delegates[0].application: name the other developer",
        "line 30, caches[0].seconds: must be a number from 0, at most 3600",
        "line 34, budgets[0].priority: 'urgent' is not known here; there are bulk, interactive",
        "line 35, budgets[0].of_plan: must be a number above 0, at most 1",
    )
    assert len(told) == len(expected)
    for each in expected:
        assert any(line.startswith(each) for line in told), (each, told)
    assert [int(re.findall(r"\d+", line)[0]) for line in told] == sorted(
        int(re.findall(r"\d+", line)[0]) for line in told
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            f'{LEAST}[[fields]]\noperations = ["*"]\nfull = ["*"]\n',
            "line 6, fields[0].full: only devices with",
        ),
        ("version = 1\nallow == 2\n", "line 2: this is not TOML"),
        ("version = 1\n", "allow: there is no [[allow]], so nothing could be called"),
        ('version = 1\nallow = "all"\n', "line 2, allow: must be tables"),
        (f"{LEAST}[[allow]]\noperations = [[]]\n", "line 5, allow[1].operations: [] is not of the form"),
        (f"{LEAST}purposes = 3\n", "line 4, allow[0].purposes: must be a list"),
        (f'{LEAST}[documents]\nreports = ["A"]\n', "line 5, documents.reports: there is no such key"),
        (f'{LEAST}[[caches]]\noperations = ["*"]\nseconds = true\n', "line 6, caches[0].seconds"),
        (f'{LEAST}[[caches]]\noperations = ["*"]\nseconds = nan\n', "line 6, caches[0].seconds"),
        (f'{LEAST}[[caches]]\noperations = ["*"]\n', "line 4, caches[0].seconds: say for how long"),
        (
            f'{LEAST}[[delegates]]\napplication = ""\noperations = ["*"]\n',
            "line 5, delegates[0].application: '' is not of the form",
        ),
        (
            f'{LEAST}[[budgets]]\noperations = ["*"]\npriority = ""\n',
            "line 6, budgets[0].priority: '' is not known here",
        ),
        ("a = " + "[" * 5_000, "this is not TOML"),
        ("a = " + "9" * 5_000, "this is not TOML"),
    ],
)
def test_a_file_of_another_form_is_told_as_such_T10(text: str, told: str) -> None:
    assert any(told in line for line in problems(text))


def test_bytes_that_are_no_text_are_told_T10() -> None:
    with pytest.raises(PolicyInvalid):
        parse(b"\xff\xfe")


def test_a_huge_file_is_refused_unread_R23() -> None:
    with pytest.raises(PolicyInvalid, match="cannot be followed") as caught:
        parse(b"#" * (POLICY_BYTES_MAX + 1))
    assert "bytes" in caught.value.problems[0].text
    many = LEAST + "".join(f"wrong_{at} = 1\n" for at in range(PROBLEMS_MAX + 10))
    assert len(problems(many)) == PROBLEMS_MAX


def closing(count: int) -> str:
    words = ", ".join(['"sellers.*"'] * count)
    return f'version = 1\ndeny = [{words}]\n[[allow]]\noperations = ["*"]\n'


def keeping(count: int) -> str:
    return LEAST + '[[caches]]\noperations = ["*"]\nseconds = 1\n' * count


@pytest.mark.parametrize(
    ("written_with", "most", "told"),
    [
        (closing, WORDS_MAX, "line 2, deny: must be a list"),
        (keeping, RULES_MAX, "caches: more than 500 rules"),
    ],
)
def test_so_many_words_and_rules_are_read_and_not_one_more_R23(
    written_with: Callable[[int], str], most: int, told: str
) -> None:
    assert parse(written_with(most).encode()).openings
    (problem,) = problems(written_with(most + 1))
    assert told in problem


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ('deny = ["ordersv0.*"]', "'ordersv0.*' names no operation"),
        ('deny = ["ordersV0.getOrderAdress"]', "did you mean 'ordersV0.getOrderAddress'?"),
        ('[[allow]]\noperations = ["application_2023-11-30.*"]', "opened by [[grantless]]"),
        (
            '[[grantless]]\noperations = ["application_2023-11-30.*"]\ndevices = ["*"]',
            "can be opened this way",
        ),
        ('[[fields]]\noperations = ["sellers.*"]\nmasked = ["*"]', "whose answers have such members"),
        ('[[fields]]\noperations = ["ordersV0.*"]\ndropped = ["geo"]\n' * 2, "decides nothing"),
        ('[[caches]]\noperations = ["ordersV0.getOrders"]\nseconds = 5', "may be served again"),
        (
            '[[caches]]\noperations = ["reports_2021-06-30.getReportDocument"]\nseconds = 5',
            "may be served again",
        ),
        (
            '[[caches]]\noperations = ["fulfillmentOutbound_2020-07-01.getFulfillmentPreview"]\nseconds = 5',
            "may be served again",
        ),
        ('[[delegates]]\napplication = "*"\noperations = ["sellers.*"]', "takes a restricted token"),
        ('[[budgets]]\noperations = ["nothing.*"]\nof_plan = 0.5', "names no operation"),
    ],
)
def test_a_rule_that_does_nothing_is_told(rule: str, told: str) -> None:
    text = f"version = 1\n{rule}\n" + '[[allow]]\noperations = ["*"]\n'
    warnings = [str(each) for each in advise(parse(text.encode()), CATALOGUE, lines(text))]
    assert any(told in each for each in warnings), warnings
    assert all(each.startswith("line ") for each in warnings)


def test_a_rule_that_keeps_reads_by_post_is_nothing_to_look_at_again() -> None:
    text = f'{LEAST}[[caches]]\noperations = ["productFeesV0.*", "productPricingV0.get*Batch"]\nseconds = 5\n'
    assert not advise(parse(text.encode()), CATALOGUE, lines(text))


KEYS = st.sampled_from(
    ["operations", "scopes", "profiles", "purposes", "full", "masked", "devices", "seconds"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8), lambda inner: st.lists(inner, max_size=3)
)


def written(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return str(bool(value)).lower()
    return str(value) if isinstance(value, int) else '"' + "".join(filter(str.isalnum, value)) + '"'


@settings(deadline=None)
@given(
    table=st.sampled_from(["allow", "fields", "grantless", "delegates", "caches", "budgets"]),
    keys=st.dictionaries(KEYS, VALUES, max_size=4),
)
def test_whatever_a_rule_holds_it_is_followed_or_told_T10(table: str, keys: dict[str, object]) -> None:
    text = LEAST + f"[[{table}]]\n" + "".join(f"{key} = {written(value)}\n" for key, value in keys.items())
    try:
        assert parse(text.encode()).openings
    except PolicyInvalid as refusal:
        told = refusal.problems
    else:
        told = ()
    assert all(problem.text for problem in told)


def test_no_rule_shows_data_in_full_without_the_scope() -> None:
    policy = parse(example().encode())
    for operation in CATALOGUE:
        for kind in operation.pii:
            for purpose in policy.purposes:
                assert policy.sight(operation.name, kind, caller("orders", purpose=purpose)) is not Sight.FULL
