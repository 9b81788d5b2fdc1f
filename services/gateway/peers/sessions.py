"""What auth tells of somebody's session, as a visit."""

from datetime import UTC

from chassis.secrecy import Secret
from services.gateway.model.people import Session, Visit
from services.gateway.model.roles import Role
from wire.auth.v1 import auth_pb2

ROLES_TOLD = {
    auth_pb2.ROLE_OWNER: Role.OWNER,
    auth_pb2.ROLE_MEMBER: Role.MEMBER,
    auth_pb2.ROLE_SUPPORT: Role.SUPPORT,
    auth_pb2.ROLE_SECURITY: Role.SECURITY,
    auth_pb2.ROLE_AUDITOR: Role.AUDITOR,
}


def visit(session_token: Secret[str], told: auth_pb2.Session) -> Visit:
    """Return the visit of a session; a role that this release does not know is shown as the least."""
    session = Session(
        session_id=told.session_id,
        user_id=told.user_id,
        user_name=told.user_name,
        seller_id=told.seller_id,
        seller_name=told.seller_name,
        expires_at=told.expires_at.ToDatetime(tzinfo=UTC),
        role=ROLES_TOLD.get(told.role, Role.MEMBER),
        needs_credential=told.needs_credential,
    )
    return Visit(session_token, session)
