"""Mobizon API: the messages whose sending started in a window.

Facts: github.com/mobizon/mobizon-api-docs @bde2569 (the company's own documents),
src/v1/en/message/api/list.md, _other/smsStatus.md and _other/apiCode.md; for clicks see
mobizon_links.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import polars as pl
from pydantic import Field

from sms_etl.config.secrets import EnvSecret
from sms_etl.config.settings import ZoneName
from sms_etl.days import Window
from sms_etl.errors import PermanentSourceError, TransientSourceError
from sms_etl.model.vocabulary import Channel, Engagement
from sms_etl.sources import mobizon_links, paging
from sms_etl.sources.auth import QueryAuth
from sms_etl.sources.base import Facts, LandedPage, Page, Stream
from sms_etl.sources.http import Answer, BaseUrl, HttpClient, HttpSettings
from sms_etl.sources.http_source import Credentials, WindowSource
from sms_etl.sources.mobizon_links import IN_ALL, INTERFACE, RECORDS, following
from sms_etl.sources.records import final_update, observations, scan_json
from sms_etl.sources.values import (
    ISO,
    blank_to_null,
    cost_micro,
    count,
    later_reading,
    times_to_utc,
    with_plus,
)

PATH = "/service/Message/List"
PAGE_SIZE, SMALLEST_PAGE = 100, 25
FIELDS = (
    "id", "campaignId", "segNum", "segUserBuy", "from", "to", "text", "status", "operatorName",
    "startSendTs", "statusUpdateTs",
)  # fmt: skip
DONE = 0
BUSY_CODES = frozenset({3, 10, 30, 999})
KEY_CODES = frozenset({8, 9, 14})
OTHER_DOMAIN = 13


class MobizonSettings(HttpSettings):
    """One Mobizon account. Every country has its own domain; records name no zone or currency."""

    kind: Literal["mobizon"]
    api_key: EnvSecret
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    base_url: BaseUrl = "https://api.mobizon.ua"
    requests_per_second: Annotated[float, Field(gt=0, le=1000)] = 2.0
    time_zone: ZoneName = "Europe/Kyiv"
    engagement: tuple[Literal["clicks"], ...] = ()


class Mobizon(WindowSource[MobizonSettings]):
    """Lists the messages whose sending started in a window."""

    provider = "mobizon"
    settings_type = MobizonSettings
    spill_days = 1
    allowed = "the account's messages may be listed"
    facts = Facts(
        title="Mobizon API",
        window_filter="startSendTs, the start of sending, wall clock to the second",
        history="not stated by Mobizon",
        look_back="every day of the settling period is asked again; statusUpdateTs could be "
        "asked for too, but then a message's records would lie under other days than its own",
        rate_limit="a limit exists (answer code 30) but no figure; 2 requests a second by default",
        proof="contract suite; no official SDK in Python or OpenAPI description exists",
        missing="time of submission, time of delivery, reason of a failure, currency, messages "
        "whose sending has not started",
        reports="the start of sending stands for the submission unless the outbox knows it; the "
        "last change of a final status stands for the delivered time; every reason is 'not "
        "stated' but for expired messages; cost is the price of a segment times the segments, "
        "in the currency of the settings",
        documents="github.com/mobizon/mobizon-api-docs@bde2569",
        to_check="the zone of the times (time_zone in the settings); whether a message refused "
        "before sending has a startSendTs (without one it is never listed); whether segUserBuy "
        "stays when a message is not charged; whether more than one sort field is obeyed "
        "(compare the messages read of a busy day with totalItemCount); that counts of clicks "
        "by day are of the zone in time_zone",
        engagement="clicks as counts by link and day (Link/GetStats), of links that were ever "
        "opened (Link/List); who clicked is not told",
    )

    def credentials(self, settings: MobizonSettings) -> Credentials:
        """The API key, which goes into the query."""
        key = settings.api_key.get()
        return Credentials(settings.api_key.variable, QueryAuth(apiKey=key), key)

    def try_out(self, client: HttpClient) -> object:
        """List a smallest page."""
        return client.post_form(PATH, {"pagination[pageSize]": str(SMALLEST_PAGE)}, INTERFACE)

    def pages(self, client: HttpClient, window: Window) -> Iterator[Page]:
        """Messages of a window, oldest first, so that new ones push none away.

        A campaign starts many messages in one second; campaign and number settle their order.
        """
        asked = {
            "criteria[startSendTsFrom]": self._wall_clock(window.start),
            "criteria[startSendTsTo]": self._wall_clock(window.end),
            "sort[startSendTs]": "ASC",
            "sort[campaignId]": "ASC",
            "sort[to]": "ASC",
            "withNumberInfo": "1",
            "pagination[pageSize]": str(PAGE_SIZE),
        }

        def ask(position: str) -> Answer:
            number = position.split()[0]
            return client.post_form(PATH, {**asked, "pagination[currentPage]": number}, INTERFACE)

        return paging.pages(self.name, ask, RECORDS, following, start="0 0")

    def read(self, pages: Sequence[LandedPage]) -> pl.LazyFrame:
        """Landed pages as OBSERVATIONS; `segUserBuy` is the price of one segment."""
        sent = blank_to_null(pl.col("startSendTs"))
        updated = blank_to_null(pl.col("statusUpdateTs"))
        done = final_update(pl.col("status"), updated, self.provider)
        segments = count(pl.col("segNum"))
        price = blank_to_null(pl.col("segUserBuy"))
        return observations(
            scan_json(pages, FIELDS, RECORDS),
            {
                "message_id": pl.col("id"),
                "recipient": with_plus(pl.col("to")),
                "sender": pl.col("from"),
                "campaign": pl.col("campaignId"),
                "channel": pl.lit(Channel.SMS.value),
                "inbound": pl.lit(value=False),
                "status": pl.col("status"),
                "sent_at_text": sent,
                **done,
                "sent_at": self._time(sent),
                "done_at": self._time(done["done_at_text"]),
                "done_at_later": later_reading(
                    done["done_at_text"], (ISO,), self._settings.time_zone
                ),
                "updated_at": self._time(updated),
                "parts_billed": segments,
                "price_text": price,
                "cost_micro": cost_micro(price, charge_is_negative=False) * segments,
                "currency": pl.lit(self._settings.currency),
                "text": pl.col("text"),
                "operator": blank_to_null(pl.col("operatorName")),
            },
        )

    def streams(self) -> tuple[Stream, ...]:
        """Clicks."""
        zone = self._settings.time_zone
        return (
            self.stream(
                Engagement.CLICKS,
                lambda client, window, _context: mobizon_links.pages(
                    self.name, client, window, ZoneInfo(zone)
                ),
                lambda pages: mobizon_links.read(pages, zone),
                mobizon_links.try_out,
            ),
        )

    def inspect(self, data: Any) -> None:
        """HTTP 200 says nothing here: the answer's own code decides."""
        code = data.get("code") if isinstance(data, dict) else None
        counted = str(paging.at(data, IN_ALL)).isdecimal()
        if code == DONE and (counted or paging.at(data, mobizon_links.TOTALS) is not None):
            return
        if code in (None, DONE):
            raise PermanentSourceError(
                f"{self.name}: the answer has no {'code' if code is None else IN_ALL}. "
                f"Check that base_url is Mobizon's API."
            )
        said = f"the provider answers code {code}"
        if code in BUSY_CODES:
            raise TransientSourceError(said)
        mend = "See the table of API response codes in Mobizon's documentation"
        if code in KEY_CODES:
            mend = f"Check the key in {self._settings.api_key.variable} and that the account works"
        if code == OTHER_DOMAIN:
            mend = "Check base_url: the account belongs to the domain of another country"
        raise PermanentSourceError(f"{self.name}: {said}. {mend}.")

    def _wall_clock(self, moment: datetime) -> str:
        local = moment.astimezone(ZoneInfo(self._settings.time_zone))
        return f"{local:%Y-%m-%d %H:%M:%S}"

    def _time(self, text: pl.Expr) -> pl.Expr:
        return times_to_utc(text, (ISO,), self._settings.time_zone)
