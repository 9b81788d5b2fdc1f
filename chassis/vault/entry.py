"""A stored secret, read member by member: operators write some by hand, and may have written them wrong.

What is wrong is told to them in the log, by path and member and never by value; a caller hears only that the
key service cannot answer.
"""

import base64
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeVar

import chassis.log
from chassis.secrecy import Secret
from chassis.vault.errors import SecretDamaged

REMEDY = "put a good version back: vault kv rollback -mount=kv -version=N {path}; see docs/keys.md"

Meant = TypeVar("Meant")

_log = chassis.log.get("vault")


class Entry:
    """What one path holds; every method raises SecretDamaged for a member that is not what it must be."""

    def __init__(self, path: str, data: Mapping[str, object]) -> None:
        self._path = path
        self._data = data

    def __contains__(self, member: str) -> bool:
        return member in self._data

    def text(self, member: str) -> str:
        """Return a member as it stands."""
        return self.read(member, str, form="text")

    def key(self, member: str, size: int) -> Secret[bytes]:
        """Return a key of so many bytes, which is kept as base64."""

        def decoded(text: str) -> Secret[bytes]:
            key = base64.b64decode(text, validate=True)
            if len(key) != size:
                raise ValueError("another size")
            return Secret(key)

        return self.read(member, decoded, form=f"base64 of {size} bytes")

    def moment(self, member: str) -> datetime:
        """Return a moment, which is kept as ISO 8601 with its offset."""
        return self.read(member, _aware, form="a moment with its offset")

    def read(self, member: str, meant: Callable[[str], Meant], *, form: str) -> Meant:
        """Return what a member means.

        Args:
            member: its name.
            meant: raises ValueError for a text that means nothing.
            form: what an operator must write there.
        """
        value = self._data.get(member)
        if isinstance(value, str):
            try:
                return meant(value)
            except ValueError:
                pass  # Its words may quote the value.
        raise self._damaged(member, form)

    def _damaged(self, member: str, form: str) -> SecretDamaged:
        path, remedy = f"kv/{self._path}", REMEDY.format(path=self._path)
        _log.error("secret_damaged", path=path, member=member, must_be=form, remedy=remedy)
        return SecretDamaged(f"{path}: `{member}` must be {form}; {remedy}")


def _aware(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("no offset")
    return moment
