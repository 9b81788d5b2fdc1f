"""What auth tells of somebody's session and role."""

from datetime import UTC

from chassis.secrecy import Secret
from services.gateway.model.people import Session, Visit
from services.gateway.model.roles import Role
from wire.auth.v1 import auth_pb2, people_pb2

ROLES_ASKED = {
    Role.OWNER: auth_pb2.ROLE_OWNER,
    Role.MEMBER: auth_pb2.ROLE_MEMBER,
    Role.SUPPORT: auth_pb2.ROLE_SUPPORT,
    Role.SECURITY: auth_pb2.ROLE_SECURITY,
    Role.AUDITOR: auth_pb2.ROLE_AUDITOR,
}
_ROLES_TOLD = {told: role for role, told in ROLES_ASKED.items()}


def role(told: auth_pb2.Role) -> Role:
    """Return a role; one that this release does not know is shown as the least."""
    return _ROLES_TOLD.get(told, Role.MEMBER)


def visit(session_token: Secret[str], told: auth_pb2.Session) -> Visit:
    """Return the visit of a session."""
    session = Session(
        session_id=told.session_id,
        user_id=told.user_id,
        user_name=told.user_name,
        seller_id=told.seller_id,
        seller_name=told.seller_name,
        expires_at=told.expires_at.ToDatetime(tzinfo=UTC),
        role=role(told.role),
        needs_credential=told.needs_credential,
    )
    return Visit(session_token, session)


def signed_in(told: people_pb2.SignedIn) -> Visit:
    """Return the visit with a new session."""
    return visit(Secret(told.session_token), told.session)
