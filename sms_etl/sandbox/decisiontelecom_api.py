"""Decision Telecom's SMS API over a simulated world: v1/api/status.

Shapes: en-api.decisiontele.com/sms-api; errors as in the description of PyPI decisiontelecom
1.0.0: inside HTTP 200, with the HTTP status they would have. Decided here, because the documents
are silent: a wrong access key is HTTP 401, and an identifier of others is an invalid parameter.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

import polars as pl

from sms_etl.sandbox.faults import FaultSettings
from sms_etl.sandbox.provider import ProviderApi, Told
from sms_etl.sandbox.wire import Reply, Request, json_reply

_DIGITS_OF_ID = 8
_TOO_MANY = ("Too Many Requests", "Rate limit exceeded", 0, 429)
_INVALID = (
    "Invalid Parameter: message_id",
    "Empty parameter or parameter validation error",
    1,
    400,
)
_NO_ACCESS = ("Unauthorized", "Your request was made with invalid credentials.", 0, 401)


class DecisionTelecomApi(ProviderApi):
    """Answers requests of one Decision Telecom account, read-only."""

    name = "decisiontelecom"
    id_field = "message_id"
    words: ClassVar[Mapping[str, Told]] = {
        "waiting": Told("ACCEPTD"),
        "leaving": Told("ACCEPTD"),
        "sent": Told("ENROUTE"),
        "read": Told("DELIVRD"),
        "delivered": Told("DELIVRD"),
        "no_receipt": Told("ENROUTE"),
        "final_unknown": Told("UNKNOWN"),
        "expired": Told("EXPIRED"),
        "outage": Told("EXPIRED"),
        "dead_number": Told("UNDELIV"),
        "landline": Told("UNDELIV"),
        "network_error": Told("UNDELIV"),
        "spam_filter": Told("REJECTD"),
        "invalid_number": Told("REJECTD"),
        "opted_out": Told("REJECTD"),
        "cancelled": Told("DELETED"),
    }

    def identifier(self, thirty_two_hex: pl.Expr) -> pl.Expr:
        """A number."""
        digits = thirty_two_hex.str.slice(0, _DIGITS_OF_ID)
        return digits.str.to_integer(base=16, dtype=pl.Int64).cast(pl.String)

    def busy(self) -> Reply:
        """Too many requests, inside HTTP 200."""
        return json_reply(200, _error(*_TOO_MANY))

    def handle(self, request: Request, now: datetime, faults: FaultSettings) -> Reply:
        """The answer to a request at a simulated time."""
        kind = request.headers.get("Authorization", "").partition(" ")[0]
        known = kind == "Basic" and request.token == self.accounts.secret_of(self.name)
        if faults.token_expired or not known:
            return json_reply(401, _error(*_NO_ACCESS))
        if request.path != "/v1/api/status":
            return self.failure(404, {})
        rows = self.seen(self.by_ids([request.query.get("message_id", "")]), now, faults)
        if rows.is_empty():
            return json_reply(200, _error(*_INVALID))
        row = rows.row(0, named=True)
        if row["code"]:
            return json_reply(200, _error("Invalid", "unknown", int(row["code"]), 400))
        return json_reply(200, self.spoiled([self.record(row)], faults)[0])

    def record(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The status of one message."""
        return {"message_id": int(row["message_id"]), "status": row["word"]}


def _error(name: str, message: str, code: int, status: int) -> dict[str, Any]:
    return {"name": name, "message": message, "code": code, "status": status}
