"""Somebody who has just signed in: the session goes to their browser, and they to where they were headed."""

import base64

from aiohttp import web

from chassis.clock import Clock
from chassis.entropy import Entropy
from chassis.secrecy import Secret
from services.gateway.model.people import Visit
from services.gateway.web import cookies, navigation
from services.gateway.web.render import see

BROWSER_SECRET_BYTES = 32


class Arrivals:
    """Lets people in."""

    def __init__(self, *, clock: Clock, entropy: Entropy) -> None:
        """Prepare; `clock` is the domain's, by which sessions end."""
        self._clock = clock
        self._entropy = entropy

    def admit(self, request: web.Request, visit: Visit, *, notice: str) -> web.Response:
        """Return the answer that gives a browser its session and leads the person on.

        Args:
            request: what brought them; its errand is followed, once they have something to sign in with.
            visit: with the new session.
            notice: one of `views.NOTICES`, for those without an errand.
        """
        if visit.session.needs_credential:
            response = see(navigation.SECURITY)
        else:
            first = f"{navigation.first_place(visit.session)}?notice={notice}"
            response = see(cookies.errand(request) or first)
            cookies.forget_errand(response)
        left_s = (visit.session.expires_at - self._clock.now()).total_seconds()
        cookies.set_session(response, visit.session_token, age_s_max=max(int(left_s), 0))
        return response

    def browser_secret(self, request: web.Request) -> Secret[str]:
        """Return what only this browser and we know before there is a session; new if it has none yet."""
        kept = cookies.entry_secret(request)
        if kept is not None:
            return kept
        made = self._entropy.token(BROWSER_SECRET_BYTES)
        return Secret(base64.urlsafe_b64encode(made).decode("ascii"))
