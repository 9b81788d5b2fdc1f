"""What is durable: the services' databases, keys and log in memory. Crashes of nodes do not touch it.

Behind each port stands the fake that passes the contract suite of the real part. Tests put a broken part in
its place, to prove that the invariants notice.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from fakes import gateway_buckets, retention_store
from fakes.audit_store import FakeAuditStore
from fakes.auth_store import FakeStore
from fakes.auth_tables import Tables
from fakes.auth_vault import FakeVault
from fakes.retention_keys import FakeKeys, FakeReceiptKey
from fakes.retention_store import FakeErasureStore, FakeRecordStore
from fakes.telemetry import FakeCheckpointKey
from services.auth.model.devices import Revocation
from services.gateway.catalogue.table import Catalogue
from services.gateway.model.buckets import Bucket


@dataclass(kw_only=True)
class Engines:
    """The durable parts of one world.

    Attributes:
        auth_store: makes each replica's way to auth's tables.
        record_store: makes each process's way to retention's records.
        erasure_store: the same for its erasures.
        listeners: who hears auth's news, over all replicas.
    """

    auth_tables: Tables = field(default_factory=Tables)
    auth_store: Callable[..., FakeStore] = FakeStore
    auth_vault: FakeVault = field(default_factory=FakeVault)
    listeners: list[Callable[[Revocation], None]] = field(default_factory=list)
    retention_tables: retention_store.Tables = field(default_factory=retention_store.Tables)
    record_store: Callable[[retention_store.Tables], FakeRecordStore] = FakeRecordStore
    erasure_store: Callable[[retention_store.Tables], FakeErasureStore] = FakeErasureStore
    retention_keys: FakeKeys = field(default_factory=FakeKeys)
    receipt_key: FakeReceiptKey = field(default_factory=FakeReceiptKey)
    audit_store: FakeAuditStore = field(default_factory=FakeAuditStore)
    checkpoint_key: FakeCheckpointKey = field(default_factory=FakeCheckpointKey)
    quota_buckets: dict[gateway_buckets.Key, Bucket] = field(default_factory=dict)
    catalogue: Catalogue = field(default_factory=Catalogue.load)
