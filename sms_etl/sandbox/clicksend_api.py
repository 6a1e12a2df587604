"""ClickSend's SMS history over a simulated world.

Shapes and rules: pypi.org/project/clicksend-client 6.0.2 (view_sms_history and its models), the
codes help.clicksend.com/article/8cc479qlbb-list-of-sms-gateway-error-codes; error bodies as
answered by rest.clicksend.com. Decided here, because the documents are silent: both bounds of a
date filter are included, a message without a receipt stays Sent with code 200, one to a person
who opted out or that was called off is Cancelled, and the price is there once it is billed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import urlencode

import polars as pl

from sms_etl.sandbox.faults import FaultSettings
from sms_etl.sandbox.provider import ProviderApi, Told, page_size, paged
from sms_etl.sandbox.wire import Reply, Request, json_reply
from sms_etl.sandbox.world import UUID_PIECES

PATH = "/v3/sms/history"
USERNAME = "promin"
DEFAULT_PAGE_SIZE, MIN_PAGE_SIZE, MAX_PAGE_SIZE = 15, 15, 100
_PARAMETERS = {"page", "limit", "q", "order_by", "date_from", "date_to"}
_ORDERS = {"date:asc": False, "date:desc": True}
_FAILURES = {
    400: ("BAD_REQUEST", "The request is not valid."),
    401: ("UNAUTHORIZED", "Authorization failed."),
    404: ("NOT_FOUND", "Invalid endpoint. Please try again."),
    429: ("TOO_MANY_REQUESTS", "Too many requests."),
    500: ("INTERNAL_SERVER_ERROR", "Server error."),
}
_ERRORS = {
    "5": "Message is cancelled",
    "8": "Unknown subscriber. Number is inactive or invalid",
    "11": "Rejection due to subscription, handset or network not supporting SMS.",
    "12": "Absent Subscriber. Phone is out of range or switched off.",
    "14": "Rejection due to recipient network error or congestion.",
    "19": "Anti-spam rejection by recipient network",
    "20": "Message delivery receipt expired",
}
_ON_HANDSET = {"delivered", "read"}
_NO_CODE_YET = {"waiting", "leaving"}


class ClickSendApi(ProviderApi):
    """Answers requests of one ClickSend account, read-only."""

    name = "clicksend"
    id_field = "message_id"
    words: ClassVar[Mapping[str, Told]] = {
        "waiting": Told("Queued"),
        "leaving": Told("Completed"),
        "sent": Told("Sent"),
        "read": Told("Sent"),
        "delivered": Told("Sent"),
        "no_receipt": Told("Sent"),
        "final_unknown": Told("Failed", "20"),
        "expired": Told("Failed", "12"),
        "dead_number": Told("Failed", "8"),
        "landline": Told("Failed", "11"),
        "network_error": Told("Failed", "14"),
        "spam_filter": Told("Failed", "19"),
        "outage": Told("Failed", "12"),
        "invalid_number": Told("Failed", "8"),
        "opted_out": Told("Cancelled", "5"),
        "cancelled": Told("Cancelled", "5"),
    }

    def identifier(self, thirty_two_hex: pl.Expr) -> pl.Expr:
        """A UUID in capitals."""
        pieces = [thirty_two_hex.str.slice(at, length) for at, length in UUID_PIECES]
        return pl.concat_str(pieces, separator="-").str.to_uppercase()

    def failure(self, status: int, headers: Mapping[str, str]) -> Reply:
        """ClickSend's error body: the status three times, and no data."""
        return _answer(status, *_FAILURES[status], None, headers)

    def handle(self, request: Request, now: datetime, faults: FaultSettings) -> Reply:
        """The answer to a request at a simulated time."""
        if faults.token_expired or request.basic != (USERNAME, self.accounts.secret_of(self.name)):
            return self.failure(401, {})
        if request.method != "GET" or request.path != PATH:
            return self.failure(404, {})
        try:
            return self._list(request, now, faults)
        except ValueError as problem:
            return _answer(400, "BAD_REQUEST", str(problem), None)

    def _list(self, request: Request, now: datetime, faults: FaultSettings) -> Reply:
        query = request.query
        if unknown := set(query) - _PARAMETERS:
            raise ValueError(f"unknown parameters: {', '.join(sorted(unknown))}")
        asked, number = int(query.get("limit", DEFAULT_PAGE_SIZE)), int(query.get("page", 1))
        if not MIN_PAGE_SIZE <= asked <= MAX_PAGE_SIZE or number < 1:
            raise ValueError(f"limit must be {MIN_PAGE_SIZE} to {MAX_PAGE_SIZE}, page at least 1")
        if (order := query.get("order_by", "date:asc")) not in _ORDERS:
            raise ValueError(f"cannot order by {order}")
        second = pl.col("submitted_at").dt.truncate("1s")
        conditions = [pl.col("submitted_at") <= now]
        if "date_from" in query:
            conditions.append(second >= _moment(query["date_from"]))
        if "date_to" in query:
            conditions.append(second <= _moment(query["date_to"]))
        matching = self.messages.filter(conditions)
        if _ORDERS[order]:
            matching = matching.reverse()
        size = page_size(asked, faults)
        found = paged(matching, (number - 1) * size, size, faults)
        data = {
            **_place(request, number, size, matching.height),
            "data": self.records(found, now, faults),
        }
        return _answer(200, "SUCCESS", "Here are your data.", data)

    def record(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """One message in ClickSend's fields."""
        price = row["part_micro"] * row["parts"] / 1_000_000
        submitted = int(row["submitted_at"].timestamp())
        status_code, status_text = _status(row)
        return {
            "direction": "out",
            "date": submitted,
            "to": row["e164"] or row["recipient"],
            "body": row["text"],
            "status": row["word"],
            "from": row["sender"],
            "schedule": str(submitted),
            "status_code": status_code,
            "status_text": status_text,
            "error_code": row["code"],
            "error_text": _ERRORS.get(row["code"]),
            "message_id": row["message_id"],
            "message_parts": row["parts"],
            "message_price": f"{price:.6f}" if row["billed_at"] else None,
            "from_email": None,
            "list_id": None,
            "custom_string": row["campaign"],
            "contact_id": None,
            "user_id": 1,
            "subaccount_id": 1,
            "country": row["country"],
            "carrier": row["operator"] or "",
            "first_name": None,
            "last_name": None,
            "_api_username": USERNAME,
        }


def _place(request: Request, number: int, size: int, total: int) -> dict[str, Any]:
    """Where a page lies among all."""
    last = max(1, math.ceil(total / size))
    start, end = (number - 1) * size, min(number * size, total)

    def link(page: int) -> str | None:
        there = f"{request.base}{PATH}?{urlencode({**request.query, 'page': page})}"
        return there if 1 <= page <= last else None

    return {
        "total": total,
        "per_page": size,
        "current_page": number,
        "last_page": last,
        "next_page_url": link(number + 1),
        "prev_page_url": link(number - 1),
        "from": start + 1 if start < end else None,
        "to": end if start < end else None,
    }


def _status(row: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Code and text of the status: they tell what the word alone does not."""
    known = row["outcome"] if row["stage"] == "done" else row["stage"]
    if known in _NO_CODE_YET:
        return None, None
    if known in _ON_HANDSET:
        return "201", "Success: Message received on handset."
    if row["code"]:
        return "301", "Failed: Delivery failure."
    return "200", "Success: Message sent to network."


def _moment(text: str) -> datetime:
    return datetime.fromtimestamp(int(text), UTC)


def _answer(
    status: int, code: str, message: str, data: Any, headers: Mapping[str, str] | None = None
) -> Reply:
    body = {"http_code": status, "response_code": code, "response_msg": message, "data": data}
    return json_reply(status, body, headers)
