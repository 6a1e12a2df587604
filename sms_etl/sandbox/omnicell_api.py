"""Omnicell's ip2sms-request over a simulated world, in JSON.

Shapes: public clients of api.omnicell.com.ua/ip2sms-request and the words of refusals in github
vedekon/SMS-Life. Decided here, because no document of the JSON answer was seen: only delivered
messages have a deliveryDate, which is RFC 2822 with the offset of Kyiv, and an identifier of
others is answered with `error` in HTTP 200.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import polars as pl

from sms_etl.sandbox.faults import FaultSettings
from sms_etl.sandbox.provider import ProviderApi, Told
from sms_etl.sandbox.wire import Reply, Request, json_reply

LOGIN = "sandbox-shop"
_ZONE = ZoneInfo("Europe/Kyiv")
_DIGITS_OF_ID = 13


class OmnicellApi(ProviderApi):
    """Answers requests of one Omnicell account, read-only."""

    name = "omnicell"
    words: ClassVar[Mapping[str, Told]] = {
        "waiting": Told("Accepted"),
        "leaving": Told("Accepted"),
        "sent": Told("Enroute"),
        "read": Told("Delivered"),
        "delivered": Told("Delivered"),
        "no_receipt": Told("Enroute"),
        "final_unknown": Told("Unknown"),
        "expired": Told("Expired"),
        "outage": Told("Expired"),
        "dead_number": Told("Undeliverable"),
        "landline": Told("Undeliverable"),
        "network_error": Told("Undeliverable"),
        "spam_filter": Told("Undeliverable"),
        "invalid_number": Told("Rejected", "Invalid abonent number"),
        "opted_out": Told("Rejected", "Unknown operator code 99"),
        "cancelled": Told("Deleted"),
    }

    def identifier(self, thirty_two_hex: pl.Expr) -> pl.Expr:
        """A number."""
        digits = thirty_two_hex.str.slice(0, _DIGITS_OF_ID)
        return digits.str.to_integer(base=16, dtype=pl.Int64).cast(pl.String)

    def handle(self, request: Request, now: datetime, faults: FaultSettings) -> Reply:
        """The answer to a request at a simulated time."""
        if faults.token_expired or request.basic != (LOGIN, self.accounts.secret_of(self.name)):
            return Reply(401, b"401 Unauthorized")
        if request.method != "POST" or request.path != "/ip2sms-request/":
            return self.failure(404, {})
        asked = request.json if isinstance(request.json, dict) else {}
        if asked.get("value") != "state" or not isinstance(asked.get("id"), int):
            return Reply(200, b"Request not recognized")
        found = self.records(self.by_ids([str(asked["id"])]), now, faults)
        return json_reply(200, found[0] if found else {"error": "Message not found"})

    def record(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The state of one message."""
        state = {"value": row["word"]} | ({"error": row["code"]} if row["code"] else {})
        changed = row["done_at"] or row["sent_at"] or row["submitted_at"]
        record = {"id": int(row["message_id"]), "date": _local(changed), "state": state}
        if row["done_at"] and row["outcome"] == "delivered":
            record["deliveryDate"] = _local(row["done_at"])
        return record


def _local(moment: datetime) -> str:
    return moment.astimezone(_ZONE).strftime("%a, %d %b %Y %H:%M:%S %z")
