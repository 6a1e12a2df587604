"""SMSC's history of sent messages over a simulated world: sys/get.php and sys/balance.php.

Shapes: smscentre.com/api/http/get_data/outbox and /status_messages, and public clients that read
the history (fields id, int_id, mccmnc, sms_cnt, status_name). Decided here, because the stored
copies are silent: days are days in Kyiv, both are included, `send_date` is the time of
submission, an unbilled message has no cost, a page after the oldest message is error 3, and
answers are windows-1251 unless utf-8 is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import polars as pl

from sms_etl.sandbox.faults import FaultSettings
from sms_etl.sandbox.provider import ProviderApi, Told, page_size
from sms_etl.sandbox.wire import Reply, Request

LOGIN = "sandbox-shop"
MOST = 1000
_FIRST_ID = 480_000_000
_ZONE = ZoneInfo("Europe/Kyiv")
_DAY, _MOMENT = "%d.%m.%Y", "%d.%m.%Y %H:%M:%S"
_FIELDS = {"get_messages", "login", "psw", "start", "end", "cnt", "prev_id", "fmt", "charset"}
_PARAMETERS, _WRONG_LOGIN, _NOTHING, _TOO_OFTEN = (
    (1, "parameters error"),
    (2, "authorise error"),
    (3, "no records found"),
    (9, "too many requests"),
)
_CHARSETS = {"": "windows-1251", "utf-8": "utf-8", "koi8-r": "koi8-r"}
_NAMES = {"-1": "Ожидает отправки", "0": "Передано оператору", "1": "Доставлено", "3": "Просрочено"}
_MNC = {"Kyivstar": "25503", "Vodafone": "25501", "lifecell": "25506", "TriMob": "25507"}


class SmscApi(ProviderApi):
    """Answers requests of one SMSC account, read-only."""

    name = "smsc"
    id_field = "int_id"
    words: ClassVar[Mapping[str, Told]] = {
        "waiting": Told("-1"),
        "leaving": Told("-1"),
        "sent": Told("0"),
        "read": Told("2", 0),
        "delivered": Told("1", 0),
        "no_receipt": Told("0"),
        "final_unknown": Told("-3"),
        "expired": Told("3", 6),
        "outage": Told("20", 220),
        "dead_number": Told("20", 1),
        "landline": Told("20", 11),
        "network_error": Told("20", 12),
        "spam_filter": Told("23", 253),
        "invalid_number": Told("22", 249),
        "opted_out": Told("23", 250),
        "cancelled": Told("23", 244),
    }

    @cached_property
    def _numbers(self) -> dict[str, str]:
        ours = self.world.by_way[self.way]["message_id"].to_list()
        return {identifier: str(_FIRST_ID + at) for at, identifier in enumerate(ours)}

    def own_id(self) -> pl.Expr:
        """Numbers that grow with the time of submission."""
        return pl.col("message_id").replace(self._numbers)

    def failure(self, status: int, headers: Mapping[str, str]) -> Reply:
        """A failure in front of the API."""
        return Reply(status, b"<html></html>", dict(headers))

    def busy(self) -> Reply:
        """The same request too often."""
        return _answer(_error(_TOO_OFTEN), "utf-8")

    def handle(self, request: Request, now: datetime, faults: FaultSettings) -> Reply:
        """The answer to a request at a simulated time."""
        asked = request.query | request.form
        charset = _CHARSETS.get(asked.get("charset", ""), "windows-1251")
        given = (asked.get("login"), asked.get("psw"))
        if faults.token_expired or given != (LOGIN, self.accounts.secret_of(self.name)):
            return _answer(_error(_WRONG_LOGIN), charset)
        if request.path == "/sys/balance.php":
            return _answer({"balance": "1250.40"}, charset)
        if request.path != "/sys/get.php":
            return self.failure(404, {})
        try:
            return _answer(self._history(asked, now, faults), charset)
        except ValueError:
            return _answer(_error(_PARAMETERS), charset)

    def _history(self, asked: Mapping[str, str], now: datetime, faults: FaultSettings) -> Any:
        """A page of the history, newest first.

        Raises:
            ValueError: a parameter is wrong.
        """
        if set(asked) - _FIELDS or asked.get("get_messages") != "1" or asked.get("fmt") != "3":
            raise ValueError("parameters")
        first = _day(asked["start"])
        last = _day(asked.get("end", asked["start"]))
        most = int(asked.get("cnt", MOST))
        if not 0 < most <= MOST:
            raise ValueError("cnt")
        local = pl.col("submitted_at").dt.convert_time_zone(_ZONE.key).dt.date()
        rows = self.messages.filter(
            pl.col("submitted_at") <= now, local.is_between(first.date(), last.date())
        )
        if "prev_id" in asked:
            rows = rows.filter(pl.col("message_id").cast(pl.Int64) < int(asked["prev_id"]))
        found = self.records(rows.tail(page_size(most, faults)), now, faults)
        return found[::-1] or _error(_NOTHING)

    def record(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """One message in SMSC's fields."""
        changed = row["done_at"] or row["sent_at"] or row["submitted_at"]
        cost = row["part_micro"] * row["parts"] / 1_000_000
        return {
            "status": _number(row["word"]),
            "last_date": _local(changed),
            "last_timestamp": int(changed.timestamp()),
            "send_date": _local(row["submitted_at"]),
            "send_timestamp": int(row["submitted_at"].timestamp()),
            "phone": (row["e164"] or row["recipient"]).removeprefix("+"),
            "cost": f"{cost:.6f}" if row["billed_at"] else None,
            "sender_id": row["sender"],
            "status_name": _NAMES.get(row["word"], "Невозможно доставить"),
            "message": row["text"],
            "mccmnc": _MNC.get(row["operator"]),
            "country": "Украина" if row["country"] == "UA" else None,
            "operator": row["operator"],
            "region": "",
            "type": 0,
            "id": int(row["message_id"]) - _FIRST_ID,
            "int_id": row["message_id"],
            "sms_cnt": row["parts"],
            "format": 0,
            **({} if row["code"] is None else {"err": _number(row["code"])}),
        }


def _number(text: str) -> int | str:
    return int(text) if text.removeprefix("-").isdecimal() else text


def _day(text: str) -> datetime:
    return datetime.strptime(text, _DAY).replace(tzinfo=UTC)


def _local(moment: datetime) -> str:
    return moment.astimezone(_ZONE).strftime(_MOMENT)


def _error(code_and_words: tuple[int, str]) -> dict[str, Any]:
    code, words = code_and_words
    return {"error": words, "error_code": code}


def _answer(value: Any, charset: str) -> Reply:
    """JSON in a charset; what the charset lacks is written as an escape."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        body = text.encode(charset)
    except UnicodeEncodeError:
        body = json.dumps(value).encode()
    return Reply(200, body, {"Content-Type": f"application/json; charset={charset}"})
