"""What auth's storage promises about people, devices and tokens, on the fake and on Postgres."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from fakes.clock import START
from services.auth.model.ages import CLOCKS_APART_MAX
from services.auth.model.consents import Ending
from services.auth.model.refusals import (
    ApplicationMissing,
    DeviceNotFound,
    InvalidGrant,
    InvitationInvalid,
    SellerNotFound,
    SessionInvalid,
    TokenInvalid,
)
from services.auth.model.restricted import Restriction
from services.auth.model.tokens import ACCESS_TOKENS_MAX, Enrolment, Rotation
from tests.contract.auth_rows import (
    APPLICATION,
    DAY,
    SECOND,
    AnyStore,
    Ear,
    access,
    code,
    consent,
    device,
    digest,
    enrolled,
    new_id,
    seller,
    session_for,
    state,
    user,
)

ADDRESS = Restriction(method="GET", path="/orders/v0/orders/{orderId}/address")


@pytest.fixture
def store(auth_store: AnyStore) -> AnyStore:
    return auth_store


# People


async def test_the_application_registered_last_is_the_present_one(store: AnyStore) -> None:
    other = replace(APPLICATION, application_id="amzn1.sellerapps.app.2")
    await store.register_application(other, START + SECOND)
    assert await store.find_application() == other
    assert await store.find_application(APPLICATION.application_id) == APPLICATION
    renewed = replace(APPLICATION, is_draft=False)
    await store.register_application(renewed, START + 2 * SECOND)
    assert await store.find_application() == renewed
    with pytest.raises(ApplicationMissing):
        await store.find_application("amzn1.sellerapps.app.3")


async def test_a_seller_is_found_as_it_was_kept(store: AnyStore) -> None:
    made = await seller(store)
    assert await store.find_seller(made.seller_id) == made
    with pytest.raises(SellerNotFound):
        await store.find_seller(new_id())


async def test_an_invitation_opens_one_session(store: AnyStore) -> None:
    owner, invitation = await user(store, (await seller(store)).seller_id)
    opening = session_for(owner)
    assert await store.find_invited(invitation.invitation_digest) == owner
    session = await store.redeem_invitation(invitation.invitation_digest, opening, START)
    assert await store.find_invited(invitation.invitation_digest) == owner
    assert (session.session_id, session.user_id, session.seller_id) == (
        opening.session_id,
        owner.user_id,
        owner.seller_id,
    )
    assert (session.user_name_sealed, session.seller_name_sealed) == ("sealed user", "sealed name")
    assert await store.find_session(opening.token_digest) == session
    again = session_for(owner)
    with pytest.raises(InvitationInvalid):
        await store.redeem_invitation(invitation.invitation_digest, again, START)
    with pytest.raises(SessionInvalid):
        await store.find_session(again.token_digest)


async def test_two_at_once_cannot_both_redeem_an_invitation(store: AnyStore) -> None:
    owner, invitation = await user(store, (await seller(store)).seller_id)
    openings = [session_for(owner) for _ in range(4)]
    answers = await asyncio.gather(
        *(store.redeem_invitation(invitation.invitation_digest, opening, START) for opening in openings),
        return_exceptions=True,
    )
    assert sum(not isinstance(answer, Exception) for answer in answers) == 1


async def test_a_late_or_unknown_invitation_opens_nothing(store: AnyStore) -> None:
    owner, invitation = await user(store, (await seller(store)).seller_id)
    opening = session_for(owner)
    with pytest.raises(InvitationInvalid):
        await store.redeem_invitation(invitation.invitation_digest, opening, invitation.expires_at)
    with pytest.raises(InvitationInvalid):
        await store.redeem_invitation(digest(), opening, START)
    with pytest.raises(InvitationInvalid):
        await store.find_invited(digest())


async def test_an_ended_session_is_forgotten(store: AnyStore) -> None:
    owner, invitation = await user(store, (await seller(store)).seller_id)
    opening = session_for(owner)
    await store.redeem_invitation(invitation.invitation_digest, opening, START)
    await store.end_session(opening.session_id)
    await store.end_session(opening.session_id)
    with pytest.raises(SessionInvalid):
        await store.find_session(opening.token_digest)


# Devices


async def test_a_code_enrols_one_device(store: AnyStore) -> None:
    owner, _ = await user(store, (await seller(store)).seller_id)
    kept = code(owner)
    await store.keep_code(kept)
    assert await store.find_code(kept.code_digest) == kept
    enrolments = [Enrolment(device=device(owner), refresh_digest=digest(), access=access()) for _ in range(4)]
    answers = await asyncio.gather(
        *(store.enrol_by_code(kept.code_digest, one, START) for one in enrolments), return_exceptions=True
    )
    assert sum(answer is None for answer in answers) == 1
    assert sum(isinstance(answer, InvalidGrant) for answer in answers) == 3
    assert (await store.find_code(kept.code_digest)).used_at == START
    assert await store.count_active(owner.seller_id) == 1
    with pytest.raises(InvalidGrant):
        await store.find_code(digest())


async def test_a_burnt_code_enrols_nothing(store: AnyStore) -> None:
    owner, _ = await user(store, (await seller(store)).seller_id)
    kept = code(owner)
    await store.keep_code(kept)
    await store.burn_code(kept.code_digest, START)
    await store.burn_code(kept.code_digest, START + SECOND)
    assert (await store.find_code(kept.code_digest)).used_at == START
    with pytest.raises(InvalidGrant):
        await store.enrol_by_code(
            kept.code_digest, Enrolment(device=device(owner), refresh_digest=digest()), START
        )
    assert await store.count_active(owner.seller_id) == 0


async def test_devices_are_listed_active_ones_first_then_newest_first(store: AnyStore) -> None:
    owner, _ = await user(store, (await seller(store)).seller_id)
    made = [(await enrolled(store, owner, START + n * SECOND))[0] for n in range(3)]
    await enrolled(store)
    assert await store.revoke_device(made[2].device_id, START + DAY)
    assert not await store.revoke_device(made[2].device_id, START + DAY)
    assert not await store.revoke_device(new_id(), START)
    revoked = replace(made[2], revoked_at=START + DAY)
    assert await store.list_devices(owner.seller_id) == [made[1], made[0], revoked]
    assert await store.count_active(owner.seller_id) == 2
    assert await store.find_device(made[2].device_id) == revoked
    with pytest.raises(DeviceNotFound):
        await store.find_device(new_id())


async def test_scopes_are_replaced(store: AnyStore) -> None:
    made, _ = await enrolled(store)
    await store.set_scopes(made.device_id, ("orders", "pii"))
    assert (await store.find_device(made.device_id)).scopes == ("orders", "pii")
    with pytest.raises(DeviceNotFound):
        await store.set_scopes(new_id(), ("orders",))


async def test_a_device_that_was_used_since_is_not_ended_as_idle_T18(store: AnyStore) -> None:
    made, _ = await enrolled(store)
    await store.issue_access(made.device_id, access(START + DAY))
    assert not await store.revoke_device(made.device_id, START + DAY, used_before=START + DAY)
    assert (await store.find_device(made.device_id)).revoked_at is None
    assert await store.revoke_device(made.device_id, START + DAY, used_before=START + DAY + SECOND)


async def test_idle_devices_are_listed_oldest_use_first(store: AnyStore) -> None:
    made = [(await enrolled(store, enrolled_at=START + n * DAY))[0] for n in (3, 1, 2)]
    await store.revoke_device(made[2].device_id, START)
    assert await store.list_idle_devices(START + 3 * DAY, 10) == [made[1]]
    await store.issue_access(made[1].device_id, access(START + 5 * DAY))
    assert await store.list_idle_devices(START + 4 * DAY, 10) == [made[0]]
    assert await store.list_idle_devices(START + 9 * DAY, 1) == [made[0]]


# Tokens


async def test_a_refresh_token_rotates_once_and_says_how_long_ago(store: AnyStore) -> None:
    made, refresh_digest = await enrolled(store)
    current = await store.find_refresh_token(refresh_digest)
    assert (current.device, current.rotated_ago_s, current.nonce) == (made, None, None)
    rotations = [
        Rotation(
            token_digest=refresh_digest,
            nonce=bytes([number]) * 16,
            successor_digest=digest(),
            access=access(START + DAY),
        )
        for number in range(4)
    ]
    nonces = set(await asyncio.gather(*(store.rotate(rotation) for rotation in rotations)))
    assert len(nonces) == 1
    winner = next(rotation for rotation in rotations if rotation.nonce in nonces)
    rotated = await store.find_refresh_token(refresh_digest)
    assert rotated.nonce == winner.nonce
    assert rotated.rotated_ago_s is not None
    assert rotated.rotated_ago_s >= 0
    assert rotated.device.used_at == START + DAY
    assert (await store.find_refresh_token(winner.successor_digest)).rotated_ago_s is None
    assert (await store.find_access_token(winner.access.token_digest)).device.device_id == made.device_id
    for loser in rotations:
        if loser is not winner:
            with pytest.raises(InvalidGrant):
                await store.find_refresh_token(loser.successor_digest)
            with pytest.raises(TokenInvalid):
                await store.find_access_token(loser.access.token_digest)


async def test_an_unknown_token_is_neither_found_nor_rotated(store: AnyStore) -> None:
    with pytest.raises(InvalidGrant):
        await store.find_refresh_token(digest())
    with pytest.raises(TokenInvalid):
        await store.find_access_token(digest())
    with pytest.raises(InvalidGrant):
        await store.rotate(
            Rotation(token_digest=digest(), nonce=b"n" * 16, successor_digest=digest(), access=access())
        )


async def test_an_access_token_is_found_with_device_and_restrictions(store: AnyStore) -> None:
    made, _ = await enrolled(store)
    restrictions = (
        Restriction(method="GET", path="/orders/v0/orders", data_elements=("buyerInfo", "shippingAddress")),
        ADDRESS,
    )
    issued = access(START, *restrictions)
    await store.issue_access(made.device_id, issued)
    found = await store.find_access_token(issued.token_digest)
    assert (found.device, found.restrictions) == (made, restrictions)
    assert found.expires_at == START + timedelta(hours=1)
    await store.revoke_device(made.device_id, START)
    assert (await store.find_access_token(issued.token_digest)).device.revoked_at == START


async def test_a_device_keeps_its_newest_access_tokens_only_R23(store: AnyStore) -> None:
    made, _ = await enrolled(store)
    issued = [access(START + number * SECOND) for number in range(ACCESS_TOKENS_MAX + 2)]
    for one in issued:
        await store.issue_access(made.device_id, one)
    for dropped in issued[:2]:
        with pytest.raises(TokenInvalid):
            await store.find_access_token(dropped.token_digest)
    await store.find_access_token(issued[2].token_digest)


async def test_what_a_late_host_issues_is_not_dropped_for_being_the_oldest_R14(store: AnyStore) -> None:
    made, _ = await enrolled(store)
    issued = [access(START + DAY) for _ in range(ACCESS_TOKENS_MAX - 1)]
    late = [access(START - number * SECOND) for number in range(2)]
    for one in (*issued, *late):
        await store.issue_access(made.device_id, one)
    for kept in late:
        await store.find_access_token(kept.token_digest)
    with pytest.raises(TokenInvalid):
        await store.find_access_token(issued[0].token_digest)


async def test_a_devices_handles_take_no_place_of_its_access_tokens_R23(store: AnyStore) -> None:
    """A library that asks for a handle before each call does so with the one access token of the hour."""
    made, _ = await enrolled(store)
    own = access()
    await store.issue_access(made.device_id, own)
    handles = [access(START + number * SECOND, ADDRESS) for number in range(ACCESS_TOKENS_MAX + 1)]
    for one in handles:
        await store.issue_access(made.device_id, one)
    await store.find_access_token(own.token_digest)
    with pytest.raises(TokenInvalid):
        await store.find_access_token(handles[0].token_digest)
    await store.find_access_token(handles[1].token_digest)


# Sweeps


async def test_a_sweep_takes_what_is_over_and_no_more_than_it_may(store: AnyStore) -> None:
    owner, _ = await user(store, (await seller(store)).seller_id)
    states = [state(owner.seller_id) for _ in range(3)]
    for one in states:
        await store.begin_consent(one)
    await store.keep_code(replace(code(owner), expires_at=START + DAY))
    made, _ = await enrolled(store, owner)
    issued, newest = access(START - SECOND), access()
    for each in (issued, newest):
        await store.issue_access(made.device_id, each)
    assert await store.purge(START, 10) == 0
    # The invitation and two of three states; a code is remembered for a day after its end, a token for seven.
    over = START + DAY + CLOCKS_APART_MAX + SECOND
    assert await store.purge(over - SECOND, 2) == 0
    assert await store.purge(over, 2) == 3
    assert await store.purge(over, 2) == 1
    assert await store.purge(over, 2) == 0
    assert await store.purge(START + 2 * DAY + SECOND, 10) == 1
    await store.find_access_token(issued.token_digest)
    assert await store.purge(START + 8 * DAY, 10) == 1
    with pytest.raises(TokenInvalid):
        await store.find_access_token(issued.token_digest)
    assert await store.find_device(made.device_id) == made


async def test_a_sweep_leaves_a_device_its_newest_access_token_and_no_handle(store: AnyStore) -> None:
    made, other = (await enrolled(store))[0], (await enrolled(store))[0]
    issued = [access(), access(START + SECOND, ADDRESS), access(START + SECOND), access(START + DAY, ADDRESS)]
    for one in issued:
        await store.issue_access(made.device_id, one)
    await store.issue_access(other.device_id, access())
    await store.purge(START + 30 * DAY, 10)
    await store.find_access_token(issued[2].token_digest)
    for gone in (issued[0], issued[1], issued[3]):
        with pytest.raises(TokenInvalid):
            await store.find_access_token(gone.token_digest)


async def test_a_sweep_leaves_a_device_what_it_was_given_last_by_whichever_host_R14(store: AnyStore) -> None:
    made, _ = await enrolled(store)
    early, late = access(START + DAY), access()
    for one in (early, late):
        await store.issue_access(made.device_id, one)
    await store.purge(START + 30 * DAY, 10)
    await store.find_access_token(late.token_digest)
    with pytest.raises(TokenInvalid):
        await store.find_access_token(early.token_digest)


# News


async def test_every_change_of_a_device_is_told_in_order_T01(store: AnyStore) -> None:
    ear = Ear()
    listening = await ear.listen(store)
    owner, _ = await user(store, (await seller(store)).seller_id)
    first, second = (await enrolled(store, owner))[0], (await enrolled(store, owner))[0]
    await store.set_scopes(first.device_id, ("orders",))
    await store.revoke_device(second.device_id, START)
    await store.revoke_device(second.device_id, START)
    made = consent(owner.seller_id)
    await store.record_consent(made, digest())
    await store.end_consent(made.consent_id, Ending.REFUSED, START)
    told = [await ear.next() for _ in range(4)]
    assert [one.device_id for one in told] == [
        first.device_id,
        second.device_id,
        first.device_id,
        first.device_id,
    ]
    assert {one.seller_id for one in told} == {owner.seller_id}
    assert ear.heard.empty()
    if listening is not None:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
