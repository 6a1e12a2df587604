"""Vonage (Nexmo) Reports API: the SMS records of a window, and of identifiers.

Facts: Nexmo/api-specification definitions/reports.yml 2.1.17 @ad04200, and on developer.vonage.com
reports/guides/how-to-handle-pagination and reports/conceptual-guides/reports-api-best-practices;
api.support.vonage.com articles/115007053127 (the expiry that Vonage makes after 72 hours).
Accounts that pay as they go pay for every record each time it is read, so a day that was read
whole is not read again: only its messages that are not final yet are asked for, by identifier.
A window comes page by page or, with `bulk`, as a file (see vonage_reports).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Annotated, Any, Literal

import polars as pl
from pydantic import Field
from requests.auth import HTTPBasicAuth

from sms_etl.config.secrets import EnvSecret
from sms_etl.days import Window, day_window
from sms_etl.dictionaries.dictionary import load_dictionary, status_key
from sms_etl.errors import PermanentSourceError
from sms_etl.model.vocabulary import Channel, TimeOrigin
from sms_etl.sources import paging
from sms_etl.sources.base import Facts, LandedPage, Page, PageFormat, PullContext, PullPlan
from sms_etl.sources.http import BaseUrl, HttpClient, HttpSettings
from sms_etl.sources.http_source import Credentials, WindowSource
from sms_etl.sources.json_pages import JsonReader
from sms_etl.sources.records import done_origin, final_update, observations, scan_pages
from sms_etl.sources.values import ISO, blank_to_null, cost_micro, times_to_utc, with_plus
from sms_etl.sources.vonage_reports import FILE_LIFE, Order, report_pages, report_rows, written

RECORDS_PATH = "/v2/reports/records"
RECORDS = "records"
IDS_AT_ONCE = 20
CLOSES_AFTER = timedelta(hours=1)
"""A pull this long after a day's end is taken to hold all its records."""
NO_SUCH_ID = "0000000000000000"
EXPIRED = "expired"
GAVE_UP = "expired (no receipt in 72 hours)"
"""Our word for an expiry that Vonage makes itself, after which it hears no receipt any more."""
GIVES_UP_AFTER = timedelta(hours=72)
HIDDEN = "REDACTED"
"""Stands in personal fields where the account has redaction on."""
FIELDS = (
    "message_id", "client_ref", "from", "to", "network", "network_name", "date_received",
    "date_finalized", "status", "error_code", "currency", "total_price", "message_body",
)  # fmt: skip
_READER = JsonReader(FIELDS, RECORDS)


class VonageSettings(HttpSettings):
    """One Vonage account or sub-account; its API key is its account_id."""

    kind: Literal["vonage"]
    api_key: Annotated[str, Field(pattern=r"^[0-9A-Za-z]{8}$")]
    api_secret: EnvSecret
    base_url: BaseUrl = "https://api.nexmo.com"
    include_message: bool = True
    bulk: bool = False
    """Read days that are over as files: one asynchronous report a day."""
    report_wait_minutes: Annotated[float, Field(gt=0, le=720)] = 60.0


class Vonage(WindowSource[VonageSettings]):
    """Reads a day once by window, and later only what was not final."""

    provider = "vonage"
    settings_type = VonageSettings
    longest_window = timedelta(hours=24)
    shortest_slice = timedelta(hours=1)
    allowed = "the key may read reports"
    memory = timedelta(days=395)
    reads_are_billed = True
    facts = Facts(
        title="Vonage Reports API (SMS)",
        window_filter="date_received, the time of submission; the end is exclusive; 24 hours",
        history="13 months",
        look_back="a day is read once by window, an hour or more after its end; later only its "
        "messages that are not final, by identifier, because every record read is billed; with "
        "bulk a day that is over is one asynchronous report, ordered once",
        rate_limit="10 requests a second; 5 for reports, which are asked every 15 seconds",
        proof="contract suite; a test counts the records that are read again; requests and "
        "answers hold against what its OpenAPI description says, mended where its own examples "
        "contradict it; no official SDK reads reports; report files tell the same as pages",
        missing="parts, time of sending on; how far a receipt reaches (some carriers invent them)",
        reports="parts come from the text; a receipt's reach is unstated; what expired after 72 "
        "hours has no receipt (Vonage says so by itself then) and counts as unknown",
        documents="Nexmo/api-specification definitions/reports.yml, https://developer.vonage.com/"
        "en/reports/guides/how-to-handle-pagination, https://developer.vonage.com/en/reports/"
        "conceptual-guides/reports-api-best-practices, https://developer.vonage.com/en/reports/"
        "code-snippets/create-async-report and get-report",
        to_check="total_price of a message of several parts; that records are there an hour "
        "after the day's end; sub-accounts are sources of their own; the 13 months; "
        "with bulk: the headings of the file, whether a report that failed is billed",
    )

    def credentials(self, settings: VonageSettings) -> Credentials:
        """The API key and its secret."""
        secret = settings.api_secret.get()
        return Credentials(settings.api_key, HTTPBasicAuth(settings.api_key, secret), secret)

    def try_out(self, client: HttpClient) -> object:
        """Ask for an identifier that does not exist: nothing is found and nothing billed."""
        return client.get_json(RECORDS_PATH, self._query({"id": NO_SUCH_ID}))

    def plan(self, days: Sequence[date], context: PullContext) -> Iterator[PullPlan]:
        """One pull per day: its window, or what is not final of a day that was read whole."""
        client = self.client()
        for day in sorted(days):
            landed, window = context.landed(day), day_window(day, context.zone)
            if _whole(landed, window.end):
                ids = self._unfinished(landed)
                asked = f"{len(ids)} messages that were not final"
                asking = [partial(self._by_ids, ids=ids)]
                yield PullPlan(day, day, asked, self.sliced(client, asking))
            elif self._in_bulk(day, context):
                asking = [partial(self._report, window=window, now=context.now)]
                asked = f"report of {written(window.start)} to {written(window.end)}"
                yield PullPlan(day, day, asked, self.sliced(client, asking, window.end))
            else:
                yield from super().plan([day], context)

    def _in_bulk(self, day: date, context: PullContext) -> bool:
        """Whether a day is ordered as a file: it is over, and still kept."""
        over = context.now >= day_window(day, context.zone).end + CLOSES_AFTER
        return self._settings.bulk and over and self.remembers(day, context.zone, context.now)

    def pages(self, client: HttpClient, window: Window) -> Iterator[Page]:
        """Pages of a window, by cursor while the answer is TRUNCATED."""
        bounds = {"date_start": written(window.start), "date_end": written(window.end)}
        return self._listed(client, bounds)

    def read(self, pages: Sequence[LandedPage]) -> pl.LazyFrame:
        """Landed pages as OBSERVATIONS. An error code counts once the status is final."""
        status = _status()
        finalized = final_update(status, blank_to_null(pl.col("date_finalized")), self.provider)
        done = finalized["done_at_text"]
        price = blank_to_null(pl.col("total_price"))
        accepted = status_key(status).is_in(self._words(final=False))
        return observations(
            scan_pages(pages, FIELDS, _decoded),
            {
                "message_id": pl.col("message_id"),
                "recipient": with_plus(_shown("to")),
                "sender": _shown("from"),
                "campaign": blank_to_null(pl.col("client_ref")),
                "channel": pl.lit(Channel.SMS.value),
                "inbound": pl.lit(value=False),
                "status": status,
                "code": pl.when(~accepted.fill_null(value=False)).then(
                    blank_to_null(pl.col("error_code"))
                ),
                "created_at_text": pl.col("date_received"),
                "created_at": _time(pl.col("date_received")),
                "done_at_text": done,
                "done_at": _time(done),
                "done_at_origin": done_origin(done, TimeOrigin.PROVIDER),
                "price_text": price,
                "cost_micro": cost_micro(price, charge_is_negative=False),
                "currency": blank_to_null(pl.col("currency")).str.to_uppercase(),
                "text": _shown("message_body"),
                "mcc_mnc": blank_to_null(pl.col("network")),
                "operator": blank_to_null(pl.col("network_name")),
            },
        )

    def _query(self, more: Mapping[str, str]) -> dict[str, str]:
        return {
            "account_id": self._settings.api_key,
            "product": "SMS",
            "direction": "outbound",
            "include_message": str(self._settings.include_message).lower(),
            **more,
        }

    def _listed(self, client: HttpClient, what: Mapping[str, str]) -> Iterator[Page]:
        query = self._query(what)
        return paging.pages(
            self.name,
            lambda position: client.get_json(RECORDS_PATH, {**query, **_cursor(position)}),
            RECORDS,
            self._following,
        )

    def _following(self, data: Any, _found: list[Any], _position: str) -> str | None:
        if data.get("request_status") != "TRUNCATED":
            return None
        if not (data.get("cursor") and data.get("iv")):
            raise PermanentSourceError(
                f"{self.name}: the answer is TRUNCATED but gives no cursor, so records would be "
                f"lost. Report it to Vonage."
            )
        return f"{data['cursor']} {data['iv']}"

    def _report(self, client: HttpClient, window: Window, now: datetime) -> Iterator[Page]:
        settings = self._settings
        not_before = max(window.end + CLOSES_AFTER, now - FILE_LIFE)
        order = Order(settings.api_key, window, settings.include_message, not_before)
        return report_pages(self.name, client, order, FIELDS, settings.report_wait_minutes)

    def _by_ids(self, client: HttpClient, ids: list[str]) -> Iterator[Page]:
        for start in range(0, len(ids), IDS_AT_ONCE):
            yield from self._listed(client, {"id": ",".join(ids[start : start + IDS_AT_ONCE])})

    def _unfinished(self, landed: Sequence[LandedPage]) -> list[str]:
        """Identifiers that no landed record shows as final."""
        final = status_key(pl.col("status")).is_in(self._words(final=True))
        return (
            self.read(landed)
            .filter(pl.col("message_id").is_not_null())
            .group_by("message_id")
            .agg(final=final.fill_null(value=False).any())
            .filter(~pl.col("final"))
            .select(pl.col("message_id").sort())
            .collect()["message_id"]
            .to_list()
        )

    def _words(self, *, final: bool) -> list[str]:
        statuses = load_dictionary(self.provider).statuses
        return statuses.filter(pl.col("final") == final)["key"].to_list()


def _status() -> pl.Expr:
    """The status, with Vonage's own expiry told from that of a carrier."""
    status = blank_to_null(pl.col("status"))
    waited = _time(pl.col("date_finalized")) - _time(pl.col("date_received"))
    gave_up = (status_key(status) == EXPIRED) & (waited >= GIVES_UP_AFTER)
    return pl.when(gave_up).then(pl.lit(GAVE_UP)).otherwise(status)


def _decoded(page: LandedPage, body: bytes) -> pl.DataFrame:
    """A page of records, or the file of a report."""
    if page.format is PageFormat.CSV:
        return report_rows(body, FIELDS)
    return _READER.decode(page, body)


def _whole(landed: Sequence[LandedPage], end: datetime) -> bool:
    """Whether some pull of a day began when all its records were there."""
    began: dict[str, datetime] = {}
    for page in landed:
        began[page.pull] = min(page.received_at, began.get(page.pull, page.received_at))
    return any(moment >= end + CLOSES_AFTER for moment in began.values())


def _cursor(position: str) -> dict[str, str]:
    return dict(zip(("cursor", "iv"), position.split(), strict=True)) if position else {}


def _shown(column: str) -> pl.Expr:
    """A personal field, null where it is redacted."""
    value = blank_to_null(pl.col(column))
    return pl.when(value != HIDDEN).then(value)


def _time(text: pl.Expr) -> pl.Expr:
    return times_to_utc(text, (ISO,), "UTC")
