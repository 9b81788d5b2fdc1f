"""Rows of an access review as the table holds them; see `services.gateway.web.sheets`."""

from google.protobuf.timestamp_pb2 import Timestamp

from sallyport.people.tasks import ROLE_NAMES
from wire.auth.v1.people_pb2 import AccessRow


def cells(row: AccessRow) -> tuple[str, ...]:
    """Return one row, in the order of ACCESS_HEAD."""
    return (
        row.seller_id,
        row.seller_name,
        row.user_id,
        row.user_name,
        ROLE_NAMES.get(row.role, ""),
        " ".join(row.credentials),
        _moment(row.since),
        _moment(row.used_at) if row.HasField("used_at") else "",
        row.device_id,
        row.device_name,
        " ".join(row.scopes),
    )


def _moment(moment: Timestamp) -> str:
    return f"{moment.ToDatetime():%Y-%m-%dT%H:%M:%SZ}"
