"""Twilio Programmable Messaging: the Messages list, and Bulk Export for old days.

Facts: twilio/twilio-oai spec/json/twilio_api_v2010.json@d50069b and
https://www.twilio.com/docs/messaging/api/message-resource#read-multiple-message-resources .
Exports: twilio/twilio-oai spec/json/twilio_bulkexports_v1.json (FetchDay answers 307) and
https://www.twilio.com/docs/usage/bulkexport/day : a file per UTC day, in gzip, a record a line,
times in ISO 8601, no price_unit. Jobs that make files cost money, so we never order one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal
from zoneinfo import ZoneInfo

import polars as pl
from pydantic import Field
from requests.auth import HTTPBasicAuth

from sms_etl.config.secrets import EnvSecret
from sms_etl.config.settings import Currency
from sms_etl.days import Window, day_window, utc_days
from sms_etl.model.vocabulary import Channel, Engagement
from sms_etl.sources import paging
from sms_etl.sources.base import (
    Facts,
    LandedPage,
    Page,
    PageFormat,
    PullContext,
    PullKind,
    PullPlan,
    Stream,
)
from sms_etl.sources.http import BaseUrl, HttpClient, HttpSettings
from sms_etl.sources.http_source import Credentials, HttpSource
from sms_etl.sources.json_pages import records_in_lines
from sms_etl.sources.records import events, final_update, observations, scan_json
from sms_etl.sources.values import (
    ISO,
    cost_micro,
    count,
    first_reading,
    rfc2822_utc,
    times_to_utc,
)

PAGE_SIZE = 1000
ONE_DAY = timedelta(days=1)
HISTORY = timedelta(days=400)
EXPORTS_PATH = "/v1/Exports/Messages/Days"
RECORDS = "messages"
FIELDS = (
    "sid", "messaging_service_sid", "body", "from", "to", "direction", "status", "num_segments",
    "price", "price_unit", "error_code", "date_created", "date_sent", "date_updated",
)  # fmt: skip

_CHANNEL_PREFIX = r"^(whatsapp|rcs):"


class TwilioSettings(HttpSettings):
    """One Twilio account or sub-account."""

    kind: Literal["twilio"]
    account_sid: Annotated[str, Field(pattern=r"^AC[0-9a-fA-F]{32}$")]
    auth_token: EnvSecret
    base_url: BaseUrl = "https://api.twilio.com"
    unsent_lookback_days: Annotated[int, Field(ge=0, le=60)] = 3
    engagement: tuple[Literal["replies"], ...] = ()
    inbound_numbers: tuple[str, ...] = ()
    """Numbers of yours that people answer to; without them the whole list is read for replies."""
    bulk: bool = False
    """Read every day from Bulk Export; days older than the list's history always are."""
    exports_url: BaseUrl = "https://bulkexports.twilio.com"
    export_currency: Currency | None = None
    """Exports have prices without a currency; without it here they have no cost."""


class Twilio(HttpSource[TwilioSettings]):
    """Reads messages by the day they were sent, and recent ones that were not sent yet."""

    kind: ClassVar[PullKind] = PullKind.WINDOW
    provider = "twilio"
    settings_type = TwilioSettings
    spill_days = 1
    allowed = "the account's messages may be read"
    facts = Facts(
        title="Twilio Programmable Messaging",
        window_filter="DateSent, whole UTC days; recent messages without it by a sweep of the list",
        history="400 days; older ones by Bulk Export",
        look_back="every day of the settling period; unsent ones for unsent_lookback_days",
        rate_limit="not stated as a number; HTTP 429 is waited out; 10 requests a second",
        proof="contract suite; the official SDK (twilio) reads the whole sandbox; requests and "
        "answers hold against what its OpenAPI description says",
        missing="time of delivery, operator, and old messages that were never sent",
        reports="the last change of a final status stands for the delivered time; the operator "
        "comes from the number's range",
        documents="twilio/twilio-oai spec/json/twilio_api_v2010.json@d50069b, "
        "https://www.twilio.com/docs/messaging/api/message-resource, "
        "https://www.twilio.com/docs/usage/bulkexport/day",
        to_check="exports (setting bulk, and days older than 400): order the files yourself, they "
        "are kept for 7 days; whether a file's day is that of creation; prices have no currency, "
        "set export_currency",
        engagement="replies: the same list by DateSent, of the numbers in inbound_numbers (To); "
        "without them the whole list, of which what was sent is folded",
    )

    def __init__(self, name: str, settings: TwilioSettings, base: Path = Path()) -> None:
        super().__init__(name, settings, base)
        self._path = f"/2010-04-01/Accounts/{settings.account_sid}/Messages.json"

    def plan(self, days: Sequence[date], context: PullContext) -> Iterator[PullPlan]:
        """One pull per day by sent time, then one sweep for messages without a sent time.

        The list can be filtered by DateSent only, by whole UTC days, so a pull asks the UTC days
        that the business day touches, each up to the next one, because a bare date as the upper
        bound may mean its first moment. Messages without date_sent (queued, scheduled, many
        failed) are in no such window; the sweep reads the unfiltered list, newest first, down to
        the first of the days that lie within `unsent_lookback_days` of now. Older messages that
        were never sent cannot be listed by Twilio's filters and are not found.
        """
        client = self.client()
        today = context.now.astimezone(context.zone).date()
        exported = [day for day in sorted(days) if self._settings.bulk or day < today - HISTORY]
        yield from self._exports(exported, context)
        days = [day for day in sorted(days) if day not in exported]
        for day in days:
            window = day_window(day, context.zone)
            touched = utc_days(window)
            pieces = [[utc_day] for utc_day in touched] if self.parallel > 1 else [touched]
            asking = [partial(self._sent_on, dates=dates) for dates in pieces]
            asked = f"sent {touched[0]} to {touched[-1] + ONE_DAY}"
            yield PullPlan(day, day, asked, self.sliced(client, asking, window.end))
        yield from self._sweep(client, days, context)

    def read(self, pages: Sequence[LandedPage]) -> pl.LazyFrame:
        """Landed pages as OBSERVATIONS; prices are negative at Twilio and positive here.

        Pages of exports have ISO times and no currency.
        """
        unit = pl.coalesce("price_unit", pl.lit(self._settings.export_currency, pl.String))
        done = final_update(pl.col("status"), pl.col("date_updated"), self.provider)
        return observations(
            scan_json(pages, FIELDS, RECORDS),
            {
                "message_id": pl.col("sid"),
                "recipient": _address("to"),
                "sender": _address("from"),
                "service": pl.col("messaging_service_sid"),
                "channel": _channel(),
                "inbound": (pl.col("direction") == "inbound").fill_null(value=False),
                "status": pl.col("status"),
                "code": pl.col("error_code"),
                "created_at_text": pl.col("date_created"),
                "sent_at_text": pl.col("date_sent"),
                **done,
                "created_at": _time(pl.col("date_created")),
                "sent_at": _time(pl.col("date_sent")),
                "done_at": _time(done["done_at_text"]),
                "updated_at": _time(pl.col("date_updated")),
                "parts_billed": count(pl.col("num_segments")),
                "price_text": pl.col("price"),
                "cost_micro": pl.when(unit.is_not_null()).then(
                    cost_micro(pl.col("price"), charge_is_negative=True)
                ),
                "currency": unit.str.to_uppercase(),
                "text": pl.col("body"),
            },
        )

    def credentials(self, settings: TwilioSettings) -> Credentials:
        """The account and its token."""
        token = settings.auth_token.get()
        auth = HTTPBasicAuth(settings.account_sid, token)
        return Credentials(settings.account_sid, auth, token)

    def try_out(self, client: HttpClient) -> object:
        """List one message."""
        return client.get_json(self._path, {"PageSize": "1"})

    def streams(self) -> tuple[Stream, ...]:
        """Replies."""
        return (self.stream(Engagement.REPLIES, self._received, self._read_replies, self.try_out),)

    def _received(
        self, client: HttpClient, window: Window, _context: PullContext
    ) -> Iterator[Page]:
        for number in self._settings.inbound_numbers or (None,):
            to = {} if number is None else {"To": number}
            yield from self._pages(client, {**_sent_in(window), **to}, _never)

    def _read_replies(self, pages: Sequence[LandedPage]) -> pl.LazyFrame:
        sent = pl.coalesce("date_sent", "date_created")
        return events(
            scan_json(pages, FIELDS, RECORDS),
            {
                "event_id": pl.col("sid"),
                "recipient": _address("from"),
                "sender": _address("to"),
                "at_text": sent,
                "at": rfc2822_utc(sent),
                "text": pl.col("body"),
                "outbound": pl.col("direction").str.starts_with("outbound"),
            },
        )

    def _exports(self, days: Sequence[date], context: PullContext) -> Iterator[PullPlan]:
        """One pull per day: the files of the UTC days it touches, which hold unsent ones too."""
        at = self._settings.exports_url
        who = self.credentials(self._settings)
        settings = self._settings.model_copy(update={"base_url": at})
        client = HttpClient(self.name, who.account, settings, who.auth, who.secret)
        for day in days:
            touched = utc_days(day_window(day, context.zone))
            asking = [partial(self._export, utc_day=utc_day) for utc_day in touched]
            asked = f"exports of {touched[0]} to {touched[-1]}"
            yield PullPlan(day, day, asked, self.sliced(client, asking))

    def _export(self, client: HttpClient, utc_day: date) -> Iterator[Page]:
        absent = (
            f"There is no export of {utc_day}: files are kept for 7 days. Order one in Twilio's "
            f"Console (Settings, Log archives, Custom jobs; Twilio bills it) and pull the day again"
        )
        answer = client.get_file(f"{EXPORTS_PATH}/{utc_day}", absent)
        yield answer.page(records_in_lines(answer.body), PageFormat.NDJSON)

    def _sent_on(self, client: HttpClient, dates: Sequence[date]) -> Iterator[Page]:
        return self._pages(client, _sent(dates), _never)

    def _sweep(
        self, client: HttpClient, days: Sequence[date], context: PullContext
    ) -> Iterator[PullPlan]:
        oldest = context.now.astimezone(context.zone).date() - timedelta(
            days=self._settings.unsent_lookback_days
        )
        recent = sorted(day for day in days if day >= oldest)
        if recent:
            query = {"PageSize": str(PAGE_SIZE)}
            stop = _older_than(recent[0], context.zone)
            pages = self.sliced(
                client,
                [partial(self._pages, query=query, stop=stop)],
                day_window(recent[-1], context.zone).end,
            )
            yield PullPlan(recent[0], recent[-1], f"newest down to {recent[0]}", pages)

    def _pages(
        self, client: HttpClient, query: Mapping[str, str], stop: Callable[[list[Any]], bool]
    ) -> Iterator[Page]:
        given = paging.given("next_page_uri")
        return paging.pages(
            self.name,
            lambda link: client.get_json(link) if link else client.get_json(self._path, query),
            RECORDS,
            lambda data, found, at: None if stop(found) else given(data, found, at),
        )


def _sent_in(window: Window) -> dict[str, str]:
    """Query for the UTC days that a window touches."""
    return _sent(utc_days(window))


def _sent(dates: Sequence[date]) -> dict[str, str]:
    return {
        "DateSent>": dates[0].isoformat(),
        "DateSent<": (dates[-1] + ONE_DAY).isoformat(),
        "PageSize": str(PAGE_SIZE),
    }


def _time(text: pl.Expr) -> pl.Expr:
    """RFC 2822 in the list, ISO 8601 in exports."""
    return first_reading(text, (rfc2822_utc, partial(times_to_utc, formats=(ISO,), zone="UTC")))


def _never(_records: list[Any]) -> bool:
    return False


def _older_than(first: date, zone: ZoneInfo) -> Callable[[list[Any]], bool]:
    """Whether every message of a page was created before the day begins."""
    start = day_window(first, zone).start

    def stop(records: list[Any]) -> bool:
        texts = [record.get("date_created") for record in records if isinstance(record, dict)]
        times = pl.Series([text for text in texts if isinstance(text, str)], dtype=pl.String)
        newest = pl.select(rfc2822_utc(pl.lit(times)).max()).item()
        return isinstance(newest, datetime) and newest < start

    return stop


def _address(column: str) -> pl.Expr:
    """WhatsApp and RCS addresses carry their channel: 'whatsapp:+380…', 'rcs:…'."""
    return pl.col(column).str.replace(_CHANNEL_PREFIX, "")


def _channel() -> pl.Expr:
    prefix = pl.col("from").str.extract(_CHANNEL_PREFIX)
    return prefix.fill_null(Channel.SMS.value)
