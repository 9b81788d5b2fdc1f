"""Auth's use cases. `ports` says what they need from outside; `compose` ties them to each other.

sessions, consents, enrolment, devices, tokens: what the gateway asks for people and desktops
lending, refreshing: Amazon's tokens          admin: what the vendor decides
upkeep: periodic work, one bounded run each   news: revocations, told to whoever watches
ledger, mint, memory, lockout: what these share
"""

from dataclasses import dataclass

from services.auth.model.consents import ConsentPages
from services.auth.service.admin import AdminService
from services.auth.service.consents import ConsentService
from services.auth.service.devices import DeviceService
from services.auth.service.enrolment import EnrolmentService
from services.auth.service.ledger import Ledger
from services.auth.service.lending import LendingService
from services.auth.service.mint import Mint
from services.auth.service.news import News
from services.auth.service.ports import Ports
from services.auth.service.refreshing import Refresher
from services.auth.service.sessions import SessionService
from services.auth.service.tokens import TokenService
from services.auth.service.upkeep import Upkeep


@dataclass(frozen=True, slots=True, kw_only=True)
class UseCases:
    """All use cases of one replica."""

    sessions: SessionService
    consents: ConsentService
    enrolment: EnrolmentService
    devices: DeviceService
    tokens: TokenService
    lending: LendingService
    admin: AdminService
    upkeep: Upkeep
    news: News


def compose(ports: Ports, pages: ConsentPages, client_ids: frozenset[str]) -> UseCases:
    """Return the use cases of one replica on these ports.

    Args:
        ports: everything outside.
        pages: where sellers consent.
        client_ids: the public client ids of the vendor's desktop applications.
    """
    mint, ledger = Mint(ports), Ledger(ports)
    sessions = SessionService(ports, mint, ledger)
    devices = DeviceService(ports, ledger, sessions=sessions)
    refresher = Refresher(ports, ledger)
    lending = LendingService(ports, refresher)
    return UseCases(
        sessions=sessions,
        consents=ConsentService(ports, mint, ledger, sessions=sessions, pages=pages),
        enrolment=EnrolmentService(
            ports, mint, ledger, sessions=sessions, devices=devices, client_ids=client_ids
        ),
        devices=devices,
        tokens=TokenService(ports, mint, ledger, devices=devices),
        lending=lending,
        admin=AdminService(ports, mint, ledger, devices=devices),
        upkeep=Upkeep(ports, ledger, devices=devices, lending=lending, refresher=refresher),
        news=News(),
    )
