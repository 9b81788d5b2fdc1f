"""Sellers as people and as programs read them."""

from datetime import UTC, datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from wire.auth.v1.sellers_pb2 import KnownSeller, Offboarding

HEAD = f"{'SELLER':<36}  {'CONNECTIONS':>11}  {'DESKTOPS':>8}  {'SINCE':<10}  NAME"
NAMELESS = "(name destroyed)"


def line(seller: KnownSeller) -> str:
    """Return one line of the list, without its end."""
    counts = f"{seller.active_consents:>11}  {seller.active_devices:>8}"
    since = f"{seller.created_at.ToDatetime(UTC):%Y-%m-%d}"
    return f"{seller.seller_id:<36}  {counts}  {since}  {seller.name or NAMELESS}{_left(seller)}"


def facts(seller: KnownSeller) -> dict[str, Any]:
    """Return what programs read of a seller; times in ISO 8601, null where a step is not done."""
    return {
        "seller_id": seller.seller_id,
        "name": seller.name or None,
        "created_at": _iso(seller.created_at),
        "active_consents": seller.active_consents,
        "active_devices": seller.active_devices,
        "offboarding": _steps(seller.offboarding) if seller.HasField("offboarding") else None,
    }


def _steps(offboarding: Offboarding) -> dict[str, Any]:
    steps = ("closed_at", "key_destroyed_at", "erased_at", "finished_at")
    times = {step: _iso(getattr(offboarding, step)) if offboarding.HasField(step) else None for step in steps}
    return {**times, "receipt_id": offboarding.receipt_id or None}


def _left(seller: KnownSeller) -> str:
    if not seller.HasField("offboarding"):
        return ""
    is_done = seller.offboarding.HasField("finished_at")
    left_on = f"{seller.offboarding.closed_at.ToDatetime(UTC):%Y-%m-%d}"
    return f"  left {left_on}, {'all destroyed' if is_done else 'destruction under way'}"


def _iso(moment: Timestamp) -> str:
    when: datetime = moment.ToDatetime(UTC)
    return when.isoformat()
