"""SKUs with a slash, as sellers have them: they arrive at Amazon as they were written; nothing else does."""

import re

import pytest

from services.gateway.model.targets import SKU_PARAMETERS
from tests.unit.gateway.forwarding import CATALOGUE, PII, Rig, error_of

MARKET = "marketplaceIds=ATVPDKIKX0DER"
ITEM = "/listings/2021-08-01/items/A1"
# More parts than any path has.
PARTS_MAX = 8


@pytest.mark.parametrize("spelled", ["%2F", "%2f"])
async def test_a_sku_with_a_slash_arrives_at_amazon_as_one_segment(spelled: str) -> None:
    rig = Rig()
    for target in (
        f"{ITEM}/DE-36023{spelled}4",
        f"/products/pricing/v0/listings/A{spelled}B{spelled}C/offers",
    ):
        assert (await rig.call(rig.auth.enrol(), f"{target}?{MARKET}")).status == 200
        assert rig.upstream.requests[-1].path == target.replace("%2f", "%2F")


def test_every_parameter_that_is_called_for_a_sku_may_hold_a_slash_and_no_other() -> None:
    named = {name for each in CATALOGUE for name in re.findall(r"\{(\w+)\}", each.path)}
    assert {name for name in named if "sku" in name.lower()} == SKU_PARAMETERS


@pytest.mark.parametrize(
    "target",
    [
        "/orders/v0/orders/114-3941689-8772232%2Faddress",
        "/orders/v0/orders%2F114-3941689-8772232",
        "/listings/2021-08-01/items/A1%2FA2/SKU",
        "/mfn/v0/shipments/1%2F2",
        f"{ITEM}/..%2F..%2Forders",
        f"{ITEM}/A%2F..%2FB",
        f"{ITEM}/A%2F.;x%2FB",
        f"{ITEM}/A%2F%2FB",
        f"{ITEM}/%2FA",
        f"{ITEM}/A%2F",
        f"{ITEM}/A%252FB",
        f"{ITEM}/A%5CB",
    ],
)
async def test_a_slash_anywhere_else_and_one_that_climbs_is_refused_T05(target: str) -> None:
    rig = Rig()
    answer = await rig.call(rig.auth.enrol(scopes=PII), target)
    assert (answer.status, error_of(answer)["details"].partition(":")[0]) == (403, "operation_not_allowed")
    assert not rig.upstream.requests


def test_a_skus_slash_read_as_one_leads_to_no_other_operation_T05() -> None:
    """Should Amazon decode a path before it looks it up, a call must not become another one there."""
    templates = [tuple(operation.path.split("/")) for operation in CATALOGUE]
    for template in templates:
        for at, part in enumerate(template):
            if part[1:-1] in SKU_PARAMETERS:
                read = [
                    template[:at] + ("{any}",) * parts + template[at + 1 :] for parts in range(2, PARTS_MAX)
                ]
                assert not [(one, other) for one in read for other in templates if may_be(one, other)]


def may_be(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Return whether some path fits both templates."""
    return len(one) == len(other) and all(
        "{" in left + right or left == right for left, right in zip(one, other, strict=True)
    )
