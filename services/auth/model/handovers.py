"""Handovers: Amazon opens our log-in URI and wants the browser back at an address that it names.

That address is believed only when it is, byte for byte, one that we can write ourselves: https, a host of
the marketplace table (or the one in Amazon's own example), the confirmation path of our own application,
nothing else. So no reading of it can differ from a browser's, and no stranger's address becomes a redirect.

Source: SP-API, "Website Authorization Workflow", steps 3 and 4.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import urlencode

from services.auth.model.consent_refusals import HandoverRefused
from services.auth.model.consents import SELLING_PARTNER_FORM, AccountKind, Application
from services.auth.model.marketplaces import ConsentPages, Marketplace
from services.auth.model.refusals import UnknownMarketplace

CONFIRM_PATH = "/apps/authorize/confirm/"
# The host of the address in Amazon's own example; it stands for every marketplace.
AMAZON_HOST = "amazon.com"
# A state of Amazon's: opaque, handed back as it came.
AMAZON_STATE_FORM = re.compile(r"[\x21-\x7e]{1,2048}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Handover:
    """What an address of Amazon's stands for.

    Attributes:
        marketplaces: by the kinds of account that consent there, in the table's order; never empty.
    """

    marketplaces: Mapping[AccountKind, Sequence[Marketplace]]

    def kind(self, begun: AccountKind | None) -> AccountKind:
        """Return the kind of account: the address's only one, or the one with which a session began.

        Nobody but sellers comes from the Appstore, so that is what is left.
        Source: SP-API Developer Guide, "Selling Partner Appstore authorization workflow".
        """
        if len(self.marketplaces) == 1:
            return next(iter(self.marketplaces))
        return begun or AccountKind.SELLER

    def find(self, marketplace_id: str, kind: AccountKind) -> Marketplace:
        """Return the chosen one of the marketplaces that the address stands for.

        Raises:
            UnknownMarketplace: it does not stand for that one.
        """
        for marketplace in self.marketplaces.get(kind, ()):
            if marketplace.marketplace_id == marketplace_id:
                return marketplace
        raise UnknownMarketplace


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a person decided about a handover, with what Amazon sent; not believed yet.

    Attributes:
        is_beta: Amazon said that a draft is being tried.
        account_kind: as it was judged.
    """

    amazon_callback_uri: str
    amazon_state: str
    selling_partner_id: str
    is_beta: bool
    account_kind: AccountKind
    marketplace_id: str

    def check(self) -> None:
        """Return if the values have Amazon's form.

        Raises:
            HandoverRefused: they do not.
        """
        is_partner = SELLING_PARTNER_FORM.fullmatch(self.selling_partner_id)
        if not is_partner or not AMAZON_STATE_FORM.fullmatch(self.amazon_state):
            raise HandoverRefused


def judge(amazon_callback_uri: str, application: Application, pages: ConsentPages) -> Handover:
    """Return what an address stands for.

    Raises:
        HandoverRefused: it is none of Amazon's for our application.
    """
    path = CONFIRM_PATH + application.application_id
    if not amazon_callback_uri.endswith(path):
        raise HandoverRefused
    base = amazon_callback_uri.removesuffix(path)
    everywhere = {kind: pages.serving(kind) for kind in AccountKind}
    if pages.override_url is not None:
        found = everywhere if base == pages.override_url else {}
    elif base == f"https://{AMAZON_HOST}":
        found = everywhere
    else:
        found = {kind: _at(base, kind, known) for kind, known in everywhere.items()}
    marketplaces = {kind: rows for kind, rows in found.items() if rows}
    if not marketplaces:
        raise HandoverRefused
    return Handover(marketplaces=MappingProxyType(marketplaces))


def answer_url(answer: Answer, application: Application, *, state: str, redirect_uri: str) -> str:
    """Return where the browser goes back to; the answer's address was judged before."""
    query = {"amazon_state": answer.amazon_state, "state": state, "redirect_uri": redirect_uri}
    if answer.is_beta or application.is_draft:
        query["version"] = "beta"
    return f"{answer.amazon_callback_uri}?{urlencode(query)}"


def _at(base: str, kind: AccountKind, known: Sequence[Marketplace]) -> Sequence[Marketplace]:
    return [marketplace for marketplace in known if base == f"https://{marketplace.host(kind)}"]
