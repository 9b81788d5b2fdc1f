"""The forms of what people and machines hand in, and of the tokens auth hands out."""

import base64
import re
import unicodedata
import uuid

from services.auth.model.refusals import InvalidName

TOKEN_BYTES = 32
ACCESS_PREFIX = "sp_at_"
REFRESH_PREFIX = "sp_rt_"
CODE_PREFIX = "sp_ac_"
DEVICE_CODE_PREFIX = "sp_dc_"
SESSION_PREFIX = "sp_se_"
INVITATION_PREFIX = "sp_in_"

NAME_CHARS_MAX = 64
REASON_CHARS_MAX = 200
TOKEN_CHARS_MAX = 256
STATE_CHARS_MAX = 64

# Source: RFC 7636, 4.1 and 4.2; RFC 7638, 3: SHA-256 in base64url is 43 characters.
SHA256_FORM = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


def token(prefix: str, chance: bytes) -> str:
    """Return the text of a token: its prefix, which secret scanners can know, and its bytes in base64url."""
    return prefix + base64.urlsafe_b64encode(chance).rstrip(b"=").decode("ascii")


def is_token(text: str, prefix: str) -> bool:
    """Return whether a text has the form of one of our tokens of this kind."""
    return text.startswith(prefix) and SHA256_FORM.fullmatch(text.removeprefix(prefix)) is not None


def is_id(text: str) -> bool:
    """Return whether a text is an identifier as auth writes them."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def name(text: str) -> str:
    """Return a person's, seller's or device's name without blanks around it.

    Raises:
        InvalidName: empty, longer than NAME_CHARS_MAX, or with control characters.
    """
    return _words(text, NAME_CHARS_MAX)


def reason(text: str) -> str:
    """Return a vendor's reason without blanks around it.

    Raises:
        InvalidName: empty, longer than REASON_CHARS_MAX, or with control characters.
    """
    return _words(text, REASON_CHARS_MAX)


def _words(text: str, chars_max: int) -> str:
    trimmed = text.strip()
    is_printable = not any(unicodedata.category(char).startswith("C") for char in trimmed)
    if not (0 < len(trimmed) <= chars_max and is_printable):
        raise InvalidName
    return trimmed
