"""AlphaSMS's JSON interface over a simulated world: statuses and the balance.

Shapes: github.com/OneNoxTi/sms-api docs/api/json. Every answer has HTTP 200. Decided here,
because the documents are silent: an identifier that is not known, and a request of another type,
get an error in their own item of the answer; a person on the stop list is REJECTED.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

import polars as pl

from sms_etl.sandbox.campaigns import Way
from sms_etl.sandbox.faults import FaultSettings
from sms_etl.sandbox.provider import ProviderApi, Told
from sms_etl.sandbox.wire import Reply, Request, json_reply

PATH = "/api/json.php"
_ID_DIGITS = 12
_BALANCE = {"amount": 31.1683, "currency": "UAH"}


class AlphaSmsApi(ProviderApi):
    """Answers requests of one AlphaSMS account, read-only."""

    name = "alphasms"
    words: ClassVar[Mapping[str, Told]] = {
        "waiting": Told("QUEUED"),
        "leaving": Told("ROUTING"),
        "sent": Told("ACCEPTED"),
        "read": Told("READ"),
        "delivered": Told("DELIVERED"),
        "no_receipt": Told("ACCEPTED"),
        "final_unknown": Told("UNKNOWN"),
        "expired": Told("EXPIRED"),
        "dead_number": Told("UNDELIVERABLE"),
        "landline": Told("UNDELIVERABLE"),
        "network_error": Told("UNDELIVERABLE"),
        "spam_filter": Told("FILTERED"),
        "outage": Told("UNDELIVERABLE"),
        "invalid_number": Told("INVALID DESTINATION ADDRESS"),
        "opted_out": Told("REJECTED"),
        "cancelled": Told("DELETED"),
    }
    own_way = Way.TURBOSMS

    def identifier(self, thirty_two_hex: pl.Expr) -> pl.Expr:
        """A number that the client chose."""
        return thirty_two_hex.str.head(_ID_DIGITS).str.to_integer(base=16).cast(pl.String)

    def busy(self) -> Reply:
        """An error for now inside HTTP 200."""
        return _refusal("Internal error")

    def handle(self, request: Request, now: datetime, faults: FaultSettings) -> Reply:
        """The answer to a request at a simulated time."""
        if request.method != "POST" or request.path != PATH:
            return json_reply(404, {"success": False, "error": "Not found"})
        asked = request.json
        if "json" not in request.headers.get("Content-Type", "") or not isinstance(asked, dict):
            return _refusal("Wrong request")
        if faults.token_expired or asked.get("auth") != self.accounts.secret_of(self.name):
            return _refusal("Access denied")
        items = [item for item in asked.get("data", []) if isinstance(item, dict)]
        seen = self.seen(self.by_ids([str(item.get("id")) for item in items]), now, faults)
        found = {row["message_id"]: self.record(row) for row in seen.iter_rows(named=True)}
        answers = [answer for item in items for answer in self._answers(item, found, faults)]
        return json_reply(200, {"success": True, "data": answers})

    def record(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """One message in AlphaSMS's fields; a code is the text of an error, without a status."""
        identifier = int(row["message_id"])
        if row["code"]:
            return {"id": identifier, "error": row["code"]}
        return {"id": identifier, "type": row["channel"], "status": row["word"]}

    def _answers(
        self, item: Mapping[str, Any], found: Mapping[str, dict[str, Any]], faults: FaultSettings
    ) -> list[dict[str, Any]]:
        """What is answered to one item of a request."""
        if item.get("type") == "balance":
            return [{"success": True, "data": _BALANCE}]
        if item.get("type") != "status":
            return [_wrapped({"id": item.get("id"), "error": "Wrong type"})]
        record = found.get(str(item.get("id")))
        if record is None:
            return [_wrapped({"id": item.get("id"), "error": "Message not found"})]
        return [_wrapped(spoiled) for spoiled in self.spoiled([record], faults)]


def _wrapped(record: dict[str, Any]) -> dict[str, Any]:
    """A record as an item of the answer: an error stands beside the data."""
    if "error" not in record:
        return {"success": True, "data": record}
    return {"success": False, "error": record["error"], "data": {"id": record["id"]}}


def _refusal(error: str) -> Reply:
    return json_reply(200, {"success": False, "error": error})
