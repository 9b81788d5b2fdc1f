"""Loans: who borrows which of Amazon's tokens, on what terms, and how much anybody borrows (T-19).

A gateway keeps what it is lent for an hour, so even a busy one borrows little. One that borrows for ever more
sellers, or over and over, is not serving desktops: within a minute it gets no further than its budget.
"""

from dataclasses import dataclass, field

from services.auth.model.consents import Region
from services.auth.model.restricted import Restriction
from services.auth.model.turns import Pace

WINDOW_S = 60.0
SELLERS_PER_MINUTE = 5_000
TOKENS_PER_MINUTE = 20_000
SELLERS_PER_MINUTE_MAX = 100_000
TOKENS_PER_MINUTE_MAX = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Budget:
    """How much one borrower may borrow of one replica of auth in WINDOW_S.

    Attributes:
        sellers_max: for how many sellers.
        tokens_max: how often, over all sellers.
    """

    sellers_max: int = SELLERS_PER_MINUTE
    tokens_max: int = TOKENS_PER_MINUTE


@dataclass(frozen=True, kw_only=True)
class LendingTerms:
    """What the vendor decided about lending.

    Attributes:
        pace: how often Login with Amazon is asked at most.
        budget: how much one borrower may borrow.
        delegates: applications of others to which restricted data tokens may be delegated.
    """

    pace: Pace
    budget: Budget = Budget()
    delegates: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Loan:
    """What a borrower asks for.

    Attributes:
        borrower: the caller's identity and what tells its processes apart.
        device_id: in whose name Amazon will be called.
        restriction: None for the ordinary access token.
        target_application: to which the restricted token is delegated; empty for none.
        refused_digest: SHA-256 of the token that Amazon did not take; empty for none.
    """

    borrower: str
    device_id: str
    region: Region
    restriction: Restriction | None = None
    target_application: str = ""
    refused_digest: bytes = field(default=b"", repr=False)
