"""Any two sealed values of auth's swapped, over all columns, rows, writings and owners: neither opens (T-16).

Against OpenBao itself: what refuses is the cipher, not a comparison of ours.
"""

import base64
import random
import uuid
from collections.abc import Sequence
from itertools import product

import pytest

import chassis.clock
import chassis.entropy
import chassis.vault
from chassis.errors import SallyportError
from chassis.secrecy import Secret
from chassis.vault.session import Invalid
from services.auth.model.rewrapping import KeyKind, KeyOwner
from services.auth.model.sealing import STAFF, AnyPlace, ApplicationPlace, Place
from services.auth.store.sealed import SEALED_COLUMNS
from services.auth.vault import AuthVault, _associated, _key_name
from tests.conftest import VaultFor

SEED = 16
SWAPS = 40
ROWS = ("row one", "row two")
VERSIONS = (1, 2)


@pytest.fixture
async def vault(vault_for: VaultFor) -> AuthVault:
    return AuthVault(await vault_for("auth"), chassis.clock.SystemClock(), chassis.entropy.SystemEntropy())


async def made_owners(vault: AuthVault) -> list[KeyOwner]:
    """Return two sellers, two applications and the staff, each with a key."""
    owners = [KeyOwner(kind=KeyKind.STAFF, owner_id=STAFF)]
    await vault.create_key(STAFF)
    for _ in range(2):
        seller, application = (
            KeyOwner(kind=kind, owner_id=str(uuid.uuid4())) for kind in (KeyKind.SELLER, KeyKind.APPLICATION)
        )
        await vault.create_key(seller.owner_id)
        await vault.create_application_key(application.owner_id)
        owners += [seller, application]
    return owners


def places(owners: list[KeyOwner]) -> list[AnyPlace]:
    """Return every place in which the columns may hold a value of these owners, in two rows and writings."""
    found: set[AnyPlace] = set()
    for one, owner, row_id, version in product(SEALED_COLUMNS, owners, ROWS, VERSIONS):
        if owner.kind is not one.kind:
            continue
        place = Place(
            seller_id=owner.owner_id,
            table=one.home or one.table,
            column=one.column,
            row_id=row_id,
            version=version,
        )
        is_sellers = owner.kind is not KeyKind.APPLICATION
        found.add(place if is_sellers else _of_application(place))
    return sorted(found, key=str)


def _of_application(place: Place) -> ApplicationPlace:
    return ApplicationPlace(
        application_id=place.seller_id,
        table=place.table,
        column=place.column,
        row_id=place.row_id,
        version=place.version,
    )


async def sealed_everywhere(vault: AuthVault) -> dict[AnyPlace, str]:
    """Return what is sealed at each place: the place's own name."""
    homes = places(await made_owners(vault))
    texts = [await vault.seal(home, Secret(str(home))) for home in homes]
    return dict(zip(homes, texts, strict=True))


async def opened_at(vault: AuthVault, place: AnyPlace, texts: Sequence[str]) -> list[str]:
    """Return what the key service itself makes of each text at a place; empty for what it refuses."""
    found = []
    for first in range(0, len(texts), chassis.vault.BATCH_MAX):
        parts = [
            {"ciphertext": text, "associated_data": base64.b64encode(_associated(place)).decode()}
            for text in texts[first : first + chassis.vault.BATCH_MAX]
        ]
        batch = {"batch_input": parts, "partial_failure_response_code": 200}
        try:
            answer = await vault._vault._session.ask(
                "write_data", f"transit/decrypt/{_key_name(place)}", batch
            )
        except Invalid:
            # Not one of them opens.
            found += [""] * len(parts)
            continue
        assert answer is not None
        results = answer["data"]["batch_results"]
        assert all(result["plaintext"] or result["error"] for result in results)
        found += [base64.b64decode(result["plaintext"]).decode() for result in results]
    return found


async def test_any_value_at_any_other_place_is_refused_T16(vault: AuthVault) -> None:
    sealed = await sealed_everywhere(vault)
    assert len(sealed) > 80
    for place in sealed:
        opened = await opened_at(vault, place, list(sealed.values()))
        assert opened == [str(home) if home == place else "" for home in sealed]


async def test_two_values_swapped_are_refused_as_such_T16(vault: AuthVault) -> None:
    sealed = await sealed_everywhere(vault)
    chance = random.Random(SEED)
    for _ in range(SWAPS):
        one, other = chance.sample(list(sealed), 2)
        for home, place in ((one, other), (other, one)):
            with pytest.raises(SallyportError) as refusal:
                await vault.open(place, sealed[home])
            assert (refusal.value.code, refusal.value.http_status) == ("integrity_failure", 503)
        assert (await vault.open(one, sealed[one])).reveal() == str(one)
