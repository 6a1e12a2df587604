"""Telnyx's batch reports: the detail records of a window as one CSV file, for long periods.

Facts: PyPI telnyx 4.189.0 (the official SDK), legacy.reporting.batch_detail_records.messaging:
parameters, answers and statuses; reports are orders that get ready by and by. An end within the
last four hours misses messages that wait for receipts. The headings of the file are documented
nowhere that could be found: they are looked for under the names that detail records have.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import polars as pl

from sms_etl.days import Window
from sms_etl.errors import PermanentSourceError, TransientSourceError
from sms_etl.sources.base import Page, PageFormat
from sms_etl.sources.http import HttpClient
from sms_etl.sources.json_pages import MALFORMED
from sms_etl.sources.mapping import require_headings
from sms_etl.sources.tables import CsvReading, read_whole_csv
from sms_etl.sources.values import ISO, times_to_utc

log = logging.getLogger(__name__)

PATH = "/v2/legacy/reporting/batch_detail_records/messaging"
COMPLETE_AFTER = timedelta(hours=4)
REUSED_FOR = timedelta(hours=12)
"""A report that a run before this one ordered stands for so long; later ones tell more."""
POLL_SECONDS = 15.0
PENDING, COMPLETE = "PENDING", "COMPLETE"
OUTBOUND = 2
RECORD_TYPES = (1, 2, 3)
"""Complete, incomplete, errors: every message."""
NEEDED = ("uuid", "cld", "status", "created_at")
OTHER_NAMES = {"id": "uuid", "errors": "errors.0"}
"""Headings beside the names of detail records."""


def report_pages(
    source: str, client: HttpClient, window: Window, now: datetime, wait_minutes: float
) -> Iterator[Page]:
    """The file of a window's report as one page, as it came.

    A report that is there or under way is used, so that a run that died orders no second one.

    Raises:
        TransientSourceError: it is not ready yet; the next run finds it.
        PermanentSourceError: it failed, or its file is gone or no such file.
    """
    order = {
        "start_time": _written(window.start),
        "end_time": _written(window.end),
        "timezone": "UTC",
        "directions": [OUTBOUND],
        "record_types": list(RECORD_TYPES),
        "report_name": f"sms_etl {_written(window.start)} to {_written(window.end)}",
    }
    not_before = max(window.end + COMPLETE_AFTER, now - REUSED_FOR)
    found = _listed(client, order["report_name"], not_before)
    report = _waited(
        source, client, found or _said(source, client.post_once(PATH, order).data), wait_minutes
    )
    which, link = f"{source}: report {report['id']}", report.get("report_url")
    if not link:
        raise PermanentSourceError(f"{which} is ready but has no file. Report it to Telnyx.")
    answer = client.get_linked_file(
        _by_scheme_of(client.base_url, link),
        f"The file of report {report['id']} is gone. Pull the day again in half a day, when a new "
        f"report is ordered, or set bulk = false for this source",
    )
    try:
        frame = report_rows(answer.body, NEEDED)
    except PermanentSourceError as error:
        raise PermanentSourceError(
            f"{which}: its file cannot be read: {error} Set bulk = false for this source, and "
            f"report the headings to this project."
        ) from None
    yield answer.page(frame.height, PageFormat.CSV)


def report_rows(body: bytes, fields: Sequence[str]) -> pl.DataFrame:
    """Columns `fields` and `malformed` of a report's file, all text; a column it lacks is null.

    Raises:
        PermanentSourceError: it is no CSV, or lacks what a message cannot be without.
    """
    frame = read_whole_csv(body, CsvReading())
    frame = frame.rename(_fields(frame.columns))
    require_headings(frame.columns, NEEDED, "it")
    if lacking := [name for name in fields if name not in frame.columns]:
        log.warning("a report of Telnyx has no column %s; it is unknown", ", ".join(lacking))
        frame = frame.with_columns(pl.lit(None, pl.String).alias(name) for name in lacking)
    if "errors.0" in fields:
        frame = frame.with_columns(pl.col("errors.0").str.extract(r"(\d+)"))
    return frame.select(*fields, MALFORMED)


def _fields(headings: Sequence[str]) -> dict[str, str]:
    """The field that each heading means; a heading that means one already there stays as it is."""
    plain = {heading: heading.strip().lower().replace(" ", "_") for heading in headings}
    found: dict[str, str] = {}
    for heading, name in plain.items():
        other = OTHER_NAMES.get(name, name)
        meant = name if other != name and other in plain.values() else other
        found[heading] = heading if meant in found.values() else meant
    return found


def _listed(client: HttpClient, name: object, not_before: datetime) -> dict[str, Any] | None:
    """A report of the same name that is ready or under way, ready ones first."""
    found = client.get_json(PATH).data
    reports = found.get("data") if isinstance(found, dict) else None
    usable = [
        report
        for report in reports or ()
        if report.get("report_name") == name
        and report.get("status") in (PENDING, COMPLETE)
        and (_moment(report.get("created_at")) or not_before - COMPLETE_AFTER) >= not_before
    ]
    return min(usable, key=lambda one: str(one["status"]), default=None)


def _waited(
    source: str, client: HttpClient, report: Mapping[str, Any], minutes: float
) -> Mapping[str, Any]:
    """The report when it is ready."""
    which = report["id"]
    for turn in range(max(1, round(minutes * 60 / POLL_SECONDS)) + 1):
        if turn:
            time.sleep(POLL_SECONDS)
            report = _said(source, client.get_json(f"{PATH}/{which}").data)
        if report.get("status") == COMPLETE:
            return report
        if report.get("status") != PENDING:
            raise PermanentSourceError(
                f"{source}: report {which} ended as {report.get('status')}. Pull the day again, "
                f"which orders a new one, or set bulk = false; if it lasts, ask Telnyx."
            )
    raise TransientSourceError(
        f"{source}: report {which} is still {PENDING} after {minutes:g} minutes. The next run "
        f"finds it and orders no other."
    )


def _said(source: str, data: Any) -> dict[str, Any]:
    """What an answer says of one report."""
    report = data.get("data") if isinstance(data, dict) else None
    if not (isinstance(report, dict) and report.get("id")):
        raise PermanentSourceError(
            f"{source}: Telnyx's answer about a report names no id. Set bulk = false."
        )
    return report


def _by_scheme_of(base_url: str, link: str) -> str:
    """The link as https where the API is: documents show it as http, and files hold numbers."""
    return urlsplit(link)._replace(scheme=urlsplit(base_url).scheme).geturl()


def _written(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _moment(text: object) -> datetime | None:
    moment = pl.select(times_to_utc(pl.lit(str(text)), (ISO,), "UTC")).item()
    return moment if isinstance(moment, datetime) else None
