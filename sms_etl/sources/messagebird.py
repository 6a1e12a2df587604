"""MessageBird's REST API (the legacy one of Bird): the messages created in a window.

Facts: the vendor's description, api-evangelist/bird openapi/_original/bird-sms-openapi.yml
@8519200, and messagebird/go-rest-api sms/testdata @e0a41ed. One item of the list is one text to
up to 50 recipients, each with a status of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

import polars as pl
from pydantic import Field

from sms_etl.config.secrets import EnvSecret
from sms_etl.days import Window
from sms_etl.model.vocabulary import Channel
from sms_etl.sources import paging
from sms_etl.sources.auth import HeaderAuth
from sms_etl.sources.base import Facts, LandedPage, Page
from sms_etl.sources.counted import counted
from sms_etl.sources.http import BaseUrl, HttpClient, HttpSettings
from sms_etl.sources.http_source import Credentials, WindowSource
from sms_etl.sources.json_pages import JsonReader
from sms_etl.sources.records import final_update, observations, scan_pages
from sms_etl.sources.values import ISO, cost_micro, count, times_to_utc, with_plus

PATH = "/messages"
PAGE_SIZE, LARGEST_PAGE = 50, 200
BOUND = timedelta(seconds=1)
ITEMS, RECIPIENTS = "items", "recipients.items"
MESSAGE_FIELDS = (
    "id", "direction", "type", "originator", "body", "reference", "gateway", "createdDatetime",
)  # fmt: skip
RECIPIENT_FIELDS = (
    "recipient", "status", "statusDatetime", "statusReason", "statusErrorCode", "messagePartCount",
    "price.amount", "price.currency", "mccmnc", "recipientOperator",
)  # fmt: skip
FIELDS = (*MESSAGE_FIELDS, *(f"{RECIPIENTS}.{name}" for name in RECIPIENT_FIELDS))
READER = JsonReader(FIELDS, ITEMS, RECIPIENTS)
NO_ERROR = "0"
EXPIRED, NO_RECEIPT = "expired", "DLR not received"
BINARY = "binary"


class MessageBirdSettings(HttpSettings):
    """One MessageBird account with a key of the REST API; new Bird accounts are kind `bird`."""

    kind: Literal["messagebird"]
    access_key: EnvSecret
    base_url: BaseUrl = "https://rest.messagebird.com"
    page_size: Annotated[int, Field(ge=1, le=LARGEST_PAGE)] = PAGE_SIZE


class MessageBird(WindowSource[MessageBirdSettings]):
    """Lists the messages created in a window, a row per recipient."""

    provider = "messagebird"
    settings_type = MessageBirdSettings
    allowed = "the key may read messages"
    facts = Facts(
        title="MessageBird REST API (legacy)",
        window_filter="from and until, taken for the time of creation; asked a second wider",
        history="not stated by MessageBird",
        look_back="every day of the settling period is asked again",
        rate_limit="not stated as a number; HTTP 429 is waited out; 10 requests a second of 50 "
        "messages",
        proof="contract suite; the official SDK (messagebird) reads the whole sandbox, without "
        "windows and prices, which it does not know",
        missing="time of sending on; whether a failure came before or after the operator",
        reports="a message's identifier is the item's, a colon and the recipient's digits; the "
        "time of a final status stands for the delivered time; the reason comes from the error "
        "code, or where there is none from the status reason; expired without a receipt counts "
        "as unknown; waiting for scheduledDatetime counts as time to deliver",
        documents="api-evangelist/bird openapi/_original/bird-sms-openapi.yml@8519200, "
        "messagebird/go-rest-api@e0a41ed, https://docs.bird.com/api/channels-api/"
        "message-status-and-interactions/message-failure-sources/sms-platform-extended-error-codes",
        to_check="which time from and until mean; whether price.amount is of all parts; error "
        "codes marked unverified in the dictionary (only the first of the vendor's tables could "
        "be read); how long messages are listed; the largest page_size (50 is the description's "
        "example)",
    )

    def credentials(self, settings: MessageBirdSettings) -> Credentials:
        """The access key."""
        key = settings.access_key.get()
        auth = HeaderAuth("Authorization", f"AccessKey {key}")
        return Credentials(settings.access_key.variable, auth, key)

    def try_out(self, client: HttpClient) -> object:
        """List one message."""
        return client.get_json(PATH, {"limit": "1"})

    def pages(self, client: HttpClient, window: Window) -> Iterator[Page]:
        """Messages of a window by offset, newest first; a record is a recipient."""
        query = {
            "direction": "mt",
            "from": _written(window.start - BOUND),
            "until": _written(window.end),
            "limit": str(self._settings.page_size),
        }
        listed = paging.pages(
            self.name,
            lambda position: client.get_json(PATH, {**query, "offset": position}),
            ITEMS,
            paging.offset("totalCount"),
            start="0",
        )
        for page in listed:
            yield counted(page, READER)

    def read(self, pages: Sequence[LandedPage]) -> pl.LazyFrame:
        """Landed pages as OBSERVATIONS."""
        number = _of("recipient").str.strip_prefix("+")
        reason = _of("statusReason").str.replace_all("_", " ")
        no_receipt = (_of("status") == EXPIRED) & (reason == NO_RECEIPT)
        status = (
            pl.when(no_receipt).then(pl.format("{} ({})", _of("status"), reason))
            .otherwise(_of("status"))
        )  # fmt: skip
        error = pl.when(_of("statusErrorCode") != NO_ERROR).then(_of("statusErrorCode"))
        done = final_update(status, _of("statusDatetime"), self.provider)
        price = _of("price.amount")
        return observations(
            scan_pages(pages, FIELDS, READER.decode),
            {
                "message_id": pl.col("id") + ":" + number,
                "recipient": with_plus(number),
                "sender": pl.col("originator"),
                "service": pl.col("gateway"),
                "campaign": pl.col("reference"),
                "channel": pl.lit(Channel.SMS.value),
                "inbound": (pl.col("direction") == "mo").fill_null(value=False),
                "status": status,
                "code": pl.coalesce(error, reason),
                "created_at_text": pl.col("createdDatetime"),
                "created_at": _time(pl.col("createdDatetime")),
                **done,
                "done_at": _time(done["done_at_text"]),
                "updated_at": _time(_of("statusDatetime")),
                "parts_billed": count(_of("messagePartCount")),
                "price_text": price,
                "cost_micro": cost_micro(price, charge_is_negative=False),
                "currency": _of("price.currency").str.to_uppercase(),
                "text": pl.when(pl.col("type").ne_missing(BINARY)).then(pl.col("body")),
                "mcc_mnc": _of("mccmnc"),
                "operator": _of("recipientOperator"),
            },
        )


def _of(name: str) -> pl.Expr:
    """A field of the recipient."""
    return pl.col(f"{RECIPIENTS}.{name}")


def _written(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _time(text: pl.Expr) -> pl.Expr:
    return times_to_utc(text, (ISO,), "UTC")
