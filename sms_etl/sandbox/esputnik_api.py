"""eSputnik's API v1 over a simulated world: message/sms/status and balance.

Shapes: github dkulyk/esputnik (fields, HTTP Basic), updevru/php-esputnik-api (`ids`), and the
Bitrix module mlife.smsservices (words). `results` is an object when it is one message and a list
when there are several, as public clients expect.
Decided here, because no document was seen: the form of a requestId, one hundred identifiers a
request at most, and errors in plain text.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

import polars as pl

from sms_etl.sandbox.faults import FaultSettings
from sms_etl.sandbox.provider import ProviderApi, Told
from sms_etl.sandbox.wire import Reply, Request, json_reply
from sms_etl.sandbox.world import UUID_PIECES

LARGEST_BATCH = 100
_ERRORS = {401: "Authentication error", 429: "Too many requests"}
_DELIVERED = ("DELIVERED", "READ")
_WAITING = ("IN_QUEUE", "PENDING")


class ESputnikApi(ProviderApi):
    """Answers requests of one eSputnik organisation."""

    name = "esputnik"
    id_field = "requestId"
    words: ClassVar[Mapping[str, Told]] = {
        "waiting": Told("IN_QUEUE"),
        "leaving": Told("IN_QUEUE"),
        "sent": Told("PENDING"),
        "read": Told("READ"),
        "delivered": Told("DELIVERED"),
        "no_receipt": Told("PENDING"),
        "final_unknown": Told("PENDING"),
        "expired": Told("EXPIRED"),
        "outage": Told("EXPIRED"),
        "dead_number": Told("UNDELIVERED"),
        "landline": Told("UNDELIVERED"),
        "network_error": Told("FAILED"),
        "spam_filter": Told("UNDELIVERED"),
        "invalid_number": Told("ERROR"),
        "opted_out": Told("UNSUBSCRIBED"),
        "cancelled": Told("ERROR"),
    }

    def identifier(self, thirty_two_hex: pl.Expr) -> pl.Expr:
        """A UUID."""
        pieces = [thirty_two_hex.str.slice(at, length) for at, length in UUID_PIECES]
        return pl.concat_str(pieces, separator="-")

    def failure(self, status: int, headers: Mapping[str, str]) -> Reply:
        """An error in plain text."""
        body = _ERRORS.get(status, f"HTTP {status}").encode()
        return Reply(status, body, {"Content-Type": "text/plain"} | dict(headers))

    def handle(self, request: Request, now: datetime, faults: FaultSettings) -> Reply:
        """The answer to a request at a simulated time."""
        _user, password = request.basic or ("", "")
        if faults.token_expired or password != self.accounts.secret_of(self.name):
            return self.failure(401, {})
        if request.path == "/api/v1/balance":
            return json_reply(200, {"currentBalance": 1234.5, "currency": "UAH"})
        if request.path == "/api/v1/message/sms/status":
            return self._status(request, now, faults)
        return self.failure(404, {})

    def _status(self, request: Request, now: datetime, faults: FaultSettings) -> Reply:
        asked = [name for name in request.query.get("ids", "").split(",") if name]
        if not 0 < len(asked) <= LARGEST_BATCH:
            return self.failure(400, {})
        results = self.records(self.by_ids(asked), now, faults)
        unknown = set(asked) - {record["requestId"] for record in results}
        results += [self._told(name, "MESSAGE_NOT_FOUND") for name in asked if name in unknown]
        return json_reply(200, {"results": results[0] if len(results) == 1 else results})

    def record(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """One message in eSputnik's fields."""
        return self._told(row["message_id"], row["word"])

    def _told(self, request_id: str, word: str) -> dict[str, Any]:
        delivered = word in _DELIVERED
        return {
            "requestId": request_id,
            "id": self.position.get(request_id, 0),
            "status": word,
            "failed": not delivered and word not in _WAITING,
            "delivered": delivered,
        }
