"""The portal's places: which of them a person's role opens, and which is the one to begin at."""

from dataclasses import dataclass

from services.gateway.model.people import Session
from services.gateway.model.roles import Right

SIGN_IN = "/portal/sign-in"
SECURITY = "/portal/security"
HOME = "/portal"


@dataclass(frozen=True, slots=True)
class Place:
    """A page of its own, in the head of every page."""

    path: str
    name: str
    right: Right


PLACES = (
    Place(HOME, "Home", Right.VIEW),
    Place("/portal/sellers", "Sellers", Right.VIEW_SELLERS),
    Place("/portal/team", "Team", Right.VIEW_PEOPLE),
    Place("/portal/access-review", "Access review", Right.REVIEW_ACCESS),
    Place(SECURITY, "Your sign-in", Right.KEEP_CREDENTIALS),
)


def places(session: Session) -> tuple[Place, ...]:
    """Return the places that are open to somebody; none while they have nothing to sign in with."""
    if session.needs_credential:
        return ()
    return tuple(place for place in PLACES if session.may(place.right))


def first_place(session: Session) -> str:
    """Return the path at which somebody begins."""
    return next((place.path for place in places(session)), SECURITY)
