"""What a policy lets one kind of device see of one operation, worked out as the gateway does."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from chassis.errors import Denied
from services.gateway.model import kept_answers
from services.gateway.model.application_policy import ApplicationPolicy, Caller, Sight
from services.gateway.model.calls import Device, Grantless, Profile, Region, Restriction
from services.gateway.model.operations import Operation, TokenRule
from services.gateway.model.policy import DOCUMENT, Rules
from services.gateway.model.priority import Priority


@dataclass(frozen=True, kw_only=True)
class Asker:
    """The device that somebody asks about."""

    device_id: str
    profile: Profile
    scopes: frozenset[str]
    purpose: str


def view(policy: ApplicationPolicy, operation: Operation, asker: Asker) -> dict[str, Any]:
    """Return what the device gets, ready for JSON; a refused call has only its name and the refusal."""
    rules, device = Rules(policy), _device(operation, asker)
    row: dict[str, Any] = {"operation": operation.name, "method": operation.method, "path": operation.path}
    try:
        plan = rules.plan(operation, device, path=operation.path, purpose=asker.purpose)
    except Denied as refusal:
        return row | {"refused": refusal.code, "why": refusal.text}
    caller = Caller(device.device_id, device.profile, device.scopes, asker.purpose)
    return row | {
        "token": _token(plan.loan),
        "fields": {
            kind: {"sight": str(policy.sight(operation.name, kind, caller)), "members": len(paths)}
            for kind, paths in sorted(operation.pii.items())
        },
        "documents": policy.sight(operation.name, DOCUMENT, caller) if operation.document_links else None,
        "not_fetched": sorted([*plan.view.datasets_hidden, *plan.withheld]),
        "cache_s": kept_answers.life_s(operation, policy),
        "share_of_plan": {str(each): policy.share(operation.name, each).of_plan for each in Priority},
        "share_of_device": {str(each): policy.share(operation.name, each).of_device for each in Priority},
    }


def lines(row: dict[str, Any]) -> Iterator[str]:
    """Yield a view as lines for people."""
    yield f"{row['operation']}  ({row['method']} {row['path']})"
    if "refused" in row:
        yield f"  refused: {row['refused']}: {row['why']}"
        return
    yield f"  Amazon's token: {row['token']}"
    for kind, told in row["fields"].items():
        count = told["members"]
        yield f"  {kind:<16} {told['sight']:<7} {count} member{'' if count == 1 else 's'}"
    if not row["fields"]:
        yield "  its answers hold no personal members"
    if row["documents"]:
        is_given = row["documents"] == Sight.FULL
        yield f"  links to personal documents are {'given' if is_given else 'refused'}"
    if row["not_fetched"]:
        yield f"  not asked of Amazon: {', '.join(row['not_fetched'])}"
    if row["cache_s"]:
        yield f"  served again for {row['cache_s']:g} s"
    for priority in Priority:
        of_plan, of_device = row["share_of_plan"][priority], row["share_of_device"][priority]
        if min(of_plan, of_device) < 1:
            yield f"  {priority} calls use at most {of_plan:.0%} of the plan, a device {of_device:.0%}"


def _device(operation: Operation, asker: Asker) -> Device:
    """Return a device that asks for all it can of an operation, by a handle where that takes one."""
    asked = Restriction(operation.method, operation.path, operation.data_elements)
    return Device(
        device_id=asker.device_id,
        seller_id="",
        profile=asker.profile,
        scopes=asker.scopes,
        key_thumbprint="",
        expires_in_s=0.0,
        restrictions=(asked,) if operation.token is TokenRule.DATA else (),
        regions=frozenset(Region),
        default_marketplace_id="",
    )


def _token(loan: Restriction | Grantless | None) -> str:
    if isinstance(loan, Grantless):
        return "the application's own"
    if loan is None:
        return "the seller's ordinary one"
    elements = f" with {', '.join(loan.data_elements)}" if loan.data_elements else ""
    return f"a restricted one for this operation{elements}"
