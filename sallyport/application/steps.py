"""What the verbs about an application do: one call each, and waiting for a rotation to come to its end."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

import chassis.clock
import sallyport.access
from chassis.secrecy import Secret
from wire.auth.v1 import applications_pb2, auth_pb2

LOOK_AGAIN_S = 1.0


class NotArrived(Exception):
    """A new secret was asked for and did not come, or was not accepted, within the time to wait."""


@dataclass(frozen=True, kw_only=True)
class Rotation:
    """How a new secret is asked for; see RotateSecretRequest."""

    application_id: str = ""
    is_forced: bool = False
    is_pasted: bool = False


@dataclass(frozen=True, kw_only=True)
class Pasting:
    """A secret that is handed in; see PasteSecretRequest."""

    application_id: str
    secret: Secret[str]
    expires_at: datetime | None
    is_unverified: bool


async def show(config: sallyport.access.Config, application_id: str) -> applications_pb2.ApplicationDetails:
    """Return an application with the dates of its secrets."""
    async with sallyport.access.open_admin(config) as admin:
        return await admin.applications.ShowApplication(
            applications_pb2.ShowApplicationRequest(application_id=application_id)
        )


async def register(
    config: sallyport.access.Config, application: auth_pb2.Application, secret: Secret[str]
) -> None:
    """Make an application the present one."""
    async with sallyport.access.open_admin(config) as admin:
        request = auth_pb2.RegisterApplicationRequest(
            application_id=application.application_id,
            client_id=application.client_id,
            client_secret=secret.reveal(),
            is_draft=application.is_draft,
        )
        await admin.auth.RegisterApplication(request)


async def paste(config: sallyport.access.Config, pasting: Pasting) -> applications_pb2.PasteSecretResponse:
    """Hand a secret in."""
    async with sallyport.access.open_admin(config) as admin:
        request = applications_pb2.PasteSecretRequest(
            application_id=pasting.application_id,
            client_secret=pasting.secret.reveal(),
            expires_at=pasting.expires_at,
            is_unverified=pasting.is_unverified,
        )
        return await admin.applications.PasteSecret(request)


async def rotate(
    config: sallyport.access.Config, rotation: Rotation, *, wait_s: float
) -> AsyncIterator[tuple[str, applications_pb2.ApplicationDetails]]:
    """Yield how far a rotation has come, with the application as it is then: asked, arrived, in use.

    Args:
        config: how to reach auth.
        rotation: what is asked for.
        wait_s: for so many seconds the rotation is followed; 0 for not at all.

    Raises:
        NotArrived: it did not come to its end in that time.
    """
    clock = chassis.clock.SystemClock()
    async with sallyport.access.open_admin(config) as admin:
        look = applications_pb2.ShowApplicationRequest(application_id=rotation.application_id)
        before = await admin.applications.ShowApplication(look)
        request = applications_pb2.RotateSecretRequest(
            application_id=rotation.application_id,
            is_forced=rotation.is_forced,
            is_pasted=rotation.is_pasted,
        )
        yield "asked", await admin.applications.RotateSecret(request)
        until_s, has_arrived = clock.monotonic_s() + wait_s, False
        while wait_s > 0:
            now = await admin.applications.ShowApplication(look)
            newest = now.secrets[0]
            if newest.secret_id != before.secrets[0].secret_id and not has_arrived:
                has_arrived = True
                yield "arrived", now
            if has_arrived and newest.HasField("accepted_at"):
                yield "in use", now
                return
            if clock.monotonic_s() >= until_s:
                raise NotArrived("accepted" if has_arrived else "arrived")
            await clock.sleep(LOOK_AGAIN_S)
