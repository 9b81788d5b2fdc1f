"""The people's use cases, tied to each other.

ways_in, passkeys, passwords, password_changes, provider: how people sign in, and change how they do
members: who belongs to a seller or to the staff      staff: sellers, as the vendor's staff sees them
reviews: who has access to what, once a quarter       ceremonies: what several of these share
"""

from dataclasses import dataclass

from services.auth.service.ceremonies import Ceremonies
from services.auth.service.devices import DeviceService
from services.auth.service.ledger import Ledger
from services.auth.service.members import MemberService
from services.auth.service.mint import Mint
from services.auth.service.passkeys import PasskeyService
from services.auth.service.password_changes import PasswordChanges
from services.auth.service.passwords import PasswordService
from services.auth.service.ports import Ports
from services.auth.service.provider import ProviderService
from services.auth.service.reviews import ReviewService
from services.auth.service.sessions import SessionService
from services.auth.service.staff import StaffService
from services.auth.service.ways_in import WaysInService


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleCases:
    """What people ask of auth for themselves and for each other."""

    ways_in: WaysInService
    passkeys: PasskeyService
    passwords: PasswordService
    password_changes: PasswordChanges
    provider: ProviderService
    members: MemberService
    staff: StaffService
    reviews: ReviewService


def compose(
    ports: Ports, mint: Mint, ledger: Ledger, *, sessions: SessionService, devices: DeviceService
) -> PeopleCases:
    """Return the people's use cases of one replica."""
    ceremonies = Ceremonies(ports)
    passwords = PasswordService(ports, ledger, sessions=sessions)
    members = MemberService(ports, mint, ledger, sessions=sessions)
    return PeopleCases(
        ways_in=WaysInService(ports, sessions=sessions),
        passkeys=PasskeyService(ports, mint, ledger, sessions=sessions, ceremonies=ceremonies),
        passwords=passwords,
        password_changes=PasswordChanges(
            ports, ledger, sessions=sessions, ceremonies=ceremonies, passwords=passwords
        ),
        provider=ProviderService(ports, ledger, sessions=sessions, ceremonies=ceremonies),
        members=members,
        staff=StaffService(ports, sessions=sessions, devices=devices, members=members),
        reviews=ReviewService(ports, mint, ledger, sessions=sessions),
    )
