"""The breaking-change check finds what an older peer would not understand (R-26)."""

from copy import deepcopy

import pytest

import proto.compatibility

SHAPE = proto.compatibility.present_shape()
SESSION = "sallyport.auth.v1.Session"
SERVICE = "sallyport.telemetry.v1.TelemetryService"


def test_the_present_contracts_break_nothing() -> None:
    assert proto.compatibility.breaks(SHAPE, SHAPE) == []


def test_an_added_field_breaks_nothing() -> None:
    grown = deepcopy(SHAPE)
    grown[SESSION]["99"] = "colour: 9"
    assert proto.compatibility.breaks(SHAPE, grown) == []


@pytest.mark.parametrize(
    ("owner", "member", "promise"),
    [
        (SESSION, "1", None),
        (SESSION, "1", "session_id: 5"),
        (SESSION, "1", "id: 9"),
        (SERVICE, "Append", None),
    ],
)
def test_what_is_removed_retyped_or_renamed_is_named_R26(
    owner: str, member: str, promise: str | None
) -> None:
    changed = deepcopy(SHAPE)
    del changed[owner][member]
    if promise is not None:
        changed[owner][member] = promise
    (sentence,) = proto.compatibility.breaks(SHAPE, changed)
    assert sentence.startswith(f"{owner} {member}:")
