"""Sinch SMS REST API: the batches of a window, joined with the finished delivery reports.

Facts: the official SDKs, sinch/sinch-sdk-java @d747cc3 (JSON fixtures, query parameters) and
sinch 2.3.0 on PyPI, and developers.sinch.com, Delivery reports. A batch names its recipients,
sender and time; what became of each recipient stands in a list of its own.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Literal

import polars as pl

from sms_etl.config.secrets import EnvSecret
from sms_etl.days import Window
from sms_etl.model.vocabulary import Channel, Engagement
from sms_etl.sources import paging
from sms_etl.sources.auth import BearerAuth
from sms_etl.sources.base import Facts, LandedPage, Page, Stream
from sms_etl.sources.counted import rows_of
from sms_etl.sources.http import BaseUrl, HttpClient, HttpSettings
from sms_etl.sources.http_source import Credentials, WindowSource
from sms_etl.sources.json_pages import MALFORMED, JsonReader
from sms_etl.sources.records import events, final_update, observations, scan_json, scan_pages
from sms_etl.sources.values import ISO, count, times_to_utc, with_plus

log = logging.getLogger(__name__)


class Listing(StrEnum):
    """The lists; the path of each, and its key in the answer. The last is of replies."""

    BATCHES = "batches"
    REPORTS = "delivery_reports"
    INBOUNDS = "inbounds"


LISTING = "listing"
"""Key of a page's meta: which list it is of."""
PAGE_SIZE = 100
MEMORY = timedelta(days=14)
REPORTS_AFTER = timedelta(days=5)
"""Reports are asked for until this long after a window: a message lives 3 days at most."""
TEXT = "mt_text"
CANCELLED = "Cancelled"
"""Sinch's word in reports. A scheduled batch that is cancelled gets none: the batch alone tells."""
BATCH_FIELDS = (
    "id", "to", "from", "type", "body", "canceled", "created_at", "client_reference",
)  # fmt: skip
REPORT_FIELDS = (
    "batch_id", "recipient", "status", "code", "at", "operator", "number_of_message_parts",
    "applied_originator",
)  # fmt: skip
INBOUND_FIELDS = ("id", "from", "to", "body", "received_at", "client_reference")
READERS = {
    Listing.BATCHES: JsonReader(BATCH_FIELDS, Listing.BATCHES, each="to"),
    Listing.REPORTS: JsonReader(REPORT_FIELDS, Listing.REPORTS),
}
_NUMBER = r"^\+?\d+$"
_NETWORK = r"^\d{5,6}$"
_BROKEN = pl.col(MALFORMED).is_not_null()
_TO_A_NUMBER = pl.col("to").str.contains(_NUMBER).fill_null(value=False) | _BROKEN


class SinchSettings(HttpSettings):
    """One Sinch service plan. `base_url` names its region: https://eu.sms.api.sinch.com."""

    kind: Literal["sinch"]
    service_plan_id: str
    api_token: EnvSecret
    base_url: BaseUrl
    engagement: tuple[Literal["replies"], ...] = ()


class Sinch(WindowSource[SinchSettings]):
    """Lists the batches created in a window, then the finished reports that may be of them."""

    provider = "sinch"
    settings_type = SinchSettings
    memory = MEMORY
    allowed = "the service plan's batches may be read"
    facts = Facts(
        title="Sinch SMS REST API",
        window_filter="created_at of the batch; the start is included, the end is not",
        history="14 days (of batches)",
        look_back="every day of the settling period is asked again, with the reports of the five "
        "days after it",
        rate_limit="not stated as a number; HTTP 429 is waited out; 10 requests a second",
        proof="contract suite; the official SDK (sinch) reads both lists of the whole sandbox",
        missing="price, time of sending on, and (unless Sinch enables it) operator and parts; "
        "messages to a group that have no report yet",
        reports="a message's identifier is the batch's, a colon and the recipient's digits; the "
        "time of its report stands for the delivered time; cost comes from the tariff; parts "
        "from the text where the report does not tell; waiting for send_at counts as time to "
        "deliver; an MMS is set aside as unreadable",
        documents="sinch/sinch-sdk-java@d747cc3, https://pypi.org/project/sinch/2.3.0/, "
        "https://developers.sinch.com/docs/sms/api-reference/sms/tag/Delivery-reports/, "
        "sinch/docs docs/sms/sms-smpp/sms-smpp-error-specification.md@a7e241c",
        to_check="which time start_date and end_date of the reports mean (either reading is "
        "covered up to five days after submission); the "
        "14 days (documents of 2021 say 35)",
        engagement="replies of the last 14 days (inbounds), with the client_reference of what they "
        "answer where Sinch enables it; a media message is set aside as unreadable",
    )

    def credentials(self, settings: SinchSettings) -> Credentials:
        """The token of the service plan."""
        token = settings.api_token.get()
        return Credentials(settings.service_plan_id, BearerAuth(token), token)

    def try_out(self, client: HttpClient) -> object:
        """List one batch."""
        return client.get_json(self._path(Listing.BATCHES), {"page": "0", "page_size": "1"})

    def pages(self, client: HttpClient, window: Window) -> Iterator[Page]:
        """The batches of a window, then the reports from its start on.

        A record is a recipient of a batch or a report about one; reports about other days'
        batches are landed and counted with the pulls of their own days.
        """
        ids: set[str] = set()
        for page in self._listed(client, Listing.BATCHES, window):
            found = rows_of(page, READERS[Listing.BATCHES])
            ids.update(found["id"].drop_nulls())
            yield _counted(page, Listing.BATCHES, found.filter(_TO_A_NUMBER))
        later = Window(window.start, window.end + REPORTS_AFTER)
        for page in self._listed(client, Listing.REPORTS, later):
            found = rows_of(page, READERS[Listing.REPORTS])
            ours = pl.col("batch_id").is_in(list(ids)).fill_null(value=False)
            yield _counted(page, Listing.REPORTS, found.filter(ours | _BROKEN))

    def read(self, pages: Sequence[LandedPage]) -> pl.LazyFrame:
        """Landed pages as OBSERVATIONS: both records of a message say all that is known of it."""
        batches = _scan(pages, Listing.BATCHES).rename({"id": "batch_id"})
        reports = _scan(pages, Listing.REPORTS).with_columns(number=_digits("recipient"))
        sent = batches.with_columns(number=_digits("to")).filter(_TO_A_NUMBER)
        report_key, batch_key = ["pull", "batch_id", "number"], ["pull", "batch_id"]
        told = reports.drop("page", "record", "pulled_at", MALFORMED).unique(
            report_key, keep="last", maintain_order=True
        )
        heads = batches.select(
            *batch_key, *BATCH_FIELDS[2:], broken_batch=MALFORMED, known=pl.lit(value=True)
        ).unique(batch_key, keep="last", maintain_order=True)
        rows = [
            sent.join(told, on=report_key, how="left", maintain_order="left"),
            reports.join(heads, on=batch_key, how="left", maintain_order="left")
            .filter(pl.col("known").fill_null(value=False) | _BROKEN)
            .with_columns(pl.coalesce(MALFORMED, "broken_batch")),
        ]
        return self._observed(pl.concat(rows, how="diagonal"))

    def streams(self) -> tuple[Stream, ...]:
        """Replies."""
        return (
            self.stream(
                Engagement.REPLIES,
                lambda client, window, _context: self._listed(client, Listing.INBOUNDS, window),
                _read_replies,
                lambda client: client.get_json(
                    self._path(Listing.INBOUNDS), {"page": "0", "page_size": "1"}
                ),
                memory=MEMORY,
            ),
        )

    def _observed(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        cancelled = pl.when(pl.col("canceled") == "true").then(pl.lit(CANCELLED))
        status = pl.coalesce("status", cancelled)
        done = final_update(status, pl.col("at"), self.provider)
        network = pl.col("operator").str.contains(_NETWORK)
        is_plain = (pl.col("type") == TEXT) & ~pl.col("body").str.contains("${", literal=True)
        return observations(
            rows,
            {
                "message_id": pl.col("batch_id") + ":" + pl.col("number"),
                "recipient": with_plus(pl.col("number")),
                "sender": pl.coalesce("from", "applied_originator"),
                "campaign": pl.col("client_reference"),
                "channel": pl.lit(Channel.SMS.value),
                "inbound": pl.lit(value=False),
                "status": status,
                "code": pl.col("code"),
                "created_at_text": pl.col("created_at"),
                "created_at": _time("created_at"),
                **done,
                "done_at": times_to_utc(done["done_at_text"], (ISO,), "UTC"),
                "updated_at": _time("at"),
                "parts_billed": count(pl.col("number_of_message_parts")),
                "text": pl.when(is_plain).then(pl.col("body")),
                "mcc_mnc": pl.when(network).then(pl.col("operator")),
                "operator": pl.when(~network).then(pl.col("operator")),
            },
        )

    def _listed(self, client: HttpClient, listing: Listing, window: Window) -> Iterator[Page]:
        """A list to its first empty page: page_size in an answer is only what came."""
        query = {
            "start_date": _written(window.start),
            "end_date": _written(window.end),
            "page_size": str(PAGE_SIZE),
        }
        return paging.pages(
            self.name,
            lambda number: client.get_json(self._path(listing), {**query, "page": number}),
            listing,
            paging.page_number(first=0),
            start="0",
        )

    def _path(self, listing: Listing) -> str:
        return f"/xms/v1/{self._settings.service_plan_id}/{listing}"


def _read_replies(pages: Sequence[LandedPage]) -> pl.LazyFrame:
    return events(
        scan_json(pages, INBOUND_FIELDS, Listing.INBOUNDS),
        {
            "event_id": pl.col("id"),
            "recipient": with_plus(pl.col("from")),
            "sender": pl.col("to"),
            "campaign": pl.col("client_reference"),
            "at_text": pl.col("received_at"),
            "at": _time("received_at"),
            "text": pl.col("body"),
        },
    )


def _scan(pages: Sequence[LandedPage], listing: Listing) -> pl.LazyFrame:
    fields = BATCH_FIELDS if listing is Listing.BATCHES else REPORT_FIELDS
    mine = [page for page in pages if page.meta.get(LISTING) == listing]
    return scan_pages(mine, fields, READERS[listing].decode)


def _counted(page: Page, listing: Listing, rows: pl.DataFrame) -> Page:
    return replace(page, records=rows.height, meta={**page.meta, LISTING: listing.value})


def _digits(column: str) -> pl.Expr:
    return pl.col(column).str.strip_prefix("+")


def _written(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.000Z}"


def _time(column: str) -> pl.Expr:
    return times_to_utc(pl.col(column), (ISO,), "UTC")
