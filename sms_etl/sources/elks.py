"""46elks SMS history: one record per message, newest first.

Facts: https://46elks.se/docs/sms-history and https://46elks.se/docs/show-sms-id .
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Literal

import polars as pl
from requests.auth import HTTPBasicAuth

from sms_etl.config.secrets import EnvSecret
from sms_etl.config.settings import Currency
from sms_etl.days import Window
from sms_etl.model.vocabulary import TimeOrigin
from sms_etl.sources import paging
from sms_etl.sources.base import Facts, LandedPage, Page
from sms_etl.sources.http import BaseUrl, HttpClient, HttpSettings
from sms_etl.sources.http_source import Credentials, WindowSource
from sms_etl.sources.records import done_origin, observations, scan_json
from sms_etl.sources.values import ISO, cost_micro, times_to_utc

PATH = "/a1/sms"
PAGE_SIZE = 100
RECORDS = "data"
FIELDS = ("id", "created", "delivered", "direction", "from", "to", "message", "status", "cost")
COST_UNITS = 10_000
"""Costs are whole ten-thousandths of the currency unit."""
TICK = timedelta(microseconds=1)


class ElksSettings(HttpSettings):
    """One 46elks account. Its records have costs without a currency."""

    kind: Literal["elks"]
    username: str
    password: EnvSecret
    currency: Currency
    base_url: BaseUrl = "https://api.46elks.com"


class Elks(WindowSource[ElksSettings]):
    """Lists the messages created in a window."""

    provider = "elks"
    settings_type = ElksSettings
    shortest_slice = timedelta(hours=1)
    allowed = "the account's SMS history may be read"
    facts = Facts(
        title="46elks SMS history",
        window_filter="time of creation, to the microsecond; 'start' is the later bound and 'end' "
        "the earlier one",
        history="not stated by 46elks",
        look_back="every day of the settling period is asked again",
        rate_limit="not stated by 46elks; HTTP 429 is waited out; 10 requests a second of 100 "
        "messages",
        proof="contract suite; no official SDK or OpenAPI description was found",
        missing="the reason of a failure, time of sending, parts, currency, campaign; the text of "
        "messages sent with dontlog=message",
        reports="failed messages have no stated reason; campaigns come from the outbox, parts "
        "from the text; costs are in the currency of the settings",
        documents="https://46elks.se/docs/sms-history, https://46elks.se/docs/show-sms-id, "
        "https://46elks.se/docs/sms-delivery-reports",
        to_check="whether 'start' and 'end' include their own moment; whether 'next' leaves out "
        "messages created in the same microsecond; whether failed messages are charged",
    )

    def credentials(self, settings: ElksSettings) -> Credentials:
        """The API user and its password."""
        secret = settings.password.get()
        return Credentials(settings.username, HTTPBasicAuth(settings.username, secret), secret)

    def try_out(self, client: HttpClient) -> object:
        """List one message."""
        return client.get_json(PATH, {"limit": "1"})

    def pages(self, client: HttpClient, window: Window) -> Iterator[Page]:
        """From the end of a window down to its start, so that new messages push none away."""
        query = {"end": _written(window.start - TICK), "limit": str(PAGE_SIZE)}
        return paging.pages(
            self.name,
            lambda start: client.get_json(PATH, {**query, "start": start}),
            RECORDS,
            paging.given("next"),
            start=_written(window.end),
        )

    def read(self, pages: Sequence[LandedPage]) -> pl.LazyFrame:
        """Landed pages as OBSERVATIONS; an automatic answer (outgoing-reply) is a message sent."""
        delivered, cost = pl.col("delivered"), pl.col("cost")
        return observations(
            scan_json(pages, FIELDS, RECORDS),
            {
                "message_id": pl.col("id"),
                "recipient": pl.col("to"),
                "sender": pl.col("from"),
                "inbound": (pl.col("direction") == "incoming").fill_null(value=False),
                "status": pl.col("status"),
                "created_at_text": pl.col("created"),
                "done_at_text": delivered,
                "created_at": times_to_utc(pl.col("created"), (ISO,), "UTC"),
                "done_at": times_to_utc(delivered, (ISO,), "UTC"),
                "done_at_origin": done_origin(delivered, TimeOrigin.PROVIDER),
                "price_text": cost,
                "cost_micro": cost_micro(cost, charge_is_negative=False) // COST_UNITS,
                "currency": pl.lit(self._settings.currency),
                "text": pl.col("message"),
            },
        )


def _written(moment: datetime) -> str:
    """A moment as 46elks writes it: UTC without a zone."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")
