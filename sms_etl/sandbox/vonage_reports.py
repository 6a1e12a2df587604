"""Vonage's asynchronous reports: ordered, under way, listed, and kept as files for a while.

Shapes: Nexmo/api-specification definitions/reports.yml (paths /v2/reports and /v3/media), and
developer.vonage.com reports/code-snippets get-report-status and get-report (the list is kept for
4 days). Decided here: a report moves on whenever its state is asked for; it tells of the messages
as they were when it was ordered; its CSV has every field in quotes and times with a colon.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sms_etl.sandbox.wire import Reply, Request, json_reply

REPORTS_PATH, MEDIA_PATH = "/v2/reports", "/v3/media/"
LISTED_FOR, FILES_KEPT_FOR = timedelta(days=4), timedelta(hours=72)
WAY = ("PENDING", "PROCESSING", "SUCCESS")
COLUMNS = (
    "account_id", "message_id", "account_ref", "client_ref", "direction", "from", "to",
    "forced_from", "changed_from", "concatenated", "message_body", "network", "network_name",
    "country", "country_name", "date_received", "date_finalized", "latency", "status",
    "error_code", "error_code_description", "currency", "total_price", "id", "dcs",
    "validity_period", "ip_address", "udh", "workflow_id", "tier_volume",
)  # fmt: skip


@dataclass
class Report:
    """One report: what was ordered and when, its records, and how often it was asked for."""

    identifier: str
    order: Mapping[str, Any]
    received: datetime
    records: Sequence[Mapping[str, Any]]
    status: str = WAY[0]

    @property
    def file_id(self) -> str:
        """Names its file."""
        return f"f{self.identifier}"

    def told(self, base: str) -> dict[str, Any]:
        """What Vonage says of it."""
        said = {
            "include_subaccounts": False,
            "include_message": False,
            **self.order,
            "request_id": self.identifier,
            "request_status": self.status,
            "receive_time": f"{self.received:%Y-%m-%dT%H:%M:%S}+0000",
            "_links": {"self": {"href": f"{base}{REPORTS_PATH}/{self.identifier}"}},
        }
        if self.status == WAY[-1]:
            said["items_count"] = len(self.records)
            said["_links"]["download_report"] = {"href": f"{base}{MEDIA_PATH}{self.file_id}"}
        return said

    @property
    def zipped(self) -> bytes:
        """Its file: a zip with one CSV."""
        columns = [name for name in COLUMNS if self._with_text or name != "message_body"]
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, columns, quoting=csv.QUOTE_ALL, extrasaction="ignore")
        writer.writeheader()
        for record in self.records:
            writer.writerow({name: _cell(name, record.get(name)) for name in columns})
        name = f"report_SMS_{self.order['account_id']}_{self.received:%Y%m%d}.csv"
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, text.getvalue())
        return packed.getvalue()

    @property
    def _with_text(self) -> bool:
        return bool(self.order.get("include_message"))


class Reports:
    """The reports of one account; `ends_as` is the status that they come to."""

    def __init__(self) -> None:
        self.made: list[Report] = []
        self.ends_as = WAY[-1]

    def ordered(
        self, request: Request, now: datetime, records: Sequence[Mapping[str, Any]]
    ) -> Reply:
        """A new report, whether there is one like it or not."""
        number = len(self.made) + 1
        identifier = f"aaaaaaaa-bbbb-cccc-dddd-{number:012d}"
        self.made.append(Report(identifier, json.loads(request.body), now, records))
        return json_reply(200, self.made[-1].told(request.base))

    def listed(self, request: Request, now: datetime) -> Reply:
        """Reports with one of the statuses asked for."""
        wanted = [word.strip() for word in request.query["status"].split(",")]
        found = [
            report.told(request.base)
            for report in self.made
            if report.status in wanted and report.received > now - LISTED_FOR
        ]
        link = request.base + request.target
        return json_reply(200, {"self_link": link, "items_count": len(found), "reports": found})

    def told(self, request: Request, now: datetime) -> Reply | None:
        """How far a report is; it is a step further every time."""
        which = request.path.removeprefix(f"{REPORTS_PATH}/")
        for report in self.made:
            if report.identifier == which and report.received > now - LISTED_FOR:
                if report.status in WAY[:-1]:
                    report.status = (*WAY[1:-1], self.ends_as)[WAY.index(report.status)]
                return json_reply(200, report.told(request.base))
        return None

    def file(self, request: Request, now: datetime) -> Reply | None:
        """The file of a report that is ready, while it is kept."""
        which = request.path.removeprefix(MEDIA_PATH)
        for report in self.made:
            kept = report.received > now - FILES_KEPT_FOR
            if report.file_id == which and report.status == WAY[-1] and kept:
                return Reply(200, report.zipped, {"Content-Type": "application/zip"})
        return None


def _cell(name: str, value: Any) -> Any:
    return value.replace("+0000", "+00:00") if value and name.startswith("date_") else value
