"""SMS Club's JSON API over a simulated world: sms/status and sms/balance.

Shapes: smsclub.mobi/en/api and github smsclub/wordpress_plugin (php-new-master). An answer is
`success_request.info`, a table of identifiers and words; what cannot be said is in `add_info`.
Decided here, because the documents are silent: identifiers of others are left out of the table,
and the errors have the body of the framework (Yii) whose `status` and `message` the company's
client reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

import polars as pl

from sms_etl.sandbox.faults import FaultSettings
from sms_etl.sandbox.provider import ProviderApi, Told
from sms_etl.sandbox.wire import Reply, Request, json_reply

LARGEST_BATCH = 100
_DIGITS_OF_ID = 13
_NAMES = {401: "Unauthorized", 404: "Not Found", 429: "Too Many Requests"}


class SmsClubApi(ProviderApi):
    """Answers requests of one SMS Club account."""

    name = "smsclub"
    words: ClassVar[Mapping[str, Told]] = {
        "waiting": Told("ENROUTE"),
        "leaving": Told("ENROUTE"),
        "sent": Told("ENROUTE"),
        "read": Told("DELIVRD"),
        "delivered": Told("DELIVRD"),
        "no_receipt": Told("ENROUTE"),
        "final_unknown": Told("ENROUTE"),
        "expired": Told("EXPIRED"),
        "outage": Told("EXPIRED"),
        "dead_number": Told("UNDELIV"),
        "landline": Told("UNDELIV"),
        "network_error": Told("UNDELIV"),
        "spam_filter": Told("REJECTD"),
        "invalid_number": Told("REJECTD"),
        "opted_out": Told("REJECTD"),
        "cancelled": Told("REJECTD"),
    }

    def identifier(self, thirty_two_hex: pl.Expr) -> pl.Expr:
        """A number."""
        digits = thirty_two_hex.str.slice(0, _DIGITS_OF_ID)
        return digits.str.to_integer(base=16, dtype=pl.Int64).cast(pl.String)

    def failure(self, status: int, headers: Mapping[str, str]) -> Reply:
        """The framework's error body."""
        name = _NAMES.get(status, "Bad Request" if status < 500 else "Internal Server Error")
        body = {"name": name, "message": f"{name}.", "code": 0, "status": status}
        return json_reply(status, body, headers)

    def handle(self, request: Request, now: datetime, faults: FaultSettings) -> Reply:
        """The answer to a request at a simulated time."""
        if faults.token_expired or request.token != self.accounts.secret_of(self.name):
            return self.failure(401, {})
        if request.method == "POST" and request.path == "/sms/balance":
            return _answer({"money": "8111.1800", "currency": "UAH"})
        if request.method == "POST" and request.path == "/sms/status":
            return self._status(request, now, faults)
        return self.failure(404, {})

    def _status(self, request: Request, now: datetime, faults: FaultSettings) -> Reply:
        asked = request.json.get("id_sms") if isinstance(request.json, dict) else None
        if not isinstance(asked, list) or not 0 < len(asked) <= LARGEST_BATCH:
            return self.failure(400, {})
        known = self.by_ids([str(identifier) for identifier in asked])
        told = {record["id"]: record["status"] for record in self.records(known, now, faults)}
        return _answer(told or [])

    def record(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """One line of the table."""
        return {"id": row["message_id"], "status": row["word"]}


def _answer(info: Any) -> Reply:
    return json_reply(200, {"success_request": {"info": info}})
