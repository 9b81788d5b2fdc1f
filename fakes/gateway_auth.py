"""Auth, as the gateway's doors see it: people, consents, devices and tokens, in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from urllib.parse import urlencode

import chassis.crypto.digest
import chassis.errors
from chassis.clock import Clock
from chassis.secrecy import Secret
from services.gateway.model.calls import Profile, Region
from services.gateway.model.consents import AccountKind
from services.gateway.model.device_facts import DeviceFacts
from services.gateway.model.native import Approval, AuthorizationRequest, CodeGrant, RefreshGrant, TokenSet
from services.gateway.model.people import (
    CompatCredentials,
    Consent,
    ConsentAnswer,
    Desktop,
    Session,
    StateRefused,
    Visit,
)
from services.gateway.model.roles import Right, Role

NOTHING_TOLD = DeviceFacts()
APPLICATION_ID = "amzn1.sellerapps.app.0"
ACCESS_LIFE_S = 3_600
SESSION_LIFE = timedelta(hours=12)
CONSENT_LIFE = timedelta(days=365)
REGIONS = {"ATVPDKIKX0DER": Region.NA, "A1PA6795UKMFR9": Region.EU, "A1VC38T7YXB528": Region.FE}


def start_of_consent(state: str) -> str:
    """Return the address of Amazon's consent page."""
    query = urlencode({"application_id": APPLICATION_ID, "state": state})
    return f"https://sellercentral.amazon.com/apps/authorize/consent?{query}"


class InvitationRefused(chassis.errors.Unauthenticated):
    code = "invitation_invalid"
    text = "The invitation was used, is too old, or never was."


class SessionEnded(chassis.errors.Unauthenticated):
    code = "session_invalid"


class CredentialRequired(chassis.errors.Denied):
    code = "credential_required"
    text = "Set up a passkey or a password first."


class RightMissing(chassis.errors.Denied):
    code = "right_missing"
    text = "Your role does not allow this."


class GrantRefused(chassis.errors.InvalidInput):
    code = "invalid_grant"
    text = "The grant is not valid."


class DeviceUnknown(chassis.errors.NotFound):
    code = "device_unknown"


class Down(chassis.errors.Unavailable):
    code = "store_unavailable"
    text = "The store cannot be reached."


@dataclass
class _Code:
    request: AuthorizationRequest
    device_id: str


@dataclass
class FakeAuth:
    """Fits the gateway's People and Tokens. Set `is_down` to have every call fail closed."""

    clock: Clock
    is_down: bool = False
    invitations: dict[str, Session] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    consents: dict[str, list[Consent]] = field(default_factory=dict)
    desktops: dict[str, list[Desktop]] = field(default_factory=dict)
    codes: dict[str, _Code] = field(default_factory=dict)
    bound: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    amazons_codes: list[str] = field(default_factory=list)
    compat: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    made: int = 0

    def invite(
        self,
        seller_name: str = "Blue Lamp Trading",
        user_name: str = "Anna Berg",
        role: Role = Role.OWNER,
    ) -> str:
        """Return a fresh invitation for somebody new, of a seller of their own or of the staff."""
        session = Session(
            session_id=self.new_id(),
            user_id=self.new_id(),
            user_name=user_name,
            seller_id="" if role.is_staff else self.new_id(),
            seller_name="" if role.is_staff else seller_name,
            expires_at=self.clock.now() + SESSION_LIFE,
            role=role,
            needs_credential=True,
        )
        return self.invite_to(session)

    def invite_to(self, session: Session) -> str:
        """Return a fresh invitation to a session like this one."""
        invitation = self.token("in")
        self.invitations[invitation] = session
        return invitation

    def open_session(self, like: Session, *, needs_credential: bool = False) -> Visit:
        """Return a visit with a new session of the same person."""
        token = self.token("se")
        self.sessions[token] = replace(
            like,
            session_id=self.new_id(),
            expires_at=self.clock.now() + SESSION_LIFE,
            needs_credential=needs_credential,
        )
        return Visit(Secret(token), self.sessions[token])

    def settle(self, visit: Visit) -> Visit:
        """Return the visit after its person set up something to sign in with."""
        del self.sessions[visit.session_token.reveal()]
        return self.open_session(visit.session)

    def require(self, visit: Visit, right: Right) -> Session:
        """Return the session of a visit, if its person may do this; as auth does, only the token decides."""
        self.check_up()
        session = self.sessions.get(visit.session_token.reveal())
        if session is None or session.expires_at <= self.clock.now():
            raise SessionEnded
        if session.needs_credential and right is not Right.KEEP_CREDENTIALS:
            raise CredentialRequired
        if not session.may(right):
            raise RightMissing
        return session

    async def redeem_invitation(self, invitation: Secret[str]) -> Visit:
        self.check_up()
        session = self.invitations.pop(invitation.reveal(), None)
        if session is None:
            raise InvitationRefused
        return self.open_session(session, needs_credential=True)

    async def find_session(self, session_token: Secret[str]) -> Visit:
        self.check_up()
        session = self.sessions.get(session_token.reveal())
        if session is None or session.expires_at <= self.clock.now():
            raise SessionEnded
        return Visit(session_token, session)

    async def end_session(self, visit: Visit) -> None:
        self.check_up()
        self.sessions.pop(visit.session_token.reveal(), None)

    async def begin_consent(self, visit: Visit, marketplace_id: str, kind: AccountKind) -> str:
        self.require(visit, Right.CONNECT)
        if marketplace_id not in REGIONS:
            raise chassis.errors.InvalidInput("There is no such marketplace.")
        return start_of_consent(self.begin(visit, marketplace_id, kind))

    def begin(
        self, visit: Visit, marketplace_id: str, kind: AccountKind, *, selling_partner_id: str = ""
    ) -> str:
        """Return a new state of a consent."""
        state = self.token("st")
        self.states[state] = f"{visit.session_token.reveal()} {marketplace_id} {kind} {selling_partner_id}"
        return state

    def begun(self, visit: Visit) -> str:
        """Return the marketplace of the consent that a session began last; empty when there is none."""
        own = [row for row in self.states.values() if row.startswith(f"{visit.session_token.reveal()} ")]
        return own[-1].split(" ")[1] if own else ""

    async def complete_consent(self, visit: Visit, answer: ConsentAnswer) -> Consent:
        seller_id = self.require(visit, Right.CONNECT).seller_id
        row = self.states.pop(answer.state.reveal(), "   ")
        owner, marketplace_id, kind, selling_partner_id = row.split(" ")
        if owner != visit.session_token.reveal():
            raise StateRefused
        if selling_partner_id not in {"", answer.selling_partner_id}:
            raise StateRefused
        self.amazons_codes.append(answer.code.reveal())
        now = self.clock.now()
        consent = Consent(
            consent_id=self.new_id(),
            region=REGIONS[marketplace_id],
            selling_partner_id=answer.selling_partner_id,
            marketplace_id=marketplace_id,
            account_kind=AccountKind(kind),
            granted_at=now,
            expires_at=now + CONSENT_LIFE,
            status="active",
        )
        self.consents.setdefault(seller_id, []).insert(0, consent)
        return consent

    async def list_consents(self, visit: Visit) -> Sequence[Consent]:
        return tuple(self.consents.get(self.require(visit, Right.VIEW).seller_id, ()))

    async def list_desktops(self, visit: Visit) -> Sequence[Desktop]:
        return tuple(self.desktops.get(self.require(visit, Right.VIEW).seller_id, ()))

    async def enrol_compat_device(self, visit: Visit, name: str) -> CompatCredentials:
        device_id = self.enrol(visit, Approval(name), Profile.COMPAT)
        refresh_token = self.token("rt")
        self.compat[refresh_token] = device_id
        return CompatCredentials(device_id, Secret(refresh_token))

    async def revoke_device(self, visit: Visit, device_id: str) -> None:
        session = self.require(visit, Right.REVOKE_OWN_DEVICE)
        mine = [each for each in self.desktops.get(session.seller_id, ()) if each.device_id == device_id]
        if mine and not session.may_change(mine[0]):
            raise RightMissing
        self.revoke(session.seller_id, device_id)

    def revoke(self, seller_id: str, device_id: str) -> None:
        """End a device of a seller, whoever asks."""
        mine = self.desktops.get(seller_id, [])
        for index, desktop in enumerate(mine):
            if desktop.device_id == device_id:
                mine[index] = replace(desktop, is_revoked=True)
                return
        raise DeviceUnknown

    async def authorize_device(
        self, visit: Visit, request: AuthorizationRequest, approval: Approval
    ) -> Secret[str]:
        code = self.token("ac")
        device_id = self.enrol(visit, approval, Profile.BOUND, facts=request.facts)
        self.codes[code] = _Code(request, device_id)
        return Secret(code)

    async def exchange_code(self, grant: CodeGrant, key_thumbprint: str) -> TokenSet:
        self.check_up()
        known = self.codes.pop(grant.code.reveal(), None)
        challenge = chassis.crypto.digest.pkce_s256(grant.code_verifier.reveal())
        if known is None or known.request.code_challenge != challenge:
            raise GrantRefused
        if (known.request.redirect_uri, known.request.client_id) != (grant.redirect_uri, grant.client_id):
            raise GrantRefused
        if known.request.key_thumbprint not in {"", key_thumbprint}:
            raise GrantRefused
        return self.rotate(known.device_id, key_thumbprint, grant.client_id)

    async def refresh_bound(self, grant: RefreshGrant, key_thumbprint: str) -> TokenSet:
        self.check_up()
        device_id, *owner = self.bound.get(grant.refresh_token.reveal(), ("", "", ""))
        if not device_id or owner != [key_thumbprint, grant.client_id]:
            raise GrantRefused
        del self.bound[grant.refresh_token.reveal()]
        if grant.app_version:
            self.versions[device_id] = grant.app_version
        return self.rotate(device_id, key_thumbprint, grant.client_id)

    async def refresh_compat(self, device_id: str, refresh_token: Secret[str]) -> TokenSet:
        self.check_up()
        if self.compat.get(refresh_token.reveal()) != device_id:
            raise GrantRefused
        return TokenSet(Secret(self.token("at")), refresh_token, ACCESS_LIFE_S, ("orders",))

    def rotate(self, device_id: str, key_thumbprint: str, client_id: str) -> TokenSet:
        """Return fresh tokens of a bound device."""
        refresh_token = self.token("rt")
        self.bound[refresh_token] = (device_id, key_thumbprint, client_id)
        return TokenSet(Secret(self.token("at")), Secret(refresh_token), ACCESS_LIFE_S, ("orders",))

    def enrol(
        self, visit: Visit, approval: Approval, profile: Profile, *, facts: DeviceFacts = NOTHING_TOLD
    ) -> str:
        """Return the id of a new device of the visit's seller."""
        session = self.require(visit, Right.ENROL_DEVICE)
        desktop = Desktop(
            device_id=self.new_id(),
            name=approval.device_name,
            profile=profile,
            scopes=frozenset({"orders"}),
            enrolled_at=self.clock.now(),
            is_revoked=False,
            facts=facts,
            used_at=self.clock.now(),
            withheld_scopes=frozenset(approval.withheld_scopes),
            user_id=session.user_id,
        )
        self.desktops.setdefault(session.seller_id, []).insert(0, desktop)
        return desktop.device_id

    def token(self, kind: str) -> str:
        """Return a token that nobody had before."""
        self.made += 1
        return f"sp_{kind}_{self.made:043d}"

    def new_id(self) -> str:
        """Return an id that nothing had before."""
        self.made += 1
        return f"00000000-0000-7000-8000-{self.made:012d}"

    def check_up(self) -> None:
        """Fail closed when down."""
        if self.is_down:
            raise Down
