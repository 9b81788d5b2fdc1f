"""Auth's people, as the gateway's doors see them: ways in, credentials and the people beside oneself.

Stands on a FakeAuth, which knows sessions and invitations. A passkey's signature is not checked here: that is
for the suites that run against the real one.
"""

import base64
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import orjson

import chassis.crypto.otp
import chassis.errors
from chassis.secrecy import Secret
from fakes.gateway_auth import SESSION_LIFE, FakeAuth
from services.gateway.model.credentials import (
    SIGN_IN_AGAIN,
    Ceremony,
    CeremonyAnswer,
    Credentials,
    Enrolment,
    NewPassword,
    Passkey,
    PasswordLogin,
    ProviderAnswer,
)
from services.gateway.model.members import Invitation, Member, Removal
from services.gateway.model.people import Session, Visit
from services.gateway.model.roles import Right, Role

INVITATION_LIFE = timedelta(hours=24)
PASSWORD_LIFE = timedelta(days=365)
PASSWORD_CHARS_MIN = 12
CHANGE_TIME = timedelta(minutes=15)
TOTP_SECRET = Secret(b"sixteen bytes or so!")
PROVIDER_URL = "https://provider.example/authorize"


class Refused(chassis.errors.Unauthenticated):
    code = "sign_in_refused"
    text = "That did not work."


class PasswordRefused(chassis.errors.InvalidInput):
    code = "password_refused"
    text = "A password has at least 12 characters."


class CurrentPasswordWrong(chassis.errors.InvalidInput):
    code = "current_password_wrong"
    text = "The current password is not right."


class CodeWrong(chassis.errors.InvalidInput):
    code = "code_wrong"
    text = "The code of the authenticator app is not right."


class CeremonyOver(chassis.errors.InvalidInput):
    code = "ceremony_over"
    text = "This took too long, or was done already. Begin again."


class AgainFirst(chassis.errors.Denied):
    code = SIGN_IN_AGAIN
    text = "Sign in again to change this."


class LastCredential(chassis.errors.Conflict):
    code = "last_credential"
    text = "This is the only way in that is left."


class LastOwner(chassis.errors.Conflict):
    code = "last_owner"
    text = "Somebody has to stay the owner."


class MemberAbsent(chassis.errors.NotFound):
    text = "There is no such person."


@dataclass
class Known:
    """One person; `like` is what their sessions are made from."""

    like: Session
    invited_at: datetime
    signed_in_at: datetime | None = None
    passkeys: dict[str, Passkey] = field(default_factory=dict)
    email: str = ""
    password: str = ""
    subject: str = ""

    @property
    def credentials(self) -> tuple[str, ...]:
        held = {"passkey": self.passkeys, "password": self.password, "provider": self.subject}
        return tuple(name for name, value in held.items() if value)


@dataclass
class FakePeople:
    """Fits the gateway's WaysIn, CredentialKeeper and Members.

    Attributes:
        shown: what somebody showed to be let in with, by password or from the provider.
    """

    auth: FakeAuth
    known: dict[str, Known] = field(default_factory=dict)
    challenges: dict[str, str] = field(default_factory=dict)
    enrolments: set[str] = field(default_factory=set)
    provider_states: dict[str, tuple[Secret[str], str]] = field(default_factory=dict)
    steps_used: set[int] = field(default_factory=set)
    is_locked: bool = False
    shown: list[PasswordLogin | ProviderAnswer] = field(default_factory=list)

    async def begin_passkey_sign_in(self) -> Ceremony:
        return self._ceremony({"rpId": "localhost", "userVerification": "required"})

    async def sign_in_with_passkey(self, answer: CeremonyAnswer) -> Visit:
        try:
            passkey_id = self._answered(answer, "webauthn.get")
        except CeremonyOver as error:
            raise Refused from error
        for person in self.known.values():
            if passkey_id in person.passkeys:
                now = self.auth.clock.now()
                person.passkeys[passkey_id] = replace(person.passkeys[passkey_id], used_at=now)
                return self._let_in(person)
        raise Refused

    async def sign_in_with_password(self, login: PasswordLogin) -> Visit:
        self.auth.check_up()
        self.shown.append(login)
        if self.is_locked:
            raise chassis.errors.LimitExceeded(retry_after_s=900)
        for person in self.known.values():
            if person.password and person.email == login.email.lower():
                with contextlib.suppress(CodeWrong):
                    self._check_code(login.code)
                    if person.password == login.password.reveal():
                        return self._let_in(person)
        raise Refused

    async def begin_provider_sign_in(self, browser_secret: Secret[str], visit: Visit | None) -> str:
        self.auth.check_up()
        user_id = self._changing(visit).like.user_id if visit else ""
        state = self.auth.token("ps")
        self.provider_states[state] = (browser_secret, user_id)
        return f"{PROVIDER_URL}?state={state}"

    async def complete_provider_sign_in(self, browser_secret: Secret[str], answer: ProviderAnswer) -> Visit:
        """Take the code for the name of whoever signed in at the provider."""
        self.auth.check_up()
        self.shown.append(answer)
        owner, user_id = self.provider_states.pop(answer.state.reveal(), (Secret(""), ""))
        if owner != browser_secret:
            raise Refused
        if user_id:
            self.known[user_id].subject = answer.code.reveal()
        for person in self.known.values():
            if person.subject == answer.code.reveal():
                return self._let_in(person)
        raise Refused

    async def list_credentials(self, visit: Visit) -> Credentials:
        person = self._person(visit, Right.KEEP_CREDENTIALS)
        return Credentials(
            passkeys=tuple(reversed(person.passkeys.values())),
            has_password=bool(person.password),
            password_expires_at=self.auth.clock.now() + PASSWORD_LIFE if person.password else None,
            email=person.email,
            is_provider_linked=bool(person.subject),
            is_provider_offered=True,
            changeable_until=self._changeable_until(visit),
        )

    async def begin_passkey_registration(self, visit: Visit) -> Ceremony:
        person = self._changing(visit)
        handle = base64.urlsafe_b64encode(person.like.user_id.encode()).rstrip(b"=").decode()
        return self._ceremony(
            {
                "rp": {"id": "localhost", "name": "Sallyport"},
                "user": {"id": handle, "name": person.like.user_name, "displayName": person.like.user_name},
                "pubKeyCredParams": [{"type": "public-key", "alg": -7}],
                "authenticatorSelection": {"residentKey": "required", "userVerification": "required"},
                "excludeCredentials": [{"type": "public-key", "id": each} for each in person.passkeys],
            }
        )

    async def register_passkey(self, visit: Visit, answer: CeremonyAnswer, name: str) -> Visit:
        person = self._changing(visit)
        passkey_id = self._answered(answer, "webauthn.create")
        person.passkeys[passkey_id] = Passkey(passkey_id, name, self.auth.clock.now(), None)
        return self._go_on(visit)

    async def remove_passkey(self, visit: Visit, passkey_id: str) -> None:
        person = self._changing(visit)
        if passkey_id not in person.passkeys:
            raise chassis.errors.NotFound("There is no such passkey.")
        self._check_another(person, len(person.passkeys) > 1)
        del person.passkeys[passkey_id]

    async def begin_password(self, visit: Visit) -> Enrolment:
        self._changing(visit)
        enrolment = self.auth.token("en")
        self.enrolments.add(enrolment)
        uri = chassis.crypto.otp.uri(TOTP_SECRET, account=visit.session.user_name, issuer="Sallyport")
        return Enrolment(enrolment, uri)

    async def set_password(self, visit: Visit, password: NewPassword) -> Visit:
        person = self._changing(visit)
        if person.password and person.password != password.current.reveal():
            raise CurrentPasswordWrong
        if len(password.password.reveal()) < PASSWORD_CHARS_MIN:
            raise PasswordRefused
        if password.enrolment not in self.enrolments:
            raise CeremonyOver
        self._check_code(password.code)
        self.enrolments.remove(password.enrolment)
        person.email, person.password = password.email.lower(), password.password.reveal()
        return self._go_on(visit)

    async def remove_password(self, visit: Visit) -> None:
        person = self._changing(visit)
        self._check_another(person, bool(person.passkeys))
        person.email = person.password = ""

    async def unlink_provider(self, visit: Visit) -> None:
        person = self._changing(visit)
        self._check_another(person, bool(person.passkeys or person.password))
        person.subject = ""

    async def list_members(self, visit: Visit) -> Sequence[Member]:
        seller_id = self._person(visit, Right.VIEW_PEOPLE).like.seller_id
        return self.members_of(seller_id)

    def members_of(self, seller_id: str) -> tuple[Member, ...]:
        """Return the people of a seller, or of the staff, oldest first."""
        mine = [person for person in self.known.values() if person.like.seller_id == seller_id]
        return tuple(
            Member(
                user_id=person.like.user_id,
                name=person.like.user_name,
                role=person.like.role,
                invited_at=person.invited_at,
                signed_in_at=person.signed_in_at,
                credentials=person.credentials,
            )
            for person in mine
        )

    async def invite_member(self, visit: Visit, name: str, role: Role) -> Invitation:
        inviting = self._person(visit, Right.MANAGE_PEOPLE).like
        if not name or not name.isprintable():
            raise chassis.errors.InvalidInput("Names have 1 to 64 printable characters.")
        like = replace(inviting, user_id=self.auth.new_id(), user_name=name, role=role)
        self.known[like.user_id] = Known(like, self.auth.clock.now())
        return self._invitation(like)

    async def invite_again(self, visit: Visit, member: Member) -> Invitation:
        person = self._beside(visit, member.user_id)
        self._end_sessions(person)
        self.known[member.user_id] = Known(person.like, person.invited_at)
        return self._invitation(person.like)

    async def change_role(self, visit: Visit, user_id: str, role: Role) -> None:
        person = self._beside(visit, user_id)
        self._check_owner_left(person)
        person.like = replace(person.like, role=role)
        for token, session in self.auth.sessions.items():
            if session.user_id == user_id:
                self.auth.sessions[token] = replace(session, role=role)

    async def remove_member(self, visit: Visit, user_id: str) -> Removal:
        person = self._beside(visit, user_id)
        self._check_owner_left(person)
        del self.known[user_id]
        seller_id = person.like.seller_id
        theirs = [each for each in self.auth.desktops.get(seller_id, ()) if each.user_id == user_id]
        active = [each.device_id for each in theirs if not each.is_revoked]
        for device_id in active:
            self.auth.revoke(seller_id, device_id)
        return Removal(self._end_sessions(person), len(active))

    def _person(self, visit: Visit, right: Right) -> Known:
        session = self.auth.require(visit, right)
        return self.known.setdefault(session.user_id, Known(session, self.auth.clock.now()))

    def _changing(self, visit: Visit) -> Known:
        person = self._person(visit, Right.KEEP_CREDENTIALS)
        if self.auth.clock.now() > self._changeable_until(visit):
            raise AgainFirst
        return person

    def _changeable_until(self, visit: Visit) -> datetime:
        return visit.session.expires_at - SESSION_LIFE + CHANGE_TIME

    def _beside(self, visit: Visit, user_id: str) -> Known:
        seller_id = self._person(visit, Right.MANAGE_PEOPLE).like.seller_id
        person = self.known.get(user_id)
        if person is None or person.like.seller_id != seller_id:
            raise MemberAbsent
        return person

    def _check_owner_left(self, leaving: Known) -> None:
        others = [person.like for person in self.known.values() if person is not leaving]
        if leaving.like.role is Role.OWNER and not any(
            like.role is Role.OWNER and like.seller_id == leaving.like.seller_id for like in others
        ):
            raise LastOwner

    def _check_another(self, person: Known, is_left: bool) -> None:
        if not is_left and len(person.credentials) < 2:
            raise LastCredential

    def _check_code(self, code: Secret[str]) -> None:
        """Take a code of the authenticator app, once."""
        step = chassis.crypto.otp.match(TOTP_SECRET, code.reveal(), self.auth.clock.now().timestamp())
        if step is None or step in self.steps_used:
            raise CodeWrong
        self.steps_used.add(step)

    def _ceremony(self, options: dict[str, object]) -> Ceremony:
        self.auth.check_up()
        ceremony = self.auth.token("ce")
        self.challenges[ceremony] = base64.urlsafe_b64encode(ceremony.encode()).rstrip(b"=").decode()
        return Ceremony(ceremony, orjson.dumps({**options, "challenge": self.challenges[ceremony]}).decode())

    def _answered(self, answer: CeremonyAnswer, kind: str) -> str:
        """Return the id of the passkey that answered a ceremony."""
        self.auth.check_up()
        challenge = self.challenges.pop(answer.ceremony, None)
        try:
            credential = orjson.loads(answer.credential_json)
            encoded: str = credential["response"]["clientDataJSON"]
            said = orjson.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
        except (ValueError, KeyError, TypeError) as error:
            raise CeremonyOver from error
        if challenge is None or (said.get("type"), said.get("challenge")) != (kind, challenge):
            raise CeremonyOver
        passkey_id: str = credential["id"]
        return passkey_id

    def _let_in(self, person: Known) -> Visit:
        person.signed_in_at = self.auth.clock.now()
        return self.auth.open_session(person.like)

    def _go_on(self, visit: Visit) -> Visit:
        return self.auth.settle(visit) if visit.session.needs_credential else visit

    def _invitation(self, like: Session) -> Invitation:
        invitation = self.auth.invite_to(like)
        return Invitation(Secret(invitation), self.auth.clock.now() + INVITATION_LIFE)

    def _end_sessions(self, person: Known) -> int:
        mine = [t for t, session in self.auth.sessions.items() if session.user_id == person.like.user_id]
        for token in mine:
            del self.auth.sessions[token]
        return len(mine)
