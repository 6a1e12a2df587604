"""Vonage's asynchronous reports: a window is ordered once, waited for, and downloaded as a file.

Facts: Nexmo/api-specification definitions/reports.yml 2.1.17 @ad04200 (POST and GET /v2/reports,
GET /v2/reports/{id}, GET /v3/media/{id}: a zip with a CSV, kept for 72 hours), and on
developer.vonage.com reports/code-snippets: create-async-report, get-report-status, get-report.
Every record of a report is billed, so an order is never repeated: a report of the same dates that
is there or under way is used, and after a fault of the order the list is asked, not the order.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from sms_etl.days import Window
from sms_etl.errors import PermanentSourceError, TransientSourceError
from sms_etl.sources.base import Page, PageFormat
from sms_etl.sources.files import members
from sms_etl.sources.http import HttpClient
from sms_etl.sources.json_pages import MALFORMED
from sms_etl.sources.tables import CsvReading, read_table

REPORTS_PATH = "/v2/reports"
FILE_LIFE = timedelta(hours=72)
POLL_SECONDS = 15.0
DONE, CUT = "SUCCESS", "TRUNCATED"
UNDER_WAY = ("PENDING", "PROCESSING")
USED = (CUT, *UNDER_WAY, DONE)
"""Statuses of reports that spare an order, the best last. A cut one would be cut again."""
NARROWED_BY = (
    "status", "client_ref", "account_ref", "network", "from", "to", "show_concatenated",
    "include_subaccounts",
)  # fmt: skip
OPTIONAL = "message_body"
"""The one column that a report lacks where it was ordered without texts."""


@dataclass(frozen=True)
class Order:
    """A report of the outgoing messages of a window.

    A report that Vonage received before `not_before` does not stand for it: its file is gone, or
    its window was not over.
    """

    account: str
    window: Window
    include_message: bool
    not_before: datetime

    @property
    def payload(self) -> dict[str, object]:
        """The body of the order."""
        return {
            "product": "SMS",
            "account_id": self.account,
            "direction": "outbound",
            "date_start": written(self.window.start),
            "date_end": written(self.window.end),
            "include_message": self.include_message,
        }

    def is_met_by(self, report: Mapping[str, Any]) -> bool:
        """Whether a report that is listed holds just these messages."""
        own = self.payload
        same = all(report.get(name) == own[name] for name in ("product", "account_id", "direction"))
        received = _moment(report, "receive_time")
        return (
            same
            and _is_set(report, "include_message") == self.include_message
            and not any(_is_set(report, name) for name in NARROWED_BY)
            and _moment(report, "date_start") == self.window.start
            and _moment(report, "date_end") == self.window.end
            and received is not None
            and received >= self.not_before
        )


def report_pages(
    source: str, client: HttpClient, order: Order, fields: Sequence[str], wait_minutes: float
) -> Iterator[Page]:
    """The file of a report as one page, as it came; no page if it has no records.

    Raises:
        TransientSourceError: it is not ready yet, or whether it was ordered is not known; the next
            run goes on from there.
        PermanentSourceError: it failed, or its file is gone or not whole.
    """
    report = _listed(client, order) or _ordered(source, client, order)
    report = _waited(source, client, report, wait_minutes)
    which, promised = f"{source}: report {report.get('request_id')}", report.get("items_count")
    link = ((report.get("_links") or {}).get("download_report") or {}).get("href")
    if not link and promised == 0:
        return
    if not link:
        raise PermanentSourceError(f"{which} is ready but has no file. Report it to Vonage.")
    answer = client.get_file(
        link,
        f"The file of report {report.get('request_id')} is gone: Vonage keeps files for 72 hours. "
        f"Set bulk = false for this day, or pull it again when the report is older: a new one is "
        f"ordered then, and billed",
    )
    try:
        records = report_rows(answer.body, fields).height
    except PermanentSourceError as error:
        raise PermanentSourceError(
            f"{which}: its file cannot be read: {error}. Pull the day again; the report is not "
            f"ordered again while Vonage keeps it."
        ) from None
    if isinstance(promised, int) and promised != records:
        raise PermanentSourceError(
            f"{which} is said to hold {promised} records, its file holds {records}. Set bulk = "
            f"false for this day, and report it to Vonage."
        )
    yield answer.page(records, PageFormat.CSV)


def report_rows(body: bytes, fields: Sequence[str]) -> pl.DataFrame:
    """Columns `fields` and `malformed` of a report's zip, all text, a row a record.

    Raises:
        PermanentSourceError: it is no such file, or a column is missing.
    """
    frames = []
    for member in members("report.zip", body):
        lacks_text = OPTIONAL.encode() not in member.body.partition(b"\n")[0]
        there = [name for name in fields if not (lacks_text and name == OPTIONAL)]
        frame = read_table(member.format, member.body, CsvReading(), there)
        if lacks_text:
            frame = frame.with_columns(pl.lit(None, pl.String).alias(OPTIONAL))
        frames.append(frame.select(*fields, MALFORMED))
    if not frames:
        raise PermanentSourceError("it is a zip without a file")
    return pl.concat(frames)


def written(moment: datetime) -> str:
    """A moment as Vonage takes it: ISO 8601 in UTC, to the second."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"


def _listed(client: HttpClient, order: Order) -> dict[str, Any] | None:
    """The best report that is there for an order, or under way."""
    query = {"account_id": order.account, "status": ",".join(USED)}
    found = client.get_json(REPORTS_PATH, query).data
    reports = found.get("reports") if isinstance(found, dict) else None
    usable = [
        report
        for report in reports or ()
        if report.get("request_status") in USED and order.is_met_by(report)
    ]
    return max(
        usable,
        key=lambda one: (USED.index(one["request_status"]), str(one.get("receive_time"))),
        default=None,
    )


def _ordered(source: str, client: HttpClient, order: Order) -> dict[str, Any]:
    """Order a report, once; after a fault of unknown outcome it is looked for in the list."""
    try:
        report = client.post_once(REPORTS_PATH, order.payload).data
    except TransientSourceError as fault:
        time.sleep(POLL_SECONDS)
        listed = _listed(client, order)
        if listed is None:
            raise TransientSourceError(
                f"{source}: a report was ordered and is not in Vonage's list ({fault}) It is not "
                f"ordered again now, because it may come and would be billed twice; the next run "
                f"looks for it first."
            ) from None
        return listed
    if not (isinstance(report, dict) and report.get("request_id")):
        raise PermanentSourceError(
            f"{source}: Vonage took the order of a report but gives no request_id. Pull the day "
            f"again: the report is then found in the list."
        )
    return report


def _waited(
    source: str, client: HttpClient, report: dict[str, Any], minutes: float
) -> dict[str, Any]:
    """The report when it is ready."""
    which = report["request_id"]
    for _ in range(max(1, round(minutes * 60 / POLL_SECONDS))):
        status = report.get("request_status")
        if status == DONE:
            return report
        if status == CUT:
            raise PermanentSourceError(
                f"{source}: report {which} is TRUNCATED, so records are missing from it. Set "
                f"bulk = false, which reads the day page by page."
            )
        if status not in UNDER_WAY:
            raise PermanentSourceError(
                f"{source}: report {which} ended as {status}. Pull the day again, which orders a "
                f"new one, or set bulk = false; if it lasts, ask Vonage."
            )
        time.sleep(POLL_SECONDS)
        report = client.get_json(f"{REPORTS_PATH}/{which}").data
    if report.get("request_status") == DONE:
        return report
    raise TransientSourceError(
        f"{source}: report {which} is still {report.get('request_status')} after {minutes:g} "
        f"minutes. The next run finds it and orders no other."
    )


def _is_set(report: Mapping[str, Any], name: str) -> bool:
    """Whether a parameter was given; booleans may come as texts."""
    return str(report.get(name) or "").lower() not in ("", "false")


def _moment(report: Mapping[str, Any], name: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(report.get(name)))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
