"""Amounts of money, from a currency's smallest unit to the texts Amazon sends."""

# Currencies whose smallest unit is the unit itself.
_WHOLE = frozenset({"JPY"})


def amount(minor: int, currency: str) -> str:
    """Return an amount as text; `minor` is not negative."""
    return str(minor) if currency in _WHOLE else f"{minor // 100}.{minor % 100:02d}"


def v0(minor: int, currency: str) -> dict[str, str]:
    """Return an amount in the shape of Orders v0."""
    return {"CurrencyCode": currency, "Amount": amount(minor, currency)}


def v2026(minor: int, currency: str) -> dict[str, str]:
    """Return an amount in the shape of Orders 2026-01-01."""
    return {"amount": amount(minor, currency), "currencyCode": currency}
