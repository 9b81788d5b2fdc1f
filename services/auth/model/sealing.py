"""Where a sealed value lives. The place is bound to the value: moved elsewhere, it does not open (T-16)."""

from dataclasses import dataclass
from typing import TypeAlias

# Stands in the place of a seller's id for the vendor's staff: a key of the house seals their data.
STAFF = ""
# The code of the error that tells of a value that was not sealed for its place, or was changed since.
INTEGRITY_FAILURE = "integrity_failure"


@dataclass(frozen=True, kw_only=True)
class Place:
    """The home of one sealed value.

    Attributes:
        seller_id: whose key seals it, or STAFF; destroying that key destroys the value (T-18).
        table: name of the table, without its schema.
        column: name of the column.
        row_id: the row's identifier.
        version: how often this very field was written anew; an older writing put back does not open.
    """

    seller_id: str
    table: str
    column: str
    row_id: str
    version: int = 1

    @property
    def tenant(self) -> str:
        """Whose the value is."""
        return self.seller_id


@dataclass(frozen=True, kw_only=True)
class ApplicationPlace:
    """The home of one sealed value that is the application's own; the other attributes are as in `Place`.

    Attributes:
        application_id: whose key seals it.
    """

    application_id: str
    table: str
    column: str
    row_id: str
    version: int = 1

    @property
    def tenant(self) -> str:
        """Whose the value is."""
        return self.application_id


AnyPlace: TypeAlias = Place | ApplicationPlace
