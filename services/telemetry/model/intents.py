"""Intents without an outcome: when they are overdue, and what is then said about them.

The rule: every intent has an outcome at the latest when it is INTENT_OPEN_S plus one round of the resolving
job old. Where the sender stays silent telemetry says `unknown`. The sender may still say `done` or
`not_done` afterwards: that is a further record, and the last outcome of an intent is its fate.
"""

import itertools
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.telemetry.model.events import OWN_NAME, Actor, Event, Phase, Result
from services.telemetry.model.kinds import Kind

# Source: R-01, resolved within 60 s of a restart; the job's round and its commit need the rest.
INTENT_OPEN_S = 50
# Source: R-14, between hosts.
CLOCK_SKEW_MAX = timedelta(minutes=10)
_RESOLUTIONS = uuid.UUID("6f1c9a52-7d0e-5c35-9e0b-3a8a54d0c1f7")


@dataclass(frozen=True, slots=True)
class Intent:
    """An intent as the log holds it."""

    sequence: int
    event_id: str
    recorded_at: datetime
    has_outcome: bool


def overdue(intents: Iterable[Intent], *, now: datetime) -> list[Intent]:
    """Return the intents that should have an outcome by now.

    Args:
        intents: in chain order.
        now: the domain's time.

    Returns:
        The leading intents of at least INTENT_OPEN_S; one younger ends the run, whatever comes after it. One
        dated ahead by more than CLOCK_SKEW_MAX was recorded when a clock had jumped: how old it is nobody can
        tell, and those behind it do not wait for its date.
    """
    return list(itertools.takewhile(lambda intent: _is_overdue(now - intent.recorded_at), intents))


def _is_overdue(age: timedelta) -> bool:
    return age >= timedelta(seconds=INTENT_OPEN_S) or age < -CLOCK_SKEW_MAX


def resolution(intent: Intent) -> Event:
    """Return the outcome that telemetry writes for an intent; the same intent gives the same event."""
    return Event(
        event_id=str(uuid.uuid5(_RESOLUTIONS, intent.event_id)),
        kind=Kind.INTENT_RESOLVED,
        phase=Phase.OUTCOME,
        occurred_at=intent.recorded_at + timedelta(seconds=INTENT_OPEN_S),
        intent_id=intent.event_id,
        result=Result.UNKNOWN,
        actor=Actor("service", OWN_NAME),
        details={},
    )
