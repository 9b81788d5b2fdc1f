"""Ways in, asked of auth."""

import chassis.rpc
from chassis.secrecy import Secret
from services.gateway.model.credentials import Ceremony, CeremonyAnswer, PasswordLogin, ProviderAnswer
from services.gateway.model.people import Visit
from services.gateway.peers import sessions
from wire.auth.v1 import people_pb2, people_pb2_grpc

# auth asks the vendor's identity provider meanwhile.
PROVIDER_S_MAX = 15.0
# Passwords are hashed slowly, a few at a time, and the others wait in a line.
HASHING_S_MAX = 15.0


class EntryClient:
    """Fits `service.WaysIn`."""

    def __init__(self, channel: chassis.rpc.Channel) -> None:
        self._auth = channel.stub(people_pb2_grpc.PeopleServiceStub)

    async def begin_passkey_sign_in(self) -> Ceremony:
        """Return what any of the person's passkeys may answer."""
        return ceremony(await self._auth.BeginPasskeySignIn(people_pb2.BeginPasskeySignInRequest()))

    async def sign_in_with_passkey(self, answer: CeremonyAnswer) -> Visit:
        """Return the visit that a passkey opens."""
        request = people_pb2.SignInWithPasskeyRequest(
            ceremony=answer.ceremony, credential_json=answer.credential_json
        )
        return sessions.signed_in(await self._auth.SignInWithPasskey(request))

    async def sign_in_with_password(self, login: PasswordLogin) -> Visit:
        """Return the visit that a password and a code open."""
        request = people_pb2.SignInWithPasswordRequest(
            email=login.email,
            password=login.password.reveal(),
            code=login.code.reveal(),
            source=login.source,
        )
        return sessions.signed_in(await self._auth.SignInWithPassword(request, timeout=HASHING_S_MAX))

    async def begin_provider_sign_in(self, browser_secret: Secret[str], visit: Visit | None) -> str:
        """Return the address at the vendor's identity provider."""
        request = people_pb2.BeginProviderSignInRequest(
            browser_secret=browser_secret.reveal(),
            session_token=visit.session_token.reveal() if visit else "",
        )
        begun = await self._auth.BeginProviderSignIn(request, timeout=PROVIDER_S_MAX)
        return begun.authorization_url

    async def complete_provider_sign_in(self, browser_secret: Secret[str], answer: ProviderAnswer) -> Visit:
        """Return the visit that the provider's answer opens."""
        request = people_pb2.CompleteProviderSignInRequest(
            browser_secret=browser_secret.reveal(),
            state=answer.state.reveal(),
            code=answer.code.reveal(),
            issuer=answer.issuer,
        )
        return sessions.signed_in(await self._auth.CompleteProviderSignIn(request, timeout=PROVIDER_S_MAX))


def ceremony(told: people_pb2.PasskeyCeremony) -> Ceremony:
    """Return a ceremony as auth tells it."""
    return Ceremony(told.ceremony, told.options_json)
