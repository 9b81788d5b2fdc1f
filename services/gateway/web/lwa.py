"""The token endpoint that unmodified SP-API libraries take for Login with Amazon's.

Form or JSON, whatever charset the header names; any client secret is taken, because most libraries
insist on sending one. The refresh token never rotates here: no library stores a new one.
"""

import orjson
from aiohttp import web

import chassis.errors
import chassis.trace
from chassis.secrecy import Secret
from chassis.web import Route
from services.gateway.model import inputs, token_faults
from services.gateway.model.calls import Answer
from services.gateway.service import LibraryApps, Watch
from services.gateway.web.oauth import refuse
from services.gateway.web.render import respond

PATH = "/auth/o2/token"
DOOR = "lwa"
GRANTS_OF_SERVERS = frozenset({"authorization_code", "client_credentials"})


class LwaDoor:
    """Tokens for programs with a compat device's credentials."""

    def __init__(self, *, apps: LibraryApps, watch: Watch) -> None:
        self._apps = apps
        self._watch = watch

    def route(self) -> Route:
        """Return the way in."""
        return Route("POST", PATH, self._give, "gateway.token.refreshed", render_error=refuse)

    async def _give(self, request: web.Request) -> web.Response:
        read = inputs.read_json if request.content_type == "application/json" else inputs.read_form
        fields = read(await request.read())
        await self._watch.check(fields.values(), door=DOOR, request_id=chassis.trace.request_id())
        _check_grant(inputs.required(fields, "grant_type"))
        device_id = inputs.required(fields, "client_id")
        refresh_token = inputs.required(fields, "refresh_token")
        tokens = await self._apps.refresh(device_id, Secret(refresh_token))
        members = {
            "access_token": tokens.access_token.reveal(),
            "refresh_token": refresh_token,
            "token_type": "bearer",
            "expires_in": tokens.expires_in_s,
        }
        return respond(Answer(200, list(token_faults.NO_STORE), orjson.dumps(members)))


def _check_grant(grant_type: str) -> None:
    if grant_type in GRANTS_OF_SERVERS:
        raise token_faults.GrantNotForDevices
    if grant_type != "refresh_token":
        raise token_faults.UnsupportedGrant
