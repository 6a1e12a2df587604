"""SMSAPI's short link clicks and blacklist over a simulated world.

Shapes: the official smsapi-client 2.9.7 and its tests (get_clicks.json, collection.json). Decided
here, because the clients are silent: date_from and date_to are whole days of Warsaw, both
included; both lists are oldest first, by offset and limit (100), and `size` counts all.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import polars as pl

from sms_etl.model.vocabulary import Engagement
from sms_etl.sandbox.campaigns import Way
from sms_etl.sandbox.faults import FaultSettings
from sms_etl.sandbox.provider import ProviderApi, Told, paged
from sms_etl.sandbox.wire import Reply, Request, json_reply

_ZONE = ZoneInfo("Europe/Warsaw")
_LIMIT = 100
_MESSAGES = {401: "Authorization failed", 429: "Too many requests", 500: "Internal error"}
_LONGEST_ID = 12


class SmsApiApi(ProviderApi):
    """Answers requests of one SMSAPI account, read-only."""

    name = "smsapi"
    own_way = Way.TURBOSMS
    words: ClassVar[Mapping[str, Told]] = {}
    lists_messages: ClassVar[bool] = False

    def failure(self, status: int, headers: Mapping[str, str]) -> Reply:
        """SMSAPI's error body."""
        said = {"message": _MESSAGES[status], "error": "error", "code": status}
        return json_reply(status, said, headers)

    def handle(self, request: Request, now: datetime, faults: FaultSettings) -> Reply:
        """The answer to a request at a simulated time."""
        if faults.token_expired or request.token != self.accounts.secret_of(self.name):
            return self.failure(401, {})
        lists = {"/short_url/clicks": self._clicks, "/blacklist/phone_numbers": self._blacklist}
        if request.method != "GET" or request.path not in lists:
            return json_reply(404, {"message": "Not Found", "error": "not_found"})
        return lists[request.path](request.query, now, faults)

    def _clicks(self, query: Mapping[str, str], now: datetime, faults: FaultSettings) -> Reply:
        local = pl.col("at").dt.convert_time_zone(_ZONE.key).dt.date()
        conditions = [pl.col("at") <= now]
        if text := query.get("date_from"):
            conditions.append(local >= date.fromisoformat(text))
        if text := query.get("date_to"):
            conditions.append(local <= date.fromisoformat(text))
        return self._list(self.engaged(Engagement.CLICKS), conditions, query, faults, _click)

    def _blacklist(self, query: Mapping[str, str], now: datetime, faults: FaultSettings) -> Reply:
        standing = pl.col("expires_at").is_null() | (pl.col("expires_at") > now)
        conditions = [pl.col("at") <= now, standing]
        return self._list(self.engaged(Engagement.OPT_OUTS), conditions, query, faults, _entry)

    def _list(
        self,
        rows: pl.DataFrame,
        conditions: list[pl.Expr],
        query: Mapping[str, str],
        faults: FaultSettings,
        record: Any,
    ) -> Reply:
        found = rows.filter(conditions)
        page = paged(found, int(query.get("offset", 0)), int(query.get("limit", _LIMIT)), faults)
        records = [record(row) for row in page.iter_rows(named=True)]
        told = {"size": found.height, "collection": self.spoiled_events(page, records, faults)}
        return json_reply(200, told)


def _click(row: Mapping[str, Any]) -> dict[str, Any]:
    name = row["link"].rpartition("/")[2]
    number = row["e164"].removeprefix("+")
    return {
        "idz_do_id": str(int(name.encode().hex(), 16)),
        "phone_number": number,
        "date_hit": f"{row['at'].astimezone(_ZONE):%Y-%m-%dT%H:%M:%S%z}",
        "name": name,
        "short_url": row["link"],
        "os": row["os"],
        "browser": row["browser"],
        "device": row["device"],
        "suffix": row["event_id"][:6],
        "message": {"id": row["message_id"], "idx": None, "recipient": number},
    }


def _entry(row: Mapping[str, Any]) -> dict[str, Any]:
    expires = row["expires_at"]
    return {
        "id": row["event_id"][:_LONGEST_ID],
        "phone_number": row["e164"].removeprefix("+"),
        "expire_at": f"{expires:%Y-%m-%dT%H:%M:%SZ}" if expires else None,
        "created_at": f"{row['at']:%Y-%m-%dT%H:%M:%SZ}",
    }
