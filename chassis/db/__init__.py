"""Postgres: connections that prove who they are, transactions, and migrations.

- A connection is TLS 1.3 with the server's certificate and name checked, and shows the process's own
  certificate; there is no password. After the certificate was renewed, connections made with the old one
  are replaced as they come back to the pool.
- A connection on which a commit would not wait for the disk is not used (R-03).
- When Postgres is away callers get `store_unavailable` at once, new connections are tried with growing,
  spread pauses, and work goes on by itself when it is back (R-05).
- Faults of the connection and of the machine are translated here. What a statement itself did wrong, such
  as a violated constraint, is for the store that sent it.
"""

from chassis.db.faults import StoreUnavailable
from chassis.db.migrations import migrate
from chassis.db.pool import (
    ACQUIRE_S_MAX,
    Connection,
    Pool,
    connect,
    open_pool,
    rows_affected,
    statement,
    transaction,
)

__all__ = [
    "ACQUIRE_S_MAX",
    "Connection",
    "Pool",
    "StoreUnavailable",
    "connect",
    "migrate",
    "open_pool",
    "rows_affected",
    "statement",
    "transaction",
]
