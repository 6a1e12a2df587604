"""Plivo Messaging API: the list of messages, by the time they were submitted.

Facts: github.com/plivo/plivo-python plivo/resources/messages.py @a0cd323 (4.63.0) and
https://www.plivo.com/docs/messaging/api/messages/ .
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit

import polars as pl
from pydantic import Field
from requests.auth import HTTPBasicAuth

from sms_etl.config.secrets import EnvSecret
from sms_etl.days import Window
from sms_etl.model.vocabulary import Channel
from sms_etl.sources import paging
from sms_etl.sources.base import Facts, LandedPage, Page
from sms_etl.sources.http import BaseUrl, HttpClient, HttpSettings
from sms_etl.sources.http_source import Credentials, WindowSource
from sms_etl.sources.records import final_update, observations, scan_json
from sms_etl.sources.values import ISO, cost_micro, count, times_to_utc, with_plus

PAGE_SIZE = 20
REQUESTS_PER_MINUTE = 20
ASKED_TIME = "%Y-%m-%d %H:%M:%S"
CURRENCY = "USD"
RECORDS = "objects"
POSITIONS = ("cursor", "offset")
"""What a link to the next page may hold; a cursor goes before an offset."""
FIELDS = (
    "message_uuid", "message_time", "message_sent_time", "message_updated_time", "message_state",
    "message_direction", "message_type", "from_number", "to_number", "units", "total_amount",
    "error_code", "powerpack_id",
)  # fmt: skip


class PlivoSettings(HttpSettings):
    """One Plivo account (MA…) or sub-account (SA…)."""

    kind: Literal["plivo"]
    auth_id: Annotated[str, Field(pattern=r"^(MA|SA)[A-Z0-9]{18}$")]
    auth_token: EnvSecret
    base_url: BaseUrl = "https://api.plivo.com"
    requests_per_second: Annotated[float, Field(gt=0, le=1000)] = REQUESTS_PER_MINUTE / 60


class Plivo(WindowSource[PlivoSettings]):
    """Lists the outbound messages submitted in a window, 20 a page."""

    provider = "plivo"
    settings_type = PlivoSettings
    allowed = "the account's messages may be read"
    memory = timedelta(days=90)
    facts = Facts(
        title="Plivo Messaging API",
        window_filter="message_time (submission), to the second; outbound only",
        history="90 days; older days come back empty",
        look_back="every day of the settling period is asked again",
        rate_limit="20 requests a minute of 20 messages: 24 000 messages an hour",
        proof="contract suite; the official SDK (plivo) reads the simulated day; no official "
        "OpenAPI description exists",
        missing="time of delivery, operator, currency, text",
        reports="the last change of a final status stands for the delivered time; the operator "
        "comes from the number's range; prices are taken as US dollars; an amount of zero is "
        "read as not charged yet",
        documents="github.com/plivo/plivo-python plivo/resources/messages.py@a0cd323, "
        "https://www.plivo.com/docs/messaging/api/messages/, "
        "https://plivo.com/docs/messaging/troubleshooting/error-codes",
        to_check="the order of the list and how late a state still changes are not documented; "
        "compare one day with the console, and look up codes 300, 420, 450 to 452, 910 and 950, "
        "whose meanings are unverified",
    )

    def credentials(self, settings: PlivoSettings) -> Credentials:
        """The account and its token."""
        token = settings.auth_token.get()
        return Credentials(settings.auth_id, HTTPBasicAuth(settings.auth_id, token), token)

    def try_out(self, client: HttpClient) -> object:
        """List one message."""
        return client.get_json(self._path, {"limit": "1"})

    def pages(self, client: HttpClient, window: Window) -> Iterator[Page]:
        """Outbound messages of a window; without one Plivo lists the last 24 hours only.

        The position is taken from `meta.next`, an offset or a cursor, as the official SDK does
        (plivo/base.py, 4.63.0): an offset of our own would bring the first page again where
        Plivo pages by cursor.
        """
        query = {
            "message_direction": "outbound",
            "message_time__gte": _asked(window.start),
            "message_time__lt": _asked(window.end),
            "limit": str(PAGE_SIZE),
        }
        return paging.pages(
            self.name,
            lambda position: client.get_json(self._path, query | dict(parse_qsl(position))),
            RECORDS,
            _following,
            start="offset=0",
        )

    def read(self, pages: Sequence[LandedPage]) -> pl.LazyFrame:
        """Landed pages as OBSERVATIONS."""
        kind = pl.col("message_type").str.to_lowercase()
        done = final_update(pl.col("message_state"), pl.col("message_updated_time"), self.provider)
        cost = cost_micro(pl.col("total_amount"), charge_is_negative=False)
        charged = cost.ne_missing(0)
        return observations(
            scan_json(pages, FIELDS, RECORDS),
            {
                "message_id": pl.col("message_uuid"),
                "recipient": with_plus(pl.col("to_number")),
                "sender": pl.col("from_number"),
                "service": pl.col("powerpack_id"),
                "channel": pl.when(kind.is_in([word.value for word in Channel])).then(kind),
                "inbound": (pl.col("message_direction") == "inbound").fill_null(value=False),
                "status": pl.col("message_state"),
                "code": pl.col("error_code"),
                "created_at_text": pl.col("message_time"),
                "sent_at_text": pl.col("message_sent_time"),
                **done,
                "created_at": _time(pl.col("message_time")),
                "sent_at": _time(pl.col("message_sent_time")),
                "done_at": _time(done["done_at_text"]),
                "updated_at": _time(pl.col("message_updated_time")),
                "parts_billed": count(pl.col("units")),
                "price_text": pl.when(charged).then(pl.col("total_amount")),
                "cost_micro": pl.when(charged).then(cost),
                "currency": pl.when(pl.col("total_amount").is_not_null()).then(pl.lit(CURRENCY)),
            },
        )

    @property
    def _path(self) -> str:
        return f"/v1/Account/{self._settings.auth_id}/Message/"


def _following(data: Any, found: list[Any], position: str) -> str | None:
    """Where the next page's link says it begins; without a link, an offset up to the count."""
    link = dict(parse_qsl(urlsplit(paging.at(data, "meta.next") or "").query))
    for name in POSITIONS:
        if name in link:
            return urlencode({name: link[name]})
    offset = dict(parse_qsl(position)).get("offset")
    reached = offset and paging.offset("meta.total_count")(data, found, offset)
    return urlencode({"offset": reached}) if reached else None


def _asked(moment: datetime) -> str:
    """Plivo wants UTC, without T and without a zone."""
    return moment.strftime(ASKED_TIME)


def _time(text: pl.Expr) -> pl.Expr:
    """Plivo answers with an offset, which need not be UTC; without one it is UTC."""
    return times_to_utc(text, (ISO,), "UTC")
