"""SMS-Fly's API v2 over a simulated world: GETMESSAGESTATUS and GETBALANCE.

Shapes: PyPI smsflyapi2 0.9.9 and github Nekkoy/gateway-smsfly. Everything is HTTP 200 with
`success` 1, or 0 and `error.code`. Decided here, because no document was seen: NOTFOUND is the
code of an identifier of others, a channel's date is that of its last status, and the price
stands there from the beginning whatever becomes of the message.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

import polars as pl

from sms_etl.sandbox.accounts import Accounts
from sms_etl.sandbox.campaigns import Way
from sms_etl.sandbox.faults import FaultSettings
from sms_etl.sandbox.provider import ProviderApi, Told
from sms_etl.sandbox.wire import Reply, Request, json_reply
from sms_etl.sandbox.world import World

_DIGITS_OF_ID = 16
_MICRO = 1_000_000


class SmsFlyApi(ProviderApi):
    """Answers requests of one SMS-Fly account."""

    name = "smsfly"
    own_way = Way.TURBOSMS
    id_field = "messageID"
    words: ClassVar[Mapping[str, Told]] = {
        "waiting": Told("ACCEPTD"),
        "leaving": Told("INPROGRESS"),
        "sent": Told("SENT"),
        "read": Told("VIEWED"),
        "delivered": Told("DELIVRD"),
        "no_receipt": Told("SENT"),
        "final_unknown": Told("SENT"),
        "expired": Told("EXPIRED"),
        "outage": Told("EXPIRED"),
        "dead_number": Told("UNDELIV"),
        "landline": Told("UNDELIV"),
        "network_error": Told("ERROR"),
        "spam_filter": Told("STOPED"),
        "invalid_number": Told("STOPED"),
        "opted_out": Told("STOPED"),
        "cancelled": Told("STOPED"),
    }

    def __init__(self, world: World, accounts: Accounts, way: Way | None = None) -> None:
        super().__init__(world, accounts, way)
        self._zone = world.parameters.zone

    def identifier(self, thirty_two_hex: pl.Expr) -> pl.Expr:
        """FAPI and hexadecimal digits."""
        return "FAPI" + thirty_two_hex.str.slice(0, _DIGITS_OF_ID).str.to_uppercase()

    def handle(self, request: Request, now: datetime, faults: FaultSettings) -> Reply:
        """The answer to a request at a simulated time."""
        asked = request.json if isinstance(request.json, dict) else {}
        key = (asked.get("auth") or {}).get("key")
        if request.path != "/api/v2/api.php":
            return self.failure(404, {})
        if faults.token_expired or key != self.accounts.secret_of(self.name):
            return self._error("FORBIDDEN", now)
        if asked.get("action") == "GETBALANCE":
            return self._answer({"balance": "1234.56"}, now)
        if asked.get("action") != "GETMESSAGESTATUS":
            return self._error("INVACTION", now)
        return self._status((asked.get("data") or {}).get("messageID"), now, faults)

    def _status(self, identifier: object, now: datetime, faults: FaultSettings) -> Reply:
        seen = self.seen(self.by_ids([str(identifier)]), now, faults)
        if seen.is_empty():
            return self._error("NOTFOUND", now)
        row = seen.row(0, named=True)
        if row["code"]:
            return self._error(row["code"], now)
        return self._answer(self.spoiled([self.record(row)], faults)[0], now)

    def record(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """One message: its identifier and an object named as its channel."""
        last = row["read_at"] or row["done_at"] or row["sent_at"] or row["submitted_at"]
        price = row["parts"] * row["part_micro"] / _MICRO
        attempt = {"status": row["word"], "date": self._local(last), "cost": f"{price:.3f}"}
        return {"messageID": row["message_id"], row["channel"]: attempt}

    def _answer(self, data: dict[str, Any], now: datetime) -> Reply:
        return json_reply(200, {"success": 1, "date": self._local(now), "data": data})

    def _error(self, code: str, now: datetime) -> Reply:
        error = {"code": code, "description": f"error {code}"}
        return json_reply(200, {"success": 0, "date": self._local(now), "error": error})

    def _local(self, moment: datetime) -> str:
        return moment.astimezone(self._zone).strftime("%Y-%m-%d %H:%M:%S %z")
