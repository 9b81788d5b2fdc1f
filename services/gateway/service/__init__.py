"""What people and desktops do at the doors, apart from calling Amazon (that is `forward`).

`Portal` is a person in a browser, `NativeApps` the vendor's desktop application, `LibraryApps` a
program with an unmodified SP-API library, `Watch` the trip-wire in front of them all. Effects, and the
audit of effects, are auth's; what is decided here is who may ask it, and with what.
"""

from services.gateway.service.apps import LibraryApps, NativeApps
from services.gateway.service.portal import Portal
from services.gateway.service.ports import Audit, People, Signals, Tokens
from services.gateway.service.watch import AuditProbe, Watch

__all__ = [
    "Audit",
    "AuditProbe",
    "LibraryApps",
    "NativeApps",
    "People",
    "Portal",
    "Signals",
    "Tokens",
    "Watch",
]
