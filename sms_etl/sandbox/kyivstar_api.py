"""Kyivstar's Open Telecom API over a simulated world: the token endpoint and SMS statuses.

Shapes: github.com/iamgoroot/kyivstar-opentelecom-go @c6dbcb5 api/v1/sms, test/handlers/sms.go and
internal/models/err.go; error 1040 from github.com/MakarovIgor/kyivstar.sms.api.php.client @37e4e55.
Decided here, because no document could be had: a batch has an item with errorCode 1040 for a
message that failed and for an identifier of others, at most 100 identifiers go in a batch, and
tokens live 8 hours.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

import polars as pl

from sms_etl.sandbox.faults import FaultSettings
from sms_etl.sandbox.provider import ProviderApi, Told
from sms_etl.sandbox.wire import Reply, Request, json_reply
from sms_etl.sandbox.world import UUID_PIECES

CLIENT_ID = "sandbox-shop"
LARGEST_BATCH = 100
_BEARER = "sandbox-kyivstar-token"
_TOKEN_SECONDS = 8 * 3600
_REQUEST_ID = "f57b32f728056be66cfdb1eee74ea1ac"
_FAILED = Told(None, 1040)
_ERRORS = {
    400: (40001, "Invalid request"),
    401: (40101, "Invalid credentials"),
    404: (40401, "Not found"),
    413: (41301, "Payload too large"),
    429: (42901, "Too many requests"),
}
_OTHER_ERROR = (50001, "Internal server error")


class KyivstarApi(ProviderApi):
    """Answers requests of one application, read-only."""

    name = "kyivstar"
    id_field = "msgId"
    words: ClassVar[Mapping[str, Told]] = {
        "waiting": Told("accepted"),
        "leaving": Told("accepted"),
        "sent": Told("accepted"),
        "read": Told("seen"),
        "delivered": Told("delivered"),
        "no_receipt": Told("accepted"),
        "final_unknown": _FAILED,
        "expired": _FAILED,
        "outage": _FAILED,
        "dead_number": _FAILED,
        "landline": _FAILED,
        "network_error": _FAILED,
        "spam_filter": _FAILED,
        "invalid_number": _FAILED,
        "opted_out": _FAILED,
        "cancelled": _FAILED,
    }

    def identifier(self, thirty_two_hex: pl.Expr) -> pl.Expr:
        """A UUID."""
        pieces = [thirty_two_hex.str.slice(at, length) for at, length in UUID_PIECES]
        return pl.concat_str(pieces, separator="-")

    def failure(self, status: int, headers: Mapping[str, str]) -> Reply:
        """The gateway's error body."""
        code, words = _ERRORS.get(status, _OTHER_ERROR)
        body = {"reqId": _REQUEST_ID, "errorCode": code, "errorMsg": words}
        return json_reply(status, body, headers)

    def handle(self, request: Request, now: datetime, faults: FaultSettings) -> Reply:
        """The answer to a request at a simulated time."""
        if request.path == "/idp/oauth2/token":
            return self._grant(request, faults)
        if faults.token_expired or request.token != _BEARER:
            return self.failure(401, {})
        if request.method != "POST" or request.path != "/rest/v1/sms/status/batch":
            return self.failure(404, {})
        asked = request.json.get("data") if isinstance(request.json, dict) else None
        if not isinstance(asked, list) or not asked:
            return self.failure(400, {})
        if len(asked) > LARGEST_BATCH:
            return self.failure(413, {})
        return self._statuses([str(identifier) for identifier in asked], now, faults)

    def _grant(self, request: Request, faults: FaultSettings) -> Reply:
        known = request.basic == (CLIENT_ID, self.accounts.secret_of(self.name))
        if faults.token_expired or not known:
            return json_reply(401, {"error": "invalid_client"})
        if request.form.get("grant_type") != "client_credentials":
            return json_reply(400, {"error": "unsupported_grant_type"})
        token = {"access_token": _BEARER, "token_type": "bearer", "expires_in": _TOKEN_SECONDS}
        return json_reply(200, token)

    def _statuses(self, asked: list[str], now: datetime, faults: FaultSettings) -> Reply:
        known = self.records(self.by_ids(asked), now, faults)
        told = {identifier: _error_item(identifier, "1040") for identifier in asked}
        told |= {record["msgId"]: record for record in known}
        return json_reply(200, {"reqId": _REQUEST_ID, "data": told})

    def record(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """One item of a batch."""
        if row["code"] is not None:
            return _error_item(row["message_id"], row["code"])
        changed = row["read_at"] or row["done_at"] or row["sent_at"] or row["submitted_at"]
        return {
            "msgId": row["message_id"],
            "status": row["word"],
            "date": f"{changed.astimezone(UTC):%Y-%m-%dT%H:%M:%S.000Z}",
        }


def _error_item(identifier: str, code: str) -> dict[str, Any]:
    return {"msgId": identifier, "errorCode": code, "errorMsg": "Message not found"}
