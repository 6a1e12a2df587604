"""Bird's platform API (bird.com, since 2026): the SMS messages created in a window.

Facts: the official SDK, PyPI messagebird-sdk 0.106.0 (generated from Bird's own description),
github.com/messagebird/bird-sdk-python @d74be48. Keys begin with bk_; those of app.bird.com
(channels) and of MessageBird belong to other APIs, the latter to kind `messagebird`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

import polars as pl
from pydantic import Field

from sms_etl.config.secrets import EnvSecret
from sms_etl.days import Window
from sms_etl.model.vocabulary import Channel, TimeOrigin
from sms_etl.sources import paging
from sms_etl.sources.auth import BearerAuth
from sms_etl.sources.base import Facts, LandedPage, Page
from sms_etl.sources.http import BaseUrl, HttpClient, HttpSettings
from sms_etl.sources.http_source import Credentials, WindowSource
from sms_etl.sources.records import done_origin, final_update, observations, scan_json
from sms_etl.sources.values import ISO, cost_micro, count, times_to_utc

PATH = "/v1/sms/messages"
RECORDS = "data"
PAGE_SIZE, LARGEST_PAGE = 100, 1000
BOUND = timedelta(seconds=1)
MOST_TAGS = 20
HIDDEN = "**REDACTED**"
"""Stands for the text of one-time codes."""
FIELDS = (
    "id", "direction", "status", "to", "from", "text", "messaging_profile_id", "segments.count",
    "cost.amount", "cost.currency_code", "carrier", "mcc_mnc", "last_error.code",
    "last_error.occurred_at", "created_at", "sent_at", "delivered_at",
    *(f"tags.{number}.{part}" for number in range(MOST_TAGS) for part in ("name", "value")),
)  # fmt: skip


class BirdSettings(HttpSettings):
    """One Bird workspace; `campaign_tag` is the name of the tag that holds the campaign.

    `base_url` names the region of the key: bk_eu1_… is for https://eu1.platform.bird.com.
    """

    kind: Literal["bird"]
    api_key: EnvSecret
    base_url: BaseUrl
    campaign_tag: str = "campaign"
    page_size: Annotated[int, Field(ge=1, le=LARGEST_PAGE)] = PAGE_SIZE


class Bird(WindowSource[BirdSettings]):
    """Lists the outbound messages created in a window."""

    provider = "bird"
    settings_type = BirdSettings
    allowed = "the key may read SMS messages"
    facts = Facts(
        title="Bird platform API (SMS)",
        window_filter="created_at; asked a second wider",
        history="not stated by Bird",
        look_back="every day of the settling period is asked again",
        rate_limit="not stated as a number; HTTP 429 is waited out; 10 requests a second",
        proof="contract suite; the official SDK (messagebird-sdk) reads the whole sandbox",
        missing="time of cancelling; text of one-time codes; a word for messages whose receipt "
        "never comes",
        reports="a message without a receipt ends as unknown by its silence; the campaign is the "
        "tag named in the settings",
        documents="https://pypi.org/project/messagebird-sdk/0.106.0/, "
        "messagebird/bird-sdk-python@d74be48",
        to_check="whether created_after is included (for e-mail it is, and created_before is "
        "not); the largest page_size; how long messages are listed; carrier_error_code says more "
        "than the code and is landed, not read",
    )

    def credentials(self, settings: BirdSettings) -> Credentials:
        """The API key."""
        key = settings.api_key.get()
        return Credentials(settings.api_key.variable, BearerAuth(key), key)

    def try_out(self, client: HttpClient) -> object:
        """List one message."""
        return client.get_json(PATH, {"limit": "1"})

    def pages(self, client: HttpClient, window: Window) -> Iterator[Page]:
        """Messages of a window, newest first, by cursor."""
        query = {
            "direction": "outbound",
            "created_after": _written(window.start - BOUND),
            "created_before": _written(window.end),
            "limit": str(self._settings.page_size),
        }
        return paging.pages(
            self.name,
            lambda cursor: client.get_json(
                PATH, {**query, "starting_after": cursor} if cursor else query
            ),
            RECORDS,
            paging.given("next_cursor"),
        )

    def read(self, pages: Sequence[LandedPage]) -> pl.LazyFrame:
        """Landed pages as OBSERVATIONS. An error counts once the status is final."""
        ended = pl.coalesce("delivered_at", "last_error.occurred_at")
        done = final_update(pl.col("status"), ended, self.provider)["done_at_text"]
        price = pl.col("cost.amount")
        return observations(
            scan_json(pages, FIELDS, RECORDS),
            {
                "message_id": pl.col("id"),
                "recipient": pl.col("to"),
                "sender": pl.col("from"),
                "service": pl.col("messaging_profile_id"),
                "campaign": _tag(self._settings.campaign_tag),
                "channel": pl.lit(Channel.SMS.value),
                "inbound": (pl.col("direction") == "inbound").fill_null(value=False),
                "status": pl.col("status"),
                "code": pl.when(done.is_not_null() & pl.col("delivered_at").is_null()).then(
                    pl.col("last_error.code")
                ),
                "created_at_text": pl.col("created_at"),
                "sent_at_text": pl.col("sent_at"),
                "done_at_text": done,
                "created_at": _time(pl.col("created_at")),
                "sent_at": _time(pl.col("sent_at")),
                "done_at": _time(done),
                "done_at_origin": done_origin(done, TimeOrigin.PROVIDER),
                "parts_billed": count(pl.col("segments.count")),
                "price_text": price,
                "cost_micro": cost_micro(price, charge_is_negative=False),
                "currency": pl.col("cost.currency_code"),
                "text": pl.when(pl.col("text") != HIDDEN).then(pl.col("text")),
                "mcc_mnc": pl.col("mcc_mnc"),
                "operator": pl.col("carrier"),
            },
        )


def _tag(name: str) -> pl.Expr:
    """The value of the tag with this name; names are unique in a message."""
    return pl.coalesce(
        pl.when(pl.col(f"tags.{number}.name") == name).then(pl.col(f"tags.{number}.value"))
        for number in range(MOST_TAGS)
    )


def _written(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _time(text: pl.Expr) -> pl.Expr:
    return times_to_utc(text, (ISO,), "UTC")
