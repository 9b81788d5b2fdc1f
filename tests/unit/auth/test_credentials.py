"""Client secrets at work: the newest first, the older one when that is refused, an alarm only for none."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chassis.secrecy import Secret
from fakes.auth_house import APPLICATION, US, Crash, Fuse, loan
from fakes.auth_rotation_house import RotationHouse
from fakes.auth_store import FakeStore
from services.auth.model.consents import Credentials, Region
from services.auth.model.credentials import Origin
from services.auth.model.refusals import ApplicationRefused
from services.auth.service.credentials import ACCEPTED_REMEMBERED_S, REFUSED_REMEMBERED_S, CredentialService
from services.auth.service.secret_changes import Arrival

ID = APPLICATION.application_id


class Shop(RotationHouse):
    """A house with one seller who is connected and has a desktop."""

    device_id: str = ""

    async def open_(self) -> "Shop":
        person = await self.person()
        await self.connect(person, US)
        self.device_id = (await self.bound(person)).device_id
        return self

    async def serve(self) -> None:
        """Have a refresh at Amazon, whatever was lent before."""
        self.pass_(timedelta(hours=2))
        await self.use.lending.lend(loan(self.device_id, Region.NA))

    async def keep(self, secret: str) -> bool:
        arrival = Arrival(secret=Secret(secret), origin=Origin.PASTED)
        return await self.use.secret_changes.keep(APPLICATION, arrival)


@pytest.fixture
async def shop() -> Shop:
    return await Shop().open_()


async def test_the_newest_secret_is_shown_first(shop: Shop) -> None:
    shop.amazon.renew_secret()
    await shop.keep(shop.amazon.secret)
    await shop.serve()
    assert shop.signals.counts["secret_refused", "one"] == 0


async def test_the_older_secret_is_shown_when_the_newest_is_refused(shop: Shop) -> None:
    await shop.keep("amzn1.oa2-cs.v1.not-known-yet")
    before = shop.amazon.calls["refresh"]
    await shop.serve()
    assert shop.amazon.calls["refresh"] == before + 2
    assert shop.signals.counts["secret_refused", "one"] == 1
    assert shop.signals.counts["secret_refused", "all"] == 0
    assert shop.audit.told("auth.application.refused") == []


async def test_which_secret_was_refused_is_remembered_for_a_while(shop: Shop) -> None:
    await shop.keep("amzn1.oa2-cs.v1.not-known-yet")
    pair, shown = await shop.pair(), []

    async def call(credentials: Credentials) -> str:
        shown.append(credentials.client_secret.reveal())
        if shown[-1] != shop.amazon.secret:
            raise ApplicationRefused
        return "granted"

    service = CredentialService(shop.ports(FakeStore(shop.clock, shop.tables)))
    for _ in range(2):
        assert await service.present(pair, call) == "granted"
    assert len(shown) == 3
    shop.pass_(timedelta(seconds=REFUSED_REMEMBERED_S))
    await service.present(pair, call)
    assert len(shown) == 5


async def test_what_amazon_said_last_of_a_secret_is_what_counts(shop: Shop) -> None:
    await shop.keep("amzn1.oa2-cs.v1.not-known-yet")
    pair, shown = await shop.pair(), []
    newest, older = pair.held
    accepted = {older.secret.reveal()}

    async def call(credentials: Credentials) -> str:
        shown.append(credentials.client_secret.reveal())
        if shown[-1] not in accepted:
            raise ApplicationRefused
        return "granted"

    service = CredentialService(shop.ports(FakeStore(shop.clock, shop.tables)))
    assert not service.was_accepted(older)
    await service.present(pair, call)
    assert (service.was_accepted(newest), service.was_accepted(older)) == (False, True)
    accepted = {newest.secret.reveal()}
    await service.present(pair, call)
    assert (service.was_accepted(newest), service.was_accepted(older)) == (True, False)
    await service.present(pair, call)
    assert shown[-1:] == [newest.secret.reveal()]
    assert len(shown) == 5
    shop.pass_(timedelta(seconds=ACCEPTED_REMEMBERED_S))
    assert not service.was_accepted(newest)


async def test_only_when_none_works_is_the_application_refused(shop: Shop) -> None:
    await shop.keep("amzn1.oa2-cs.v1.wrong")
    shop.amazon.secret = "amzn1.oa2-cs.v1.rotated-elsewhere"
    with pytest.raises(ApplicationRefused):
        await shop.serve()
    assert shop.signals.counts["secret_refused", "all"] == 1
    assert len(shop.audit.told("auth.application.refused")) == 1


async def test_a_new_secret_ends_the_time_in_which_nobody_asks(shop: Shop) -> None:
    old, shop.amazon.secret = shop.amazon.secret, "amzn1.oa2-cs.v1.rotated-elsewhere"
    assert old
    with pytest.raises(ApplicationRefused):
        await shop.serve()
    await shop.keep(shop.amazon.secret)
    await shop.serve()


async def test_registering_again_keeps_the_new_secret_beside_the_old(shop: Shop) -> None:
    old = shop.amazon.secret
    shop.amazon.renew_secret()
    await shop.register()
    pair = await shop.pair()
    assert [one.secret.reveal() for one in pair.held] == [shop.amazon.secret, old]
    await shop.register()
    assert await shop.pair() == pair


async def test_another_client_starts_with_its_own_secret_alone(shop: Shop) -> None:
    other = replace(APPLICATION, client_id="amzn1.application-oa2-client.other")
    await shop.use.admin.register_application(other, Secret("amzn1.oa2-cs.v1.others"))
    pair = await shop.pair()
    assert (pair.client_id, len(pair.held)) == ("amzn1.application-oa2-client.other", 1)


async def test_older_versions_are_destroyed_with_every_change(shop: Shop) -> None:
    for number in range(4):
        await shop.keep(f"amzn1.oa2-cs.v1.number-{number}")
        assert len(shop.vault.versions[ID]) == 1


async def test_changes_made_at_once_are_all_kept(shop: Shop) -> None:
    other = shop.replica()
    first = Arrival(secret=Secret("amzn1.oa2-cs.v1.first"), origin=Origin.PASTED)
    second = Arrival(secret=Secret("amzn1.oa2-cs.v1.second"), origin=Origin.PASTED)
    await shop.use.secret_changes.keep(APPLICATION, first)
    await other.secret_changes.keep(APPLICATION, second)
    await other.secret_changes.accept(ID, Secret("amzn1.oa2-cs.v1.second"))
    pair = await shop.pair()
    assert [one.secret.reveal() for one in pair.held] == ["amzn1.oa2-cs.v1.second", "amzn1.oa2-cs.v1.first"]
    assert pair.newest.accepted_at is not None


@pytest.mark.parametrize("step", range(1, 14))
async def test_keeping_a_secret_survives_a_crash_at_any_step_R12(step: int) -> None:
    shop = await Shop().open_()
    shop.amazon.renew_secret()
    arrival = Arrival(secret=Secret(shop.amazon.secret), origin=Origin.QUEUE)
    try:
        await shop.replica(Fuse(step)).secret_changes.keep(APPLICATION, arrival)
    except Crash:
        await shop.serve()
    await shop.use.secret_changes.keep(APPLICATION, arrival)
    await shop.use.secret_changes.tidy(ID)
    pair = await shop.pair()
    assert (len(pair.held), pair.newest.secret.reveal()) == (2, shop.amazon.secret)
    assert len(shop.vault.versions[ID]) == 1
    await shop.serve()


async def test_the_audit_log_names_secrets_by_their_ids_only_T28(shop: Shop) -> None:
    shop.amazon.renew_secret()
    await shop.keep(shop.amazon.secret)
    (details, _) = shop.audit.details("auth.client_secret.kept")[-2:]
    pair = await shop.pair()
    assert (details["newest_id"], details["origin"]) == (pair.newest.secret_id, "pasted")
    assert "oa2-cs" not in str(shop.audit.events)
