"""Every SQL statement of retention: one method is one transaction is one business fact.

One class per subject: `records` (sealed records and orders' clocks), `data_keys` (wrapped keys and what
they die with), `erasures` (how far each has come, receipts, and what the database still holds).
"""

from services.retention.store.data_keys import DataKeyStore
from services.retention.store.erasures import ErasureStore
from services.retention.store.records import RecordStore

__all__ = ["DataKeyStore", "ErasureStore", "RecordStore"]
