"""Every operation of Amazon's through the whole forwarding path, with made-up values."""

from urllib.parse import quote

import pytest

from fakes.gateway_ports import json_answer
from services.gateway.model.calls import UpstreamAnswer, UpstreamRequest
from services.gateway.model.operations import Operation, TokenRule
from services.gateway.model.policy import SCOPE_LENT, Rules
from services.gateway.model.policy_file import parse
from tests.unit.gateway.forwarding import CATALOGUE, PII, Rig, error_of, header

OPEN = b"""
version = 1
[[allow]]
operations = ["*"]
[[fields]]
operations = ["*"]
scopes = ["pii"]
full = ["*"]
[[grantless]]
operations = ["*"]
devices = ["*"]
"""
OPERATIONS = list(CATALOGUE)
# Answered by the gateway itself, with a handle of its own.
HANDLES = "tokens_2021-03-01.createRestrictedDataToken"
# A value with a slash inside would be another path; everything else may stand in an id.
VALUE = "A b+ü~1:,(x)"


@pytest.fixture(scope="module")
def rig() -> Rig:
    made = Rig()
    made.policies.rules = Rules(parse(OPEN))
    return made


def filled(operation: Operation) -> str:
    """Return a path of the operation, each parameter with a value of its own."""
    parts = operation.path.split("/")
    return "/".join(
        quote(f"{VALUE}{at}", safe="") if part.startswith("{") else part for at, part in enumerate(parts)
    )


def asked(operation: Operation) -> str:
    """Return a query with every parameter: one comma-joined, one repeated, one encoded, one unknown."""
    names = sorted(operation.query)
    pairs = [f"{name}={at},x%2Cy" if at % 2 else f"{name}={at}&{name}=%7E" for at, name in enumerate(names)]
    return "&".join([*pairs, "unknownToAmazon=1"])


def lent(rig: Rig, operation: Operation, request: UpstreamRequest) -> bool:
    """Return whether Amazon was asked with the right kind of token."""
    token = request.token.reveal()
    if operation.grantless_scope:
        return token.startswith("Atza|grantless")
    is_restricted = operation.token is TokenRule.ALWAYS or bool(
        operation.token is TokenRule.REPORT and rig.auth.lent[-1][2]
    )
    return token.startswith("Atz.sprdt|" if is_restricted else "Atza|")


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: f"{each.method}-{each.name}")
async def test_every_operation_arrives_at_amazon_as_it_was_asked_T05(rig: Rig, operation: Operation) -> None:
    seen: list[UpstreamRequest] = []

    def answer(request: UpstreamRequest) -> UpstreamAnswer:
        seen.append(request)
        return json_answer(b"{}")

    rig.upstream.answer = answer
    token = rig.auth.enrol(scopes=PII, seller_id=f"seller-{operation.key}")
    headers = [(name, "plain") for name in sorted(operation.headers)]
    target = f"{filled(operation)}?{asked(operation)}"
    reply = await rig.call(token, target, operation.method, headers=headers, body=b'{"a":1}')
    if operation.name == HANDLES:
        assert reply.status == 400
        assert error_of(reply)["details"].startswith("invalid_body")
        return
    if operation.grantless_scope and operation.grantless_scope != SCOPE_LENT:
        assert reply.status == 403
        assert seen == []
        return
    assert reply.status == 200, reply.body
    (request,) = seen
    found, _ = CATALOGUE.match(request.method, request.path.split("/")[1:])
    assert found.key == operation.key
    assert request.path == filled(operation)
    assert request.query == asked(operation).removesuffix("unknownToAmazon=1").removesuffix("&")
    assert header(reply, "x-sallyport-ignored") == "unknownToAmazon"
    assert {name for name, _ in request.headers} >= operation.headers
    assert request.body == (b"" if operation.method in {"GET", "DELETE"} else b'{"a":1}')
    assert lent(rig, operation, request)


def test_all_of_amazons_operations_were_asked() -> None:
    assert len(OPERATIONS) == 370
