"""A person's own credentials, asked of auth."""

from datetime import UTC

import chassis.rpc
from chassis.secrecy import Secret
from services.gateway.model.credentials import (
    Ceremony,
    CeremonyAnswer,
    Credentials,
    Enrolment,
    NewPassword,
    Passkey,
)
from services.gateway.model.people import Visit
from services.gateway.peers import sessions
from services.gateway.peers.entry import HASHING_S_MAX, ceremony
from wire.auth.v1 import people_pb2, people_pb2_grpc


class CredentialsClient:
    """Fits `service.CredentialKeeper`."""

    def __init__(self, channel: chassis.rpc.Channel) -> None:
        self._auth = channel.stub(people_pb2_grpc.PeopleServiceStub)

    async def list_credentials(self, visit: Visit) -> Credentials:
        """Return all that the person may sign in with."""
        request = people_pb2.ListCredentialsRequest(session_token=visit.session_token.reveal())
        told = await self._auth.ListCredentials(request)
        is_dated = told.HasField("password_expires_at")
        return Credentials(
            passkeys=tuple(_passkey(each) for each in told.passkeys),
            has_password=told.has_password,
            password_expires_at=told.password_expires_at.ToDatetime(tzinfo=UTC) if is_dated else None,
            email=told.email,
            is_provider_linked=told.is_provider_linked,
            is_provider_offered=told.is_provider_offered,
            changeable_until=told.changeable_until.ToDatetime(tzinfo=UTC),
        )

    async def begin_passkey_registration(self, visit: Visit) -> Ceremony:
        """Return what a new passkey is asked to answer."""
        request = people_pb2.BeginPasskeyRegistrationRequest(session_token=visit.session_token.reveal())
        return ceremony(await self._auth.BeginPasskeyRegistration(request))

    async def register_passkey(self, visit: Visit, answer: CeremonyAnswer, name: str) -> Visit:
        """Keep a new passkey; return the visit to go on with."""
        request = people_pb2.RegisterPasskeyRequest(
            session_token=visit.session_token.reveal(),
            ceremony=answer.ceremony,
            credential_json=answer.credential_json,
            name=name,
        )
        told = await self._auth.RegisterPasskey(request)
        return sessions.signed_in(told.signed_in) if told.HasField("signed_in") else visit

    async def remove_passkey(self, visit: Visit, passkey_id: str) -> None:
        """End a passkey for good."""
        request = people_pb2.RemovePasskeyRequest(
            session_token=visit.session_token.reveal(), passkey_id=passkey_id
        )
        await self._auth.RemovePasskey(request)

    async def begin_password(self, visit: Visit) -> Enrolment:
        """Return a new secret for the person's authenticator app."""
        request = people_pb2.BeginPasswordRequest(session_token=visit.session_token.reveal())
        begun = await self._auth.BeginPassword(request)
        return Enrolment(begun.enrolment, Secret(begun.otpauth_uri))

    async def set_password(self, visit: Visit, password: NewPassword) -> Visit:
        """Set or change the password and the authenticator app; return the visit to go on with."""
        request = people_pb2.SetPasswordRequest(
            session_token=visit.session_token.reveal(),
            enrolment=password.enrolment,
            email=password.email,
            password=password.password.reveal(),
            code=password.code.reveal(),
            current_password=password.current.reveal(),
        )
        told = await self._auth.SetPassword(request, timeout=HASHING_S_MAX)
        return sessions.signed_in(told.signed_in) if told.HasField("signed_in") else visit

    async def remove_password(self, visit: Visit) -> None:
        """End the password and the authenticator app."""
        request = people_pb2.RemovePasswordRequest(session_token=visit.session_token.reveal())
        await self._auth.RemovePassword(request)

    async def unlink_provider(self, visit: Visit) -> None:
        """End the link to the account at the vendor's identity provider."""
        request = people_pb2.UnlinkProviderRequest(session_token=visit.session_token.reveal())
        await self._auth.UnlinkProvider(request)


def _passkey(told: people_pb2.Passkey) -> Passkey:
    return Passkey(
        told.passkey_id,
        told.name,
        told.registered_at.ToDatetime(tzinfo=UTC),
        told.used_at.ToDatetime(tzinfo=UTC) if told.HasField("used_at") else None,
    )
