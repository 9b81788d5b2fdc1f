"""Every way in for people and for tokens, with its use cases behind it."""

from dataclasses import dataclass

from services.gateway.app.ground import Ground
from services.gateway.app.path import Forwarding
from services.gateway.config import Config
from services.gateway.forward import Ports
from services.gateway.peers.authorization import AuthorizationClient
from services.gateway.peers.consents import ConsentsClient
from services.gateway.peers.credentials import CredentialsClient
from services.gateway.peers.entry import EntryClient
from services.gateway.peers.members import MembersClient
from services.gateway.peers.people import PeopleClient
from services.gateway.peers.sellers import SellersClient
from services.gateway.peers.tokens import TokensClient
from services.gateway.proof import ProofVerifier
from services.gateway.service import (
    Consents,
    Desk,
    Desktops,
    Entry,
    LibraryApps,
    NativeApps,
    Portal,
    Security,
    Team,
    Watch,
)
from services.gateway.web import Faces
from services.gateway.web.arrivals import Arrivals
from services.gateway.web.authorize import AuthorizePages
from services.gateway.web.consents import ConsentPages
from services.gateway.web.desktops import DesktopPages
from services.gateway.web.entry import EntryPages
from services.gateway.web.lwa import LwaFace
from services.gateway.web.oauth import OAuthFace
from services.gateway.web.people import PeoplePages
from services.gateway.web.portal import PortalPages
from services.gateway.web.render import Renderer
from services.gateway.web.security import SecurityPages
from services.gateway.web.staff import StaffPages
from services.gateway.web.team import TeamPages
from services.gateway.web.visitors import Visitors


@dataclass(frozen=True, kw_only=True)
class Front:
    """What every page for people stands on."""

    portal: Portal
    visitors: Visitors
    renderer: Renderer
    origin: str


def compose_faces(config: Config, ground: Ground, path: Forwarding) -> Faces:
    """Return every way in for people and for tokens, with its use cases behind it."""
    people, tokens = PeopleClient(ground.auth), TokensClient(ground.auth)
    ports, origin = path.ports, config.public.origin
    authorization = AuthorizationClient(ground.auth)
    apps = NativeApps(
        people=people, tokens=tokens, authorization=authorization, client=config.desktop, issuer=origin
    )
    watch = Watch(
        audit=ports.audit,
        signals=ports.signals,
        clock=ports.clock,
        entropy=ports.entropy,
        allowance=ports.allowance,
    )
    portal = Portal(people=people)
    renderer = Renderer(
        vendor_name=config.public.vendor_name,
        desktop_name=config.desktop.name,
        provider_name=config.public.provider_name,
    )
    visitors = Visitors(portal=portal, watch=watch, origin=origin)
    front = Front(portal=portal, visitors=visitors, renderer=renderer, origin=origin)
    return Faces(
        desktops=DesktopPages(
            desktops=Desktops(authorization=authorization), visitors=visitors, renderer=renderer
        ),
        consents=ConsentPages(
            portal=portal,
            consents=Consents(keeper=ConsentsClient(ground.auth)),
            visitors=visitors,
            renderer=renderer,
            clock=ports.clock,
        ),
        people=_compose_people(ground, front, ports),
        portal=PortalPages(
            portal=portal, visitors=visitors, renderer=renderer, origin=origin, clock=ports.clock
        ),
        authorize=AuthorizePages(apps=apps, visitors=visitors, renderer=renderer),
        oauth=OAuthFace(apps=apps, watch=watch, proofs=_strangers_proofs(ground, origin), issuer=origin),
        lwa=LwaFace(apps=LibraryApps(tokens=tokens), watch=watch),
    )


def _strangers_proofs(ground: Ground, origin: str) -> ProofVerifier:
    """Return what verifies the proofs of those who ask for tokens.

    Any stranger may ask, so what they fill is not the memory in which calls' proofs are kept.
    """
    return ProofVerifier(origins=[origin], clock=ground.machine_clock, nonces=ground.nonces)


def _compose_people(ground: Ground, front: Front, ports: Ports) -> PeoplePages:
    """Return people's ways in, and the pages of people."""
    entry = Entry(ways=EntryClient(ground.auth))
    arrivals = Arrivals(clock=ports.clock, entropy=ports.entropy)
    visitors, renderer = front.visitors, front.renderer
    return PeoplePages(
        entry=EntryPages(
            portal=front.portal, entry=entry, visitors=visitors, arrivals=arrivals, renderer=renderer
        ),
        security=SecurityPages(
            security=Security(keeper=CredentialsClient(ground.auth)),
            entry=entry,
            visitors=visitors,
            arrivals=arrivals,
            renderer=renderer,
            clock=ports.clock,
        ),
        team=TeamPages(
            team=Team(members=MembersClient(ground.auth)),
            visitors=visitors,
            renderer=renderer,
            origin=front.origin,
        ),
        staff=StaffPages(
            desk=Desk(sellers=SellersClient(ground.auth)),
            visitors=visitors,
            renderer=renderer,
            clock=ports.clock,
        ),
    )
