"""Opaque texts that come back: page tokens and the values that travel through a vendor's log-in page.

They carry their content sealed, so that the simulator remembers nothing, nobody reads a search's filters in
them, and a changed one is noticed. The same content gives the same text.
"""

import base64
import json
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

import simulator.seed

TEXT_SIZE_MAX = 8_192


class NotSealed(ValueError):
    """The text was not made here, or not for this purpose."""


class Sealer:
    """Seals and opens small JSON objects."""

    def __init__(self, seed: simulator.seed.Seed) -> None:
        self._cipher = AESSIV(seed.digest("sealer"))

    def seal(self, purpose: str, content: dict[str, Any]) -> str:
        """Return `content` as text that only `open` with the same purpose can read."""
        sealed = self._cipher.encrypt(json.dumps(content, sort_keys=True).encode(), [purpose.encode()])
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def open(self, purpose: str, text: str) -> dict[str, Any]:
        """Return what was sealed.

        Raises:
            NotSealed: the text is not of this purpose, or was changed.
        """
        try:
            padded = text[:TEXT_SIZE_MAX] + "=" * (-len(text) % 4)
            sealed = base64.b64decode(padded, altchars=b"-_", validate=True)
            content: dict[str, Any] = json.loads(self._cipher.decrypt(sealed, [purpose.encode()]))
        except (ValueError, InvalidTag) as error:
            raise NotSealed("not a text that was sealed here") from error
        return content
