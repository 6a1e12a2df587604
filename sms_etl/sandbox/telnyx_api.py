"""Telnyx's detail records of messages over a simulated world, and reports (see telnyx_reports).

Shapes and rules: github.com/team-telnyx/openapi openapi/spec3.yml @12de4dd. Decided here,
because the description is silent: a message without a receipt becomes dlr_timeout after 72 hours,
a date in `filter[created_at]` is its first moment in UTC, a cancelled message is refused by the
gateway without an error, and an unbilled message has no cost. A field without a value is left
out: every field but record_type is optional, and none may be null.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

import polars as pl

from sms_etl.sandbox.accounts import Accounts
from sms_etl.sandbox.campaigns import Way
from sms_etl.sandbox.faults import FaultSettings
from sms_etl.sandbox.lifecycle import AGED_OUT
from sms_etl.sandbox.provider import ProviderApi, Told, page_size, paged
from sms_etl.sandbox.telnyx_reports import FILES_PATH, REPORTS_PATH, Reports
from sms_etl.sandbox.wire import Reply, Request, json_reply
from sms_etl.sandbox.world import UUID_PIECES, World

PATH = "/v2/detail_records"
DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE = 20, 50
_FROM, _TO, _TYPE = "filter[created_at][gte]", "filter[created_at][lt]", "filter[record_type]"
_PARAMETERS = {_FROM, _TO, _TYPE, "sort", "page[number]", "page[size]"}
_SORTS = {"created_at": False, "-created_at": True}
_MNC = {"Kyivstar": "03", "Vodafone": "01", "lifecell": "06", "TriMob": "07"}
_FAILURES = {
    400: ("10011", "Bad Request"),
    401: ("10009", "Authentication failed"),
    404: ("10005", "Resource not found"),
    429: ("10011", "Too many requests"),
    500: ("10007", "Unexpected error"),
}


class TelnyxApi(ProviderApi):
    """Answers requests of one Telnyx account; `reports` are those that were ordered."""

    name = "telnyx"
    words: ClassVar[Mapping[str, Told]] = {
        "waiting": Told("queued"),
        "leaving": Told("sending"),
        "sent": Told("dlr_timeout"),
        "read": Told("delivered"),
        "delivered": Told("delivered"),
        "no_receipt": Told("dlr_timeout"),
        "final_unknown": Told("dlr_unconfirmed"),
        "expired": Told("failed", "40005"),
        "dead_number": Told("failed", "40012"),
        "landline": Told("failed", "40001"),
        "network_error": Told("gw_timeout", "40006"),
        "spam_filter": Told("failed", "40002"),
        "outage": Told("failed", "40006"),
        "invalid_number": Told("gw_reject", "40310"),
        "opted_out": Told("gw_reject", "40300"),
        "cancelled": Told("gw_reject"),
    }
    id_field = "uuid"

    def __init__(self, world: World, accounts: Accounts, way: Way | None = None) -> None:
        super().__init__(world, accounts, way)
        given_up = pl.col("submitted_at") + AGED_OUT
        silent = pl.col("outcome") == "no_receipt"
        self._rows = self.messages.with_columns(
            recorded_at=pl.when(silent).then(given_up).otherwise("done_at")
        )
        self.reports = Reports()

    def identifier(self, thirty_two_hex: pl.Expr) -> pl.Expr:
        """A UUID."""
        pieces = [thirty_two_hex.str.slice(at, length) for at, length in UUID_PIECES]
        return pl.concat_str(pieces, separator="-")

    def failure(self, status: int, headers: Mapping[str, str]) -> Reply:
        """Telnyx's error body."""
        return _error(status, "", headers)

    def handle(self, request: Request, now: datetime, faults: FaultSettings) -> Reply:
        """The answer to a request at a simulated time."""
        if faults.token_expired or request.token != self.accounts.secret_of(self.name):
            return self.failure(401, {})
        try:
            if (request.method, request.path) == ("GET", PATH):
                return self._list(request.query, now, faults)
            reply = self._reported(request, now, faults)
        except ValueError as problem:
            return _error(400, str(problem))
        return reply or _error(404, "The requested resource or URL could not be found.")

    def _reported(self, request: Request, now: datetime, faults: FaultSettings) -> Reply | None:
        """The answer to an order, the list, the state or the file of reports; None: no such one."""
        whole = (request.method, request.path)
        if whole == ("POST", REPORTS_PATH):
            return self._order(request, now, faults)
        if whole == ("GET", REPORTS_PATH):
            return self.reports.listed(request)
        if request.path.startswith(f"{REPORTS_PATH}/"):
            return self.reports.told(request)
        return self.reports.file(request) if request.path.startswith(FILES_PATH) else None

    def _order(self, request: Request, now: datetime, faults: FaultSettings) -> Reply:
        order = request.json
        if not isinstance(order, dict) or not {"start_time", "end_time"} <= set(order):
            raise ValueError("start_time and end_time are required")
        start, end = (datetime.fromisoformat(order[name]) for name in ("start_time", "end_time"))
        rows = self._rows.filter(
            pl.col("recorded_at") <= now, pl.col("submitted_at").is_between(start, end)
        )
        if 2 not in order.get("directions", [2]):
            rows = rows.clear()
        return self.reports.ordered(request, now, self.records(rows, now, faults))

    def _list(self, query: Mapping[str, str], now: datetime, faults: FaultSettings) -> Reply:
        if unknown := set(query) - _PARAMETERS:
            raise ValueError(f"unknown parameters: {', '.join(sorted(unknown))}")
        if query.get(_TYPE) != "messaging":
            raise ValueError(f"{_TYPE} must be messaging")
        if (sort := query.get("sort", "-created_at")) not in _SORTS:
            raise ValueError(f"sort cannot be {sort}")
        number, size = int(query.get("page[number]", 1)), _page_size(query)
        created = pl.col("submitted_at")
        conditions = [pl.col("recorded_at") <= now]
        if _FROM in query:
            conditions.append(created >= _midnight(query[_FROM]))
        if _TO in query:
            conditions.append(created < _midnight(query[_TO]))
        matching = self._rows.filter(conditions)
        if _SORTS[sort]:
            matching = matching.reverse()
        size = page_size(size, faults)
        found = paged(matching, (number - 1) * size, size, faults)
        return json_reply(
            200,
            {
                "data": self.records(found, now, faults),
                "meta": {
                    "page_number": number,
                    "page_size": size,
                    "total_pages": math.ceil(matching.height / size),
                    "total_results": matching.height,
                },
            },
        )

    def record(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """One message in Telnyx's fields."""
        mnc = _MNC.get(row["operator"])
        done_at = row["done_at"] or row["recorded_at"]
        fields = {
            "record_type": "message_detail_record",
            "uuid": row["message_id"],
            "user_id": "5a5a5a5a-0000-4000-8000-000000000001",
            "cld": row["e164"] or row["recipient"],
            "cli": row["sender"],
            "direction": "outbound",
            "message_type": row["channel"].upper(),
            "status": row["word"],
            "delivery_status": "webhook_delivered",
            "created_at": _utc(row["submitted_at"]),
            "sent_at": _utc(row["sent_at"]),
            "completed_at": _utc(done_at),
            "updated_at": _utc(max(done_at, row["updated_at"])),
            "parts": row["parts"],
            "rate": _amount(row["part_micro"]),
            "cost": _amount(row["part_micro"] * row["parts"]) if row["billed_at"] else None,
            "carrier_fee": "0.0000",
            "currency": row["currency"],
            "country_code": row["country"],
            "mcc": "255" if mnc else None,
            "mnc": mnc,
            "carrier": row["operator"],
            "errors": [row["code"]] if row["code"] else [],
            "profile_id": "5a5a5a5a-0000-4000-8000-000000000002",
            "profile_name": "Promin",
            "tags": "",
            "fteu": False,
            "on_net": False,
        }
        return {name: value for name, value in fields.items() if value is not None}


def _page_size(query: Mapping[str, str]) -> int:
    size = int(query.get("page[size]", DEFAULT_PAGE_SIZE))
    if not 1 <= size <= MAX_PAGE_SIZE:
        raise ValueError(f"page[size] must be 1 to {MAX_PAGE_SIZE}")
    return size


def _midnight(text: str) -> datetime:
    """The first moment of a date, UTC.

    Raises:
        ValueError: it is no plain date; nothing else is shown in the description.
    """
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        raise ValueError("filter[created_at] takes dates")
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _utc(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def _amount(micro: int) -> str:
    return f"{micro / 1_000_000:.4f}"


def _error(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Reply:
    code, title = _FAILURES[status]
    error = {"code": code, "title": title, "detail": detail or title}
    return json_reply(status, {"errors": [error]}, headers)
