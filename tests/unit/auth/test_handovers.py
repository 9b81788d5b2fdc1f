"""Consents that begin at Amazon: the log-in URI, on the way from the Appstore or in the website workflow."""

import json
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.secrecy import Secret
from fakes.auth_house import APPLICATION, CA, DE, IE, PAGES, US, House, Person
from services.auth import config
from services.auth.model import handovers
from services.auth.model.audit import Kind, Phase
from services.auth.model.consent_refusals import HandoverRefused, OtherAccount
from services.auth.model.consents import AccountKind
from services.auth.model.handovers import Answer
from services.auth.model.marketplaces import ConsentPages, Marketplace
from services.auth.model.refusals import (
    ApplicationMissing,
    ConsentCodeRefused,
    InvalidState,
    SessionInvalid,
    UnknownMarketplace,
)

PATH = f"/apps/authorize/confirm/{APPLICATION.application_id}"
US_URI = f"https://sc.example.com{PATH}"
VENDOR_URI = f"https://vc.example.de{PATH}"
AMAZON_URI = f"https://amazon.com{PATH}"
PARTNER = "A2BLUEKETTLE"


def packaged() -> ConsentPages:
    """Return the pages of the table that is shipped."""
    rows = json.loads(config.PACKAGED_MARKETPLACES.read_text())
    return ConsentPages(
        marketplaces={row["marketplace_id"]: Marketplace(**row) for row in rows},
        redirect_uri=PAGES.redirect_uri,
    )


TABLE = packaged()


def answer(**changes: object) -> Answer:
    """Return an answer that is in order, but for the changes."""
    given_ = Answer(
        amazon_callback_uri=US_URI,
        amazon_state="amzn-state-1",
        selling_partner_id=PARTNER,
        is_beta=False,
        account_kind=AccountKind.SELLER,
        marketplace_id=US,
    )
    return replace(given_, **changes)  # type: ignore[arg-type]


async def answered(house: House, person: Person, **changes: object) -> tuple[str, dict[str, str]]:
    """Return where the browser goes back to: the address without its query, and the query."""
    url = await house.use.handovers.answer(person.session_token, answer(**changes))
    address, _, query = url.reveal().partition("?")
    return address, {name: values[0] for name, values in parse_qs(query).items()}


async def test_a_seller_from_the_appstore_is_connected() -> None:
    house = House()
    person = await house.person()
    judged = await house.use.handovers.judge(person.session_token, US_URI)
    assert (judged.account_kind, judged.marketplace_ids) == (AccountKind.SELLER, (US,))
    address, query = await answered(house, person)
    assert address == US_URI
    assert query.keys() == {"amazon_state", "state", "redirect_uri"}
    assert (query["amazon_state"], query["redirect_uri"]) == ("amzn-state-1", PAGES.redirect_uri)
    callback = house.callback(query["state"], PARTNER)
    connected = await house.use.consents.complete(person.session_token, callback)
    assert (connected.status, connected.consent.marketplace_id) == ("active", US)
    assert connected.selling_partner_id == PARTNER


async def test_a_vendor_is_connected_at_vendor_central() -> None:
    house = House()
    person = await house.person()
    judged = await house.use.handovers.judge(person.session_token, VENDOR_URI)
    assert (judged.account_kind, judged.marketplace_ids) == (AccountKind.VENDOR, (DE,))
    _, query = await answered(
        house,
        person,
        amazon_callback_uri=VENDOR_URI,
        account_kind=AccountKind.VENDOR,
        marketplace_id=DE,
    )
    callback = house.callback(query["state"], PARTNER)
    connected = await house.use.consents.complete(person.session_token, callback)
    assert connected.consent.account_kind is AccountKind.VENDOR


async def test_the_website_workflow_goes_on_with_what_was_chosen_at_its_beginning() -> None:
    house = House()
    person = await house.person()
    await house.use.consents.begin(person.session_token, DE, AccountKind.VENDOR)
    judged = await house.use.handovers.judge(person.session_token, AMAZON_URI)
    assert (judged.account_kind, judged.marketplace_id) == (AccountKind.VENDOR, DE)
    assert IE not in judged.marketplace_ids
    house.pass_(timedelta(minutes=10))
    forgotten = await house.use.handovers.judge(person.session_token, AMAZON_URI)
    assert (forgotten.account_kind, forgotten.marketplace_id) == (AccountKind.SELLER, "")
    assert forgotten.marketplace_ids == (US, CA, DE, IE)


async def test_what_another_session_chose_is_nobody_elses_choice_T08() -> None:
    house = House()
    person = await house.person()
    colleague = await house.colleague(person.seller_id)
    await house.use.consents.begin(colleague.session_token, DE)
    judged = await house.use.handovers.judge(person.session_token, AMAZON_URI)
    assert judged.marketplace_id == ""


@pytest.mark.parametrize(("is_draft", "is_beta"), [(True, False), (False, True), (True, True)])
async def test_a_draft_is_answered_as_one(is_draft: bool, is_beta: bool) -> None:
    house = House()
    person = await house.person()
    await house.register(replace(APPLICATION, is_draft=is_draft))
    _, query = await answered(house, person, is_beta=is_beta)
    assert query["version"] == "beta"


async def test_an_address_can_be_judged_before_anybody_signed_in() -> None:
    house = House()
    await house.person()
    assert (await house.use.handovers.judge(None, US_URI)).marketplace_ids == (US,)
    with pytest.raises(HandoverRefused):
        await house.use.handovers.judge(None, "https://evil.example" + PATH)


async def test_another_account_than_the_one_shown_is_refused_before_its_code_is_spent_T08() -> None:
    house = House()
    person = await house.person()
    _, query = await answered(house, person)
    with pytest.raises(OtherAccount) as refusal:
        await house.use.consents.complete(person.session_token, house.callback(query["state"], "A9ATTACKER"))
    assert (refusal.value.code, refusal.value.http_status) == ("invalid_state", 400)
    with pytest.raises(InvalidState):
        await house.use.consents.complete(person.session_token, house.callback(query["state"], PARTNER))
    assert house.amazon.calls["exchange"] == 0
    assert house.audit.told(Kind.CONSENT_REFUSED) == [(Phase.FACT, "invalid_state")] * 2


async def test_an_answers_state_is_good_once_T08() -> None:
    house = House()
    person = await house.person()
    _, query = await answered(house, person)
    await house.use.consents.complete(person.session_token, house.callback(query["state"], PARTNER))
    with pytest.raises(InvalidState):
        await house.use.consents.complete(person.session_token, house.callback(query["state"], PARTNER))
    assert house.amazon.calls["exchange"] == 1


@pytest.mark.parametrize("other", ["another seller", "a colleague"])
async def test_an_answers_state_is_another_sessions_to_nobody_T08(other: str) -> None:
    house = House()
    person = await house.person()
    thief = await (house.colleague(person.seller_id) if other == "a colleague" else house.person("Other"))
    _, query = await answered(house, person)
    with pytest.raises(InvalidState):
        await house.use.consents.complete(thief.session_token, house.callback(query["state"], PARTNER))
    assert house.tables.consents == {}


async def test_an_answers_state_is_over_after_10_minutes_T08() -> None:
    house = House()
    person = await house.person()
    _, query = await answered(house, person)
    house.pass_(timedelta(minutes=10))
    with pytest.raises(InvalidState):
        await house.use.consents.complete(person.session_token, house.callback(query["state"], PARTNER))


@pytest.mark.parametrize("begins_at", ["the portal", "Amazon"])
async def test_a_code_of_another_consent_is_refused_by_amazon_and_leaves_nothing_T08(begins_at: str) -> None:
    """A swapped code: Amazon gave it for another redirect, or it was used already."""
    house = House()
    person = await house.person()
    if begins_at == "Amazon":
        state = (await answered(house, person))[1]["state"]
    else:
        state = await house.begin(person)
    callback = house.callback(state, PARTNER)
    house.amazon.codes.clear()
    with pytest.raises(ConsentCodeRefused):
        await house.use.consents.complete(person.session_token, callback)
    assert house.tables.consents == {}
    assert house.audit.told(Kind.CONSENT_COMPLETED)[-1] == (Phase.OUTCOME, "not_done")


@pytest.mark.parametrize(
    "changes",
    [
        {"amazon_callback_uri": f"https://evil.example{PATH}"},
        {"amazon_callback_uri": ""},
        {"amazon_state": ""},
        {"amazon_state": "x" * 2_049},
        {"amazon_state": "a b"},
        {"amazon_state": "a\r\nb"},
        {"selling_partner_id": ""},
        {"selling_partner_id": "A" * 65},
        {"selling_partner_id": "A1&x"},
    ],
)
async def test_an_answer_out_of_form_is_refused_and_told_T08_T10(changes: dict[str, str]) -> None:
    house = House()
    person = await house.person()
    with pytest.raises(HandoverRefused):
        await house.use.handovers.answer(person.session_token, answer(**changes))
    assert house.tables.states == {}
    assert house.audit.told(Kind.CONSENT_REFUSED) == [(Phase.FACT, "handover_refused")]


@pytest.mark.parametrize(
    ("marketplace_id", "kind"),
    [(DE, AccountKind.SELLER), (US, AccountKind.VENDOR), ("", AccountKind.SELLER)],
)
async def test_only_what_the_address_stands_for_can_be_chosen(marketplace_id: str, kind: AccountKind) -> None:
    house = House()
    person = await house.person()
    chosen = answer(marketplace_id=marketplace_id, account_kind=kind)
    with pytest.raises(UnknownMarketplace):
        await house.use.handovers.answer(person.session_token, chosen)


async def test_nobody_is_answered_without_session_or_application() -> None:
    house = House()
    with pytest.raises(ApplicationMissing):
        await house.use.handovers.judge(None, US_URI)
    await house.person()
    for call in (
        house.use.handovers.judge(Secret("sp_se_" + "A" * 43), US_URI),
        house.use.handovers.answer(Secret("sp_se_" + "A" * 43), answer()),
    ):
        with pytest.raises(SessionInvalid):
            await call


# The address


def test_every_host_of_the_table_stands_for_its_own_marketplaces_and_kind() -> None:
    seen = set()
    for marketplace in TABLE.marketplaces.values():
        for kind in AccountKind:
            if not marketplace.serves(kind):
                continue
            found = handovers.judge(f"https://{marketplace.host(kind)}{PATH}", APPLICATION, TABLE)
            assert found.kind(None) is kind
            assert found.find(marketplace.marketplace_id, kind) == marketplace
            seen.add((marketplace.marketplace_id, kind))
    assert len(seen) == 23 + 20


def test_europes_shared_host_leaves_the_choice_between_five_countries() -> None:
    found = handovers.judge(f"https://sellercentral-europe.amazon.com{PATH}", APPLICATION, TABLE)
    assert [row.country for row in found.marketplaces[AccountKind.SELLER]] == ["UK", "DE", "FR", "IT", "ES"]


def test_in_development_the_configured_page_is_the_only_one() -> None:
    pages = replace(TABLE, override_url="https://localhost:8447")
    found = handovers.judge(f"https://localhost:8447{PATH}", APPLICATION, pages)
    assert len(found.marketplaces[AccountKind.SELLER]) == 23
    for uri in (f"https://localhost:8448{PATH}", AMAZON_URI, f"https://sellercentral.amazon.com{PATH}"):
        with pytest.raises(HandoverRefused):
            handovers.judge(uri, APPLICATION, pages)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        PATH,
        f"http://amazon.com{PATH}",
        f"//amazon.com{PATH}",
        f"https://amazon.com:443{PATH}",
        f"https://user@amazon.com{PATH}",
        f"https://amazon.com@evil.example{PATH}",
        f"https://evil.example/?https://amazon.com{PATH}",
        f"https://evil.example#https://amazon.com{PATH}",
        f"https://evil.example\\@amazon.com{PATH}",
        f"https://amazon.com.evil.example{PATH}",
        f"https://evilamazon.com{PATH}",
        f"https://AMAZON.com{PATH}",
        f"https://amazon.com.{PATH}",
        f"https://sellercentral.amazon.com\u3002evil.example{PATH}",
        f"https://amazon.com/{PATH}",
        f"https://amazon.com/x/..{PATH}",
        f"https://amazon.com{PATH}/",
        f"https://amazon.com{PATH}?next=https://evil.example",
        f"https://amazon.com{PATH}#part",
        f"https://amazon.com{PATH}\r\nLocation: https://evil.example",
        f" https://amazon.com{PATH}",
        f"https://amazon.com\t{PATH}",
        "https://amazon.com/apps/authorize/confirm/amzn1.sellerapps.app.another",
        "https://amazon.com/apps/authorize/confirm/",
        "javascript:alert(1)//https://amazon.com" + PATH,
        f"https://sellingpartnerapi-na.amazon.com{PATH}",
    ],
)
def test_every_other_address_is_an_open_redirect_and_refused_T08(uri: str) -> None:
    with pytest.raises(HandoverRefused):
        handovers.judge(uri, APPLICATION, TABLE)


HOSTS = frozenset(
    {handovers.AMAZON_HOST}
    | {row.host(kind) for row in TABLE.marketplaces.values() for kind in AccountKind if row.serves(kind)}
)
PIECES = st.sampled_from(
    [
        *("https://", "http://", "//", "@", ":443", "/", "\\", "?", "#", ".", "%2f", "\t"),
        *("evil.example", PATH),
        *sorted(HOSTS),
    ]
)


@given(st.one_of(st.text(), st.lists(PIECES, max_size=8).map("".join)))
def test_whatever_is_taken_is_https_on_a_known_host_and_our_path_alone_T08(uri: str) -> None:
    try:
        handovers.judge(uri, APPLICATION, TABLE)
    except HandoverRefused:
        return
    parts = urlsplit(uri)
    assert (parts.scheme, parts.path) == ("https", PATH)
    assert parts.netloc in HOSTS
    assert uri == f"https://{parts.netloc}{PATH}"


@given(
    host=st.sampled_from(sorted(HOSTS)),
    place=st.integers(min_value=0, max_value=120),
    inserted=st.characters(codec="utf-8"),
)
def test_no_character_can_be_put_into_a_good_address_T08(host: str, place: int, inserted: str) -> None:
    good = f"https://{host}{PATH}"
    handovers.judge(good, APPLICATION, TABLE)
    changed = good[:place] + inserted + good[place:]
    try:
        handovers.judge(changed, APPLICATION, TABLE)
    except HandoverRefused:
        return
    assert urlsplit(changed).netloc in HOSTS, "only another host of the table could be meant"
