"""Letting desktops in on another machine's browser (RFC 8628)."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import SallyportError
from chassis.secrecy import Secret
from fakes.auth_house import CLIENT_ID, FACTS, House, Waiting, thumbprint
from fakes.auth_store import FakeStore
from services.auth.model.audit import Kind, Phase
from services.auth.model.device_grants import (
    DEVICE_GRANTS_MAX,
    INTERVAL_S,
    INTERVAL_S_MAX,
    USER_CODE_LETTERS,
    DeviceGrant,
    read_user_code,
    shown_user_code,
    user_code,
)
from services.auth.model.device_refusals import (
    AccessDenied,
    AuthorizationPending,
    DeviceGrantExpired,
    SlowDown,
    TooManyDeviceGrants,
    UserCodeInvalid,
)
from services.auth.model.devices import DEVICES_ACTIVE_MAX
from services.auth.model.refusals import (
    AuditUnavailable,
    DeviceRevoked,
    DevicesFull,
    InvalidChallenge,
    InvalidClient,
    InvalidGrant,
    InvalidScope,
    SessionInvalid,
    TooManyFailures,
)
from services.auth.model.tokens import RETRY_S_MAX
from services.auth.service.lockout import FAILURES_MAX


def decided(house: House) -> list[tuple[str, str, str]]:
    """Return what the audit log was told of decisions: the device, the decision, what was withheld."""
    told = house.audit.details(Kind.DEVICE_DECIDED)[::2]
    return [(one["device_id"], one["decision"], one["withheld"]) for one in told]


async def test_a_desktop_waits_is_let_in_and_gets_its_tokens() -> None:
    house = House()
    person = await house.person()
    waiting = await house.begin_grant()
    with pytest.raises(AuthorizationPending):
        await house.redeem_grant(waiting)
    letters, found = await house.use.device_grants.find(person.session_token, waiting.user_code)
    assert (letters, found.client_id, found.scopes) == (waiting.user_code, CLIENT_ID, ("orders",))
    assert found.facts == FACTS
    await house.approve_grant(person, waiting)
    tokens = await house.redeem_grant(waiting)
    device = (await house.use.tokens.introspect(tokens.access_token)).named.device
    assert (device.seller_id, device.key_thumbprint) == (person.seller_id, thumbprint("first"))
    assert (device.scopes, device.facts) == (("orders",), FACTS)
    assert house.audit.told(Kind.DEVICE_DECIDED) == [(Phase.INTENT, ""), (Phase.OUTCOME, "done")]
    assert decided(house) == [(device.device_id, "approved", "nothing")]
    assert house.audit.told(Kind.DEVICE_ENROLLED) == [(Phase.INTENT, ""), (Phase.OUTCOME, "done")]


async def test_a_desktop_that_is_not_let_in_hears_so_for_as_long_as_it_asks() -> None:
    house = House()
    person = await house.person()
    waiting = await house.begin_grant()
    await house.use.device_grants.deny(person.session_token, waiting.user_code)
    for _ in range(2):
        with pytest.raises(AccessDenied):
            await house.redeem_grant(waiting)
    assert [decision for _, decision, _ in decided(house)] == ["denied"]
    with pytest.raises(UserCodeInvalid):
        await house.approve_grant(person, waiting)


async def test_codes_are_good_for_ten_minutes() -> None:
    house = House()
    person = await house.person()
    undecided, unfetched = await house.begin_grant(), await house.begin_grant()
    house.pass_(timedelta(seconds=599))
    await house.approve_grant(person, unfetched)
    house.pass_(timedelta(seconds=1))
    with pytest.raises(UserCodeInvalid):
        await house.approve_grant(person, undecided)
    for waiting in (undecided, unfetched):
        with pytest.raises(DeviceGrantExpired):
            await house.redeem_grant(waiting)


async def test_who_asks_too_early_must_wait_longer_each_time() -> None:
    house = House()
    person = await house.person()
    waiting = await house.begin_grant()
    with pytest.raises(AuthorizationPending):
        await house.redeem_grant(waiting)
    house.pass_(timedelta(seconds=INTERVAL_S - 1))
    with pytest.raises(SlowDown):
        await house.redeem_grant(waiting)
    house.pass_(timedelta(seconds=INTERVAL_S))
    with pytest.raises(SlowDown):
        await house.redeem_grant(waiting)
    house.pass_(timedelta(seconds=3 * INTERVAL_S))
    with pytest.raises(AuthorizationPending):
        await house.redeem_grant(waiting)
    await house.approve_grant(person, waiting)
    assert (await house.redeem_grant(waiting)).scopes == ("orders",)


async def test_the_interval_never_grows_beyond_a_minute() -> None:
    house = House()
    await house.person()
    waiting = await house.begin_grant()
    for _ in range(20):
        with pytest.raises((AuthorizationPending, SlowDown)):
            await house.redeem_grant(waiting)
    house.pass_(timedelta(seconds=INTERVAL_S_MAX))
    with pytest.raises(AuthorizationPending):
        await house.redeem_grant(waiting)


async def test_the_first_key_that_proves_itself_is_the_only_one_T02() -> None:
    house = House()
    person = await house.person()
    waiting = await house.begin_grant()
    with pytest.raises(AuthorizationPending):
        await house.redeem_grant(waiting)
    await house.approve_grant(person, waiting)
    with pytest.raises(InvalidGrant):
        await house.redeem_grant(waiting, key="thief")
    assert (await house.redeem_grant(waiting)).scopes == ("orders",)


async def test_a_key_proven_at_the_beginning_is_the_only_one_T02() -> None:
    house = House()
    person = await house.person()
    waiting = await house.begin_grant(key_thumbprint=thumbprint("first"))
    await house.approve_grant(person, waiting)
    with pytest.raises(InvalidGrant):
        await house.redeem_grant(waiting, key="thief")
    assert (await house.redeem_grant(waiting)).scopes == ("orders",)


async def test_a_lost_answer_is_given_again_T03() -> None:
    house = House()
    person = await house.person()
    waiting = await house.begin_grant()
    await house.approve_grant(person, waiting)
    tokens = await house.redeem_grant(waiting)
    house.pass_(timedelta(seconds=INTERVAL_S + RETRY_S_MAX))
    house.use = house.replica()
    assert await house.redeem_grant(waiting) == tokens
    assert len(house.tables.devices) == 1


async def test_a_device_code_shown_again_later_ends_the_device_T04() -> None:
    house = House()
    person = await house.person()
    waiting = await house.begin_grant()
    await house.approve_grant(person, waiting)
    tokens = await house.redeem_grant(waiting)
    house.pass_(timedelta(seconds=INTERVAL_S + RETRY_S_MAX + 1))
    with pytest.raises(InvalidGrant):
        await house.redeem_grant(waiting)
    with pytest.raises(DeviceRevoked):
        await house.use.tokens.introspect(tokens.access_token)
    assert house.audit.told(Kind.GRANT_REFUSED) == [(Phase.FACT, "code_reused")]


async def test_many_redemptions_at_once_make_one_device_and_one_answer_R12() -> None:
    house = House()
    person = await house.person()
    waiting = await house.begin_grant()
    await house.approve_grant(person, waiting)
    answers = await asyncio.gather(*(house.redeem_grant(waiting) for _ in range(5)))
    assert len({tokens.access_token.reveal() for tokens in answers}) == 1
    assert len(house.tables.devices) == 1


async def test_a_device_that_was_revoked_meanwhile_gets_nothing_again() -> None:
    house = House()
    person = await house.person()
    waiting = await house.begin_grant()
    await house.approve_grant(person, waiting)
    await house.redeem_grant(waiting)
    (device,) = house.tables.devices.values()
    await house.use.devices.revoke(person.session_token, device.device_id)
    with pytest.raises(InvalidGrant):
        await house.redeem_grant(waiting)


@pytest.mark.parametrize("shown", ["", "sp_dc_short", "sp_ac_" + "A" * 43, "sp_dc_" + "A" * 43])
async def test_a_device_code_that_never_was_is_refused_T11(shown: str) -> None:
    house = House()
    await house.person()
    with pytest.raises(InvalidGrant):
        await house.use.device_grants.redeem(CLIENT_ID, Secret(shown), thumbprint("first"))


async def test_another_clients_device_code_is_refused() -> None:
    house = House()
    await house.person()
    waiting = await house.begin_grant()
    with pytest.raises(InvalidGrant):
        await house.use.device_grants.redeem("other", waiting.device_code, thumbprint("first"))


async def test_a_key_that_guesses_device_codes_is_locked_out_T11() -> None:
    house = House()
    await house.person()
    wrong = Waiting(Secret("sp_dc_" + "A" * 43), "")
    for _ in range(10):
        with pytest.raises(InvalidGrant):
            await house.redeem_grant(wrong)
    with pytest.raises(TooManyFailures):
        await house.redeem_grant(wrong)


async def test_a_person_who_guesses_user_codes_is_locked_out_T11() -> None:
    house = House()
    person = await house.person()
    waiting = await house.begin_grant()
    for _ in range(10):
        with pytest.raises(UserCodeInvalid):
            await house.use.device_grants.find(person.session_token, "BBBB-BBBB")
    for attempt in (
        house.use.device_grants.find(person.session_token, waiting.user_code),
        house.approve_grant(person, waiting),
        house.use.device_grants.deny(person.session_token, waiting.user_code),
    ):
        with pytest.raises(TooManyFailures):
            await attempt
    colleague = await house.colleague(person.seller_id)
    assert await house.use.device_grants.find(colleague.session_token, waiting.user_code)


class SlowStore(FakeStore):
    """Gives the others a turn before it finds anything, as one on the network does."""

    async def find_device_grant(self, user_code_digest: bytes) -> DeviceGrant:
        await asyncio.sleep(0)
        return await super().find_device_grant(user_code_digest)


async def test_a_person_who_guesses_many_user_codes_at_once_gets_ten_tries_T11() -> None:
    house = House(store_type=SlowStore)
    person = await house.person()
    guesses = (house.use.device_grants.find(person.session_token, "BBBB-BBBB") for _ in range(25))
    heard = Counter(type(answer) for answer in await asyncio.gather(*guesses, return_exceptions=True))
    assert heard == {UserCodeInvalid: FAILURES_MAX, TooManyFailures: 25 - FAILURES_MAX}


async def test_every_wrong_user_code_is_answered_the_same_T11() -> None:
    house = House()
    person = await house.person()
    old, denied = await house.begin_grant(), await house.begin_grant()
    await house.use.device_grants.deny(person.session_token, denied.user_code)
    house.pass_(timedelta(minutes=10))
    answers = set()
    for typed in (
        "",
        "BCDF",
        "BCDF-GHJ1",
        "BBBB-BBBB",
        "é" * 8,
        "B" * 1_000,
        old.user_code,
        denied.user_code,
    ):
        with pytest.raises(SallyportError) as refusal:
            await house.use.device_grants.find(person.session_token, typed)
        answers.add((refusal.value.code, refusal.value.text))
    assert len(answers) == 1


async def test_deciding_twice_the_same_is_fine_and_otherwise_too_late() -> None:
    house = House()
    person = await house.person()
    waiting = await house.begin_grant()
    for _ in range(2):
        await house.approve_grant(person, waiting)
    with pytest.raises(UserCodeInvalid):
        await house.use.device_grants.deny(person.session_token, waiting.user_code)
    stranger = await house.person("Other Ltd")
    with pytest.raises(UserCodeInvalid):
        await house.approve_grant(stranger, waiting)
    tokens = await house.redeem_grant(waiting)
    device = (await house.use.tokens.introspect(tokens.access_token)).named.device
    assert device.seller_id == person.seller_id


async def test_nobody_decides_without_a_session() -> None:
    house = House()
    await house.person()
    waiting = await house.begin_grant()
    with pytest.raises(SessionInvalid):
        await house.use.device_grants.find(Secret("sp_se_" + "A" * 43), waiting.user_code)


async def test_what_a_person_withholds_the_device_never_has() -> None:
    house = House()
    person = await house.person()
    waiting = await house.begin_grant(scopes=("orders", "pii"))
    await house.approve_grant(person, waiting, "pii", "pii")
    tokens = await house.redeem_grant(waiting)
    device = (await house.use.tokens.introspect(tokens.access_token)).named.device
    assert (device.scopes, device.withheld_scopes) == (("orders",), ("pii",))
    assert decided(house) == [(device.device_id, "approved", "pii")]


@pytest.mark.parametrize("withheld", [("orders",), ("orders", "pii"), ("everything",)])
async def test_an_approval_that_leaves_nothing_is_none(withheld: tuple[str, ...]) -> None:
    house = House()
    person = await house.person()
    waiting = await house.begin_grant()
    with pytest.raises(InvalidScope):
        await house.approve_grant(person, waiting, *withheld)
    with pytest.raises(AuthorizationPending):
        await house.redeem_grant(waiting)


async def test_a_beginning_that_is_not_in_order_is_refused() -> None:
    house = House()
    await house.person()
    with pytest.raises(InvalidClient):
        await house.begin_grant(client_id="other")
    with pytest.raises(InvalidScope):
        await house.begin_grant(scopes=("everything",))
    with pytest.raises(InvalidChallenge):
        await house.begin_grant(key_thumbprint="short")
    waiting = await house.begin_grant()
    with pytest.raises(InvalidChallenge):
        await house.use.device_grants.redeem(CLIENT_ID, waiting.device_code, "short")


async def test_only_so_many_desktops_wait_at_the_same_time_R23() -> None:
    house = House()
    await house.person()
    waiting = await house.begin_grant()
    (row,) = house.tables.device_grants.values()
    for number in range(DEVICE_GRANTS_MAX - 1):
        house.tables.device_grants[number.to_bytes(32, "big")] = row
    with pytest.raises(TooManyDeviceGrants):
        await house.begin_grant()
    house.pass_(timedelta(minutes=10))
    assert await house.begin_grant() != waiting


async def test_a_full_seller_gets_no_device_and_the_grant_stays_good() -> None:
    house = House()
    person = await house.person()
    compat = [(await house.compat(person))[0] for _ in range(DEVICES_ACTIVE_MAX)]
    waiting = await house.begin_grant()
    await house.approve_grant(person, waiting)
    with pytest.raises(DevicesFull):
        await house.redeem_grant(waiting)
    await house.use.devices.revoke(person.session_token, compat[0])
    assert (await house.redeem_grant(waiting)).scopes == ("orders",)


async def test_nothing_is_decided_or_enrolled_while_the_audit_log_is_down_R02() -> None:
    house = House()
    person = await house.person()
    waiting = await house.begin_grant()
    house.audit.is_down = True
    with pytest.raises(AuditUnavailable):
        await house.approve_grant(person, waiting)
    house.audit.is_down = False
    await house.approve_grant(person, waiting)
    house.audit.is_down = True
    with pytest.raises(AuditUnavailable):
        await house.redeem_grant(waiting)
    assert not house.tables.devices


async def test_neither_code_is_kept_T15() -> None:
    house = House()
    waiting = await house.begin_grant()
    kept = repr(house.tables)
    assert waiting.user_code not in kept
    assert waiting.device_code.reveal() not in kept


@given(st.binary(min_size=16, max_size=16))
def test_a_user_code_is_read_back_however_it_is_typed(chance: bytes) -> None:
    letters = user_code(chance)
    shown = shown_user_code(letters)
    assert len(letters) == 8
    assert set(letters) <= set(USER_CODE_LETTERS)
    for typed in (letters, shown, shown.lower(), f" {shown.replace('-', ' ')} ", "-".join(letters)):
        assert read_user_code(typed) == letters


@given(st.text(max_size=40))
def test_whatever_is_typed_is_a_user_code_or_refused_T10(typed: str) -> None:
    try:
        letters = read_user_code(typed)
    except UserCodeInvalid:
        return
    assert len(letters) == 8
    assert set(letters) <= set(USER_CODE_LETTERS)
