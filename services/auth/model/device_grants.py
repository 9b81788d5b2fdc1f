"""Device grants: a desktop without a browser of its own is let in on another machine (RFC 8628).

    begun ──approved──▶ redeemed (a device, and its tokens)
      ├──denied         └ shown again in time by the same key: the same answer; else the device ends
      └──expired

- The device code is the desktop's secret; the user code is short, for eyes and fingers, and only people who
  are signed in may try one. Each is good for DEVICE_GRANT_LIFE and one decision.
- The first key that proves itself with the device code is the only one for which it works.
- Asking faster than the interval makes the interval longer.
"""

import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from services.auth.model import ages
from services.auth.model.device_facts import DeviceFacts
from services.auth.model.device_refusals import (
    AccessDenied,
    AuthorizationPending,
    DeviceGrantExpired,
    SlowDown,
    UserCodeInvalid,
)
from services.auth.model.devices import Device, Profile, device_name_place, granted_scopes
from services.auth.model.sealing import Place
from services.auth.model.tokens import RETRY_S_MAX

DEVICE_GRANT_LIFE = timedelta(minutes=10)
# How long a redeemed grant is remembered, so that its reuse is noticed.
DEVICE_GRANT_MEMORY = timedelta(hours=24)
# Source: RFC 8628, 3.2 and 3.5.
INTERVAL_S = 5
SLOW_DOWN_S = 5
INTERVAL_S_MAX = 60
# That wait for a decision at the same time, of all sellers: about 5 MB.
DEVICE_GRANTS_MAX = 10_000

# Source: RFC 8628, 6.1: 20 letters that make no words and look like nothing else; 34.5 bits.
USER_CODE_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
USER_CODE_CHARS = 8
USER_CODE_TYPED_CHARS_MAX = 32
# More than is needed: a number below 2**128 tells hardly anything when divided by 20**8.
USER_CODE_CHANCE_BYTES = 16


class Standing(StrEnum):
    """How far a device grant has come."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    REDEEMED = "redeemed"


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What a person decided.

    Attributes:
        name_sealed: of the device that is let in; empty when none is.
        withheld_scopes: what it will never have, sorted.
    """

    is_approved: bool
    seller_id: str
    user_id: str
    name_sealed: str = ""
    withheld_scopes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DeviceGrant:
    """A desktop's request to be let in; the device that it will be has its id already.

    Attributes:
        key_thumbprint: of the only key that may redeem it; empty until one has proven itself.
        scopes: what the desktop asks for.
        interval_s: the least time between two redemptions.
        redeemed_ago_s: by storage's own clock; None until it is redeemed.
        nonce: what the tokens were derived with; None until it is redeemed.
        age_s: for how long it has been kept, by storage's clock.
    """

    device_code_digest: bytes
    user_code_digest: bytes
    device_id: str
    client_id: str
    key_thumbprint: str
    scopes: tuple[str, ...]
    facts: DeviceFacts
    expires_at: datetime
    interval_s: int = INTERVAL_S
    decision: Decision | None = None
    redeemed_ago_s: float | None = None
    nonce: bytes | None = field(default=None, repr=False)
    age_s: float = field(default=0.0, compare=False)

    @property
    def standing(self) -> Standing:
        """How far it has come."""
        if self.redeemed_ago_s is not None:
            return Standing.REDEEMED
        if self.decision is None:
            return Standing.PENDING
        return Standing.APPROVED if self.decision.is_approved else Standing.DENIED

    def is_for(self, client_id: str, key_thumbprint: str) -> bool:
        """Return whether it is this client's, and this key's if it is any key's yet."""
        is_client = hmac.compare_digest(self.client_id.encode(), client_id.encode())
        is_key = hmac.compare_digest(self.key_thumbprint.encode(), key_thumbprint.encode())
        return is_client and (is_key or not self.key_thumbprint)

    def check_open(self, now: datetime) -> None:
        """Return if a person may still decide.

        Raises:
            UserCodeInvalid: somebody has, or it is too late.
        """
        if self.standing is not Standing.PENDING or self.is_over(now):
            raise UserCodeInvalid

    def is_over(self, now: datetime) -> bool:
        """Return whether its time is over, whichever host's clock is wrong."""
        return ages.left_s(self.expires_at, now, life=DEVICE_GRANT_LIFE, age_s=self.age_s) <= 0

    def check_redeemable(self, now: datetime, *, is_too_early: bool) -> None:
        """Return if the desktop may have its first tokens now.

        Raises:
            AccessDenied, DeviceGrantExpired: it never will.
            AuthorizationPending, SlowDown: it may ask again; the latter when it asked too early.
        """
        if self.standing is Standing.DENIED:
            raise AccessDenied
        if self.is_over(now):
            raise DeviceGrantExpired
        if self.standing is Standing.PENDING:
            raise SlowDown if is_too_early else AuthorizationPending

    def next_interval_s(self, *, is_too_early: bool) -> int:
        """Return the least time until the next question, after one that came too early or did not."""
        is_impatient = is_too_early and self.standing is Standing.PENDING
        return min(self.interval_s + SLOW_DOWN_S, INTERVAL_S_MAX) if is_impatient else self.interval_s

    def is_retry(self) -> bool:
        """Return whether who redeems it again may have lost the answer: the desktop asks by the interval."""
        ago_s = self.redeemed_ago_s
        return ago_s is not None and ago_s <= self.interval_s + RETRY_S_MAX

    def name_place(self, seller_id: str) -> Place:
        """Return where the device's name is sealed, for the seller who lets it in."""
        return device_name_place(seller_id, self.device_id)

    def device(self, decision: Decision, key_thumbprint: str, now: datetime) -> Device:
        """Return the device that an approval enrols for the holder of a key."""
        return Device(
            device_id=self.device_id,
            seller_id=decision.seller_id,
            user_id=decision.user_id,
            profile=Profile.BOUND,
            scopes=granted_scopes(decision.withheld_scopes),
            client_id=self.client_id,
            key_thumbprint=key_thumbprint,
            name_sealed=decision.name_sealed,
            facts=self.facts,
            withheld_scopes=decision.withheld_scopes,
            enrolled_at=now,
            used_at=now,
        )


@dataclass(frozen=True, kw_only=True)
class Polled:
    """A device grant as its desktop found it; `is_too_early` when it did not wait for its interval."""

    grant: DeviceGrant
    is_too_early: bool


def user_code(chance: bytes) -> str:
    """Return a user code without its dash, made from USER_CODE_CHANCE_BYTES of chance."""
    number, letters = int.from_bytes(chance, "big"), []
    for _ in range(USER_CODE_CHARS):
        number, place = divmod(number, len(USER_CODE_LETTERS))
        letters.append(USER_CODE_LETTERS[place])
    return "".join(letters)


def read_user_code(typed: str) -> str:
    """Return a user code as a person typed it, without what does not count (RFC 8628, 6.1).

    Raises:
        UserCodeInvalid: nothing like a user code.
    """
    letters = "".join(char for char in typed.upper() if char.isalnum())
    is_code = len(letters) == USER_CODE_CHARS and set(letters) <= set(USER_CODE_LETTERS)
    if len(typed) > USER_CODE_TYPED_CHARS_MAX or not is_code:
        raise UserCodeInvalid
    return letters


def shown_user_code(letters: str) -> str:
    """Return a user code as it is shown, in two groups."""
    half = USER_CODE_CHARS // 2
    return f"{letters[:half]}-{letters[half:]}"
