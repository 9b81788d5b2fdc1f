"""The vendors' applications registered with the simulated Amazon, read from a file at every start."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import simulator.operations as ops

APPLICATIONS_MAX = 64
FILE_BYTES_MAX = 1_000_000

SHIPPING_ROLE = "direct_to_consumer_shipping"
TAX_ROLE = "tax_invoicing"
# Source: SP-API documentation, "Tokens API Use Case Guide", roles that open each data element.
ROLE_ELEMENTS: Mapping[str, frozenset[str]] = {
    SHIPPING_ROLE: frozenset({ops.BUYER_INFO, ops.SHIPPING_ADDRESS}),
    TAX_ROLE: frozenset({ops.BUYER_INFO, ops.BUYER_TAX}),
}

_FIELDS = {
    "application_id",
    "client_id",
    "client_secret",
    "redirect_uris",
    "name",
    "log_in_uri",
    "logs_in_always",
    "is_draft",
    "roles",
    "secret_expires_at",
}


class ApplicationsInvalid(ValueError):
    """The applications file cannot be used; the text says where."""


@dataclass(frozen=True)
class Application:
    """A registered application.

    `log_in_uri` is where a seller who starts on the Appstore is sent, and with `logs_in_always` also one whom
    the vendor's own site sent to the consent page. `secret_expires_at` is when the secret of the file ends;
    without it that secret lasts until it is rotated, so a state folder can be kept long.
    """

    application_id: str
    client_id: str
    client_secret: str = field(repr=False)
    redirect_uris: tuple[str, ...]
    name: str
    log_in_uri: str | None = None
    logs_in_always: bool = False
    is_draft: bool = False
    roles: frozenset[str] = frozenset(ROLE_ELEMENTS)
    secret_expires_at: datetime | None = None

    @property
    def elements(self) -> frozenset[str]:
        """The data elements its roles open."""
        return frozenset(element for role in self.roles for element in ROLE_ELEMENTS[role])


class Applications:
    """Every registered application, found by either of its identifiers."""

    def __init__(self, applications: Sequence[Application]) -> None:
        self.all = tuple(applications)
        self._by_id = {application.application_id: application for application in applications}
        self._by_client = {application.client_id: application for application in applications}
        if len(self._by_id) != len(self.all) or len(self._by_client) != len(self.all):
            raise ApplicationsInvalid("two applications share an application_id or a client_id")

    def by_id(self, application_id: str) -> Application | None:
        """Return the application with this `amzn1.sellerapps.app.…` identifier."""
        return self._by_id.get(application_id)

    def by_client(self, client_id: str) -> Application | None:
        """Return the application with this `amzn1.application-oa2-client.…` identifier."""
        return self._by_client.get(client_id)


def load(path: Path) -> Applications:
    """Return the applications in a JSON file `{"applications": [{…}, …]}`.

    Raises:
        ApplicationsInvalid: the file is absent, too large or wrong somewhere.
    """
    try:
        content = path.read_bytes()
        if len(content) > FILE_BYTES_MAX:
            raise ApplicationsInvalid(f"{path} is larger than {FILE_BYTES_MAX} bytes")
        rows = json.loads(content)["applications"]
    except OSError as error:
        raise ApplicationsInvalid(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ApplicationsInvalid(f'{path} is not JSON of the form {{"applications": […]}}') from error
    if not isinstance(rows, list) or not 1 <= len(rows) <= APPLICATIONS_MAX:
        raise ApplicationsInvalid(f"{path} must list 1 to {APPLICATIONS_MAX} applications")
    return Applications(
        [_application(row, f"application {place}") for place, row in enumerate(rows, start=1)]
    )


def _application(row: Any, where: str) -> Application:
    if not isinstance(row, dict) or not row.keys() <= _FIELDS:
        raise ApplicationsInvalid(f"{where}: must be an object with fields of {sorted(_FIELDS)}")
    application_id = _text(row, "application_id", where)
    uris = row.get("redirect_uris")
    if not isinstance(uris, list) or not uris or not all(isinstance(uri, str) and uri for uri in uris):
        raise ApplicationsInvalid(f"{where}: redirect_uris must list at least one address")
    roles = row.get("roles", sorted(ROLE_ELEMENTS))
    if not isinstance(roles, list) or not set(map(str, roles)) <= ROLE_ELEMENTS.keys():
        raise ApplicationsInvalid(f"{where}: roles must be among {sorted(ROLE_ELEMENTS)}")
    for name in ("is_draft", "logs_in_always"):
        if not isinstance(row.get(name, False), bool):
            raise ApplicationsInvalid(f"{where}: {name} must be true or false")
    if row.get("logs_in_always") and not row.get("log_in_uri"):
        raise ApplicationsInvalid(f"{where}: logs_in_always needs a log_in_uri")
    return Application(
        application_id=application_id,
        client_id=_text(row, "client_id", where),
        client_secret=_text(row, "client_secret", where),
        redirect_uris=tuple(uris),
        name=_text(row, "name", where) if "name" in row else application_id,
        log_in_uri=_text(row, "log_in_uri", where) if row.get("log_in_uri") else None,
        logs_in_always=row.get("logs_in_always", False),
        is_draft=row.get("is_draft", False),
        roles=frozenset(roles),
        secret_expires_at=_instant(_text(row, "secret_expires_at", where), where)
        if row.get("secret_expires_at")
        else None,
    )


def _instant(text: str, where: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise ApplicationsInvalid(f"{where}: secret_expires_at must be an ISO 8601 time") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _text(row: dict[str, Any], name: str, where: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value:
        raise ApplicationsInvalid(f"{where}: {name} must be a text that is not empty")
    return value
