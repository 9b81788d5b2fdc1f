"""Login with Amazon's token endpoint: codes, refresh tokens and client credentials in, access tokens out.

Source: SP-API documentation, "Connect to the SP-API" and "Website Authorization Workflow"; error texts as
seen in issues of amzn/selling-partner-api-models (268, 2527, 2997).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import simulator.events
from simulator import exchange, operations, tokens
from simulator.applications import Application, Applications
from simulator.events import CodeUsed, ConsentGranted, Event, TokenIssued
from simulator.exchange import Answer, Request
from simulator.ledger import CONSENT_LIVES, Ledger
from simulator.seed import Mint
from simulator.tokens import Kind
from simulator.world import Seller

# Source: SP-API documentation, "Grantless Operations".
SCOPES = frozenset({"sellingpartnerapi::notifications", operations.ROTATION_SCOPE})


class LwaRefusal(Exception):
    """An error of the token endpoint: a status, a code and a description."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.error = error
        self.description = description


@dataclass(frozen=True)
class Asked:
    """A token request whose client has proved itself."""

    application: Application
    grant_type: str
    fields: Mapping[str, str]

    def required(self, name: str) -> str:
        """Return a field.

        Raises:
            LwaRefusal: `invalid_request`, it is missing.
        """
        return _required(self.fields, name)


@dataclass(frozen=True)
class Connected:
    """A seller who has just consented, with the tokens that the application holds."""

    seller_id: str
    refresh_token: str = field(repr=False)
    access_token: str = field(repr=False)
    expires_at: datetime


def refused(refusal: LwaRefusal) -> Answer:
    """Return a refusal in the shape Login with Amazon gives it."""
    document = {"error_description": refusal.description, "error": refusal.error}
    return exchange.json_answer(refusal.status, document, *_UNCACHED)


def invalid_grant(parameter: str) -> LwaRefusal:
    """Return the refusal of one code or refresh token: one seller's trouble, not the application's."""
    note = ". User may have revoked or didn't grant the permission." if parameter == "refresh_token" else ""
    return LwaRefusal(400, "invalid_grant", f"The request has an invalid grant parameter : {parameter}{note}")


def throttled() -> LwaRefusal:
    """Return the refusal of one request too many; Amazon publishes neither the number nor the shape."""
    return LwaRefusal(429, "temporarily_unavailable", "The request was throttled. Try again later.")


_UNCACHED = (("Cache-Control", "no-store"), ("Pragma", "no-cache"))


class Lwa:
    """The token endpoint."""

    def __init__(self, *, ledger: Ledger, applications: Applications, mint: Mint) -> None:
        self._ledger = ledger
        self._applications = applications
        self._mint = mint
        self._grants: dict[str, Callable[[Asked, datetime], dict[str, object]]] = {
            "authorization_code": self._by_code,
            "refresh_token": self._by_refresh_token,
            "client_credentials": self._by_client,
        }

    def asked(self, request: Request, now: datetime) -> Asked:
        """Return a token request of a known client.

        Raises:
            LwaRefusal: it is malformed, or its client is unknown or has the wrong secret.
        """
        fields = _fields(request)
        grant_type = _required(fields, "grant_type")
        if grant_type not in self._grants:
            raise LwaRefusal(
                400,
                "unsupported_grant_type",
                "The authorization grant type is not supported by the authorization server",
            )
        client_id, secret = _required(fields, "client_id"), _required(fields, "client_secret")
        application = self._applications.by_client(client_id)
        if application is None or not self._ledger.is_secret(application, secret, now):
            raise LwaRefusal(401, "invalid_client", "Client authentication failed")
        return Asked(application, grant_type, fields)

    def seller_id(self, asked: Asked) -> str:
        """Return whose code or refresh token was shown, be it good or not; empty when it is nobody's."""
        text = asked.fields.get("refresh_token") or asked.fields.get("code") or ""
        shown = self._ledger.token(text) or self._ledger.state.codes.get(simulator.events.digest(text))
        consent = self._ledger.state.consents.get(shown.consent_id or "") if shown else None
        return consent.seller_id if consent else ""

    def connect(self, application: Application, sellers: Sequence[Seller], now: datetime) -> list[Connected]:
        """Return what sellers' consents are worth, as if each had consented and its code had been exchanged.

        All of it is committed in one step, so that thousands of sellers are connected within seconds.
        """
        made = [self._connected(application, seller, now) for seller in sellers]
        self._ledger.commit(*(event for _, events in made for event in events))
        return [connected for connected, _ in made]

    def grant(self, asked: Asked, now: datetime) -> Answer:
        """Return the tokens asked for.

        Raises:
            LwaRefusal: the grant is not in order.
        """
        document = self._grants[asked.grant_type](asked, now)
        return exchange.json_answer(200, document, *_UNCACHED)

    def _by_code(self, asked: Asked, now: datetime) -> dict[str, object]:
        text, redirect_uri = asked.required("code"), asked.required("redirect_uri")
        code = self._ledger.code(text)
        consent = self._ledger.consent(code.consent_id, now) if code else None
        if code is None or consent is None or now >= code.expires_at or code.redirect_uri != redirect_uri:
            raise invalid_grant("code")
        if consent.application_id != asked.application.application_id:
            raise invalid_grant("code")
        refresh, refresh_issued = self._refresh(consent)
        access, access_issued = self._access(asked.application, now, consent_id=consent.consent_id)
        self._ledger.commit(CodeUsed(code.code_digest), refresh_issued, access_issued)
        return _document(access, refresh_token=refresh)

    def _by_refresh_token(self, asked: Asked, now: datetime) -> dict[str, object]:
        if "scope" in asked.fields:
            raise LwaRefusal(400, "invalid_request", "scope and refresh_token exclude each other")
        text = asked.required("refresh_token")
        token = self._ledger.token(text)
        consent = self._ledger.consent(token.consent_id, now) if token else None
        if token is None or token.kind != Kind.REFRESH or consent is None:
            raise invalid_grant("refresh_token")
        if token.application_id != asked.application.application_id:
            raise invalid_grant("refresh_token")
        access, issued = self._access(asked.application, now, consent_id=consent.consent_id)
        self._ledger.commit(issued)
        return _document(access, refresh_token=text)

    def _by_client(self, asked: Asked, now: datetime) -> dict[str, object]:
        scope = asked.required("scope")
        if scope not in SCOPES:
            raise LwaRefusal(400, "invalid_scope", "The request has an invalid scope parameter")
        access, issued = self._access(asked.application, now, scope=scope)
        self._ledger.commit(issued)
        return _document(access, scope=scope)

    def _connected(
        self, application: Application, seller: Seller, now: datetime
    ) -> tuple[Connected, tuple[Event, ...]]:
        consent = ConsentGranted(
            consent_id=self._mint.identifier(),
            application_id=application.application_id,
            seller_id=seller.seller_id,
            granted_at=now,
        )
        refresh, refresh_issued = self._refresh(consent)
        access, access_issued = self._access(application, now, consent_id=consent.consent_id)
        connected = Connected(seller.seller_id, refresh, access, access_issued.expires_at)
        return connected, (consent, refresh_issued, access_issued)

    def _refresh(self, consent: ConsentGranted) -> tuple[str, TokenIssued]:
        """Return a new refresh token and the event that makes it valid."""
        refresh = tokens.mint(Kind.REFRESH, self._mint)
        issued = TokenIssued(
            token_digest=simulator.events.digest(refresh),
            kind=Kind.REFRESH,
            application_id=consent.application_id,
            expires_at=consent.granted_at + CONSENT_LIVES,
            consent_id=consent.consent_id,
        )
        return refresh, issued

    def _access(
        self,
        application: Application,
        now: datetime,
        *,
        consent_id: str | None = None,
        scope: str | None = None,
    ) -> tuple[str, TokenIssued]:
        """Return a new access token and the event that makes it valid."""
        kind = Kind.GRANTLESS if scope else Kind.ACCESS
        access = tokens.mint(kind, self._mint)
        issued = TokenIssued(
            token_digest=simulator.events.digest(access),
            kind=kind,
            application_id=application.application_id,
            expires_at=now + tokens.TOKEN_LIVES,
            consent_id=consent_id,
            scope=scope,
        )
        return access, issued


def _document(access_token: str, **others: str) -> dict[str, object]:
    lifetime_s = int(tokens.TOKEN_LIVES.total_seconds())
    return {"access_token": access_token, **others, "token_type": "bearer", "expires_in": lifetime_s}


def _fields(request: Request) -> dict[str, str]:
    """Return the fields of a token request, form-encoded or JSON."""
    is_json = request.headers.get("content-type", "").partition(";")[0].strip().lower() == exchange.JSON_TYPE
    try:
        fields = request.document() if is_json else request.form()
    except ValueError as error:
        raise LwaRefusal(400, "invalid_request", "The request is malformed") from error
    if not all(isinstance(value, str) for value in fields.values()):
        raise LwaRefusal(400, "invalid_request", "The request has an invalid parameter")
    return fields


def _required(fields: Mapping[str, str], name: str) -> str:
    if not fields.get(name):
        raise LwaRefusal(400, "invalid_request", f"The request is missing a required parameter : {name}")
    return fields[name]
