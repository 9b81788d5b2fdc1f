"""One seller's beginnings, told through auth's own contracts; remembers every secret that was handed out."""

import base64
import hashlib
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from fakes.auth_amazon_server import AmazonServer
from sallyport.demo.signing_in import Authenticator, Login
from wire.auth.v1 import (
    auth_pb2,
    auth_pb2_grpc,
    authorization_pb2,
    authorization_pb2_grpc,
    people_pb2,
    people_pb2_grpc,
    sellers_pb2,
    sellers_pb2_grpc,
)

APPLICATION_ID = "amzn1.sellerapps.app.0a1b2c3d-0000-4000-8000-000000000001"
US, DE = "ATVPDKIKX0DER", "A1PA6795UKMFR9"
REDIRECT = "http://127.0.0.1:49152/callback"
VERIFIER = "integration-verifier-".ljust(64, "v")
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
THUMBPRINT = base64.urlsafe_b64encode(hashlib.sha256(b"key").digest()).rstrip(b"=").decode()
SELLER_NAME, USER_NAME, DEVICE_NAME = "Blue Kettle Ltd", "Ana Example", "Packing table of Ana"


@dataclass
class Story:
    """The gateway's and the console's side of what people do."""

    gateway: "auth_pb2_grpc.AuthServiceAsyncStub"
    people: "people_pb2_grpc.PeopleServiceAsyncStub"
    authorization: "authorization_pb2_grpc.AuthorizationServiceAsyncStub"
    console: "auth_pb2_grpc.AuthAdminAsyncStub"
    sellers: "sellers_pb2_grpc.SellerAdminAsyncStub"
    amazon: AmazonServer
    secrets: list[str] = field(default_factory=list)
    _consents: int = 0

    async def register(self) -> None:
        request = auth_pb2.RegisterApplicationRequest(
            application_id=APPLICATION_ID,
            client_id="amzn1.application-oa2-client.0a1b2c3d",
            client_secret=self.amazon.secret,
        )
        await self.console.RegisterApplication(request)
        self.secrets.append(self.amazon.secret)

    async def person(self) -> tuple[str, str]:
        """Return a new seller's id and the session token of its first user."""
        await self.register()
        seller = await self.console.CreateSeller(auth_pb2.CreateSellerRequest(name=SELLER_NAME))
        invited = await self.console.InviteUser(
            auth_pb2.InviteUserRequest(seller_id=seller.seller_id, user_name=USER_NAME)
        )
        request = auth_pb2.RedeemInvitationRequest(invitation=invited.invitation)
        opened = await self.gateway.RedeemInvitation(request)
        self.secrets += [SELLER_NAME, USER_NAME, invited.invitation, opened.session_token]
        return seller.seller_id, await self.settle(opened.session_token)

    async def settle(self, session_token: str) -> str:
        """Set up a password for somebody who was invited; return the session that goes on."""
        begun = await self.people.BeginPassword(people_pb2.BeginPasswordRequest(session_token=session_token))
        login = Login(Authenticator(begun.otpauth_uri))
        code = await login.authenticator.code()
        settled = await self.people.SetPassword(
            people_pb2.SetPasswordRequest(
                session_token=session_token,
                enrolment=begun.enrolment,
                email=login.email,
                password=login.password,
                code=code,
            )
        )
        self.secrets += [login.email, login.password, begun.otpauth_uri, settled.signed_in.session_token]
        return settled.signed_in.session_token

    async def connect(self, session_token: str, marketplace_id: str = US) -> auth_pb2.Consent:
        begun = await self.gateway.BeginConsent(
            auth_pb2.BeginConsentRequest(session_token=session_token, marketplace_id=marketplace_id)
        )
        self._consents += 1
        state = parse_qs(urlsplit(begun.consent_url).query)["state"][0]
        code, partner_id = f"ANcode{self._consents}", f"A{self._consents}BLUEKETTLE"
        self.amazon.codes.add(code)
        self.secrets += [state, code, partner_id]
        consent = await self.gateway.CompleteConsent(
            auth_pb2.CompleteConsentRequest(
                session_token=session_token, state=state, selling_partner_id=partner_id, code=code
            )
        )
        self.secrets += self.amazon.refresh_tokens
        return consent

    async def enrol(self, session_token: str) -> auth_pb2.TokenSet:
        authorized = await self.gateway.AuthorizeDevice(
            auth_pb2.AuthorizeDeviceRequest(
                session_token=session_token,
                client_id="desktop",
                redirect_uri=REDIRECT,
                code_challenge=CHALLENGE,
                scopes=["orders", "pii"],
                device_name=DEVICE_NAME,
            )
        )
        tokens = await self.gateway.ExchangeCode(
            auth_pb2.ExchangeCodeRequest(
                client_id="desktop",
                code=authorized.code,
                code_verifier=VERIFIER,
                redirect_uri=REDIRECT,
                key_thumbprint=THUMBPRINT,
            )
        )
        self.secrets += [DEVICE_NAME, authorized.code, tokens.access_token, tokens.refresh_token]
        return tokens

    async def let_in(self, session_token: str) -> auth_pb2.TokenSet:
        """Return the tokens of a desktop that a person let in on another machine's browser."""
        begun = await self.authorization.BeginDeviceGrant(
            authorization_pb2.BeginDeviceGrantRequest(client_id="desktop", scopes=["orders"])
        )
        await self.authorization.DecideDeviceGrant(
            authorization_pb2.DecideDeviceGrantRequest(
                session_token=session_token,
                user_code=begun.user_code,
                is_approved=True,
                device_name=DEVICE_NAME,
            )
        )
        tokens = await self.authorization.RedeemDeviceGrant(
            authorization_pb2.RedeemDeviceGrantRequest(
                client_id="desktop", device_code=begun.device_code, key_thumbprint=THUMBPRINT
            )
        )
        codes = [begun.device_code, begun.user_code, begun.user_code.replace("-", "")]
        self.secrets += [*codes, tokens.access_token, tokens.refresh_token]
        return tokens

    async def leave(self, seller_id: str) -> sellers_pb2.KnownSeller:
        return await self.sellers.OffboardSeller(
            sellers_pb2.OffboardSellerRequest(seller_id=seller_id, reason="Contract 17 ended")
        )

    async def refresh(self, refresh_token: str) -> auth_pb2.TokenSet:
        tokens = await self.gateway.RefreshBound(
            auth_pb2.RefreshBoundRequest(
                client_id="desktop", refresh_token=refresh_token, key_thumbprint=THUMBPRINT
            )
        )
        self.secrets += [tokens.access_token, tokens.refresh_token]
        return tokens

    async def introspect(self, access_token: str) -> auth_pb2.Device:
        return await self.gateway.Introspect(auth_pb2.IntrospectRequest(access_token=access_token))

    async def lend(
        self, device_id: str, restriction: auth_pb2.Restriction | None = None
    ) -> auth_pb2.AmazonToken:
        request = auth_pb2.LendAmazonTokenRequest(device_id=device_id, region=auth_pb2.REGION_NA)
        if restriction is not None:
            request.restriction.CopyFrom(restriction)
        lent = await self.gateway.LendAmazonToken(request)
        self.secrets.append(lent.token)
        return lent

    async def begin(self) -> tuple[str, str, auth_pb2.Device]:
        """Return session token, access token and device of a connected seller."""
        _, session_token = await self.person()
        await self.connect(session_token)
        tokens = await self.enrol(session_token)
        return session_token, tokens.access_token, await self.introspect(tokens.access_token)
