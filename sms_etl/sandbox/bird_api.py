"""Bird's platform API for SMS over a simulated world: the list of messages.

Shapes and rules: PyPI messagebird-sdk 0.106.0 bird/_generated.py (SMSMessage, SMSMessageList,
SMSError) and bird/_exceptions.py, generated from Bird's own description. Decided here, because it
is silent: created_after is included and created_before is not (as the SDK says of e-mail); a page
holds 25 messages by default and 100 at most; a message without a receipt stays `sent`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

import polars as pl

from sms_etl.sandbox.accounts import Accounts
from sms_etl.sandbox.campaigns import Way
from sms_etl.sandbox.faults import FaultSettings
from sms_etl.sandbox.provider import ProviderApi, Told, page_size
from sms_etl.sandbox.wire import Reply, Request, json_reply
from sms_etl.sandbox.world import World

PATH = "/v1/sms/messages"
DEFAULT_LIMIT, MAX_LIMIT = 25, 100
_PARAMETERS = {"limit", "starting_after", "created_after", "created_before", "direction"}
_CATEGORIES = {"otp": "authentication", "promo": "marketing"}
_REDACTED = "**REDACTED**"
_NETWORKS = {"Kyivstar": "25503", "Vodafone": "25501", "lifecell": "25506", "TriMob": "25507"}
_FAILURES = {
    401: ("auth_error", "invalid_api_key", "The API key is not valid."),
    404: ("not_found_error", "not_found", "There is no such resource."),
    422: ("validation_error", "validation_failed", "A parameter is not valid."),
    429: ("rate_limit_error", "rate_limited", "Too many requests."),
    500: ("internal_error", "internal", "An unexpected error."),
}


class BirdApi(ProviderApi):
    """Answers requests of one Bird workspace, read-only."""

    name = "bird"
    words: ClassVar[Mapping[str, Told]] = {
        "waiting": Told("accepted"),
        "leaving": Told("accepted"),
        "sent": Told("sent"),
        "read": Told("delivered"),
        "delivered": Told("delivered"),
        "no_receipt": Told("sent"),
        "final_unknown": Told("sent"),
        "expired": Told("expired", "unreachable"),
        "dead_number": Told("undelivered", "invalid_destination"),
        "landline": Told("undelivered", "landline_unreachable"),
        "network_error": Told("undelivered", "unknown"),
        "spam_filter": Told("undelivered", "blocked_by_carrier"),
        "outage": Told("failed", "provider_unavailable"),
        "invalid_number": Told("rejected", "invalid_destination"),
        "opted_out": Told("rejected", "recipient_opted_out"),
        "cancelled": Told("canceled"),
    }

    def __init__(self, world: World, accounts: Accounts, way: Way | None = None) -> None:
        super().__init__(world, accounts, way)
        self._newest_first = self.messages.with_row_index("age").reverse()

    def identifier(self, thirty_two_hex: pl.Expr) -> pl.Expr:
        """A prefix and 26 characters of base 32."""
        return "sms_" + thirty_two_hex.str.slice(0, 26)

    def failure(self, status: int, headers: Mapping[str, str]) -> Reply:
        """Bird's error body."""
        kind, code, message = _FAILURES[status]
        error = {"type": kind, "code": code, "message": message, "request_id": "req_sandbox"}
        return json_reply(status, {"error": error}, headers)

    def handle(self, request: Request, now: datetime, faults: FaultSettings) -> Reply:
        """The answer to a request at a simulated time."""
        if faults.token_expired or request.token != self.accounts.secret_of(self.name):
            return self.failure(401, {})
        if request.method != "GET" or request.path != PATH:
            return self.failure(404, {})
        try:
            return self._list(request.query, now, faults)
        except ValueError:
            return self.failure(422, {})

    def _list(self, query: Mapping[str, str], now: datetime, faults: FaultSettings) -> Reply:
        if unknown := set(query) - _PARAMETERS:
            raise ValueError(f"unknown parameters: {', '.join(sorted(unknown))}")
        limit = int(query.get("limit", DEFAULT_LIMIT))
        if not 1 <= limit <= MAX_LIMIT:
            raise ValueError(f"limit must be 1 to {MAX_LIMIT}")
        limit = page_size(limit, faults)
        matching = self._newest_first.filter(pl.all_horizontal(self._conditions(query, now)))
        page = matching.head(limit)
        ids = page["message_id"]
        more = matching.height > limit
        return json_reply(
            200,
            {
                "data": self.records(page, now, faults),
                "next_cursor": _cursor(ids[-1]) if more else None,
                "prev_cursor": _cursor(ids[0]) if "starting_after" in query and len(ids) else None,
                "refresh_cursor": _cursor(ids[0]) if len(ids) else None,
            },
        )

    def _conditions(self, query: Mapping[str, str], now: datetime) -> list[pl.Expr]:
        created = pl.col("submitted_at")
        conditions = [created <= now]
        if "created_after" in query:
            conditions.append(created >= datetime.fromisoformat(query["created_after"]))
        if "created_before" in query:
            conditions.append(created < datetime.fromisoformat(query["created_before"]))
        if "starting_after" in query:
            conditions.append(pl.col("age") < self._age(query["starting_after"]))
        if query.get("direction", "outbound") != "outbound":
            conditions.append(pl.lit(value=False))
        return conditions

    def _age(self, cursor: str) -> int:
        """Where the message of a cursor stands.

        Raises:
            ValueError: it is no cursor of ours.
        """
        try:
            return self.position[base64.urlsafe_b64decode(cursor).decode()]
        except (binascii.Error, UnicodeDecodeError, KeyError) as error:
            raise ValueError("starting_after is no cursor") from error

    def record(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """One message in Bird's fields; the carrier is known once a receipt came."""
        category = _CATEGORIES.get(row["kind"], "transactional")
        told = row["done_at"] is not None
        network = _NETWORKS.get(row["operator"]) if told else None
        return {
            "id": row["message_id"],
            "direction": "outbound",
            "status": row["word"],
            "to": row["e164"] or row["recipient"],
            "from": row["sender"],
            "text": _REDACTED if category == "authentication" else row["text"],
            "category": category,
            "requested_language": None,
            "resolved_language": None,
            "template_id": None,
            "template_version_id": None,
            "template_content_hash": None,
            "segments": {
                "count": row["parts"],
                "encoding": "UCS2" if row["encoding"] == "ucs2" else "GSM_7BIT",
                "characters": len(row["text"]),
            },
            "cost": _cost(row),
            "tags": [
                {"name": "team", "value": "crm"},
                {"name": "campaign", "value": row["campaign"]},
            ],
            "metadata": {},
            "options": {"smart_encoding": False},
            **({"carrier": row["operator"], "mcc_mnc": network} if network else {}),
            **({"country_code": row["country"]} if row["country"] else {}),
            "last_error": _error(row),
            "created_at": _written(row["submitted_at"]),
            "sent_at": _written(row["sent_at"]),
            "delivered_at": _written(row["done_at"]) if row["outcome"] == "delivered" else None,
        }


def _cost(row: Mapping[str, Any]) -> dict[str, str] | None:
    if row["billed_at"] is None:
        return None
    amount = f"{row['part_micro'] * row['parts'] / 1_000_000:.5f}"
    return {
        "amount": amount,
        "currency_code": row["currency"],
        "transaction_amount": amount,
        "passthrough_amount": "0.00000",
    }


def _error(row: Mapping[str, Any]) -> dict[str, Any] | None:
    if not row["code"]:
        return None
    return {
        "code": row["code"],
        "description": f"Said by the carrier: {row['outcome']}",
        "carrier_error_code": None,
        "occurred_at": _written(row["done_at"]),
        "permanent": None,
    }


def _cursor(message_id: str) -> str:
    return base64.urlsafe_b64encode(message_id.encode()).decode()


def _written(moment: datetime | None) -> str | None:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if moment else None
