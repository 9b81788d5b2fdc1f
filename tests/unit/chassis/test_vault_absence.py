"""What counts as absent in the key service: a key falsely taken for destroyed is a false proof (R-06)."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
import requests.adapters

import chassis.env
import chassis.vault
from chassis.vault.session import Session
from fakes.certificates import Authority
from fakes.clock import FakeClock

KEY = "retention-day-2026-12-22"
PLAIN, JSON = "text/plain", "application/json"
ABSENT, DELETED = (
    b'{"errors":[]}',
    b'{"data":{"data":null,"metadata":{"deletion_time":"2026-11-22T12:00:00Z"}}}',
)
# What stands before a key service, or is not fully up, says of a path that it does not know.
STRANGE = {
    "no such route yet": (
        JSON,
        b'{"errors":["no handler for route \\"transit/keys/x\\". route entry not found."]}',
    ),
    "unsupported": (JSON, b'{"errors":["unsupported path"]}'),
    "a balancer's words": (PLAIN, b"default backend - 404"),
    "a page": ("text/html", b"<html><title>404 Not Found</title></html>"),
    "nothing at all": (PLAIN, b""),
    "its type alone": (JSON, b""),
    "a gateway's words": (JSON, b'{"message":"Not Found"}'),
    "a list": (JSON, b"[]"),
    "a text": (JSON, b'"gone"'),
    "no object": (JSON, b"null"),
}


class Standing(requests.adapters.BaseAdapter):
    """Whoever stands at the key service's address: says the same to everybody."""

    def __init__(self, status: int, kind: str, body: bytes) -> None:
        super().__init__()
        self._said = status, kind, body

    def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
        response = requests.Response()
        response.status_code, response.headers["Content-Type"], response._content = self._said
        response.request, response.url = request, str(request.url)
        return response

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def said(tmp_path: Path) -> Callable[..., Any]:
    """Gives a client of whoever says this."""
    files = chassis.env.AppRole(role_id_file=tmp_path / "role_id", secret_id_file=tmp_path / "secret_id")
    config = chassis.env.VaultConfig(
        address="https://localhost",
        ca_file=Authority().write_ca(tmp_path),
        login=files,
        mount="approle",
        namespace=None,
        pki_role="retention",
    )

    @asynccontextmanager
    async def client(status: int, kind: str, body: bytes) -> AsyncIterator[chassis.vault.Vault]:
        session = Session(config, FakeClock())
        session._client.session.mount("https://", Standing(status, kind, body))
        async with chassis.vault.Vault(session) as vault:
            yield vault

    return client


QUESTIONS: Mapping[str, Callable[[chassis.vault.Vault], Awaitable[object]]] = {
    "exists": lambda vault: vault.transit_exists(KEY),
    "open": lambda vault: vault.transit_open(KEY, "vault:v1:AAAA", b"place"),
    "sign": lambda vault: vault.transit_sign(KEY, b"message"),
    "read": lambda vault: vault.kv_read("auth/digest-key"),
    "delete": lambda vault: vault._session.ask("delete", f"transit/keys/{KEY}"),
}
questions = pytest.mark.parametrize("question", QUESTIONS)


async def test_a_404_without_errors_is_an_absence(said: Callable[..., Any]) -> None:
    async with said(404, JSON, ABSENT) as vault:
        assert not await vault.transit_exists(KEY)


@pytest.mark.parametrize("body", [ABSENT, DELETED], ids=["never stored", "deleted"])
async def test_what_was_never_stored_or_was_deleted_is_not_found(
    said: Callable[..., Any], body: bytes
) -> None:
    async with said(404, JSON, body) as vault:
        with pytest.raises(chassis.vault.SecretNotFound):
            await vault.kv_read("auth/digest-key")


@questions
@pytest.mark.parametrize("words", STRANGE)
async def test_a_404_of_anybody_who_could_not_know_is_no_absence_R06(
    said: Callable[..., Any], words: str, question: str
) -> None:
    async with said(404, *STRANGE[words]) as vault:
        with pytest.raises(chassis.vault.KeyServiceUnavailable):
            await QUESTIONS[question](vault)


@questions
@pytest.mark.parametrize("status", [200, 301, 500, 502])
@pytest.mark.parametrize(
    ("kind", "body"), [(JSON, b"[]"), (JSON, b"null"), (JSON, b"1"), (PLAIN, b"welcome")]
)
async def test_what_is_no_answer_of_a_key_service_is_no_absence_R06(
    said: Callable[..., Any], *, status: int, kind: str, body: bytes, question: str
) -> None:
    async with said(status, kind, body) as vault:
        with pytest.raises(chassis.vault.KeyServiceUnavailable):
            await QUESTIONS[question](vault)
