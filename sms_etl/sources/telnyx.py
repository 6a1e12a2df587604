"""Telnyx messaging detail records: one record per message whose status is final.

Facts: github.com/team-telnyx/openapi openapi/spec3.yml @12de4dd, MessageDetailRecord and
/detail_records. Days come page by page or, with `bulk`, as files (see telnyx_reports).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Annotated, Literal

import polars as pl
from pydantic import Field

from sms_etl.config.secrets import EnvSecret
from sms_etl.days import Window, day_window, utc_days
from sms_etl.model.vocabulary import Channel, TimeOrigin
from sms_etl.sources import paging
from sms_etl.sources.auth import BearerAuth
from sms_etl.sources.base import Facts, LandedPage, Page, PageFormat, PullContext, PullPlan
from sms_etl.sources.http import BaseUrl, HttpClient, HttpSettings
from sms_etl.sources.http_source import Credentials, WindowSource
from sms_etl.sources.json_pages import JsonReader
from sms_etl.sources.records import done_origin, observations, scan_pages
from sms_etl.sources.telnyx_reports import COMPLETE_AFTER, report_pages, report_rows
from sms_etl.sources.values import ISO, cost_micro, count, times_to_utc

PATH = "/v2/detail_records"
PAGE_SIZE = 50
RECORD_TYPE = {"filter[record_type]": "messaging"}
RECORDS = "data"
FIELDS = (
    "uuid", "cld", "cli", "direction", "message_type", "status", "created_at", "sent_at",
    "completed_at", "updated_at", "parts", "cost", "currency", "mcc", "mnc", "carrier", "errors.0",
    "profile_id",
)  # fmt: skip
_READER = JsonReader(FIELDS, RECORDS)


class TelnyxSettings(HttpSettings):
    """One Telnyx account."""

    kind: Literal["telnyx"]
    api_key: EnvSecret
    base_url: BaseUrl = "https://api.telnyx.com"
    bulk: bool = False
    """Read days that are over as files: one batch report a day."""
    report_wait_minutes: Annotated[float, Field(gt=0, le=720)] = 60.0


class Telnyx(WindowSource[TelnyxSettings]):
    """Lists the detail records of messages created on the UTC days that a window touches."""

    provider = "telnyx"
    settings_type = TelnyxSettings
    allowed = "the account's detail records may be read"
    facts = Facts(
        title="Telnyx messaging detail records",
        window_filter="created_at, whole UTC days",
        history="not stated by Telnyx",
        look_back="every day of the settling period is asked again; with bulk (for long periods) "
        "a day that ended four hours ago is one batch report, a CSV file",
        rate_limit="not stated as a number; HTTP 429 is waited out; 10 requests a second",
        proof="contract suite; the official SDK (telnyx) reads the simulated day and asks the "
        "same; requests and answers hold against what its OpenAPI description says; "
        "the SDK orders and reads batch reports, and files tell the same as pages",
        missing="messages still on their way (a record exists once the status is final), text, "
        "and every error of a message but the first",
        reports="a message on its way is missing until its record appears, so nothing is ever "
        "pending; without an outbox the last hours of a recent day are incomplete",
        documents="github.com/team-telnyx/openapi openapi/spec3.yml@12de4dd, "
        "https://support.telnyx.com/en/articles/6505121-telnyx-messaging-error-codes, "
        "https://developers.telnyx.com/docs/messaging/messages/error-codes, "
        "PyPI telnyx 4.189.0 (batch reports)",
        to_check="how many hours a message without a receipt takes to become dlr_timeout; "
        "whether created_at may be filtered by a time of day (the description shows dates only); "
        "whether code 40300 always means STOP; with bulk: the headings of the file (taken for the "
        "names of detail records; one without identifier, recipient, status or time is refused), "
        "whether its link needs no login, how long reports are kept, whether they are billed",
    )

    def credentials(self, settings: TelnyxSettings) -> Credentials:
        """The API key."""
        key = settings.api_key.get()
        return Credentials(settings.api_key.variable, BearerAuth(key), key)

    def try_out(self, client: HttpClient) -> object:
        """List one record."""
        return client.get_json(PATH, {**RECORD_TYPE, "page[size]": "1"})

    def pages(self, client: HttpClient, window: Window) -> Iterator[Page]:
        """Records of the UTC days of a window, oldest first, so that new ones push none away."""
        days = utc_days(window)
        query = {
            **RECORD_TYPE,
            "filter[created_at][gte]": days[0].isoformat(),
            "filter[created_at][lt]": (days[-1] + timedelta(days=1)).isoformat(),
            "sort": "created_at",
            "page[size]": str(PAGE_SIZE),
        }
        return paging.pages(
            self.name,
            lambda number: client.get_json(PATH, {**query, "page[number]": number}),
            RECORDS,
            paging.page_number("meta.total_pages"),
            start="1",
        )

    def plan(self, days: Sequence[date], context: PullContext) -> Iterator[PullPlan]:
        """One pull per day: its window, or with `bulk` its report once it can be whole."""
        client = self.client()
        for day in sorted(days):
            window = day_window(day, context.zone)
            if self._settings.bulk and context.now >= window.end + COMPLETE_AFTER:
                asking = [partial(self._report, window=window, now=context.now)]
                asked = f"report of {window.start.isoformat()} to {window.end.isoformat()}"
                yield PullPlan(day, day, asked, self.sliced(client, asking, window.end))
            else:
                yield from super().plan([day], context)

    def _report(self, client: HttpClient, window: Window, now: datetime) -> Iterator[Page]:
        return report_pages(self.name, client, window, now, self._settings.report_wait_minutes)

    def read(self, pages: Sequence[LandedPage]) -> pl.LazyFrame:
        """Landed pages as OBSERVATIONS.

        `delivery_status` is not read: it is the outcome of the webhook, not of the message.
        """
        direction = pl.col("direction").str.to_lowercase()
        kind = pl.col("message_type").str.to_lowercase()
        done = pl.col("completed_at")
        return observations(
            scan_pages(pages, FIELDS, _decoded),
            {
                "message_id": pl.col("uuid"),
                "recipient": pl.col("cld"),
                "sender": pl.col("cli"),
                "service": pl.col("profile_id"),
                "channel": pl.when(kind.is_in([word.value for word in Channel])).then(kind),
                "inbound": direction.eq("inbound").fill_null(value=False),
                "status": pl.col("status"),
                "code": pl.col("errors.0"),
                "created_at_text": pl.col("created_at"),
                "sent_at_text": pl.col("sent_at"),
                "done_at_text": done,
                "created_at": _time("created_at"),
                "sent_at": _time("sent_at"),
                "done_at": _time("completed_at"),
                "done_at_origin": done_origin(done, TimeOrigin.PROVIDER),
                "updated_at": _time("updated_at"),
                "parts_billed": count(pl.col("parts")),
                "price_text": pl.col("cost"),
                "cost_micro": cost_micro(pl.col("cost"), charge_is_negative=False),
                "currency": pl.col("currency").str.to_uppercase(),
                "mcc_mnc": pl.col("mcc") + pl.col("mnc"),
                "operator": pl.col("carrier"),
            },
        )


def _decoded(page: LandedPage, body: bytes) -> pl.DataFrame:
    """A page of records, or the file of a report."""
    if page.format is PageFormat.CSV:
        return report_rows(body, FIELDS)
    return _READER.decode(page, body)


def _time(column: str) -> pl.Expr:
    return times_to_utc(pl.col(column), (ISO,), "UTC")
