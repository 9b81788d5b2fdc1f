"""What lies in the safe and where: names, sealed records, and the data keys over them.

A record is sealed under the data key of its seller and erase day; that key lies in the database wrapped by
the seller's key and then by the day's key, which never leave Vault. `place` says what a ciphertext is bound
to: opened anywhere else, or with its clock changed, it does not open (T-16).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from services.retention.model.errors import Expired, NameInvalid, NothingKept, RecordUnsound
from services.retention.model.orders import OrderClock, is_dead

PLAINTEXT_BYTES_MAX = 256 * 1024
# How many of one order's records are handled at a time; more take more turns.
FIELD_SETS_MAX = 64

# A seller id becomes part of a key's name in Vault.
SELLER_ID_FORM = re.compile(r"[A-Za-z0-9_-]{1,64}")
ORDER_ID_FORM = re.compile(r"[!-~]{1,64}")
FIELD_SET_FORM = re.compile(r"[A-Za-z0-9._-]{1,100}")


@dataclass(frozen=True, slots=True)
class RecordName:
    """What a record is asked for by.

    Raises:
        NameInvalid: a part is not shaped like one.
    """

    seller_id: str
    order_id: str
    field_set: str

    def __post_init__(self) -> None:
        check_seller_id(self.seller_id)
        check_order_id(self.order_id)
        if FIELD_SET_FORM.fullmatch(self.field_set) is None:
            raise NameInvalid


@dataclass(frozen=True, slots=True, kw_only=True)
class DataKey:
    """One seller's key for one erase day, wrapped; useless without both keys in Vault."""

    key_id: str
    seller_id: str
    erase_day: date
    wrapped: str = field(repr=False)

    @property
    def place(self) -> Mapping[str, str | int]:
        """What the wrapped key is bound to."""
        return {
            "table": "data_keys",
            "seller": self.seller_id,
            "erase_day": self.erase_day.isoformat(),
            "key": self.key_id,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One sealed copy.

    Attributes:
        erase_day: under which day's key it lies.
        key_id: of the data key that opens it; changes whenever that key is made anew.
        sealed: empty while the record is being made.
        is_unsound: it failed to open once and is set aside.
    """

    name: RecordName
    erase_day: date
    key_id: str
    fetched_at: datetime
    expires_at: datetime
    sealed: bytes = field(default=b"", repr=False)
    is_unsound: bool = False

    @property
    def place(self) -> Mapping[str, str | int]:
        """What the ciphertext is bound to: tenant, table, row, key version, and its clock."""
        return {
            "table": "records",
            "seller": self.name.seller_id,
            "order": self.name.order_id,
            "field_set": self.name.field_set,
            "erase_day": self.erase_day.isoformat(),
            "key": self.key_id,
            "fetched_at": _text(self.fetched_at),
            "expires_at": _text(self.expires_at),
        }


@dataclass(frozen=True, slots=True)
class Kept:
    """A record with the key over it."""

    record: Record
    data_key: DataKey


@dataclass(frozen=True, slots=True)
class Found:
    """Everything known under one name: the order's clock and the kept record, each if there is one."""

    clock: OrderClock | None
    kept: Kept | None


@dataclass(frozen=True, slots=True)
class Opened:
    """A record in the open. Keep it only while it is handed over."""

    plaintext: bytes = field(repr=False)
    fetched_at: datetime
    expires_at: datetime


def readable(found: Found, *, age_max: timedelta | None, now: datetime) -> Kept:
    """Return the record that may be opened right now.

    A copy older than `age_max` of an order that has not left counts as not kept; None means any age.

    Raises:
        Expired: the record's or the order's clock has run out.
        NothingKept: there is no copy, or only one that is too old.
        RecordUnsound: it was set aside.
    """
    clock, kept = found.clock, found.kept
    deadlines = [clock.expires_at] if clock else []
    deadlines += [kept.record.expires_at] if kept else []
    if any(is_dead(expires_at, now) for expires_at in deadlines):
        raise Expired
    if clock is None or kept is None:
        raise NothingKept
    if kept.record.is_unsound:
        raise RecordUnsound
    if age_max is not None and clock.left_at is None and now - kept.record.fetched_at > age_max:
        raise NothingKept
    return kept


def check_seller_id(seller_id: str) -> None:
    """Return if this is shaped like a seller id.

    Raises:
        NameInvalid: it is not.
    """
    if SELLER_ID_FORM.fullmatch(seller_id) is None:
        raise NameInvalid


def check_order_id(order_id: str) -> None:
    """Return if this is shaped like an order id.

    Raises:
        NameInvalid: it is not.
    """
    if ORDER_ID_FORM.fullmatch(order_id) is None:
        raise NameInvalid


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
