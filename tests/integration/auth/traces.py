"""A trace in every table that the story itself leaves empty, and the secrets that went into each."""

from datetime import UTC, datetime, timedelta

import chassis.db
from chassis.errors import SallyportError
from chassis.secrecy import Secret
from fakes.passkey_device import PasskeyDevice
from services.auth.model.grantless import Scope, grantless_place
from services.auth.vault import AuthVault
from tests.integration.auth.process import Caller
from tests.integration.auth.story import APPLICATION_ID, Story
from wire.auth.v1 import auth_pb2, keys_pb2, keys_pb2_grpc, people_pb2, people_pb2_grpc

PASSKEY_NAME, STAFF_NAME, STRANGER = "Ana's thumb", "Sam Support", "stranger@example.org"
GRANTLESS = "Atza|grantless-token-that-no-seller-stands-behind"
ACCOUNT = "https://id.example.com ana-at-the-provider"


async def leave_traces(
    story: Story, console: Caller, *, session_token: str, vault: AuthVault, owner: chassis.db.Connection
) -> None:
    """Do what people and operators do besides the story; write what needs parts that are not here."""
    await _keep_a_passkey(story, session_token)
    await _guess(story)
    people = console.channel.stub(people_pb2_grpc.PeopleAdminStub)
    invited = await people.InviteStaff(
        people_pb2.InviteStaffRequest(name=STAFF_NAME, role=auth_pb2.ROLE_SUPPORT)
    )
    story.secrets += [STAFF_NAME, invited.invitation]
    async for _ in people.ExportAccess(people_pb2.ExportAccessRequest()):
        pass
    keys = console.channel.stub(keys_pb2_grpc.KeyAdminStub)
    await keys.RotateKeys(keys_pb2.RotateKeysRequest(all=True))
    await _write(story, vault, owner)


async def _keep_a_passkey(story: Story, session_token: str) -> None:
    begun = await story.people.BeginPasskeyRegistration(
        people_pb2.BeginPasskeyRegistrationRequest(session_token=session_token)
    )
    kept = PasskeyDevice().create(begun.options_json)
    await story.people.RegisterPasskey(
        people_pb2.RegisterPasskeyRequest(
            session_token=session_token, ceremony=begun.ceremony, credential_json=kept, name=PASSKEY_NAME
        )
    )
    story.secrets += [PASSKEY_NAME, begun.ceremony]


async def _guess(story: Story) -> None:
    guess = people_pb2.SignInWithPasswordRequest(email=STRANGER, password="Wrong-guess-0123!", code="000000")
    try:
        await story.people.SignInWithPassword(guess)
    except SallyportError:
        story.secrets += [STRANGER, guess.password]


async def _write(story: Story, vault: AuthVault, owner: chassis.db.Connection) -> None:
    """Write what only an application's own call, or somebody's identity provider, would bring."""
    await vault.create_application_key(APPLICATION_ID)
    place = grantless_place(APPLICATION_ID, Scope.NOTIFICATIONS, 1)
    await owner.execute(
        """
        INSERT INTO auth.grantless_leases
            (application_id, scope, fence, token_sealed, token_fence, token_expires_at)
        VALUES ($1, $2, 1, $3, 1, $4)
        """,
        APPLICATION_ID,
        Scope.NOTIFICATIONS,
        await vault.seal(place, Secret(GRANTLESS)),
        datetime.now(UTC) + timedelta(hours=1),
    )
    await owner.execute(
        """
        INSERT INTO auth.provider_links (user_id, account_digest, linked_at)
        SELECT user_id, $1, now() FROM auth.users LIMIT 1
        """,
        await vault.digest("provider_account", ACCOUNT),
    )
    await owner.execute(
        "INSERT INTO auth.secret_rotations (application_id) VALUES ($1) ON CONFLICT DO NOTHING",
        APPLICATION_ID,
    )
    story.secrets += [GRANTLESS, ACCOUNT]
