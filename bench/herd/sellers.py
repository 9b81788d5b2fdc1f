"""Making thousands of sellers: what auth would hold after each had connected and enrolled a desktop.

The first one is made by auth's own model, keys and store. Every other is the same rows under other ids, with
what auth opens sealed anew under a transit key of its own, each value for its own place. Those rows are
written in SQL, a page at once, because ten thousand ways through the store would take longer than the show.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import chassis.clock
import chassis.crypto.digest
import chassis.db
import chassis.entropy
import chassis.identity
import chassis.vault
import sallyport.provision
import sallyport.provision.database
import sallyport.provision.handout
from bench.herd.amazon import Account
from bench.herd.stage import Stage
from chassis.secrecy import Secret
from services.auth.model import lending
from services.auth.model.consents import (
    CONSENT_LIFE,
    Consent,
    Region,
    refresh_token_place,
    selling_partner_place,
)
from services.auth.model.devices import DEFAULT_SCOPES, Device, Profile, device_name_place
from services.auth.model.lending import Refreshed, SealedAccess, access_place
from services.auth.model.people import Invitation, Seller, User, seller_name_place, user_name_place
from services.auth.model.rewrapping import KeyKind, KeyOwner, Plaintext
from services.auth.model.roles import Role
from services.auth.model.tokens import Enrolment
from services.auth.store import Store
from services.auth.vault import AuthVault

NAME = "auth"
CERTIFICATE_LIFE_S = 3_600.0
# As many as the key service's client has threads.
AT_ONCE = 8
LEASE_S = 60.0
FENCE = 1
TOKEN_LIFE = timedelta(hours=1)
DIGEST_BYTES = 32

# Every table that says something of a seller, in the order in which they refer to each other, with the column
# that finds the first seller's row.
TABLES = {
    "sellers": "seller_id",
    "users": "seller_id",
    "devices": "seller_id",
    "refresh_tokens": "device_id",
    "selling_partners": "seller_id",
    "consents": "seller_id",
    "access_leases": "consent_id",
}
# Of constants only; what differs between the rows is the argument.
MULTIPLY = """
    INSERT INTO auth.{table}
    SELECT (jsonb_populate_record(first, other)).*
    FROM auth.{table} AS first, jsonb_array_elements($2::jsonb) AS other
    WHERE first.{column} = $1
"""

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One seller of the herd: their account at Amazon, and the desktop for which tokens are asked."""

    account_id: str
    seller_id: str
    user_id: str
    device_id: str
    consent_id: str
    region: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """What is sealed of one seller, each value for its own place."""

    seller_name: str
    user_name: str
    device_name: str
    selling_partner: str
    refresh_token: str
    access_token: str


class Maker:
    """Makes sellers; made by `open_maker`."""

    def __init__(self, vault: AuthVault, store: Store, owner: chassis.db.Connection) -> None:
        self._vault = vault
        self._store = store
        self._owner = owner
        self._clock = chassis.clock.SystemClock()
        self._entropy = chassis.entropy.SystemEntropy()

    async def make_first(self, account: Account, application_id: str, expires_at: datetime) -> Member:
        """Return a seller whose shared access token ends at `expires_at`."""
        member, now = self._member(account), expires_at - TOKEN_LIFE
        sealed = await self._seal(member, account)
        await self._store.create_seller(
            Seller(seller_id=member.seller_id, name_sealed=sealed.seller_name, created_at=now)
        )
        invitation = Invitation(invitation_digest=self._chance(), user_id=member.user_id, expires_at=now)
        await self._store.invite_user(_user(member, sealed, now), invitation)
        await self._store.enrol(Enrolment(device=_device(member, sealed, now), refresh_digest=self._chance()))
        consent = _consent(member, account, sealed=sealed, application_id=application_id, now=now)
        await self._store.record_consent(consent, _digest(account))
        lease = await self._store.acquire(member.consent_id, LEASE_S)
        assert lease is not None
        assert lease.fence == FENCE
        access = SealedAccess(
            consent_id=member.consent_id,
            seller_id=member.seller_id,
            token_sealed=sealed.access_token,
            expires_at=expires_at,
            fence=FENCE,
        )
        refreshed = Refreshed(
            access=access,
            renew_at=self._renew_at(expires_at),
            refresh_token_sealed=None,
            refresh_version=1,
            refreshed_at=now,
        )
        assert await self._store.settle(member.consent_id, FENCE, refreshed)
        # Only those that are lent are renewed ahead.
        await self._store.note_lent(member.consent_id, now)
        return member

    async def make_like(
        self, first: Member, accounts: Sequence[Account], expires_at: datetime
    ) -> list[Member]:
        """Return a seller for each account; all are as the first one is but for their ids and secrets."""
        limit = asyncio.Semaphore(AT_ONCE)

        async def rows_of(account: Account) -> tuple[Member, Mapping[str, Row]]:
            async with limit:
                member = self._member(account)
                rows = self._rows(member, account, await self._seal(member, account))
                renew_at = {"renew_at": self._renew_at(expires_at).isoformat()}
                return member, {**rows, "access_leases": {**rows["access_leases"], **renew_at}}

        made = await asyncio.gather(*(rows_of(account) for account in accounts))
        async with self._owner.transaction():
            for table, column in TABLES.items():
                statement = MULTIPLY.format(table=table, column=column)
                others = json.dumps([rows[table] for _, rows in made])
                await self._owner.execute(statement, getattr(first, column), others)
        return [member for member, _ in made]

    async def _seal(self, member: Member, account: Account) -> Sealed:
        """Return everything sealed under the seller's key, which is made here."""
        seller_id, consent_id = member.seller_id, member.consent_id
        texts = {
            seller_name_place(seller_id): f"Seller {account.seller_id}",
            user_name_place(seller_id, member.user_id): "Owner",
            device_name_place(seller_id, member.device_id): "Desktop",
            selling_partner_place(seller_id, consent_id): account.seller_id,
            refresh_token_place(seller_id, consent_id, 1): account.refresh_token,
            access_place(seller_id, consent_id, FENCE): account.access_token,
        }
        await self._vault.create_key(seller_id)
        values = [Plaintext(place=place, text=Secret(text)) for place, text in texts.items()]
        return Sealed(
            **dict(
                zip(
                    Sealed.__dataclass_fields__,
                    await self._vault.seal_many(KeyOwner(kind=KeyKind.SELLER, owner_id=seller_id), values),
                    strict=True,
                )
            )
        )

    def _rows(self, member: Member, account: Account, sealed: Sealed) -> Mapping[str, Row]:
        """Return what differs from the first seller's rows, by table."""
        seller, consent = {"seller_id": member.seller_id}, {"consent_id": member.consent_id}
        user, device = {"user_id": member.user_id}, {"device_id": member.device_id}
        return {
            "sellers": seller | {"name_sealed": sealed.seller_name},
            "users": user | seller | {"name_sealed": sealed.user_name},
            "devices": device | user | seller | {"name_sealed": sealed.device_name},
            "refresh_tokens": device | {"token_digest": _bytea(self._chance())},
            "selling_partners": seller | {"selling_partner_digest": _bytea(_digest(account))},
            "consents": consent
            | seller
            | {
                "region": account.region,
                "marketplace_id": account.marketplace_id,
                "selling_partner_sealed": sealed.selling_partner,
                "refresh_token_sealed": sealed.refresh_token,
            },
            "access_leases": consent | {"token_sealed": sealed.access_token},
        }

    def _member(self, account: Account) -> Member:
        seller_id, user_id, device_id, consent_id = (
            chassis.entropy.new_id(self._clock, self._entropy) for _ in range(4)
        )
        return Member(
            account_id=account.seller_id,
            seller_id=seller_id,
            user_id=user_id,
            device_id=device_id,
            consent_id=consent_id,
            region=account.region,
        )

    def _renew_at(self, expires_at: datetime) -> datetime:
        """Return when a token is renewed ahead, drawn as auth draws it."""
        early_s = self._entropy.uniform(lending.RENEW_EARLY_S_MIN, lending.RENEW_EARLY_S_MAX)
        return lending.renew_at(expires_at, expires_at - TOKEN_LIFE, early_s)

    def _chance(self) -> bytes:
        return self._entropy.token(DIGEST_BYTES)


@asynccontextmanager
async def open_maker(stage: Stage) -> AsyncIterator[Maker]:
    """Give a maker that stands where a replica of auth stands: its identity, its role, its keys."""
    clock, ground = chassis.clock.SystemClock(), stage.stack.ground
    vault_config = sallyport.provision.handout.vault_config(ground.openbao, ground.folder, NAME)
    async with AsyncExitStack() as things:
        vault = await things.enter_async_context(await chassis.vault.connect(vault_config, clock))
        names = [f"{NAME}.sallyport.internal"]
        keeper = chassis.identity.Keeper(
            lambda: vault.issue_certificate(NAME, names, CERTIFICATE_LIFE_S), clock
        )
        await keeper.start()
        database = sallyport.provision.handout.database_config(ground.postgres, stage.database)
        pool = await things.enter_async_context(await chassis.db.open_pool(database, NAME, keeper))
        owner = await things.enter_async_context(
            sallyport.provision.database.signed_in(
                ground.postgres, ground.openbao, role=sallyport.provision.OWNER, database=stage.database
            )
        )
        yield Maker(AuthVault(vault, clock, chassis.entropy.SystemEntropy()), Store(pool), owner)


def _user(member: Member, sealed: Sealed, now: datetime) -> User:
    return User(
        user_id=member.user_id,
        seller_id=member.seller_id,
        role=Role.OWNER,
        name_sealed=sealed.user_name,
        created_at=now,
    )


def _device(member: Member, sealed: Sealed, now: datetime) -> Device:
    return Device(
        device_id=member.device_id,
        seller_id=member.seller_id,
        user_id=member.user_id,
        profile=Profile.COMPAT,
        scopes=DEFAULT_SCOPES,
        client_id="",
        key_thumbprint="",
        name_sealed=sealed.device_name,
        enrolled_at=now,
        used_at=now,
    )


def _consent(
    member: Member, account: Account, *, sealed: Sealed, application_id: str, now: datetime
) -> Consent:
    return Consent(
        consent_id=member.consent_id,
        seller_id=member.seller_id,
        region=Region(account.region),
        marketplace_id=account.marketplace_id,
        application_id=application_id,
        selling_partner_sealed=sealed.selling_partner,
        refresh_token_sealed=sealed.refresh_token,
        granted_at=now,
        expires_at=now + CONSENT_LIFE,
        used_at=now,
    )


def _digest(account: Account) -> bytes:
    return chassis.crypto.digest.sha256(account.seller_id.encode())


def _bytea(data: bytes) -> str:
    return f"\\x{data.hex()}"
