"""Calls of the vendor's operators about an application and its client secrets."""

from datetime import UTC, datetime

from chassis.secrecy import Secret
from services.auth.model.credentials import ClientSecret
from services.auth.model.secret_refusals import InvalidExpiry
from services.auth.rpc import messages
from services.auth.service.applications import ApplicationService, ApplicationView, Pasted
from wire.auth.v1 import applications_pb2, applications_pb2_grpc


class ApplicationAdmin(applications_pb2_grpc.ApplicationAdminServicer):
    """What the vendor sees of an application, and how its secrets are renewed."""

    def __init__(self, applications: ApplicationService) -> None:
        self._applications = applications

    async def ShowApplication(  # noqa: N802 - the contract's name
        self, request: applications_pb2.ShowApplicationRequest, _context: messages.Context
    ) -> applications_pb2.ApplicationDetails:
        """Show an application and the dates of its secrets."""
        return _details(await self._applications.show(request.application_id))

    async def RotateSecret(  # noqa: N802 - the contract's name
        self, request: applications_pb2.RotateSecretRequest, _context: messages.Context
    ) -> applications_pb2.ApplicationDetails:
        """Have Amazon make a new secret."""
        view = await self._applications.rotate(
            request.application_id, is_forced=request.is_forced, is_pasted=request.is_pasted
        )
        return _details(view)

    async def PasteSecret(  # noqa: N802 - the contract's name
        self, request: applications_pb2.PasteSecretRequest, _context: messages.Context
    ) -> applications_pb2.PasteSecretResponse:
        """Keep a secret that an operator brings."""
        pasted = Pasted(
            application_id=request.application_id,
            secret=Secret(request.client_secret),
            expires_at=_expiry_asked(request),
            is_unverified=request.is_unverified,
        )
        is_news = await self._applications.paste(pasted)
        view = await self._applications.show(request.application_id)
        return applications_pb2.PasteSecretResponse(is_news=is_news, application=_details(view))


def _expiry_asked(request: applications_pb2.PasteSecretRequest) -> datetime | None:
    if not request.HasField("expires_at"):
        return None
    try:
        return request.expires_at.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidExpiry from error


def _details(view: ApplicationView) -> applications_pb2.ApplicationDetails:
    return applications_pb2.ApplicationDetails(
        application_id=view.application.application_id,
        client_id=view.application.client_id,
        is_draft=view.application.is_draft,
        secrets=[_dates(secret, view) for secret in view.pair.dated()],
        rotation=applications_pb2.SecretRotation(
            is_heard=view.plan.is_heard,
            due_at=view.plan.rotates_at(view.pair, view.seen_at),
            asked_at=view.state.asked_at,
            refused_at=view.state.refused_at,
            refusal=view.state.refusal,
        ),
    )


def _dates(secret: ClientSecret, view: ApplicationView) -> applications_pb2.SecretDates:
    return applications_pb2.SecretDates(
        secret_id=secret.secret_id,
        origin=secret.origin,
        kept_at=secret.kept_at,
        expires_at=secret.expires_at,
        is_estimated=secret.is_estimated,
        accepted_at=secret.accepted_at,
        days_left=secret.days_left(view.seen_at),
        destroyed_at=None if secret is view.pair.newest else view.pair.older_ends_at(),
    )
