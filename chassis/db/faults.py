"""What goes wrong between a store and Postgres, told apart from what a statement did wrong."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

import chassis.errors

# SQLSTATE classes, and single states, that say nothing about the statement: the store is away, full,
# shutting down, no longer the primary, or two transactions met. Source: PostgreSQL, appendix A.
FAULT_CLASSES = ("08", "28", "40", "53", "57", "58", "XX")
FAULT_STATES = frozenset({"25006", "55P03"})


class StoreUnavailable(chassis.errors.Unavailable):
    """Postgres is away, full or too slow. A commit that was under way may have happened (R-04)."""

    code = "store_unavailable"
    text = "The store cannot answer right now."


@contextmanager
def translated() -> Iterator[None]:
    """Raise StoreUnavailable instead of any fault inside; statements' own errors pass."""
    try:
        yield
    except chassis.errors.SallyportError:
        raise
    except Exception as error:
        if not _is_fault(error):
            raise
        raise StoreUnavailable from error


def _is_fault(error: Exception) -> bool:
    """Return whether an error is the store's, and not the statement's."""
    match error:
        case OSError() | asyncpg.InternalClientError():
            return True
        case asyncpg.OutdatedSchemaCacheError() | asyncpg.InvalidCachedStatementError():
            # The tables were migrated under a running service; the next try sees the new ones.
            return True
        case asyncpg.PostgresError():
            state = error.sqlstate or ""
            return state.startswith(FAULT_CLASSES) or state in FAULT_STATES
        case asyncpg.InterfaceError():
            # Those that are also ValueErrors are about arguments; the others mean a closed connection.
            return not isinstance(error, ValueError)
    return False
