"""46elks's SMS history over a simulated world.

Shapes and rules: 46elks.se/docs/sms-history and 46elks.se/docs/show-sms-id. Decided here, because
the documents are silent: `start` and `end` exclude their own moment, `next` is the creation of
the last message of the page, a limit above 100 gives 100, a message without a receipt stays sent,
a cost is there once it is billed, and errors are plain text.
"""

from __future__ import annotations

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

PATH = "/a1/sms"
USERNAME = "u00000000000000000000000000000001"
MAX_PAGE_SIZE = 100
_PARAMETERS = {"start", "end", "limit", "to"}
_MICRO_IN_COST = 100
_ERRORS = {401: "Authorization required", 404: "Not found", 429: "Too many requests"}
_MILLISECOND = 1000


class ElksApi(ProviderApi):
    """Answers requests of one 46elks account, read-only."""

    name = "elks"
    words: ClassVar[Mapping[str, Told]] = {
        "waiting": Told("created"),
        "leaving": Told("created"),
        "sent": Told("sent"),
        "read": Told("delivered"),
        "delivered": Told("delivered"),
        "no_receipt": Told("sent"),
        "final_unknown": Told("sent"),
        "expired": Told("failed"),
        "dead_number": Told("failed"),
        "landline": Told("failed"),
        "network_error": Told("failed"),
        "spam_filter": Told("failed"),
        "outage": Told("failed"),
        "invalid_number": Told("failed"),
        "opted_out": Told("failed"),
        "cancelled": Told("failed"),
    }

    def __init__(self, world: World, accounts: Accounts, way: Way | None = None) -> None:
        super().__init__(world, accounts, way)
        nth_of_second = pl.int_range(pl.len()).over("submitted_at")
        into_second = pl.duration(microseconds=_MILLISECOND * nth_of_second)
        self._rows = self.messages.with_columns(created=pl.col("submitted_at") + into_second)

    def identifier(self, thirty_two_hex: pl.Expr) -> pl.Expr:
        """An s and the digits."""
        return "s" + thirty_two_hex

    def failure(self, status: int, headers: Mapping[str, str]) -> Reply:
        """An error in plain text."""
        body = _ERRORS.get(status, f"HTTP {status}").encode()
        return Reply(status, body, {"Content-Type": "text/plain"} | dict(headers))

    def handle(self, request: Request, now: datetime, faults: FaultSettings) -> Reply:
        """The answer to a request at a simulated time."""
        if faults.token_expired or request.basic != (USERNAME, self.accounts.secret_of(self.name)):
            return self.failure(401, {})
        if request.method != "GET" or request.path != PATH:
            return self.failure(404, {})
        try:
            return self._list(request.query, now, faults)
        except ValueError as problem:
            return Reply(400, str(problem).encode(), {"Content-Type": "text/plain"})

    def _list(self, query: Mapping[str, str], now: datetime, faults: FaultSettings) -> Reply:
        if unknown := set(query) - _PARAMETERS:
            raise ValueError(f"unknown parameters: {', '.join(sorted(unknown))}")
        asked = int(query.get("limit", MAX_PAGE_SIZE))
        if asked < 1:
            raise ValueError("limit must be at least 1")
        conditions = [pl.col("submitted_at") <= now]
        if "start" in query:
            conditions.append(pl.col("created") < _moment(query["start"]))
        if "end" in query:
            conditions.append(pl.col("created") > _moment(query["end"]))
        if "to" in query:
            conditions.append(pl.col("e164") == query["to"])
        matching = self._rows.filter(conditions).reverse()
        found = matching.head(page_size(min(asked, MAX_PAGE_SIZE), faults))
        answer: dict[str, Any] = {"data": self.records(found, now, faults)}
        if found.height < matching.height:
            answer["next"] = _written(found["created"][-1])
        return json_reply(200, answer)

    def record(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """One message in 46elks's fields; what there is not yet is left out."""
        record = {
            "id": row["message_id"],
            "created": _written(row["created"]),
            "direction": "outgoing",
            "from": row["sender"],
            "to": row["e164"] or row["recipient"],
            "message": row["text"],
            "status": row["word"],
        }
        if row["word"] == "delivered":
            record["delivered"] = f"{row['done_at'].astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        if row["billed_at"]:
            record["cost"] = row["part_micro"] * row["parts"] // _MICRO_IN_COST
        return record


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")


def _moment(text: str) -> datetime:
    """A moment of the query.

    Raises:
        ValueError: it is none.
    """
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
