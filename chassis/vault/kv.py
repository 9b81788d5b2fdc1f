"""Secrets in the key service: its second key-value engine, mounted at kv/."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chassis.vault.errors import SecretNotFound
from chassis.vault.part import VaultPart
from chassis.vault.session import Invalid


@dataclass(frozen=True, kw_only=True)
class Version:
    """One version of a stored secret.

    Attributes:
        number: counts from 1.
        created_at: by Vault's own clock.
    """

    number: int
    data: Mapping[str, str] = field(repr=False)
    created_at: datetime


class KvPart(VaultPart):
    """What is kept under versions."""

    async def kv_read(self, path: str) -> dict[str, str]:
        """Return the newest version of what is stored at `path`.

        Raises:
            SecretNotFound: nothing is, or it was deleted.
            KeyServiceUnavailable: Vault cannot answer.
        """
        answer = await self._session.ask("read", f"kv/data/{path}")
        if answer is None:
            raise SecretNotFound
        data: dict[str, str] = answer["data"]["data"]
        return data

    async def kv_write(self, path: str, data: Mapping[str, str]) -> None:
        """Store a new version at `path`.

        Raises:
            KeyServiceUnavailable: Vault cannot answer.
        """
        await self._session.ask("write_data", f"kv/data/{path}", {"data": dict(data)})

    async def kv_create(self, path: str, data: Mapping[str, str]) -> bool:
        """Store the first version at `path`; False, and nothing stored, when there is one already.

        Raises:
            KeyServiceUnavailable: Vault cannot answer.
        """
        return await self.kv_replace(path, data, number=0)

    async def kv_find(self, path: str) -> Version:
        """Return the newest version of what is stored at `path`, with its number.

        Raises:
            SecretNotFound: nothing is, or it was deleted.
            KeyServiceUnavailable: Vault cannot answer.
        """
        answer = await self._session.ask("read", f"kv/data/{path}")
        if answer is None:
            raise SecretNotFound
        metadata = answer["data"]["metadata"]
        return Version(
            number=metadata["version"],
            data=answer["data"]["data"],
            created_at=datetime.fromisoformat(metadata["created_time"]),
        )

    async def kv_replace(self, path: str, data: Mapping[str, str], *, number: int) -> bool:
        """Store the version after this one; False, and nothing stored, when it is not the newest any more.

        Raises:
            KeyServiceUnavailable: Vault cannot answer.
        """
        try:
            next_ = {"data": dict(data), "options": {"cas": number}}
            await self._session.ask("write_data", f"kv/data/{path}", next_)
        except Invalid:
            return False
        return True

    async def kv_forget_older(self, path: str) -> int:
        """Destroy every version at `path` but the newest for good; return how many those were.

        Raises:
            KeyServiceUnavailable: Vault cannot answer.
        """
        answer = await self._session.ask("read", f"kv/metadata/{path}")
        if answer is None:
            return 0
        newest: int = answer["data"]["current_version"]
        versions: Mapping[str, Mapping[str, Any]] = answer["data"]["versions"]
        older = [int(number) for number, state in versions.items() if not state["destroyed"]]
        older = [number for number in older if number < newest]
        if older:
            await self._session.ask("write_data", f"kv/destroy/{path}", {"versions": older})
        return len(older)
