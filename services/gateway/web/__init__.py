"""The faces for people and for tokens: HTTP in, one use case, HTTP out.

`people` (which is `entry`, `security`, `team` and `staff`), `portal`, `authorize` and `desktops` speak to
people in browsers, `oauth` (with `grants` and `metadata`) to the vendor's desktop application, `lwa` to
unmodified SP-API libraries that want a token. All share one origin, with `services.gateway.door` in front
that tells them apart by method and path. Pages are made by `render` from `views`, `desktop_views` and
`people_views`; who is on a browser, and whether a form is ours, is settled by `visitors`, with `cookies` and
`forms`; who has just signed in is led on by `arrivals`.

Never sees a call of Amazon's API. Everything here goes to `service`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from chassis.web import Route
from services.gateway.web.authorize import AuthorizePages
from services.gateway.web.consents import ConsentPages
from services.gateway.web.desktops import DesktopPages
from services.gateway.web.lwa import LwaFace
from services.gateway.web.oauth import OAuthFace
from services.gateway.web.people import PeoplePages
from services.gateway.web.portal import PortalPages

# What a request may carry, decoded.
BODY_BYTES_MAX = 10 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Faces:
    """Every one but those of `services.gateway.door`: calls of Amazon's API, and documents."""

    consents: ConsentPages
    desktops: DesktopPages
    people: PeoplePages
    portal: PortalPages
    authorize: AuthorizePages
    oauth: OAuthFace
    lwa: LwaFace

    def routes(self) -> Sequence[Route]:
        """Return the routes in the order in which they are tried."""
        return [
            *self.consents.routes(),
            *self.desktops.routes(),
            *self.people.routes(),
            *self.portal.routes(),
            *self.authorize.routes(),
            *self.oauth.routes(),
            self.lwa.route(),
        ]
