"""A box for what must not be seen: keys, tokens, certificates' private halves.

The box shows nothing in logs, errors, format strings or debuggers' reprs, cannot be pickled or
copied by accident, and compares in constant time. `reveal` is the one way in, so that a search for
it lists every place where a secret is in the open. `scrub` is the net below: it takes out of free
text whatever is shaped like a credential, for texts whose making we do not control.
"""

import hmac
import re
from typing import Generic, NoReturn, TypeVar

T = TypeVar("T")

HIDDEN = "Secret(***)"

# Amazon's tokens and client secrets, which may never be shown anywhere, and our own bearer tokens.
# Source: Login with Amazon tokens begin with Atza|, Atzr| or Atz.sprdt|; client secrets with amzn1.oa2-cs.
CREDENTIAL_FORM = re.compile(
    r"(?:Atza|Atzr|Atz\.sprdt)(?:\||%7C)[^\s\"'&,;<>]*"
    r"|amzn1\.oa2-cs\.[^\s\"'&,;<>]*"
    r"|sp_(?:at|rt|ac|se|in)_[A-Za-z0-9_-]{8,}",
    re.IGNORECASE,
)


class Secret(Generic[T]):
    """One value that hides itself."""

    __slots__ = ("_value",)

    def __init__(self, value: T) -> None:
        self._value = value

    def reveal(self) -> T:
        """Return the value. Keep it only while it is used."""
        return self._value

    def __repr__(self) -> str:
        return HIDDEN

    def __format__(self, _spec: str) -> str:
        return HIDDEN

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        mine, theirs = _as_bytes(self._value), _as_bytes(other.reveal())
        if mine is None or theirs is None:
            return bool(self._value == other.reveal())
        same_type = type(self._value) is type(other.reveal())
        return hmac.compare_digest(mine, theirs) and same_type

    # A hash would be a fingerprint of the value.
    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is neither pickled nor copied")


def scrub(text: str) -> str:
    """Return the text with everything shaped like a credential replaced by HIDDEN."""
    return CREDENTIAL_FORM.sub(HIDDEN, text) if may_hold_credential(text) else text


def may_hold_credential(text: str) -> bool:
    """Return whether anything in a text may be shaped like a credential; cheaper than to look for the form.

    JSON spells what is looked for as it is, so a text without it has none after it is taken out of JSON.
    """
    lowered = text.lower()
    return "atz" in lowered or "oa2-cs" in lowered or "sp_" in lowered


def _as_bytes(value: object) -> bytes | None:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    return bytes(value) if isinstance(value, (bytes, bytearray)) else None
