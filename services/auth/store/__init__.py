"""Every SQL statement of auth. One method is one transaction and one business fact.

Times are arguments, but for leases' ends, turns, the ages of what was rotated, redeemed or shared, and a
device grant's interval: those are taken from the database's clock, which all replicas share. Whoever locks a
consent and its lease locks the consent first.
"""

from services.auth.store.consents import ConsentStore
from services.auth.store.device_grants import DeviceGrantStore
from services.auth.store.devices import DeviceStore
from services.auth.store.grantless import GrantlessStore
from services.auth.store.leases import LeaseStore
from services.auth.store.links import LinkStore
from services.auth.store.members import MemberStore
from services.auth.store.news import NewsStore
from services.auth.store.offboardings import SellerStore
from services.auth.store.passkeys import PasskeyStore
from services.auth.store.passwords import PasswordStore
from services.auth.store.people import PeopleStore
from services.auth.store.reminders import ReminderStore
from services.auth.store.reviews import ReviewStore
from services.auth.store.rewrappings import RewrappingStore
from services.auth.store.rotations import RotationStore
from services.auth.store.sessions import SessionStore
from services.auth.store.sweeps import SweepStore
from services.auth.store.tokens import TokenStore
from services.auth.store.turns import TurnStore


class Store(
    PeopleStore,
    SessionStore,
    MemberStore,
    PasskeyStore,
    PasswordStore,
    LinkStore,
    ReviewStore,
    ConsentStore,
    DeviceStore,
    DeviceGrantStore,
    TokenStore,
    LeaseStore,
    TurnStore,
    GrantlessStore,
    SweepStore,
    NewsStore,
    RotationStore,
    RewrappingStore,
    ReminderStore,
    SellerStore,
):
    """All of auth's storage in Postgres, on one pool."""


__all__ = ["Store"]
