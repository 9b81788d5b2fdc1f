"""Connecting a seller's account at Amazon."""

from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from chassis.secrecy import Secret
from fakes.auth_house import APPLICATION, DE, IE, PAGES, US, House
from services.auth.model.audit import Kind, Phase
from services.auth.model.consent_refusals import ConsentNotFound, OtherAccount, VendorCentralUnknown
from services.auth.model.consents import AccountKind, Callback, Ending
from services.auth.model.refusals import (
    ApplicationMissing,
    ApplicationRefused,
    AuthorizationUnavailable,
    ConsentCodeRefused,
    ConsentRevoked,
    InvalidState,
    SellingPartnerTaken,
    SessionInvalid,
    TooManyFailures,
    UnknownMarketplace,
    UpstreamInvalid,
)


async def test_the_consent_page_is_the_marketplaces_own_with_state_and_redirect() -> None:
    house = House()
    person = await house.person()
    url = urlsplit((await house.use.consents.begin(person.session_token, DE)).reveal())
    assert (url.scheme, url.netloc, url.path) == ("https", "sc.example.de", "/apps/authorize/consent")
    query = parse_qs(url.query)
    assert query["application_id"] == [APPLICATION.application_id]
    assert query["redirect_uri"] == [PAGES.redirect_uri]
    assert len(query["state"][0]) == 43
    assert "version" not in query


@pytest.mark.parametrize("family", ["sellerapps.app", "sp.solution"])
async def test_applications_of_both_families_are_known(family: str) -> None:
    house = House()
    application_id = f"amzn1.{family}.0a1b2c3d-0000-4000-8000-000000000002"
    await house.register(replace(APPLICATION, application_id=application_id))
    person = await house.person()
    url = urlsplit((await house.use.consents.begin(person.session_token, DE)).reveal())
    assert parse_qs(url.query)["application_id"] == [application_id]


async def test_a_draft_application_asks_for_the_beta_page() -> None:
    house = House()
    person = await house.person()
    await house.register(replace(APPLICATION, is_draft=True))
    url = await house.use.consents.begin(person.session_token, US)
    assert parse_qs(urlsplit(url.reveal()).query)["version"] == ["beta"]


async def test_a_configured_page_stands_in_for_every_seller_central() -> None:
    pages = replace(PAGES, override_url="https://localhost:9443")
    url = pages.url(pages.find(DE), AccountKind.VENDOR, APPLICATION, state="state")
    assert url.startswith("https://localhost:9443/apps/authorize/consent?")


async def test_a_vendor_consents_in_vendor_central() -> None:
    house = House()
    person = await house.person()
    url = await house.use.consents.begin(person.session_token, DE, AccountKind.VENDOR)
    assert urlsplit(url.reveal()).netloc == "vc.example.de"
    state = parse_qs(urlsplit(url.reveal()).query)["state"][0]
    connected = await house.use.consents.complete(person.session_token, house.callback(state))
    assert connected.consent.account_kind is AccountKind.VENDOR


async def test_where_no_vendor_central_is_known_a_vendor_is_told_so() -> None:
    house = House()
    person = await house.person()
    with pytest.raises(VendorCentralUnknown):
        await house.use.consents.begin(person.session_token, IE, AccountKind.VENDOR)
    assert house.tables.states == {}
    await house.use.consents.begin(person.session_token, IE, AccountKind.SELLER)


async def test_a_completed_consent_lives_365_days_and_keeps_the_sealed_token() -> None:
    house = House()
    person = await house.person()
    connected = await house.connect(person, selling_partner_id="A2BLUEKETTLE")
    assert connected.status == "active"
    assert connected.selling_partner_id == "A2BLUEKETTLE"
    assert connected.consent.expires_at - house.clock.now() == timedelta(days=365)
    kept = house.tables.consents[connected.consent.consent_id]
    assert kept.refresh_token_sealed is not None
    token = await house.vault.open(kept.refresh_token_place, kept.refresh_token_sealed)
    assert token.reveal() in house.amazon.refresh_tokens


async def test_intent_precedes_the_consent_and_its_outcome_follows_R01() -> None:
    house = House()
    connected = await house.connect(await house.person())
    assert house.audit.told(Kind.CONSENT_COMPLETED) == [(Phase.INTENT, ""), (Phase.OUTCOME, "done")]
    assert house.audit.details(Kind.CONSENT_COMPLETED)[0]["consent_id"] == connected.consent.consent_id


async def test_a_reused_state_is_refused_T08() -> None:
    house = House()
    person = await house.person()
    state = await house.begin(person)
    await house.use.consents.complete(person.session_token, house.callback(state))
    with pytest.raises(InvalidState):
        await house.use.consents.complete(person.session_token, house.callback(state))
    assert house.amazon.calls["exchange"] == 1
    assert house.audit.told(Kind.CONSENT_REFUSED) == [(Phase.FACT, "invalid_state")]


async def test_another_sellers_state_is_refused_and_used_up_T08() -> None:
    house = House()
    victim, attacker = await house.person("Victim"), await house.person("Attacker")
    state = await house.begin(victim)
    with pytest.raises(InvalidState):
        await house.use.consents.complete(attacker.session_token, house.callback(state))
    with pytest.raises(InvalidState):
        await house.use.consents.complete(victim.session_token, house.callback(state))
    assert house.amazon.calls["exchange"] == 0


async def test_a_colleagues_state_is_refused_T08() -> None:
    house = House()
    person = await house.person()
    colleague = await house.colleague(person.seller_id)
    with pytest.raises(InvalidState):
        await house.use.consents.complete(colleague.session_token, house.callback(await house.begin(person)))


async def test_a_state_older_than_10_minutes_is_refused_T08() -> None:
    house = House()
    person = await house.person()
    state = await house.begin(person)
    house.pass_(timedelta(minutes=10))
    with pytest.raises(InvalidState):
        await house.use.consents.complete(person.session_token, house.callback(state))


@pytest.mark.parametrize("state", ["", "x" * 43, "x" * 5_000, "\x00", "ü" * 43])
async def test_a_made_up_state_is_refused_T08(state: str) -> None:
    house = House()
    person = await house.person()
    with pytest.raises(InvalidState):
        await house.use.consents.complete(person.session_token, house.callback(state))


@pytest.mark.parametrize(
    ("selling_partner_id", "code"),
    [("", "AN1"), ("A" * 65, "AN1"), ("A1\r\n", "AN1"), ("A1", ""), ("A1", "x" * 2049), ("A1", "a b")],
)
async def test_a_callback_out_of_form_is_refused_T10(selling_partner_id: str, code: str) -> None:
    house = House()
    person = await house.person()
    state = await house.begin(person)
    callback = Callback(state=state, selling_partner_id=selling_partner_id, code=Secret(code))
    with pytest.raises(InvalidState):
        await house.use.consents.complete(person.session_token, callback)


async def test_an_account_of_another_seller_is_refused_before_the_code_is_spent_T08() -> None:
    house = House()
    first, second = await house.person("First"), await house.person("Second")
    await house.connect(first, selling_partner_id="A1SHARED")
    with pytest.raises(SellingPartnerTaken):
        await house.connect(second, selling_partner_id="A1SHARED")
    assert house.amazon.calls["exchange"] == 1
    assert house.audit.told(Kind.CONSENT_REFUSED) == [(Phase.FACT, "selling_partner_taken")]


async def test_guessing_states_locks_the_session_after_10_failures_T11() -> None:
    house = House()
    person = await house.person()
    for _ in range(10):
        with pytest.raises(InvalidState):
            await house.use.consents.complete(person.session_token, house.callback("g" * 43))
    good = house.callback(await house.begin(person))
    with pytest.raises(TooManyFailures) as refusal:
        await house.use.consents.complete(person.session_token, good)
    assert refusal.value.retry_after_s is not None
    house.pass_(timedelta(minutes=15))
    good = house.callback(await house.begin(person))
    await house.use.consents.complete(person.session_token, good)


async def test_a_new_consent_destroys_the_older_token_of_its_region_only() -> None:
    house = House()
    person = await house.person()
    older = await house.connect(person, US, "A1")
    europe = await house.connect(person, DE, "A1")
    newer = await house.connect(person, US, "A1")
    kept = house.tables.consents
    assert kept[older.consent.consent_id].ending is Ending.REPLACED
    assert kept[older.consent.consent_id].refresh_token_sealed is None
    assert kept[europe.consent.consent_id].refresh_token_sealed is not None
    listed = await house.use.consents.list_all(person.session_token)
    assert {one.consent.consent_id for one in listed} == {
        europe.consent.consent_id,
        newer.consent.consent_id,
    }


async def test_renewing_leads_to_the_same_place_and_replaces_the_older_token() -> None:
    house = House()
    person = await house.person()
    state = await house.begin(person, DE, AccountKind.VENDOR)
    callback = house.callback(state, "A1")
    older = await house.use.consents.complete(person.session_token, callback)
    url = await house.use.consents.renew(person.session_token, older.consent.consent_id)
    assert urlsplit(url.reveal()).netloc == "vc.example.de"
    state = parse_qs(urlsplit(url.reveal()).query)["state"][0]
    newer = await house.use.consents.complete(person.session_token, house.callback(state, "A1"))
    kept = house.tables.consents
    assert newer.consent.account_kind is AccountKind.VENDOR
    assert kept[older.consent.consent_id].ending is Ending.REPLACED
    assert kept[older.consent.consent_id].refresh_token_sealed is None


async def test_renewing_with_another_account_is_refused_and_leaves_the_older_one_T08() -> None:
    house = House()
    person = await house.person()
    older = await house.connect(person, US, "A1")
    url = await house.use.consents.renew(person.session_token, older.consent.consent_id)
    state = parse_qs(urlsplit(url.reveal()).query)["state"][0]
    with pytest.raises(OtherAccount):
        await house.use.consents.complete(person.session_token, house.callback(state, "A2"))
    assert house.amazon.calls["exchange"] == 1
    assert house.tables.consents[older.consent.consent_id].ended_at is None


async def test_a_disconnected_consent_is_gone_at_once_and_devices_are_told() -> None:
    house = House()
    person = await house.person()
    connected, desktop = await house.connect(person), await house.bound(person)
    watcher = house.use.news.watch()
    for _ in range(2):
        await house.use.consents.disconnect(person.session_token, connected.consent.consent_id)
    kept = house.tables.consents[connected.consent.consent_id]
    assert (kept.ending, kept.refresh_token_sealed) == (Ending.DISCONNECTED, None)
    assert (await watcher.next()).device_id == desktop.device_id
    with pytest.raises(ConsentRevoked):
        await house.lend(desktop.device_id)
    assert house.audit.told(Kind.CONSENT_REVOKED) == [(Phase.INTENT, ""), (Phase.OUTCOME, "done")]
    (event, _) = [one for one in house.audit.events.values() if one.kind is Kind.CONSENT_REVOKED]
    assert (event.actor.kind, event.details["reason"]) == ("user", "disconnected")
    listed = await house.use.consents.list_all(person.session_token)
    assert [one.status for one in listed] == ["disconnected"]


@pytest.mark.parametrize("consent_id", ["theirs", "0190b2f0-0000-7000-8000-000000000000", "", "\x00"])
async def test_a_foreign_consent_is_as_absent_as_none_T07(consent_id: str) -> None:
    house = House()
    owner, stranger = await house.person("Owner"), await house.person("Stranger")
    connected = await house.connect(owner)
    asked = connected.consent.consent_id if consent_id == "theirs" else consent_id
    for call in (
        house.use.consents.renew(stranger.session_token, asked),
        house.use.consents.disconnect(stranger.session_token, asked),
    ):
        with pytest.raises(ConsentNotFound):
            await call
    assert house.tables.consents[connected.consent.consent_id].ended_at is None


async def test_a_listed_consent_shows_when_it_has_expired() -> None:
    house = House()
    person = await house.person()
    await house.connect(person)
    house.pass_(timedelta(days=365))
    token = (await house.colleague(person.seller_id)).session_token
    assert [one.status for one in await house.use.consents.list_all(token)] == ["expired"]


async def test_a_seller_sees_only_its_own_consents_T07() -> None:
    house = House()
    first, second = await house.person("First"), await house.person("Second")
    await house.connect(first)
    assert await house.use.consents.list_all(second.session_token) == []


async def test_a_code_that_amazon_refuses_leaves_nothing() -> None:
    house = House()
    person = await house.person()
    callback = house.callback(await house.begin(person))
    house.amazon.codes.clear()
    with pytest.raises(ConsentCodeRefused):
        await house.use.consents.complete(person.session_token, callback)
    assert house.tables.consents == {}
    assert house.audit.told(Kind.CONSENT_COMPLETED)[-1] == (Phase.OUTCOME, "not_done")


async def test_a_code_that_brings_no_refresh_token_connects_nothing_T29() -> None:
    house = House()
    person = await house.person()
    house.amazon.names_refresh_tokens = False
    with pytest.raises(UpstreamInvalid):
        await house.connect(person)
    assert house.tables.consents == {}


async def test_a_throttled_exchange_is_tried_a_second_time_R28() -> None:
    house = House()
    person = await house.person()
    house.amazon.faults.append(AuthorizationUnavailable())
    assert (await house.connect(person)).status == "active"


async def test_an_application_with_a_wrong_secret_is_the_vendors_trouble() -> None:
    house = House()
    person = await house.person()
    house.amazon.secret = "amzn1.oa2-cs.v1.renewed"
    with pytest.raises(ApplicationRefused):
        await house.connect(person)
    await house.register()
    await house.connect(person)


async def test_no_consent_begins_without_session_marketplace_or_application() -> None:
    house = House()
    seller_id = await house.use.admin.create_seller("Early")
    early = await house.colleague(seller_id)
    with pytest.raises(ApplicationMissing):
        await house.begin(early)
    with pytest.raises(UnknownMarketplace):
        await house.begin(early, "A0NOWHERE")
    with pytest.raises(SessionInvalid):
        await house.use.consents.begin(Secret("sp_se_" + "A" * 43), US)


async def test_no_secret_shows_in_values_T28() -> None:
    house = House()
    person = await house.person()
    callback = house.callback(await house.begin(person), "A1SECRETIVE")
    connected = await house.use.consents.complete(person.session_token, callback)
    shown = repr(callback.code) + repr(connected)
    assert "AN000001" not in shown
    assert "A1SECRETIVE" not in shown
    assert "Atzr" not in shown
