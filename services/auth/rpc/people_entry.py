"""Calls by which people come in, and change what they come in with."""

from chassis.secrecy import Secret
from services.auth.model.passwords import PasswordAttempt, PasswordWish
from services.auth.model.provider import ProviderAnswer
from services.auth.rpc import messages, people_messages
from services.auth.service.people import PeopleCases
from wire.auth.v1 import people_pb2


class EntryCalls:
    """Ways in. Each refuses every wrong answer alike (T-11)."""

    def __init__(self, people: PeopleCases) -> None:
        self._passkeys_in = people.passkeys
        self._passwords = people.passwords
        self._provider_in = people.provider

    async def BeginPasskeySignIn(  # noqa: N802 - the contract's name
        self, _request: people_pb2.BeginPasskeySignInRequest, _context: messages.Context
    ) -> people_pb2.PasskeyCeremony:
        """Ask any passkey that the person has."""
        ceremony, options = await self._passkeys_in.begin_sign_in()
        return people_pb2.PasskeyCeremony(ceremony=ceremony.text, options_json=options)

    async def SignInWithPasskey(  # noqa: N802 - the contract's name
        self, request: people_pb2.SignInWithPasskeyRequest, _context: messages.Context
    ) -> people_pb2.SignedIn:
        """Open a session for a passkey's answer."""
        opened = await self._passkeys_in.sign_in(request.ceremony, request.credential_json)
        return people_messages.signed_in(opened)

    async def SignInWithPassword(  # noqa: N802 - the contract's name
        self, request: people_pb2.SignInWithPasswordRequest, _context: messages.Context
    ) -> people_pb2.SignedIn:
        """Open a session for a password and a code."""
        shown = PasswordAttempt(
            email=request.email,
            password=Secret(request.password),
            code=Secret(request.code),
            source=request.source,
        )
        return people_messages.signed_in(await self._passwords.sign_in(shown))

    async def BeginProviderSignIn(  # noqa: N802 - the contract's name
        self, request: people_pb2.BeginProviderSignInRequest, _context: messages.Context
    ) -> people_pb2.BeginProviderSignInResponse:
        """Say where at the identity provider the person signs in, or links an account."""
        session_token = Secret(request.session_token) if request.session_token else None
        url = await self._provider_in.begin(Secret(request.browser_secret), session_token)
        return people_pb2.BeginProviderSignInResponse(authorization_url=url.reveal())

    async def CompleteProviderSignIn(  # noqa: N802 - the contract's name
        self, request: people_pb2.CompleteProviderSignInRequest, _context: messages.Context
    ) -> people_pb2.SignedIn:
        """Take what the identity provider's redirect brought."""
        answer = ProviderAnswer(state=request.state, code=Secret(request.code), issuer=request.issuer)
        opened = await self._provider_in.complete(Secret(request.browser_secret), answer)
        return people_messages.signed_in(opened)


class CredentialCalls:
    """A person's own credentials."""

    def __init__(self, people: PeopleCases) -> None:
        self._ways_in = people.ways_in
        self._passkeys = people.passkeys
        self._password_changes = people.password_changes
        self._provider = people.provider

    async def ListCredentials(  # noqa: N802 - the contract's name
        self, request: people_pb2.ListCredentialsRequest, _context: messages.Context
    ) -> people_pb2.ListCredentialsResponse:
        """Show all of them."""
        return people_messages.own_ways(await self._ways_in.list_own(Secret(request.session_token)))

    async def BeginPasskeyRegistration(  # noqa: N802 - the contract's name
        self, request: people_pb2.BeginPasskeyRegistrationRequest, _context: messages.Context
    ) -> people_pb2.PasskeyCeremony:
        """Ask a device of the person's to keep a new passkey."""
        ceremony, options = await self._passkeys.begin_registration(Secret(request.session_token))
        return people_pb2.PasskeyCeremony(ceremony=ceremony.text, options_json=options)

    async def RegisterPasskey(  # noqa: N802 - the contract's name
        self, request: people_pb2.RegisterPasskeyRequest, _context: messages.Context
    ) -> people_pb2.RegisterPasskeyResponse:
        """Keep a new passkey."""
        named, opened = await self._passkeys.register(
            Secret(request.session_token),
            request.ceremony,
            credential_json=request.credential_json,
            name=request.name,
        )
        return people_pb2.RegisterPasskeyResponse(
            passkey=people_messages.passkey(named),
            signed_in=None if opened is None else people_messages.signed_in(opened),
        )

    async def RemovePasskey(  # noqa: N802 - the contract's name
        self, request: people_pb2.RemovePasskeyRequest, _context: messages.Context
    ) -> people_pb2.RemovePasskeyResponse:
        """End a passkey."""
        await self._passkeys.remove(Secret(request.session_token), request.passkey_id)
        return people_pb2.RemovePasskeyResponse()

    async def BeginPassword(  # noqa: N802 - the contract's name
        self, request: people_pb2.BeginPasswordRequest, _context: messages.Context
    ) -> people_pb2.BeginPasswordResponse:
        """Give a new secret for the person's authenticator app."""
        ceremony, uri = await self._password_changes.begin(Secret(request.session_token))
        return people_pb2.BeginPasswordResponse(enrolment=ceremony.text, otpauth_uri=uri.reveal())

    async def SetPassword(  # noqa: N802 - the contract's name
        self, request: people_pb2.SetPasswordRequest, _context: messages.Context
    ) -> people_pb2.SetPasswordResponse:
        """Set or change the password, together with the authenticator app."""
        wish = PasswordWish(
            email=request.email,
            password=Secret(request.password),
            code=Secret(request.code),
            current=Secret(request.current_password),
        )
        opened = await self._password_changes.set(Secret(request.session_token), request.enrolment, wish)
        return people_pb2.SetPasswordResponse(
            signed_in=None if opened is None else people_messages.signed_in(opened)
        )

    async def RemovePassword(  # noqa: N802 - the contract's name
        self, request: people_pb2.RemovePasswordRequest, _context: messages.Context
    ) -> people_pb2.RemovePasswordResponse:
        """End the password and the authenticator app."""
        await self._password_changes.remove(Secret(request.session_token))
        return people_pb2.RemovePasswordResponse()

    async def UnlinkProvider(  # noqa: N802 - the contract's name
        self, request: people_pb2.UnlinkProviderRequest, _context: messages.Context
    ) -> people_pb2.UnlinkProviderResponse:
        """End the link to the account at the identity provider."""
        await self._provider.unlink(Secret(request.session_token))
        return people_pb2.UnlinkProviderResponse()
