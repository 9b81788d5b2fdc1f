"""Buyers who do not exist: realistic enough for forms and labels, marked so that a leak can be found.

Every buyer carries a marker of eight characters that belongs to one order only and appears in the name, the
street, the e-mail address, the tax id and the gift message. A test that searches logs, dumps or wires for
`Buyer.needles` finds any copy of any of them. Domains and telephone numbers are of the kinds set aside for
fiction.
"""

from dataclasses import dataclass

import simulator.seed

_GIVEN = {
    "DE": ("Jörg", "Anneliese", "Käthe", "Matthias"),
    "FR": ("Zoé", "François", "Hélène", "Loïc"),
    "ES": ("Íñigo", "Begoña", "Lucía", "Óscar"),
    "BR": ("João", "Conceição", "Luís", "Débora"),
    "JP": ("花子", "太郎", "さくら", "健"),
}
_GIVEN_ELSEWHERE = ("Ada", "Grace", "Alan", "Noor", "Tomasz", "Ingrid", "Kwame", "Mei")
_STREETS = ("Example Street", "Sample Avenue", "Placeholder Road", "Fixture Lane", "Mockup Square")
_CITIES = ("Sampleford", "Exampleton", "Mockhaven", "Testbury", "Probe Springs", "Fixture Falls")
_STATES = {
    "US": ("WA", "OR", "NY", "TX"),
    "CA": ("BC", "ON", "QC"),
    "BR": ("SP", "RJ"),
    "DE": ("Bayern", "Hessen"),
    "JP": ("東京都", "大阪府"),
}
_POSTCODES = {"CA": "@#@ #@#", "GB": "@@# #@@", "BR": "#####-###", "JP": "###-####", "NL": "#### @@"}
_POSTCODE_ELSEWHERE = "#####"
# Ranges that telephone authorities keep for films and books, where a country has one.
_PHONES = {
    "US": "+1 206-555-01##",
    "CA": "+1 604-555-01##",
    "GB": "+44 7700 900###",
    "DE": "+49 30 23125###",
    "AU": "+61 491 570 1##",
}
_PHONE_ELSEWHERE = "+999 55 0##"


@dataclass(frozen=True)
class Address:
    """Where a parcel goes."""

    line_1: str
    line_2: str | None
    city: str
    state: str
    postal_code: str
    country: str
    is_commercial: bool


@dataclass(frozen=True)
class Buyer:
    """The person behind one order."""

    marker: str
    name: str
    email: str
    phone: str
    company: str
    tax_id: str
    purchase_order: str
    gift_message: str
    address: Address

    def needles(self) -> tuple[str, ...]:
        """Return the strings that belong to this buyer and to nobody else; none may leak."""
        return (
            self.marker,
            self.marker.lower(),
            self.name,
            self.email,
            self.phone,
            self.company,
            self.tax_id,
            self.purchase_order,
            self.gift_message,
            self.address.line_1,
        )


def draw(seed: simulator.seed.Seed, *, order_id: str, country: str, extension: int) -> Buyer:
    """Return the buyer of an order; `extension` makes the telephone number unique."""
    marker = seed.text(simulator.seed.ALPHANUMERIC, 8, order_id, "marker")
    given = seed.pick(_GIVEN.get(country, _GIVEN_ELSEWHERE), order_id, "given")
    phone = _filled(seed, _PHONES.get(country, _PHONE_ELSEWHERE), order_id, "phone")
    return Buyer(
        marker=marker,
        name=f"{given} Sample-{marker}",
        email=f"buyer-{marker.lower()}@marketplace.example",
        phone=f"{phone} ext. {extension}",
        company=f"Sample Trading {marker} Ltd",
        tax_id=f"SYN{seed.text(simulator.seed.DIGITS, 9, order_id, 'tax')}{marker}",
        purchase_order=f"PO-{marker}",
        gift_message=f"With love from the whole sample family. {marker}",
        address=_address(seed, order_id=order_id, country=country, marker=marker),
    )


def _address(seed: simulator.seed.Seed, *, order_id: str, country: str, marker: str) -> Address:
    house = 1 + seed.below(900, order_id, "house")
    flat = seed.below(60, order_id, "flat")
    return Address(
        line_1=f"{house} {seed.pick(_STREETS, order_id, 'street')} {marker}",
        line_2=f"Apartment {flat}" if flat % 2 else None,
        city=seed.pick(_CITIES, order_id, "city"),
        state=seed.pick(_STATES.get(country, ("Sampleshire",)), order_id, "state"),
        postal_code=_filled(seed, _POSTCODES.get(country, _POSTCODE_ELSEWHERE), order_id, "postcode"),
        country=country,
        is_commercial=seed.below(5, order_id, "commercial") == 0,
    )


def _filled(seed: simulator.seed.Seed, pattern: str, *name: str) -> str:
    """Return `pattern` with a digit for each `#` and a letter for each `@`."""
    alphabets = {"#": simulator.seed.DIGITS, "@": simulator.seed.LETTERS}
    return seed.filled([alphabets.get(sign, sign) for sign in pattern], *name)
