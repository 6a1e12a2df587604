"""Infobip SMS: the message logs of the last 48 hours.

Facts: api-evangelist/infobip openapi/infobip-sms-openapi.json 3.210.0 @b3be778 (the vendor's own
description), GET /sms/3/logs. The delivery reports endpoint is not used: it gives every report
once only, so reading it would take reports away from whoever else needs them. For received
messages likewise: not /sms/1/inbox/reports (once only) but /sms/1/inbox/logs, which is in the
vendor's older clients (infobip-api-java-client, GetReceivedSmsLogs) and not in the description.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

import polars as pl
from pydantic import Field

from sms_etl.config.secrets import EnvSecret
from sms_etl.days import Window
from sms_etl.errors import PermanentSourceError
from sms_etl.model.vocabulary import Channel, Engagement, TimeOrigin
from sms_etl.sources import paging
from sms_etl.sources.auth import HeaderAuth
from sms_etl.sources.base import Facts, LandedPage, Page, PullContext, Stream
from sms_etl.sources.http import BaseUrl, HttpClient, HttpSettings
from sms_etl.sources.http_source import Credentials, WindowSource
from sms_etl.sources.records import done_origin, events, observations, scan_json
from sms_etl.sources.values import ISO, cost_micro, count, times_to_utc, with_plus

log = logging.getLogger(__name__)

LOGS_PATH = "/sms/3/logs"
INBOX_PATH = "/sms/1/inbox/logs"
RECORDS = "results"
MEMORY = timedelta(hours=48)
BOUND = timedelta(milliseconds=1)
UNFINISHED_GROUPS = ("PENDING", "ACCEPTED")
FIELDS = (
    "messageId", "sender", "destination", "sentAt", "doneAt", "messageCount",
    "price.pricePerMessage", "price.currency", "status.groupName", "status.name", "error.id",
    "platform.applicationId", "campaignReferenceId", "content.text", "mccMnc",
)  # fmt: skip
INBOX_FIELDS = ("messageId", "from", "to", "receivedAt", "text", "campaignReferenceId")


class InfobipSettings(HttpSettings):
    """One Infobip account. `base_url` is its personal one: https://….api.infobip.com."""

    kind: Literal["infobip"]
    api_key: EnvSecret
    base_url: BaseUrl
    requests_per_second: Annotated[float, Field(gt=0, le=1000)] = 2.0
    page_size: Annotated[int, Field(ge=1, le=1000)] = 1000
    engagement: tuple[Literal["replies"], ...] = ()


class Infobip(WindowSource[InfobipSettings]):
    """Lists the messages sent in a window, as long as Infobip remembers them."""

    provider = "infobip"
    shortest_slice = timedelta(hours=1)
    settings_type = InfobipSettings
    memory = MEMORY
    spill_days = 1
    allowed = "the key may read SMS logs"
    facts = Facts(
        title="Infobip SMS logs",
        window_filter="sentAt, to the millisecond; both bounds are taken for exclusive",
        history="48 hours; older messages are in the portal's exports only (use drop_folder)",
        look_back="days that ended less than 48 hours ago; older ones are left as they were landed",
        rate_limit="120 requests a minute (as read from the vendor's API description)",
        proof="contract suite; daily pulls over weeks of the sandbox bring every message; the "
        "official SDK (infobip-api-python-client) reads the simulated logs and asks the same",
        missing="time of acceptance; what changed later than 48 hours after sending",
        reports="sentAt stands for the submission; a message still pending when Infobip forgets "
        "it ends as unknown, without a receipt",
        documents="api-evangelist/infobip openapi/infobip-sms-openapi.json 3.210.0 @b3be778, "
        "https://www.infobip.com/docs/api/channels/sms/logs-and-status-reports",
        to_check="run at least once a day soon after midnight; that sentAt is there for messages "
        "still pending; that the last page has no nextCursor or no results; that the key may "
        "read /sms/1/inbox/logs, and its bounds",
        engagement="replies of the last 48 hours by /sms/1/inbox/logs, newest first; the list in "
        "the current description, /sms/1/inbox/reports, is never asked because it empties itself "
        "when read",
    )

    def credentials(self, settings: InfobipSettings) -> Credentials:
        """The API key; it needs the scope sms:logs:read."""
        key = settings.api_key.get()
        return Credentials(
            settings.api_key.variable, HeaderAuth("Authorization", f"App {key}"), key
        )

    def try_out(self, client: HttpClient) -> object:
        """List one message."""
        return client.get_json(LOGS_PATH, {"limit": "1"})

    def pages(self, client: HttpClient, window: Window) -> Iterator[Page]:
        """Pages by cursor; without one Infobip gives the latest messages only."""
        query = {
            "sentSince": _written(window.start - BOUND),
            "sentUntil": _written(window.end),
            "limit": str(self._settings.page_size),
            "useCursor": "true",
        }
        yield from paging.pages(
            self.name,
            lambda cursor: client.get_json(
                LOGS_PATH, {**query, "cursor": cursor} if cursor else query
            ),
            RECORDS,
            _next_cursor,
        )

    def read(self, pages: Sequence[LandedPage]) -> pl.LazyFrame:
        """Landed pages as OBSERVATIONS.

        The price is of one part. doneAt counts once the status group is no longer pending.
        """
        unfinished = pl.col("status.groupName").is_in(UNFINISHED_GROUPS).fill_null(value=False)
        done = pl.when(~unfinished).then(pl.col("doneAt"))
        parts = count(pl.col("messageCount"))
        price = pl.col("price.pricePerMessage")
        return observations(
            scan_json(pages, FIELDS, RECORDS),
            {
                "message_id": pl.col("messageId"),
                "recipient": with_plus(pl.col("destination")),
                "sender": pl.col("sender"),
                "service": pl.col("platform.applicationId"),
                "campaign": pl.col("campaignReferenceId"),
                "channel": pl.lit(Channel.SMS.value),
                "inbound": pl.lit(value=False),
                "status": pl.col("status.name"),
                "code": pl.col("error.id"),
                "sent_at_text": pl.col("sentAt"),
                "sent_at": _time(pl.col("sentAt")),
                "done_at_text": done,
                "done_at": _time(done),
                "done_at_origin": done_origin(done, TimeOrigin.PROVIDER),
                "parts_billed": parts,
                "price_text": price,
                "cost_micro": cost_micro(price, charge_is_negative=False) * parts,
                "currency": pl.col("price.currency").str.to_uppercase(),
                "text": pl.col("content.text"),
                "mcc_mnc": pl.col("mccMnc"),
            },
        )

    def streams(self) -> tuple[Stream, ...]:
        """Replies."""
        return (
            self.stream(
                Engagement.REPLIES,
                self._inbox,
                self._read_inbox,
                lambda client: client.get_json(INBOX_PATH, {"limit": "1"}),
                memory=MEMORY,
            ),
        )

    def _inbox(self, client: HttpClient, window: Window, _context: PullContext) -> Iterator[Page]:
        """Received messages, newest first: each page is asked for from where the last one ended.

        The moment a page ends with is asked for again, because it may have more messages.
        """
        query = {
            "receivedSince": _written(window.start - BOUND),
            "limit": str(self._settings.page_size),
        }
        yield from paging.pages(
            self.name,
            lambda until: client.get_json(INBOX_PATH, {**query, "receivedUntil": until}),
            RECORDS,
            self._earlier,
            start=_written(window.end),
        )

    def _earlier(self, _data: Any, found: list[Any], position: str) -> str | None:
        """Just after the oldest message of a page; the end if the page brought nothing older."""
        texts = [record.get("receivedAt") for record in found if isinstance(record, dict)]
        times = pl.Series([text for text in texts if isinstance(text, str)], dtype=pl.String)
        oldest = pl.select(_time(pl.lit(times)).min()).item() if len(times) else None
        following = _written(oldest + BOUND) if oldest is not None else position
        if following != position:
            return following
        if len(found) >= self._settings.page_size:
            raise PermanentSourceError(
                f"{self.name}: more messages came in at {position} than fit a page, and Infobip "
                f"gives no way to read on. Set page_size higher (at most 1000)."
            )
        return None

    def _read_inbox(self, pages: Sequence[LandedPage]) -> pl.LazyFrame:
        received = pl.col("receivedAt")
        return events(
            scan_json(pages, INBOX_FIELDS, RECORDS),
            {
                "event_id": pl.col("messageId"),
                "recipient": with_plus(pl.col("from")),
                "sender": pl.col("to"),
                "campaign": pl.col("campaignReferenceId"),
                "at_text": received,
                "at": _time(received),
                "text": pl.col("text"),
            },
        )


def _next_cursor(data: Any, found: list[Any], position: str) -> str | None:
    """The cursor of the next page; a page without results is the last one."""
    return paging.given("cursor.nextCursor")(data, found, position) if found else None


def _written(moment: datetime) -> str:
    """A time as Infobip writes it: yyyy-MM-dd'T'HH:mm:ss.SSSZ, the offset without a colon."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}+0000"


def _time(text: pl.Expr) -> pl.Expr:
    return times_to_utc(text, (ISO,), "UTC")
