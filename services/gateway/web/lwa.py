"""The token endpoint that unmodified SP-API libraries take for Login with Amazon's.

Form or JSON, whatever charset the header names; any client secret is taken, because most libraries
insist on sending one. The refresh token never rotates here: no library stores a new one.

For an operation of the application's own, such as notifications' destinations, libraries ask with the grant
`client_credentials`, which shows no refresh token: there the client secret must be it. What the token is good
for is decided at each call, by the application's policy.
"""

from collections.abc import Mapping

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
FACE = "lwa"
# How a device's refresh token begins; anything else in a client secret's place is there because it must be.
REFRESH_MARK = "sp_rt_"


class LwaFace:
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
        await self._watch.check(fields.values(), face=FACE, request_id=chassis.trace.request_id())
        name = _where_the_token_is(fields)
        device_id, refresh_token = inputs.required(fields, "client_id"), inputs.required(fields, name)
        tokens = await self._apps.refresh(device_id, Secret(refresh_token))
        members = {
            "access_token": tokens.access_token.reveal(),
            **({name: refresh_token} if name == "refresh_token" else {}),
            "token_type": "bearer",
            "expires_in": tokens.expires_in_s,
        }
        return respond(Answer(200, list(token_faults.NO_STORE), orjson.dumps(members)))


def _where_the_token_is(fields: Mapping[str, str]) -> str:
    """Return the name of the field that holds the device's refresh token.

    Raises:
        GrantNotForDevices: the grant is a server's.
        UnsupportedGrant: nobody knows the grant.
    """
    grant_type = inputs.required(fields, "grant_type")
    if grant_type == "refresh_token":
        return grant_type
    if grant_type == "client_credentials" and fields.get("client_secret", "").startswith(REFRESH_MARK):
        return "client_secret"
    if grant_type in {"authorization_code", "client_credentials"}:
        raise token_faults.GrantNotForDevices
    raise token_faults.UnsupportedGrant
