"""What goes wrong between a store and Postgres, told apart from what a statement did wrong."""

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


def translate(error: BaseException | None) -> None:
    """Raise StoreUnavailable instead of a fault; return when it is none.

    Raises:
        StoreUnavailable: the error is the store's, and not a statement's own.
    """
    if isinstance(error, Exception) and _is_fault(error):
        raise StoreUnavailable from error


class translated:  # noqa: N801 - used like a function, and cheaper than one made into a context manager
    """Raise StoreUnavailable instead of any fault inside; statements' own errors pass."""

    __slots__ = ()

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        translate(error)


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
