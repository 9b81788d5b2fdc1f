"""Connecting an account that Amazon hands over: what its redirect carries, and what a person chooses.

Nothing here is believed: auth judges the address, and the account must come back unchanged with the code.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from services.gateway.model import inputs

# The form's and the query's names, as Amazon sends them.
# Source: SP-API, "Website Authorization Workflow", step 3.
CALLBACK_URI = "amazon_callback_uri"
AMAZON_STATE = "amazon_state"
SELLING_PARTNER_ID = "selling_partner_id"
VERSION = "version"
BETA = "beta"
# Ours.
ACCOUNT_KIND = "account_kind"
MARKETPLACE_ID = "marketplace_id"


class AccountKind(StrEnum):
    """Where an account at Amazon lives: Seller Central or Vendor Central."""

    SELLER = "seller"
    VENDOR = "vendor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """What opened the log-in URI."""

    amazon_callback_uri: str
    amazon_state: str = field(repr=False)
    selling_partner_id: str
    is_beta: bool

    def fields(self) -> tuple[tuple[str, str], ...]:
        """Return what a form carries on, as names and values."""
        carried = (
            (CALLBACK_URI, self.amazon_callback_uri),
            (AMAZON_STATE, self.amazon_state),
            (SELLING_PARTNER_ID, self.selling_partner_id),
        )
        return (*carried, (VERSION, BETA)) if self.is_beta else carried


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What could be connected, as auth judges it.

    Attributes:
        marketplace_ids: to choose from, at least one.
        marketplace_id: chosen before the person went to Amazon; empty when none was.
    """

    account_kind: AccountKind
    marketplace_ids: tuple[str, ...]
    marketplace_id: str


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person decided to connect."""

    account_kind: AccountKind
    marketplace_id: str


def handover(fields: Mapping[str, str]) -> Handover:
    """Return what Amazon's redirect, or our form after it, carries; other fields are nobody's business.

    Raises:
        InvalidRequest: something that Amazon always sends is missing.
    """
    return Handover(
        amazon_callback_uri=inputs.required(fields, CALLBACK_URI),
        amazon_state=inputs.required(fields, AMAZON_STATE),
        selling_partner_id=inputs.required(fields, SELLING_PARTNER_ID),
        is_beta=fields.get(VERSION) == BETA,
    )


def choice(fields: Mapping[str, str]) -> Choice:
    """Return what a form says that a person chose.

    Raises:
        InvalidRequest: no marketplace, or a kind of account that there is not.
    """
    kind = fields.get(ACCOUNT_KIND, AccountKind.SELLER)
    if kind not in set(AccountKind):
        raise inputs.InvalidRequest("There is no such kind of account.")
    return Choice(AccountKind(kind), inputs.required(fields, MARKETPLACE_ID))
