"""People, credentials and access into messages, and the parts of requests that say who may what."""

from services.auth.model.passkeys import NamedPasskey
from services.auth.model.people import NamedMember, Removal
from services.auth.model.reviews import AccessRow, NamedSeller
from services.auth.model.roles import Role
from services.auth.rpc import messages
from services.auth.service.members import Invited
from services.auth.service.sessions import Opened
from services.auth.service.ways_in import OwnWays
from wire.auth.v1 import auth_pb2, people_pb2

ROLES_ASKED = {message: role for role, message in messages.ROLES.items()}


def role_asked(message: auth_pb2.Role) -> Role | None:
    """Return the role a request names; None for none that there is."""
    return ROLES_ASKED.get(message)


def signed_in(opened: Opened) -> people_pb2.SignedIn:
    """Return a new session with its token."""
    token, session = opened
    return people_pb2.SignedIn(session_token=token.reveal(), session=messages.session(session))


def passkey(named: NamedPasskey) -> people_pb2.Passkey:
    """Return a passkey as its person sees it."""
    return people_pb2.Passkey(
        passkey_id=named.passkey.passkey_id,
        name=named.name,
        registered_at=named.passkey.registered_at,
        used_at=named.passkey.used_at,
    )


def own_ways(ways: OwnWays) -> people_pb2.ListCredentialsResponse:
    """Return a person's own ways in."""
    return people_pb2.ListCredentialsResponse(
        passkeys=map(passkey, ways.passkeys),
        has_password=ways.password_expires_at is not None,
        password_expires_at=ways.password_expires_at,
        email=ways.email,
        is_provider_linked=ways.is_linked,
        is_provider_offered=ways.is_offered,
        changeable_until=ways.changeable_until,
    )


def member(named: NamedMember) -> people_pb2.Member:
    """Return a person as colleagues see them."""
    return people_pb2.Member(
        user_id=named.member.user.user_id,
        name=named.name,
        role=messages.ROLES[named.member.user.role],
        invited_at=named.member.user.created_at,
        signed_in_at=named.member.signed_in_at,
        credentials=named.member.credentials,
    )


def invited(given: Invited) -> people_pb2.InviteMemberResponse:
    """Return an invitation, once."""
    return people_pb2.InviteMemberResponse(
        invitation=given.invitation.reveal(), expires_at=given.expires_at, user_id=given.user_id
    )


def removal(removed: Removal) -> people_pb2.RemoveMemberResponse:
    """Return what ended with a person's access."""
    return people_pb2.RemoveMemberResponse(
        sessions_ended=removed.sessions_ended, devices_revoked=len(removed.device_ids)
    )


def seller(named: NamedSeller) -> people_pb2.SellerSummary:
    """Return a seller as staff see it."""
    return people_pb2.SellerSummary(
        seller_id=named.summary.seller.seller_id,
        name=named.name,
        active_consents=named.summary.active_consents,
        active_devices=named.summary.active_devices,
        next_consent_ends_at=named.summary.next_consent_ends_at,
    )


def access(row: AccessRow) -> people_pb2.AccessRow:
    """Return one row of who has access to what."""
    return people_pb2.AccessRow(
        seller_id=row.seller_id,
        seller_name=row.seller_name,
        user_id=row.user_id,
        user_name=row.user_name,
        role=messages.ROLES[row.role],
        credentials=row.credentials,
        since=row.since,
        used_at=row.used_at,
        device_id=row.device_id,
        device_name=row.device_name,
        scopes=row.scopes,
    )
