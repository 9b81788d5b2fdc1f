"""Where a sealed value lives. The place is bound to the value: moved elsewhere, it does not open (T-16)."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Place:
    """The home of one sealed value.

    Attributes:
        seller_id: whose key seals it; destroying that key destroys the value (T-18).
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
