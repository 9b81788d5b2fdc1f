"""Every SQL statement of the gateway. One method is one transaction and one business fact.

Moments are the database's, which all replicas share (ADR 0019).
"""

from services.gateway.store.buckets import BucketStore
from services.gateway.store.documents import DocumentTypeStore
from services.gateway.store.homes import HomeStore
from services.gateway.store.revisions import RevisionStore


class Store(BucketStore, DocumentTypeStore, HomeStore, RevisionStore):
    """All of the gateway's storage in Postgres, on one pool."""


__all__ = ["Store"]
