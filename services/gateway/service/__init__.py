"""What people and desktops do, apart from calling Amazon (that is `forward`).

`Entry` is somebody who wants in, `Portal` a person in a browser, `Consents` the same person with accounts at
Amazon, `Security` the same person with what they sign in with, `Team` with the people beside them, `Desk` one
of the vendor's staff; `NativeApps` is the vendor's desktop application, `Desktops` what people decide about
those, `LibraryApps` a program with an unmodified SP-API library, `Watch` the trip-wire in front of them all,
`PolicyKeeper` what keeps to the vendor's policy file. Effects, and the audit of effects, are auth's; what is
decided here is who may ask it, and with what.
"""

from services.gateway.service.apps import LibraryApps, NativeApps
from services.gateway.service.authorization_ports import Authorization
from services.gateway.service.consents import ConsentKeeper, Consents
from services.gateway.service.desk import Desk
from services.gateway.service.desktops import Desktops
from services.gateway.service.entry import Entry
from services.gateway.service.people_ports import CredentialKeeper, Members, Sellers, WaysIn
from services.gateway.service.policing import PolicyKeeper
from services.gateway.service.portal import Portal
from services.gateway.service.ports import Audit, People, Signals, Tokens
from services.gateway.service.security import Security
from services.gateway.service.team import Team, roles_of
from services.gateway.service.watch import AuditProbe, Watch

__all__ = [
    "Audit",
    "AuditProbe",
    "Authorization",
    "ConsentKeeper",
    "Consents",
    "CredentialKeeper",
    "Desk",
    "Desktops",
    "Entry",
    "LibraryApps",
    "Members",
    "NativeApps",
    "People",
    "PolicyKeeper",
    "Portal",
    "Security",
    "Sellers",
    "Signals",
    "Team",
    "Tokens",
    "Watch",
    "WaysIn",
    "roles_of",
]
