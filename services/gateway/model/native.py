"""Sign-in for native applications: which authorization requests are accepted, and how they are answered.

Owns the rules for client, redirect URI, PKCE challenge and scopes. A request whose client or redirect
URI is wrong is never answered by a redirect: nobody knows who would receive it. Every other refusal
goes back to the application, on this very machine.

Source: RFC 6749 (4.1), RFC 7636 (PKCE), RFC 8252 (7.3, loopback redirects), RFC 9207 (iss), RFC 9449 (10,
dpop_jkt).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import urlencode

import chassis.errors
from chassis.secrecy import Secret
from services.gateway.model.application_policy import SCOPE_CALL, SCOPE_PII
from services.gateway.model.device_facts import DeviceFacts, FactsUnreadable, read_facts

# Source: RFC 7636, 4.2: the base64url form of 32 bytes; 4.1: what a verifier may hold.
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}", re.ASCII)
CHALLENGE_METHOD = "S256"

# Port free, the rest exact. A path of plain characters needs no encoding, so no two texts mean the same.
# Source: RFC 8252, 7.3 and 8.3: IP literals, not "localhost".
LOOPBACK_REDIRECT = re.compile(
    r"http://(?P<host>127\.0\.0\.1|\[::1\]):(?P<port>[1-9][0-9]{0,4})(?P<path>/[A-Za-z0-9._~/-]*)",
    re.ASCII,
)
REDIRECT_CHARS_MAX = 256
PORT_MAX = 65_535

STATE_CHARS_MAX = 512
# What the application gets when it asks for nothing in particular.
SCOPE_DEFAULT = SCOPE_CALL
# The box that allows an optional scope is named so.
ALLOW_FIELD = "allow_"
# What a person may withhold from a desktop.
OPTIONAL_SCOPES = frozenset({SCOPE_PII})
# The key that alone may redeem the code. Source: RFC 9449, 10.
KEY_FIELD = "dpop_jkt"
# What a scope lets a desktop do, as its seller reads it.
SCOPE_PROMISES: Mapping[str, str] = MappingProxyType(
    {
        SCOPE_CALL: "read your orders and use the rest of Amazon's selling API for you",
        SCOPE_PII: "see buyers' names and addresses, once it has been allowed to",
    },
)


class ClientUnknown(chassis.errors.InvalidInput):
    """The request names an application that is not ours."""

    code = "invalid_client"
    text = "The application that sent you here is not known."


class RedirectRefused(chassis.errors.InvalidInput):
    """The request wants its answer somewhere that is not an application on this machine (T-04)."""

    code = "redirect_uri_refused"
    text = "The application that sent you here asks for the answer at an address that is not accepted."


class ScopeUnknown(chassis.errors.InvalidInput):
    """A scope is asked for that does not exist."""

    code = "invalid_scope"
    text = "A scope is not known here."


class StateUnreadable(chassis.errors.InvalidInput):
    """The request's state cannot be sent back as it came."""

    code = "invalid_request"
    text = f"The state must be plain text of at most {STATE_CHARS_MAX} characters."


class AuthorizationRefused(chassis.errors.InvalidInput):
    """A refusal that the application hears by redirect.

    Attributes:
        code: an error code of RFC 6749, 4.1.2.1.
        target: where the refusal goes, complete.
    """

    def __init__(self, code: str, text: str, *, target: str) -> None:
        super().__init__(text)
        self.code = code
        self.target = target


@dataclass(frozen=True, slots=True)
class NativeClient:
    """The vendor's desktop application, as it is registered here.

    Attributes:
        client_id: public; it proves nothing.
        name: what the seller calls the application.
        redirect_path: the one path its redirect URIs have; None when any will do.
    """

    client_id: str
    name: str
    redirect_path: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationRequest:
    """A request that passed every rule; `key_thumbprint` is empty when the desktop named no key."""

    client_id: str
    redirect_uri: str
    code_challenge: str
    scopes: tuple[str, ...]
    state: str
    facts: DeviceFacts
    key_thumbprint: str

    def fields(self) -> tuple[tuple[str, str], ...]:
        """Return the parameters that make this request again, for the form that approves it."""
        key = ((KEY_FIELD, self.key_thumbprint),) if self.key_thumbprint else ()
        return (
            ("response_type", "code"),
            ("client_id", self.client_id),
            ("redirect_uri", self.redirect_uri),
            ("code_challenge", self.code_challenge),
            ("code_challenge_method", CHALLENGE_METHOD),
            ("scope", " ".join(self.scopes)),
            ("state", self.state),
            *key,
            *self.facts.fields(),
        )

    def answered(self, *, code: str, issuer: str) -> str:
        """Return where the browser goes once the person approved."""
        return _target(self.redirect_uri, code=code, state=self.state, iss=issuer)

    def denied(self, *, issuer: str) -> str:
        """Return where the browser goes when the person did not approve."""
        return _target(self.redirect_uri, error="access_denied", state=self.state, iss=issuer)


@dataclass(frozen=True, slots=True)
class Approval:
    """What a person adds to a request: a name for the desktop, and what it shall never have."""

    device_name: str
    withheld_scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeGrant:
    """A desktop's request to turn its code into tokens."""

    client_id: str
    code: Secret[str]
    code_verifier: Secret[str]
    redirect_uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshGrant:
    """A desktop's request for new tokens; `app_version` is empty when it does not tell its own."""

    client_id: str
    refresh_token: Secret[str]
    app_version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCodeGrant:
    """A desktop's question whether somebody has let it in."""

    client_id: str
    device_code: Secret[str]


@dataclass(frozen=True, slots=True)
class TokenSet:
    """What a grant gives; `expires_in_s` is the access token's life."""

    access_token: Secret[str]
    refresh_token: Secret[str]
    expires_in_s: int
    scopes: tuple[str, ...]


def read_request(parameters: Mapping[str, str], client: NativeClient, *, issuer: str) -> AuthorizationRequest:
    """Return the request that the parameters make; unknown parameters mean nothing (RFC 6749, 3.1).

    Raises:
        ClientUnknown: another client id than the registered one.
        RedirectRefused: not a loopback address of this machine.
        StateUnreadable: the answer could not carry the state back.
        AuthorizationRefused: any other rule is broken; goes back by redirect.
    """
    if parameters.get("client_id") != client.client_id:
        raise ClientUnknown
    redirect_uri = check_redirect(parameters.get("redirect_uri", ""), client)
    state = parameters.get("state", "")
    if len(state) > STATE_CHARS_MAX or not (state.isascii() and state.isprintable()):
        raise StateUnreadable
    scopes = read_scopes(parameters)
    problem = _problem(parameters, scopes)
    if problem is not None:
        code, text = problem
        target = _target(redirect_uri, error=code, error_description=text, state=state, iss=issuer)
        raise AuthorizationRefused(code, text, target=target)
    return AuthorizationRequest(
        client_id=client.client_id,
        redirect_uri=redirect_uri,
        code_challenge=parameters["code_challenge"],
        scopes=scopes,
        state=state,
        facts=read_facts(parameters),
        key_thumbprint=parameters.get(KEY_FIELD, ""),
    )


def read_scopes(parameters: Mapping[str, str]) -> tuple[str, ...]:
    """Return the scopes that a request asks for, each once; unchecked."""
    return tuple(dict.fromkeys(parameters.get("scope", SCOPE_DEFAULT).split(" ")))


def are_known(scopes: tuple[str, ...]) -> bool:
    """Return whether every scope exists."""
    return SCOPE_PROMISES.keys() >= set(scopes)


def withheld(scopes: tuple[str, ...], fields: Mapping[str, str]) -> tuple[str, ...]:
    """Return which of the scopes that a desktop asks for the person's form does not allow.

    Only OPTIONAL_SCOPES have a box to tick; a desktop without the others could do nothing.
    """
    return tuple(
        scope for scope in scopes if scope in OPTIONAL_SCOPES and f"{ALLOW_FIELD}{scope}" not in fields
    )


def check_redirect(redirect_uri: str, client: NativeClient) -> str:
    """Return a redirect URI that leads to an application on the person's own machine.

    Raises:
        RedirectRefused: anything but http on a loopback literal with a port and the registered path.
    """
    form = LOOPBACK_REDIRECT.fullmatch(redirect_uri) if len(redirect_uri) <= REDIRECT_CHARS_MAX else None
    if form is None or int(form["port"]) > PORT_MAX:
        raise RedirectRefused
    if client.redirect_path not in {None, form["path"]}:
        raise RedirectRefused
    return redirect_uri


def _problem(parameters: Mapping[str, str], scopes: tuple[str, ...]) -> tuple[str, str] | None:
    """Return the error code and text of the first rule that is broken."""
    if parameters.get("response_type") != "code":
        return "unsupported_response_type", "response_type must be code"
    if parameters.get("code_challenge_method") != CHALLENGE_METHOD:
        return "invalid_request", f"code_challenge_method must be {CHALLENGE_METHOD}"
    if CHALLENGE.fullmatch(parameters.get("code_challenge", "")) is None:
        return "invalid_request", "code_challenge must be the 43 characters of an S256 challenge"
    if not are_known(scopes):
        return "invalid_scope", f"scope must be made of: {' '.join(SCOPE_PROMISES)}"
    if KEY_FIELD in parameters and CHALLENGE.fullmatch(parameters[KEY_FIELD]) is None:
        return "invalid_request", f"{KEY_FIELD} must be the 43 characters of a key's thumbprint"
    return _facts_problem(parameters)


def _facts_problem(parameters: Mapping[str, str]) -> tuple[str, str] | None:
    """Return the error code and text when what the desktop says about itself cannot be read."""
    try:
        read_facts(parameters)
    except FactsUnreadable as problem:
        return problem.code, problem.text
    return None


def _target(redirect_uri: str, **parameters: str) -> str:
    present = {name: value for name, value in parameters.items() if value}
    return f"{redirect_uri}?{urlencode(present)}"
