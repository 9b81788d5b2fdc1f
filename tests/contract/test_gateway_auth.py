"""What the gateway's doors rely on in auth: on the fake, and on the gRPC clients over mutual TLS."""

from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass, replace

import pytest

import chassis.crypto.digest
import chassis.errors
from chassis.secrecy import Secret
from fakes import gateway_auth_server, gateway_consents_server
from fakes.clock import FakeClock
from fakes.gateway_auth import FakeAuth
from fakes.gateway_consents import DE, EUROPE_URI, UK, US, US_URI, VENDOR_URI, FakeConsents
from services.gateway.model.calls import Profile, Region
from services.gateway.model.consents import AccountKind, Choice, Handover
from services.gateway.model.device_facts import DeviceFacts
from services.gateway.model.native import Approval, AuthorizationRequest, CodeGrant, RefreshGrant
from services.gateway.model.people import ConsentAnswer, Visit
from services.gateway.peers.consents import ConsentsClient
from services.gateway.peers.people import PeopleClient
from services.gateway.peers.tokens import TokensClient
from services.gateway.service import ConsentKeeper, People, Tokens
from tests.contract.gateway_channel import gateway_channel

VERIFIER = "v" * 64
REDIRECT = "http://127.0.0.1:49152/callback"
REQUEST = AuthorizationRequest(
    client_id="desktop",
    redirect_uri=REDIRECT,
    code_challenge=chassis.crypto.digest.pkce_s256(VERIFIER),
    scopes=("orders",),
    state="",
    key_thumbprint="",
    facts=DeviceFacts(),
)


@dataclass
class Auth:
    """Auth, however it is reached, and the fake at its end."""

    people: People
    consents: ConsentKeeper
    tokens: Tokens
    fake: FakeAuth

    async def visit(self) -> Visit:
        return self.fake.settle(await self.people.redeem_invitation(Secret(self.fake.invite())))


@pytest.fixture(params=["fake", "wire"])
async def auth(request: pytest.FixtureRequest) -> AsyncIterator[Auth]:
    fake = FakeAuth(FakeClock())
    if request.param == "fake":
        yield Auth(people=fake, consents=FakeConsents(fake), tokens=fake, fake=fake)
        return
    services = [gateway_auth_server.service(fake), gateway_consents_server.service(FakeConsents(fake))]
    async with gateway_channel(services) as channel:
        yield Auth(
            people=PeopleClient(channel),
            consents=ConsentsClient(channel),
            tokens=TokensClient(channel),
            fake=fake,
        )


async def refusal(attempt: Awaitable[object]) -> str:
    with pytest.raises(chassis.errors.SallyportError) as refused:
        await attempt
    return refused.value.code


async def test_an_invitation_opens_one_session(auth: Auth) -> None:
    invitation = Secret(auth.fake.invite("Blue Lamp Trading", "Anna Berg"))
    visit = await auth.people.redeem_invitation(invitation)
    assert (visit.session.seller_name, visit.session.user_name) == ("Blue Lamp Trading", "Anna Berg")
    assert await auth.people.find_session(visit.session_token) == visit
    with pytest.raises(chassis.errors.Unauthenticated) as refusal:
        await auth.people.redeem_invitation(invitation)
    assert refusal.value.code == "invitation_invalid"


async def test_an_ended_session_is_unknown(auth: Auth) -> None:
    visit = await auth.visit()
    await auth.people.end_session(visit)
    with pytest.raises(chassis.errors.Unauthenticated):
        await auth.people.find_session(visit.session_token)


async def test_a_consent_is_made_once_from_its_own_state_T08(auth: Auth) -> None:
    visit = await auth.visit()
    url = await auth.people.begin_consent(visit, "A1PA6795UKMFR9", AccountKind.VENDOR)
    (state,) = auth.fake.states
    assert state in url
    answer = ConsentAnswer(Secret(state), "A2SP", Secret("code"))
    consent = await auth.people.complete_consent(visit, answer)
    assert (consent.region, consent.selling_partner_id, consent.status) == (Region.EU, "A2SP", "active")
    assert consent.account_kind is AccountKind.VENDOR
    assert (consent.expires_at - consent.granted_at).days == 365
    assert list(await auth.people.list_consents(visit)) == [consent]
    assert auth.fake.amazons_codes == ["code"]
    with pytest.raises(chassis.errors.InvalidInput) as refusal:
        await auth.people.complete_consent(visit, answer)
    assert refusal.value.code == "invalid_state"


def handed_over(amazon_callback_uri: str = US_URI) -> Handover:
    return Handover(
        amazon_callback_uri=amazon_callback_uri,
        amazon_state="amzn-1",
        selling_partner_id="A2SP",
        is_beta=True,
    )


async def test_a_handover_is_judged_before_and_after_somebody_signed_in(auth: Auth) -> None:
    visit = await auth.visit()
    for who in (None, visit):
        judged = await auth.consents.judge_handover(who, EUROPE_URI)
        assert (judged.account_kind, judged.marketplace_ids) == (AccountKind.SELLER, (UK, DE))
        with pytest.raises(chassis.errors.InvalidInput) as refusal:
            await auth.consents.judge_handover(who, "https://evil.example/")
        assert refusal.value.code == "handover_refused"
    assert (await auth.consents.judge_handover(None, VENDOR_URI)).account_kind is AccountKind.VENDOR
    await auth.people.begin_consent(visit, DE, AccountKind.SELLER)
    assert (await auth.consents.judge_handover(visit, EUROPE_URI)).marketplace_id == DE


async def test_an_answered_handover_makes_a_consent_of_its_own_account_T08(auth: Auth) -> None:
    visit = await auth.visit()
    url = await auth.consents.answer_handover(visit, handed_over(), Choice(AccountKind.SELLER, US))
    assert url.startswith(f"{US_URI}?")
    assert "amazon_state=amzn-1" in url
    assert "version=beta" in url
    (state,) = auth.fake.states
    with pytest.raises(chassis.errors.InvalidInput) as refusal:
        await auth.people.complete_consent(visit, ConsentAnswer(Secret(state), "A9OTHER", Secret("code")))
    assert refusal.value.code == "invalid_state"


async def test_a_consent_is_renewed_and_disconnected_by_its_seller_only_T07(auth: Auth) -> None:
    visit, stranger = await auth.visit(), await auth.visit()
    await auth.people.begin_consent(visit, US, AccountKind.SELLER)
    (state,) = auth.fake.states
    made = await auth.people.complete_consent(visit, ConsentAnswer(Secret(state), "A2SP", Secret("code")))
    assert "state=" in await auth.consents.renew_consent(visit, made.consent_id)
    for call in (auth.consents.renew_consent, auth.consents.disconnect_consent):
        with pytest.raises(chassis.errors.NotFound):
            await call(stranger, made.consent_id)
    await auth.consents.disconnect_consent(visit, made.consent_id)
    assert [one.status for one in await auth.people.list_consents(visit)] == ["disconnected"]


async def test_a_compat_device_refreshes_until_it_is_somebody_elses(auth: Auth) -> None:
    visit = await auth.visit()
    credentials = await auth.people.enrol_compat_device(visit, "Warehouse PC")
    tokens = await auth.tokens.refresh_compat(credentials.device_id, credentials.refresh_token)
    assert tokens.refresh_token == credentials.refresh_token
    assert (tokens.expires_in_s, tokens.scopes) == (3600, ("orders",))
    with pytest.raises(chassis.errors.InvalidInput) as refusal:
        await auth.tokens.refresh_compat("somebody-else", credentials.refresh_token)
    assert refusal.value.code == "invalid_grant"


async def test_devices_are_listed_newest_first_and_revoked_by_their_seller_only_T07(auth: Auth) -> None:
    visit, stranger = await auth.visit(), await auth.visit()
    await auth.people.enrol_compat_device(visit, "Old till")
    await auth.people.authorize_device(visit, REQUEST, Approval("Laptop"))
    laptop, till = await auth.people.list_desktops(visit)
    assert [(each.name, each.profile) for each in (laptop, till)] == [
        ("Laptop", Profile.BOUND),
        ("Old till", Profile.COMPAT),
    ]
    with pytest.raises(chassis.errors.NotFound):
        await auth.people.revoke_device(stranger, till.device_id)
    await auth.people.revoke_device(visit, till.device_id)
    assert [each.is_revoked for each in await auth.people.list_desktops(visit)] == [False, True]


async def test_what_a_desktop_asks_for_and_what_is_withheld_from_it_arrive_whole(auth: Auth) -> None:
    visit = await auth.visit()
    facts = DeviceFacts("macos", "4.2.0", "os_keystore")
    asked = replace(REQUEST, scopes=("orders", "pii"), facts=facts, key_thumbprint="key")
    code = await auth.people.authorize_device(visit, asked, Approval("Laptop", ("pii",)))
    assert auth.fake.codes[code.reveal()].request == asked
    (laptop,) = await auth.people.list_desktops(visit)
    assert (laptop.facts, laptop.withheld_scopes) == (facts, frozenset({"pii"}))
    assert laptop.enrolled_at == laptop.used_at == auth.fake.clock.now()


async def test_a_code_becomes_tokens_that_rotate_for_their_key_and_application(auth: Auth) -> None:
    code = await auth.people.authorize_device(await auth.visit(), REQUEST, Approval("Laptop"))
    grant = CodeGrant(client_id="desktop", code=code, code_verifier=Secret(VERIFIER), redirect_uri=REDIRECT)
    first = await auth.tokens.exchange_code(grant, "key")
    refresh = RefreshGrant(client_id="desktop", refresh_token=first.refresh_token, app_version="4.3.0")
    for taker, key in ((replace(refresh, client_id="another"), "key"), (refresh, "another")):
        assert await refusal(auth.tokens.refresh_bound(taker, key)) == "invalid_grant"
    second = await auth.tokens.refresh_bound(refresh, "key")
    assert second.refresh_token != first.refresh_token
    assert list(auth.fake.versions.values()) == ["4.3.0"]
    for again in (auth.tokens.exchange_code(grant, "key"), auth.tokens.refresh_bound(refresh, "key")):
        assert await refusal(again) == "invalid_grant"


async def test_an_outage_is_told_as_one(auth: Auth) -> None:
    auth.fake.is_down = True
    with pytest.raises(chassis.errors.Unavailable) as refusal:
        await auth.people.redeem_invitation(Secret("sp_in_1"))
    assert refusal.value.code == "store_unavailable"
