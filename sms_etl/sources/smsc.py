"""SMSC HTTP API: the history of sent messages, whole days, from newer to older.

Facts: https://smscentre.com/api/http/get_data/outbox and
https://smscentre.com/api/http/status_messages; smsc.ua, smsc.kz, smsc.ru and smscentre.com run
the same API.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import polars as pl
from pydantic import Field

from sms_etl.config.secrets import EnvSecret
from sms_etl.config.settings import Currency, ZoneName
from sms_etl.days import Window
from sms_etl.errors import PermanentSourceError, TransientSourceError
from sms_etl.model.vocabulary import Channel
from sms_etl.sources import paging
from sms_etl.sources.auth import QueryAuth
from sms_etl.sources.base import Facts, LandedPage, Page
from sms_etl.sources.http import Answer, BaseUrl, HttpClient, HttpSettings
from sms_etl.sources.http_source import Credentials, WindowSource
from sms_etl.sources.records import final_update, observations, scan_json
from sms_etl.sources.values import UNIX_SECONDS, cost_micro, count, times_to_utc, with_plus

HISTORY_PATH, BALANCE_PATH = "/sys/get.php", "/sys/balance.php"
AS_JSON = {"fmt": "3", "charset": "utf-8"}
PAGE_SIZE = 1000
FIELDS = (
    "id", "int_id", "phone", "sender_id", "status", "err", "type", "send_timestamp",
    "last_timestamp", "sms_cnt", "cost", "mccmnc", "operator", "message",
)  # fmt: skip
SMS_TYPE = "0"
NOTHING_FOUND = 3
LOGIN_CODE = 2
BUSY_CODES = frozenset({4, 9})


class SmscSettings(HttpSettings):
    """One SMSC account; `identifier` is the one of its two that the outbox knows."""

    kind: Literal["smsc"]
    login: str
    password: EnvSecret
    currency: Currency
    identifier: Literal["int_id", "id"] = "int_id"
    base_url: BaseUrl = "https://smsc.ua"
    requests_per_second: Annotated[float, Field(gt=0, le=1000)] = 1.0
    time_zone: ZoneName = "Europe/Kyiv"


class Smsc(WindowSource[SmscSettings]):
    """Lists the messages sent on the account's days that a window touches."""

    provider = "smsc"
    settings_type = SmscSettings
    allowed = "the login is accepted"
    memory = timedelta(days=180)
    facts = Facts(
        title="SMSC HTTP API",
        window_filter="send_date, whole days in the account's time zone",
        history="6 months",
        look_back="every day of the settling period is asked again",
        rate_limit="not stated as a number; 1 request a second of 1000 messages by default",
        proof="contract suite; no official SDK in Python reads the history",
        missing="time of submission, time of delivery, currency",
        reports="the time of sending stands for the submission unless the outbox knows it; the "
        "last change of a final status stands for the delivered time, which for messages that "
        "were read or whose link was followed is later than the delivery; cost is in the "
        "currency of the settings",
        documents="https://smscentre.com/api/http/get_data/outbox, "
        "https://smscentre.com/api/http/status_messages, https://smsc.ua/api/http",
        to_check="the account's time zone (time_zone in the settings); that answers obey "
        "charset=utf-8 (windows-1251 is refused, and told) and keep to start and end when prev_id "
        "is given; that error 3 means no messages and 9 too many requests here; that "
        "send_timestamp of a scheduled message does not change; whether cost is given back when a "
        "message fails; that type 0 is SMS (others, such as HLR requests, have no channel)",
    )

    def credentials(self, settings: SmscSettings) -> Credentials:
        """Login and password, which go into the query."""
        secret = settings.password.get()
        return Credentials(settings.login, QueryAuth(login=settings.login, psw=secret), secret)

    def try_out(self, client: HttpClient) -> object:
        """Ask for the balance: the login must be accepted."""
        return client.get_json(BALANCE_PATH, AS_JSON)

    def pages(self, client: HttpClient, window: Window) -> Iterator[Page]:
        """Messages of the account's days of a window; new ones come before what was read."""
        query = {
            "get_messages": "1",
            "start": self._date(window.start),
            "end": self._date(window.end - timedelta(seconds=1)),
            "cnt": str(PAGE_SIZE),
            **AS_JSON,
        }

        def ask(before: str) -> Answer:
            answer = client.get_json(HISTORY_PATH, query | ({"prev_id": before} if before else {}))
            return replace(answer, data=[]) if _error_code(answer.data) else answer

        return paging.pages(self.name, ask, "", paging.backwards("int_id"))

    def read(self, pages: Sequence[LandedPage]) -> pl.LazyFrame:
        """Landed pages as OBSERVATIONS; the answer after the last message is no list."""
        status, sent = pl.col("status"), pl.col("send_timestamp")
        done = final_update(status, pl.col("last_timestamp"), self.provider)
        return observations(
            scan_json([page for page in pages if page.records], FIELDS),
            {
                "message_id": pl.col(self._settings.identifier),
                "recipient": with_plus(pl.col("phone")),
                "sender": pl.col("sender_id"),
                "channel": pl.when(pl.col("type") == SMS_TYPE).then(pl.lit(Channel.SMS.value)),
                "inbound": pl.lit(value=False),
                "status": status,
                "code": pl.col("err"),
                "created_at_text": sent,
                **done,
                "created_at": _time(sent),
                "done_at": _time(done["done_at_text"]),
                "updated_at": _time(pl.col("last_timestamp")),
                "parts_billed": count(pl.col("sms_cnt")),
                "price_text": pl.col("cost"),
                "cost_micro": cost_micro(pl.col("cost"), charge_is_negative=False),
                "currency": pl.lit(self._settings.currency),
                "text": pl.col("message"),
                "mcc_mnc": pl.col("mccmnc"),
                "operator": pl.col("operator"),
            },
        )

    def inspect(self, data: Any) -> None:
        """HTTP 200 says nothing here: an answer with `error_code` is an error."""
        code = _error_code(data)
        if code in (None, NOTHING_FOUND):
            return
        said = f"the provider answers error code {code}"
        if code in BUSY_CODES:
            raise TransientSourceError(said)
        mend = "See the error codes in SMSC's documentation"
        if code == LOGIN_CODE:
            mend = f"Check login and the password in {self._settings.password.variable}"
        raise PermanentSourceError(f"{self.name}: {said}. {mend}.")

    def _date(self, moment: datetime) -> str:
        return f"{moment.astimezone(ZoneInfo(self._settings.time_zone)):%d.%m.%Y}"


def _error_code(data: Any) -> int | None:
    """The error code of an answer; an error without a code is -1."""
    if not isinstance(data, dict) or "error" not in data:
        return None
    code = str(data.get("error_code"))
    return int(code) if code.isdecimal() else -1


def _time(text: pl.Expr) -> pl.Expr:
    return times_to_utc(text, (UNIX_SECONDS,), "UTC")
