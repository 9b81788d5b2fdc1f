"""Documents for the tests: what is asked for, waited for and fetched, over the rig's plain calls."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

from simulator.exchange import Answer
from tests.unit.simulator.rig import Rig

REPORTS = "/reports/2021-06-30"
FEEDS = "/feeds/2021-06-30"
SHIPPING = "GET_FLAT_FILE_ORDER_REPORT_DATA_SHIPPING"
PLAIN_ORDERS = "GET_FLAT_FILE_ALL_ORDERS_DATA_BY_ORDER_DATE_GENERAL"


def shops(rig: Rig, seller: int = 0) -> list[str]:
    return [each.marketplace_id for each in rig.sellers[seller].marketplaces]


def create_report(rig: Rig, token: str, type_name: str = PLAIN_ORDERS, **more: Any) -> Answer:
    body = {"reportType": type_name, "marketplaceIds": shops(rig), **more}
    return rig.post(f"{REPORTS}/reports", token, body)


def finished_report(rig: Rig, token: str, type_name: str = PLAIN_ORDERS, **more: Any) -> dict[str, Any]:
    """Return a report whose time is over."""
    created = create_report(rig, token, type_name, **more)
    assert created.status == 202, created
    rig.clock.advance(seconds=10)
    report: dict[str, Any] = rig.get(f"{REPORTS}/reports/{created.document()['reportId']}", token).document()
    return report


def restricted_to(rig: Rig, access: str, document_id: str) -> str:
    return rig.restricted(access, [{"method": "GET", "path": f"{REPORTS}/documents/{document_id}"}])


def fetch(rig: Rig, url: str, **headers: str) -> Answer:
    return _follow(rig, "GET", url, headers, b"")


def upload(rig: Rig, url: str, body: bytes, **headers: str) -> Answer:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return _follow(rig, "PUT", url, {"content-length": str(len(body)), **told}, body)


def _follow(rig: Rig, method: str, url: str, headers: dict[str, str], body: bytes) -> Answer:
    parts = urlsplit(url)
    told = {"host": parts.netloc, **headers}
    return rig.send(method, parts.path, parse_qsl(parts.query), headers=told, body=body)
