"""Auth's use cases. `ports` says what they need from outside; `compose` ties them to each other.

sessions, consents, handovers, enrolment, devices, tokens: what the gateway asks for people and desktops
device_grants, own_tokens: what else desktops ask of an authorization server
lending, with access, restricting, budget: Amazon's tokens to the gateway
refreshing, with leasing, seller_token; grantless: Amazon's tokens from Amazon
login, with turns: Login with Amazon          admin, offboarding: what the vendor decides
reminding: consents' ends, told in time       states: how consents begin
rewrapping: the life of sealing keys          rotation: of client secrets; applications: what operators see
credentials, secret_changes, proving: client secrets at work            notices: what the queue brings
upkeep: periodic work, one bounded run each   news: revocations, told to whoever watches
people: how people sign in, who belongs here, who has access to what
ledger, mint, names, gates, lockout: what these share
"""

from dataclasses import dataclass

from services.auth.model.loans import LendingTerms
from services.auth.model.marketplaces import ConsentPages
from services.auth.model.rotation import RotationPlan
from services.auth.service import people
from services.auth.service.admin import AdminService
from services.auth.service.applications import ApplicationService
from services.auth.service.consents import ConsentService
from services.auth.service.credentials import CredentialService
from services.auth.service.device_grants import DeviceGrantService
from services.auth.service.devices import DeviceService
from services.auth.service.enrolment import EnrolmentService
from services.auth.service.grantless import GrantlessService
from services.auth.service.handovers import HandoverService
from services.auth.service.ledger import Ledger
from services.auth.service.lending import LendingService
from services.auth.service.login import Login
from services.auth.service.mint import Mint
from services.auth.service.news import News
from services.auth.service.offboarding import OffboardingService
from services.auth.service.own_tokens import OwnTokenService
from services.auth.service.people import PeopleCases
from services.auth.service.ports import Ports
from services.auth.service.proving import ProvingService
from services.auth.service.refreshing import Refresher
from services.auth.service.reminding import RemindingService
from services.auth.service.rewrapping import KeyService
from services.auth.service.rotation import RotationService
from services.auth.service.secret_changes import SecretChanges
from services.auth.service.sessions import SessionService
from services.auth.service.tokens import TokenService
from services.auth.service.upkeep import Upkeep

# No queue is configured: nothing is asked for by itself.
NOT_HEARD = RotationPlan()


@dataclass(frozen=True, slots=True, kw_only=True)
class UseCases:
    """All use cases of one replica."""

    sessions: SessionService
    people: PeopleCases
    consents: ConsentService
    handovers: HandoverService
    enrolment: EnrolmentService
    device_grants: DeviceGrantService
    devices: DeviceService
    tokens: TokenService
    own_tokens: OwnTokenService
    lending: LendingService
    grantless: GrantlessService
    admin: AdminService
    secret_changes: SecretChanges
    proving: ProvingService
    rotation: RotationService
    applications: ApplicationService
    offboarding: OffboardingService
    reminding: RemindingService
    keys: KeyService
    upkeep: Upkeep
    news: News


def compose(
    ports: Ports,
    pages: ConsentPages,
    client_ids: frozenset[str],
    *,
    terms: LendingTerms,
    rotation: RotationPlan = NOT_HEARD,
) -> UseCases:
    """Return the use cases of one replica on these ports.

    Args:
        ports: everything outside.
        pages: where sellers consent.
        client_ids: the public client ids of the vendor's desktop applications.
        terms: what the vendor decided about lending Amazon's tokens.
        rotation: when and where new client secrets are asked for.
    """
    mint, ledger = Mint(ports), Ledger(ports)
    sessions = SessionService(ports, mint, ledger)
    devices = DeviceService(ports, ledger, sessions=sessions)
    credentials, changes = CredentialService(ports), SecretChanges(ports, mint, ledger)
    login = Login(ports, ledger, credentials=credentials, pace=terms.pace)
    refresher, grantless = Refresher(ports, ledger, login), GrantlessService(ports, ledger, login)
    proving = ProvingService(credentials=credentials, changes=changes, login=login)
    rotations = RotationService(
        ports, ledger, changes=changes, proving=proving, grantless=grantless, plan=rotation
    )
    return UseCases(
        sessions=sessions,
        people=people.compose(ports, mint, ledger, sessions=sessions, devices=devices),
        consents=ConsentService(ports, mint, ledger, sessions=sessions, refresher=refresher, pages=pages),
        handovers=HandoverService(ports, mint, ledger, sessions=sessions, pages=pages),
        enrolment=EnrolmentService(
            ports, mint, ledger, sessions=sessions, devices=devices, client_ids=client_ids
        ),
        device_grants=DeviceGrantService(
            ports, mint, ledger, sessions=sessions, devices=devices, client_ids=client_ids
        ),
        devices=devices,
        tokens=TokenService(ports, mint, ledger, devices=devices, delegates=terms.delegates),
        own_tokens=OwnTokenService(ports, mint, ledger, devices=devices),
        lending=LendingService(ports, ledger, refresher=refresher, grantless=grantless, terms=terms),
        grantless=grantless,
        admin=AdminService(ports, mint, ledger, devices=devices, changes=changes),
        secret_changes=changes,
        proving=proving,
        rotation=rotations,
        applications=ApplicationService(
            ports, login=login, changes=changes, rotation=rotations, plan=rotation
        ),
        offboarding=OffboardingService(ports, ledger),
        reminding=RemindingService(ports),
        keys=KeyService(ports, mint, ledger),
        upkeep=Upkeep(ports, ledger, devices=devices, refresher=refresher),
        news=News(),
    )
