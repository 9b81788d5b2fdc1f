"""People, at running auths: passkeys, the identity provider, locks over replicas, leavers, reviews."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

import chassis.clock
import chassis.vault
import sallyport.provision.ground
import sallyport.provision.handout
from chassis.errors import Denied, LimitExceeded, Unauthenticated
from fakes.oidc_server import CLIENT_ID, CLIENT_SECRET, OidcServer
from fakes.passkey_device import PasskeyDevice
from tests.integration.auth.conftest import CallerFor, ProcessFor
from tests.integration.auth.process import AuthProcess, Caller, Telemetry
from tests.integration.auth.story import Story
from wire.auth.v1 import auth_pb2, people_pb2, people_pb2_grpc

BROWSER = "a secret of this browser, 32 or more"
EMAIL = "nobody.knows@blue-kettle.example"


@pytest.fixture
async def provider(tmp_path: Path) -> AsyncIterator[OidcServer]:
    async with OidcServer().serve(tmp_path) as provider:
        yield provider


@pytest.fixture
async def linked_process(
    ground: sallyport.provision.ground.Ground, process: AuthProcess, provider: OidcServer
) -> AuthProcess:
    """A process that knows the identity provider, whose secret the vendor wrote into the key service."""
    await process.stop()
    process.environ |= {
        "SALLYPORT_OIDC_ISSUER": provider.url,
        "SALLYPORT_OIDC_CLIENT_ID": CLIENT_ID,
        "SALLYPORT_OIDC_CA_FILE": str(provider.ca_file),
    }
    config = sallyport.provision.handout.vault_config(ground.openbao, ground.folder, "auth")
    async with await chassis.vault.connect(config, chassis.clock.SystemClock()) as vault:
        await vault.kv_write("auth/identity-provider", {"client_secret": CLIENT_SECRET})
    await process.start()
    return process


def admin_of(console: Caller) -> "people_pb2_grpc.PeopleAdminAsyncStub":
    return console.channel.stub(people_pb2_grpc.PeopleAdminStub)


async def with_passkey(story: Story, invitation: str, device: PasskeyDevice) -> str:
    """Return the session of somebody who came by invitation and registered a passkey."""
    opened = await story.gateway.RedeemInvitation(auth_pb2.RedeemInvitationRequest(invitation=invitation))
    assert opened.session.needs_credential
    token = opened.session_token
    begun = await story.people.BeginPasskeyRegistration(
        people_pb2.BeginPasskeyRegistrationRequest(session_token=token)
    )
    registered = await story.people.RegisterPasskey(
        people_pb2.RegisterPasskeyRequest(
            session_token=token,
            ceremony=begun.ceremony,
            credential_json=device.create(begun.options_json),
            name="Phone",
        )
    )
    return registered.signed_in.session_token


async def sign_in(story: Story, device: PasskeyDevice) -> people_pb2.SignedIn:
    asked = await story.people.BeginPasskeySignIn(people_pb2.BeginPasskeySignInRequest())
    return await story.people.SignInWithPasskey(
        people_pb2.SignInWithPasskeyRequest(
            ceremony=asked.ceremony, credential_json=device.get(asked.options_json)
        )
    )


async def test_the_staff_comes_in_reviews_access_and_ends_a_device(
    story: Story, process: AuthProcess, caller_for: CallerFor, telemetry: Telemetry
) -> None:
    seller_id, owner_token = await story.person()
    tokens = await story.enrol(owner_token)
    device_id = (await story.introspect(tokens.access_token)).device_id
    admin = admin_of(await caller_for("console", process))
    invited = await admin.InviteStaff(
        people_pb2.InviteStaffRequest(name="Sam Example", role=auth_pb2.ROLE_SECURITY)
    )
    phone = PasskeyDevice(seed="sam")
    await with_passkey(story, invited.invitation, phone)
    opened = await sign_in(story, phone)
    assert (opened.session.user_name, opened.session.seller_id) == ("Sam Example", "")
    token = opened.session_token
    with pytest.raises(Denied):
        await story.gateway.ListDevices(auth_pb2.ListDevicesRequest(session_token=token))
    reviewed = story.people.ReviewAccess(people_pb2.ReviewAccessRequest(session_token=token))
    rows = [row async for row in reviewed]
    assert {row.user_name for row in rows if not row.seller_id} == {"Sam Example"}
    assert device_id in {row.device_id for row in rows}
    assert len(telemetry.told("auth.access.reviewed")) == 2
    assert "sallyport_auth_access_review_age_seconds" in await process.metrics()
    await story.people.RevokeSellerDevice(
        people_pb2.RevokeSellerDeviceRequest(
            session_token=token, seller_id=seller_id, device_id=device_id, reason="Reported stolen"
        )
    )
    with pytest.raises(Unauthenticated) as refusal:
        await story.introspect(tokens.access_token)
    assert refusal.value.code == "device_revoked"
    exported = [row async for row in admin.ExportAccess(people_pb2.ExportAccessRequest())]
    assert len(exported) == len(rows) - 1


async def test_an_account_at_the_identity_provider_is_linked_and_opens_sessions(
    story: Story, linked_process: AuthProcess, provider: OidcServer
) -> None:
    assert await linked_process.is_ready()
    _, token = await story.person()

    async def at_provider(session_token: str = "") -> people_pb2.SignedIn:
        begun = await story.people.BeginProviderSignIn(
            people_pb2.BeginProviderSignInRequest(browser_secret=BROWSER, session_token=session_token)
        )
        asked = parse_qs(urlsplit(begun.authorization_url).query)
        assert asked["redirect_uri"] == ["https://gateway.example/portal/sign-in/provider"]
        return await story.people.CompleteProviderSignIn(
            people_pb2.CompleteProviderSignInRequest(
                browser_secret=BROWSER,
                state=asked["state"][0],
                code=provider.consent(begun.authorization_url),
                issuer=provider.url,
            )
        )

    with pytest.raises(Unauthenticated):
        await at_provider()
    linked = await at_provider(token)
    shown = await story.people.ListCredentials(
        people_pb2.ListCredentialsRequest(session_token=linked.session_token)
    )
    assert (shown.is_provider_linked, shown.is_provider_offered) == (True, True)
    assert (await at_provider()).session.user_id == linked.session.user_id


async def test_an_address_is_locked_on_every_replica_T11(
    process_for: ProcessFor, caller_for: CallerFor
) -> None:
    replicas = [await caller_for("gateway", await process_for(name)) for name in ("first", "second")]
    guess = people_pb2.SignInWithPasswordRequest(email=EMAIL, password="Wrong guess 77!", code="000000")
    for number in range(10):
        with pytest.raises(Unauthenticated) as refused:
            await replicas[number % 2].people.SignInWithPassword(guess)
        assert refused.value.code == "sign_in_refused"
    for replica in replicas:
        with pytest.raises(LimitExceeded) as refusal:
            await replica.people.SignInWithPassword(guess)
        assert (refusal.value.retry_after_s or 0) > 1_700


async def test_a_leaver_is_out_on_every_replica_at_once(
    story: Story, process_for: ProcessFor, caller_for: CallerFor
) -> None:
    seller_id, owner_token = await story.person()
    invited = await story.people.InviteMember(
        people_pb2.InviteMemberRequest(session_token=owner_token, name="Ben", role=auth_pb2.ROLE_MEMBER)
    )
    phone = PasskeyDevice(seed="ben")
    ben_token = await with_passkey(story, invited.invitation, phone)
    tokens = await story.enrol(ben_token)
    device_id = (await story.introspect(tokens.access_token)).device_id
    other = await caller_for("gateway", await process_for("second"))
    stream = other.service.WatchRevocations(auth_pb2.WatchRevocationsRequest())
    async with asyncio.timeout(30), aclosing(stream):  # type: ignore[type-var]
        news = aiter(stream)
        assert (await anext(news)).device_id == ""
        removed = await story.people.RemoveMember(
            people_pb2.RemoveMemberRequest(session_token=owner_token, user_id=invited.user_id)
        )
        assert (removed.sessions_ended, removed.devices_revoked) == (1, 1)
        told = await anext(news)
    assert (told.device_id, told.seller_id) == (device_id, seller_id)
    with pytest.raises(Unauthenticated):
        await other.service.FindSession(auth_pb2.FindSessionRequest(session_token=ben_token))
    with pytest.raises(Unauthenticated):
        await sign_in(story, phone)
