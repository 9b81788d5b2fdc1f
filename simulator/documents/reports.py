"""The operations of Reports 2021-06-30."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from simulator import exchange
from simulator.call import Call
from simulator.documents import report_files
from simulator.documents.jobs import Jobs, Kind, Spoken, Status
from simulator.documents.report_files import ReportFiles
from simulator.documents.storage import Content, Storage
from simulator.orders.paging import instant, stamp
from simulator.seed import Mint

FOLDER = "reports"
MARKETPLACES_MAX = 25
SCHEDULES_MAX = 10_000
# What a report covers when nobody says so.
WINDOW_DEFAULT = timedelta(days=30)

SPOKEN = Spoken(Kind.REPORT, "reportId", "reportType", "reportDocumentId")
_TYPE = re.compile(r"[A-Z][A-Z0-9_]{3,99}")
# Source: model reports_2021-06-30, CreateReportScheduleSpecification.period.
_PERIODS = frozenset(
    "PT5M PT15M PT30M PT1H PT2H PT4H PT8H PT12H P1D P2D P3D PT84H P7D P14D P15D P18D P30D P1M".split()  # noqa: SIM905 - reads as the model's list
)

Document = dict[str, Any]


class Reports:
    """Answers with documents; the caller has checked token and plan.

    Schedules are remembered until a restart; no report comes of them.
    """

    def __init__(self, *, jobs: Jobs, storage: Storage, files: ReportFiles, mint: Mint) -> None:
        self._jobs = jobs
        self._storage = storage
        self._files = files
        self._mint = mint
        self._schedules: dict[str, tuple[str, Document]] = {}
        storage.serve(FOLDER, self._content)

    def create(self, call: Call) -> Document:
        """Return the answer of createReport.

        Raises:
            Refusal: 400, the request names no type or marketplace, or nonsense.
        """
        body = call.body()
        asked = {"marketplaceIds": _marketplaces(call, body), **_window(body, call.now)}
        type_name = _type_name(body)
        # Source: SP-API documentation, "Reports API": CANCELLED also when there is no data to return.
        is_empty = self._files.is_empty(type_name, call.access.seller, asked, now=call.now)
        outcome = Status.CANCELLED if is_empty else Status.DONE
        job = self._jobs.create(Kind.REPORT, call, type_name=type_name, outcome=outcome, asked=asked)
        return {"reportId": job.job_id}

    def one(self, call: Call) -> Document:
        """Return the answer of getReport."""
        job = self._jobs.one(Kind.REPORT, call.parameters["reportId"], call)
        return self._jobs.shown(SPOKEN, job, call.now)

    def several(self, call: Call) -> Document:
        """Return the answer of getReports.

        Raises:
            Refusal: 400, neither types nor a token are given.
        """
        if not (call.request.listed("reportTypes") or call.request.first("nextToken")):
            raise exchange.invalid_input("Invalid Input", "reportTypes or nextToken must be specified.")
        jobs, token = self._jobs.page(SPOKEN, call)
        listed = [self._jobs.shown(SPOKEN, job, call.now) for job in jobs]
        return {"reports": listed} | ({"nextToken": token} if token else {})

    def cancel(self, call: Call) -> None:
        """Take a report back that is in the queue."""
        self._jobs.cancel(Kind.REPORT, call.parameters["reportId"], call)

    def document(self, call: Call) -> Document:
        """Return the answer of getReportDocument.

        Raises:
            Refusal: 403, the report's type is restricted and the token is an ordinary one; 404, there is no
            such document.
        """
        job = self._jobs.document_of(Kind.REPORT, call.parameters["reportDocumentId"], call)
        if job.type_name in report_files.RESTRICTED and not call.access.is_restricted:
            raise exchange.denied()
        is_gzip = self._files.is_gzip(job)
        is_told = is_gzip and call.request.first("enableContentEncodingUrlHeader") == "true"
        url = self._storage.link(FOLDER, job.document_id, call.now, is_gzip_told=is_told)
        told = {"compressionAlgorithm": "GZIP"} if is_gzip else {}
        return {"reportDocumentId": job.document_id, "url": url, **told}

    def create_schedule(self, call: Call) -> Document:
        """Return the answer of createReportSchedule."""
        body = call.body()
        if body.get("period") not in _PERIODS:
            raise exchange.invalid_input("Invalid Input", "period is not one of those possible.")
        schedule = {
            "reportType": _type_name(body),
            "marketplaceIds": _marketplaces(call, body),
            "period": body["period"],
            "nextReportCreationTime": str(body.get("nextReportCreationTime") or stamp(call.now)),
        }
        schedule_id = self._mint.number(size=12)
        self._schedules[schedule_id] = (call.access.seller.seller_id, schedule)
        if len(self._schedules) > SCHEDULES_MAX:
            del self._schedules[next(iter(self._schedules))]
        return {"reportScheduleId": schedule_id}

    def schedules(self, call: Call) -> Document:
        """Return the answer of getReportSchedules."""
        types = call.request.listed("reportTypes")
        own = {
            schedule_id: schedule
            for schedule_id, (seller_id, schedule) in self._schedules.items()
            if seller_id == call.access.seller.seller_id and schedule["reportType"] in types
        }
        return {"reportSchedules": [{"reportScheduleId": each, **shown} for each, shown in own.items()]}

    def schedule(self, call: Call) -> Document:
        """Return the answer of getReportSchedule."""
        return {"reportScheduleId": call.parameters["reportScheduleId"], **self._schedule(call)}

    def cancel_schedule(self, call: Call) -> None:
        """End a schedule."""
        self._schedule(call)
        del self._schedules[call.parameters["reportScheduleId"]]

    def _schedule(self, call: Call) -> Document:
        seller_id, schedule = self._schedules.get(call.parameters["reportScheduleId"], ("", {}))
        if seller_id != call.access.seller.seller_id:
            raise exchange.not_found()
        return schedule

    def _content(self, name: str) -> Content | None:
        job = self._jobs.behind(name)
        return self._files.content(job) if job else None


def _type_name(body: Mapping[str, Any]) -> str:
    type_name = body.get("reportType")
    if not isinstance(type_name, str) or not _TYPE.fullmatch(type_name):
        raise exchange.invalid_input("Invalid Input", "Invalid Report Type.")
    return type_name


def _marketplaces(call: Call, body: Mapping[str, Any]) -> list[str]:
    listed = body.get("marketplaceIds")
    own = {marketplace.marketplace_id for marketplace in call.access.seller.marketplaces}
    if not isinstance(listed, list) or not 1 <= len(listed) <= MARKETPLACES_MAX:
        raise exchange.invalid_input("Invalid Input", "marketplaceIds must be specified.")
    if not {str(each) for each in listed} <= own:
        raise exchange.invalid_input("Invalid Input", "The seller does not sell in these marketplaces.")
    return [str(each) for each in listed]


def _window(body: Mapping[str, Any], now: datetime) -> dict[str, str]:
    try:
        until = instant(str(body["dataEndTime"])) if body.get("dataEndTime") else now
        since = instant(str(body["dataStartTime"])) if body.get("dataStartTime") else until - WINDOW_DEFAULT
    except ValueError as error:
        raise exchange.invalid_input(
            "Invalid Input", "dataStartTime or dataEndTime is not a date."
        ) from error
    if since > until:
        raise exchange.invalid_input("Invalid Input", "dataStartTime lies after dataEndTime.")
    return {"dataStartTime": since.isoformat(), "dataEndTime": until.isoformat()}
