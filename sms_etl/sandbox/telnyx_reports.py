"""Telnyx's batch reports: ordered, under way, listed, and kept as CSV files.

Shapes: PyPI telnyx 4.189.0, legacy.reporting.batch_detail_records.messaging. Decided here, because
nothing says: a report moves on whenever its state is asked for, tells of the messages as they were
when it was ordered, has the fields of detail records as headings, and its file wants no login.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sms_etl.sandbox.wire import Reply, Request, json_reply

REPORTS_PATH = "/v2/legacy/reporting/batch_detail_records/messaging"
FILES_PATH = "/downloads/"
PENDING, COMPLETE = "PENDING", "COMPLETE"
DIRECTIONS = {1: "INBOUND", 2: "OUTBOUND"}
TYPES = {1: "COMPLETED", 2: "INCOMPLETE", 3: "ERRORS"}
COLUMNS = (
    "uuid", "created_at", "sent_at", "completed_at", "updated_at", "profile_id", "profile_name",
    "direction", "message_type", "parts", "status", "cld", "cli", "rate", "cost", "currency",
    "mcc", "mnc", "carrier", "errors",
)  # fmt: skip


@dataclass
class Report:
    """One report: what was ordered and when, its records, and how far it is."""

    identifier: str
    order: Mapping[str, Any]
    created: datetime
    records: Sequence[Mapping[str, Any]]
    status: str = PENDING

    def told(self, base: str) -> dict[str, Any]:
        """What Telnyx says of it."""
        said = {
            "id": self.identifier,
            "start_date": self.order["start_time"],
            "end_date": self.order["end_time"],
            "directions": [DIRECTIONS[one] for one in self.order.get("directions", DIRECTIONS)],
            "record_types": [TYPES[one] for one in self.order.get("record_types", TYPES)],
            "report_name": self.order.get("report_name", ""),
            "status": self.status,
            "created_at": f"{self.created:%Y-%m-%dT%H:%M:%S}+00:00",
            "record_type": "mdr_report",
        }
        if self.status == COMPLETE:
            said["report_url"] = f"{base}{FILES_PATH}{self.identifier}.csv"
        return said

    @property
    def file(self) -> bytes:
        """Its file."""
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, COLUMNS, extrasaction="ignore")
        writer.writeheader()
        for record in self.records:
            writer.writerow({**record, "errors": " ".join(record["errors"])})
        return text.getvalue().encode()


class Reports:
    """The reports of one account; `ends_as` is the status that they come to."""

    def __init__(self) -> None:
        self.made: list[Report] = []
        self.ends_as = COMPLETE

    def ordered(
        self, request: Request, now: datetime, records: Sequence[Mapping[str, Any]]
    ) -> Reply:
        """A new report, whether there is one like it or not."""
        identifier = f"aaaaaaaa-bbbb-4ccc-8ddd-{len(self.made) + 1:012d}"
        self.made.append(Report(identifier, request.json, now, records))
        return json_reply(200, {"data": self.made[-1].told(request.base)})

    def listed(self, request: Request) -> Reply:
        """Every report."""
        found = [report.told(request.base) for report in reversed(self.made)]
        count = len(found)
        meta = {"page_number": 1, "page_size": count, "total_pages": 1, "total_results": count}
        return json_reply(200, {"data": found, "meta": meta})

    def told(self, request: Request) -> Reply | None:
        """How far a report is; it is a step further every time. None: there is no such one."""
        which = request.path.removeprefix(f"{REPORTS_PATH}/")
        for report in self.made:
            if report.identifier == which:
                report.status = self.ends_as
                return json_reply(200, {"data": report.told(request.base)})
        return None

    def file(self, request: Request) -> Reply | None:
        """The file of a report that is ready."""
        which = request.path.removeprefix(FILES_PATH).removesuffix(".csv")
        for report in self.made:
            if report.identifier == which and report.status == COMPLETE:
                return Reply(200, report.file, {"Content-Type": "text/csv"})
        return None
