"""SMSAPI: clicks on its short links, and its blacklist. It lists no messages.

Facts: the official clients smsapi-client 2.9.7 (PyPI; short_url and blacklist) and
github.com/smsapi/smsapi-go (short_url.go, ClicksCollectionFilters with dates).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any, Literal

import polars as pl

from sms_etl.config.secrets import EnvSecret
from sms_etl.days import Window
from sms_etl.errors import PermanentSourceError
from sms_etl.model.vocabulary import Engagement
from sms_etl.sources import paging
from sms_etl.sources.auth import BearerAuth
from sms_etl.sources.base import Facts, LandedPage, Page, PullContext, Stream
from sms_etl.sources.http import Answer, BaseUrl, HttpClient, HttpSettings
from sms_etl.sources.http_source import Credentials, EngagementSource
from sms_etl.sources.records import events, scan_json
from sms_etl.sources.values import ISO, blank_to_null, times_to_utc

CLICKS_PATH, BLACKLIST_PATH = "/short_url/clicks", "/blacklist/phone_numbers"
RECORDS, IN_ALL = "collection", "size"
PAGE_SIZE = 100
CLICK_FIELDS = (
    "idz_do_id", "phone_number", "date_hit", "short_url", "os", "browser", "device", "suffix",
    "message.id", "message.recipient",
)  # fmt: skip
BLACKLIST_FIELDS = ("id", "phone_number", "expire_at", "created_at")
UNKNOWN_ZONE = timedelta(days=1)
"""The zone of date_from and date_to is not documented: a day more on both sides is asked for."""


class SmsApiSettings(HttpSettings):
    """One SMSAPI account; api.smsapi.pl, .se and .bg are other addresses of it."""

    kind: Literal["smsapi"]
    token: EnvSecret
    base_url: BaseUrl = "https://api.smsapi.com"
    engagement: tuple[Literal["clicks", "opt_outs"], ...] = ("clicks", "opt_outs")


class SmsApi(EngagementSource[SmsApiSettings]):
    """Lists the clicks of days, and the blacklist as it stands."""

    provider = "smsapi"
    settings_type = SmsApiSettings
    facts = Facts(
        title="SMSAPI (clicks and blacklist only)",
        window_filter="clicks: date_from and date_to, dates without a zone, so three days are read "
        "for one; the blacklist: none",
        history="not stated by SMSAPI",
        look_back="every day of the settling period is asked again",
        rate_limit="not stated as a number; HTTP 429 is waited out; 10 requests a second",
        proof="stream suite; the official SDK (smsapi-client) reads the simulated day",
        missing="messages and their statuses; the user agent and network of a click; who put a "
        "number on the blacklist",
        reports="messages come from elsewhere (an outbox or exports); device, system and browser "
        "stand for the user agent",
        documents="PyPI smsapi-client 2.9.7, github.com/smsapi/smsapi-python-client tests/unit, "
        "github.com/smsapi/smsapi-go short_url.go",
        to_check="that clicks are paged by offset and limit as other lists of SMSAPI (no client "
        "shows it); the zone of date_from and date_to; that phone_number has its country code",
        engagement="clicks with number and message; the blacklist as opt-outs, whole at every pull",
    )

    def credentials(self, settings: SmsApiSettings) -> Credentials:
        """The OAuth token; it needs the scopes short_url and blacklist."""
        token = settings.token.get()
        return Credentials(settings.token.variable, BearerAuth(token), token)

    def streams(self) -> tuple[Stream, ...]:
        """Clicks and the blacklist."""
        one = {"limit": "1"}
        return (
            self.stream(
                Engagement.CLICKS,
                self._clicks,
                _read_clicks,
                lambda client: client.get_json(CLICKS_PATH, one),
            ),
            self.stream(
                Engagement.OPT_OUTS,
                self._blacklist,
                _read_blacklist,
                lambda client: client.get_json(BLACKLIST_PATH, one),
                whole_list=True,
            ),
        )

    def _clicks(self, client: HttpClient, window: Window, _context: PullContext) -> Iterator[Page]:
        dates = {
            "date_from": (window.start - UNKNOWN_ZONE).date().isoformat(),
            "date_to": (window.end + UNKNOWN_ZONE).date().isoformat(),
        }
        return self._listed(lambda query: client.get_json(CLICKS_PATH, {**dates, **query}))

    def _blacklist(
        self, client: HttpClient, _window: Window, _context: PullContext
    ) -> Iterator[Page]:
        return self._listed(lambda query: client.get_json(BLACKLIST_PATH, query))

    def _listed(self, ask: Callable[[dict[str, str]], Answer]) -> Iterator[Page]:
        """A list to its last page; an answer that ignores the offset is refused."""
        first_records: list[Any] = []
        further = paging.offset(IN_ALL)

        def following(data: Any, found: list[Any], position: str) -> str | None:
            if found and found[0] is not None and found[0] in first_records:
                raise PermanentSourceError(
                    f"{self.name}: the answer from position {position} begins like an earlier one, "
                    f"so the list cannot be read to its end. Please report this."
                )
            first_records.extend(found[:1])
            return further(data, found, position)

        return paging.pages(
            self.name,
            lambda position: ask({"offset": position, "limit": str(PAGE_SIZE)}),
            RECORDS,
            following,
            start="0",
        )


def _read_clicks(pages: Sequence[LandedPage]) -> pl.LazyFrame:
    """A click has no identifier: number, link and second are one, so a double tap is one click."""
    identity = pl.concat_str(
        [
            pl.col(name).fill_null("")
            for name in ("date_hit", "idz_do_id", "suffix", "phone_number", "message.id")
        ],
        separator=" ",
    )
    device = pl.concat_str(
        [blank_to_null(pl.col(n)) for n in ("device", "os", "browser")],
        separator=", ",
        ignore_nulls=True,
    )
    return events(
        scan_json(pages, CLICK_FIELDS, RECORDS),
        {
            "event_key": pl.when(pl.col("date_hit").is_not_null()).then(identity),
            "recipient": pl.coalesce("phone_number", "message.recipient"),
            "message_id": pl.col("message.id"),
            "link": pl.col("short_url"),
            "at_text": pl.col("date_hit"),
            "at": _time("date_hit"),
            "device": blank_to_null(device),
        },
    )


def _read_blacklist(pages: Sequence[LandedPage]) -> pl.LazyFrame:
    return events(
        scan_json(pages, BLACKLIST_FIELDS, RECORDS),
        {
            "event_id": pl.col("id"),
            "recipient": pl.col("phone_number"),
            "at_text": pl.col("created_at"),
            "at": _time("created_at"),
            "expires_at": _time("expire_at"),
        },
    )


def _time(column: str) -> pl.Expr:
    return times_to_utc(pl.col(column), (ISO,), "UTC")
