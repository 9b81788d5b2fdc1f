"""Amazon's notices on the vendor's queue: read strictly, kept before they are deleted, harmless again."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.errors import Unavailable
from chassis.secrecy import Secret
from fakes.auth_house import APPLICATION, Crash, Fuse
from fakes.auth_rotation_house import DAY, RotationHouse, expiry_letter, new_secret_letter
from fakes.clock import START
from services.auth.model.credentials import SECRET_LIFE, SECRET_OVERLAP
from services.auth.model.notices import (
    BODY_CHARS_MAX,
    NewSecret,
    NoticeForeign,
    NoticeMalformed,
    SecretExpiry,
    read,
)
from services.auth.model.refusals import ApplicationMissing

ID = APPLICATION.application_id
NEW = "amzn1.oa2-cs.v1.fresh"


@pytest.fixture
async def house() -> RotationHouse:
    house = RotationHouse()
    await house.register()
    return house


def text(**changes: Any) -> str:
    """Return a letter about a new secret, but for the changes."""
    return json.dumps(json.loads(new_secret_letter(NEW, START)) | changes)


def content(**changes: Any) -> str:
    letter = json.loads(new_secret_letter(NEW, START))
    letter["payload"]["applicationOAuthClientNewSecret"] |= changes
    return json.dumps(letter)


def test_both_notices_are_read_as_amazon_writes_them() -> None:
    assert read(Secret(new_secret_letter(NEW, START))) == NewSecret(
        client_id=APPLICATION.client_id,
        secret=Secret(NEW),
        expires_at=START + SECRET_LIFE,
        older_expires_at=START + SECRET_OVERLAP,
    )
    assert read(Secret(expiry_letter(START + DAY, START))) == SecretExpiry(
        client_id=APPLICATION.client_id, expires_at=START + DAY, stated_at=START
    )
    milliseconds = content(newClientSecretExpiryTime="2027-05-21T12:00:00.000Z")
    assert read(Secret(milliseconds)) == read(Secret(new_secret_letter(NEW, START)))


@pytest.mark.parametrize(
    "body",
    [
        "",
        "not JSON",
        "[]",
        "[" * 100_000,
        " " * (BODY_CHARS_MAX + 1),
        text(notificationType=7),
        text(payload=None),
        text(payload={}),
        content(newClientSecret=""),
        content(newClientSecret="two words"),
        content(newClientSecret=7),
        content(clientId="' OR 1=1"),
        content(newClientSecretExpiryTime="tomorrow"),
        content(newClientSecretExpiryTime="2027-05-21T12:00:00"),
        content(newClientSecretExpiryTime="9999-12-31T23:59:59-14:00"),
        content(oldClientSecretExpiryTime="0001-01-01T00:00:00+14:00"),
        content(oldClientSecretExpiryTime=None),
        expiry_letter(START, START).replace("eventTime", "eventTimes"),
    ],
)
def test_what_is_no_notice_is_malformed_T10(body: str) -> None:
    with pytest.raises(NoticeMalformed) as refusal:
        read(Secret(body))
    assert "oa2-cs" not in repr(refusal.value)


def test_a_notice_about_something_else_is_not_ours() -> None:
    with pytest.raises(NoticeForeign):
        read(Secret(text(notificationType="ORDER_CHANGE", payload=None)))


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=300) | st.recursive(st.none() | st.text(), st.lists).map(json.dumps))
def test_no_text_does_more_than_be_refused_T10(body: str) -> None:
    with pytest.raises((NoticeMalformed, NoticeForeign)):
        read(Secret(body))


async def test_a_new_secret_is_kept_proven_and_its_letter_deleted(house: RotationHouse) -> None:
    house.amazon.renew_secret()
    house.inbox.put(new_secret_letter(house.amazon.secret, house.clock.now()))
    assert await house.notices().hear() == 1
    pair = await house.pair()
    assert (pair.newest.secret.reveal(), pair.newest.accepted_at) == (house.amazon.secret, house.clock.now())
    assert pair.older is not None
    assert (pair.newest.is_estimated, pair.older.expires_at) == (False, house.clock.now() + SECRET_OVERLAP)
    assert house.inbox.rows == []
    assert house.signals.counts["notice", "kept"] == 1


async def test_the_same_letter_again_changes_nothing_R12(house: RotationHouse) -> None:
    house.amazon.renew_secret()
    letter = new_secret_letter(house.amazon.secret, house.clock.now())
    house.inbox.put(letter)
    await house.notices().hear()
    pair = await house.pair()
    for _ in range(3):
        house.pass_(DAY)
        house.inbox.put(letter)
        await house.notices(house.replica()).hear()
    assert await house.pair() == pair
    assert house.inbox.rows == []
    assert house.signals.counts["notice", "known"] == 3


async def test_letters_in_the_wrong_order_leave_the_newest_secret_first_R12(house: RotationHouse) -> None:
    house.amazon.renew_secret()
    first = new_secret_letter(house.amazon.secret, house.clock.now())
    house.pass_(DAY)
    house.amazon.renew_secret()
    house.inbox.put(new_secret_letter(house.amazon.secret, house.clock.now()))
    house.inbox.put(first)
    await house.notices().hear()
    assert (await house.pair()).newest.secret.reveal() == house.amazon.secret
    house.pass_(20 * DAY)
    await house.use.rotation.tend()
    house.inbox.put(first)
    await house.notices().hear()
    assert [one.secret.reveal() for one in (await house.pair()).held] == [house.amazon.secret]


async def test_a_reminder_corrects_the_date(house: RotationHouse) -> None:
    house.pass_(DAY)
    house.inbox.put(expiry_letter(START + 40 * DAY, house.clock.now()))
    house.inbox.put(expiry_letter(START + 40 * DAY, house.clock.now()))
    await house.notices().hear()
    newest = (await house.pair()).newest
    assert (newest.expires_at, newest.is_estimated) == (START + 40 * DAY, False)
    assert house.signals.counts["notice", "dated"] == 1
    assert house.signals.counts["notice", "known"] == 1


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ("not JSON", "malformed"),
        (new_secret_letter(NEW, START + 300 * DAY), "malformed"),
        (new_secret_letter(NEW, START, "amzn1.application-oa2-client.foreign"), "foreign"),
        (text(notificationType="ORDER_CHANGE"), "foreign"),
    ],
)
async def test_what_is_not_ours_to_read_stays_in_the_queue(
    house: RotationHouse, body: str, outcome: str
) -> None:
    before = await house.pair()
    house.inbox.put(body)
    house.amazon.renew_secret()
    house.inbox.put(new_secret_letter(house.amazon.secret, house.clock.now()))
    assert await house.notices().hear() == 1
    assert [row.text for row in house.inbox.rows] == [body]
    assert house.signals.counts["notice", outcome] == 1
    assert (await house.pair()).older is not None
    assert before.older is None


async def test_a_letter_about_a_secret_that_has_ended_is_thrown_away(house: RotationHouse) -> None:
    house.inbox.put(new_secret_letter(NEW, START - 200 * DAY))
    assert await house.notices().hear() == 1
    assert house.inbox.rows == []
    assert len((await house.pair()).held) == 1


async def test_what_could_not_be_kept_comes_again_R06(house: RotationHouse) -> None:
    house.amazon.renew_secret()
    house.inbox.put(new_secret_letter(house.amazon.secret, house.clock.now()))
    house.vault.is_down = True
    with pytest.raises(Unavailable):
        await house.notices().hear()
    house.vault.is_down = False
    assert len(house.inbox.rows) == 1
    house.pass_(timedelta(minutes=3))
    await house.notices().hear()
    assert (await house.pair()).newest.secret.reveal() == house.amazon.secret


async def test_a_letter_that_cannot_be_kept_does_not_keep_those_behind_it_in_the_queue(
    house: RotationHouse,
) -> None:
    """As a reminder about a secret that was taken out of the key service, and the secret that follows."""
    house.amazon.renew_secret()
    house.vault.secrets.clear()
    now = house.clock.now()
    house.inbox.put(expiry_letter(now + DAY, now))
    house.inbox.put(new_secret_letter(house.amazon.secret, now))
    with pytest.raises(ApplicationMissing):
        await house.notices().hear()
    assert (await house.pair()).newest.secret.reveal() == house.amazon.secret
    house.pass_(timedelta(minutes=3))
    assert await house.notices().hear() == 1
    assert house.inbox.rows == []


async def test_a_queue_that_is_away_loses_nothing(house: RotationHouse) -> None:
    house.amazon.renew_secret()
    house.inbox.put(new_secret_letter(house.amazon.secret, house.clock.now()))
    house.inbox.is_down = True
    with pytest.raises(Unavailable):
        await house.notices().hear()
    house.inbox.is_down = False
    assert await house.notices().hear() == 1


@pytest.mark.parametrize("step", range(1, 30))
async def test_hearing_survives_a_crash_at_any_step_R12(step: int) -> None:
    house = RotationHouse(copies=2)
    await house.register()
    await house.use.applications.rotate(ID)
    fuse = Fuse(step)
    try:
        await house.notices(house.replica(fuse), fuse).hear()
    except Crash:
        house.pass_(timedelta(minutes=5))
    await house.notices().hear()
    await house.use.rotation.tend()
    pair = await house.pair()
    assert (pair.newest.secret.reveal(), len(pair.held)) == (house.amazon.secret, 2)
    assert pair.newest.accepted_at is not None
    assert house.inbox.rows == []


async def test_nothing_of_a_letter_is_told_T28(house: RotationHouse) -> None:
    house.amazon.renew_secret()
    house.inbox.put(new_secret_letter(house.amazon.secret, house.clock.now()))
    house.inbox.put(content(clientId=house.amazon.secret))
    await house.notices().hear()
    assert "oa2-cs" not in str(house.audit.events)
    assert "oa2-cs" not in str(house.signals.counts)
