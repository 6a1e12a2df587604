"""Sinch's SMS REST API over a simulated world: the list of batches and that of finished reports.

Shapes and rules: github.com/sinch/sinch-sdk-java @d747cc3 (JSON fixtures, query parameters) and
developers.sinch.com, Delivery reports. Decided here, because the documents are silent: both
lists are newest first; reports are filtered by the time they were made; a message without a
receipt gets the report Unknown after 72 hours; every batch has one recipient; a recipient that is
no number is written as its digits.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, ClassVar

import polars as pl

from sms_etl.sandbox.accounts import Accounts
from sms_etl.sandbox.campaigns import Way
from sms_etl.sandbox.faults import FaultSettings
from sms_etl.sandbox.lifecycle import AGED_OUT
from sms_etl.sandbox.provider import ProviderApi, Told, page_size
from sms_etl.sandbox.wire import Reply, Request, json_reply
from sms_etl.sandbox.world import World

SERVICE_PLAN = "5a5a5a5a000000000000000000000002"
ROOT = f"/xms/v1/{SERVICE_PLAN}"
DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE = 30, 100
_WITHOUT_A_START = timedelta(hours=24)
_KEPT = timedelta(days=14)
_LIVES = timedelta(days=3)
_PARAMETERS = {"page", "page_size", "start_date", "end_date"}
_NO_DIGITS = "0"
_FAILURES = {
    400: ("syntax_invalid_parameter_format", "The parameter is not valid"),
    401: ("unauthorized", "The token is not valid for this service plan"),
    404: ("not_found", "There is no such resource"),
    429: ("too_many_requests", "The request rate limit has been exceeded."),
    500: ("internal_error", "An unexpected error"),
}


class SinchApi(ProviderApi):
    """Answers requests of one Sinch service plan, read-only."""

    name = "sinch"
    words: ClassVar[Mapping[str, Told]] = {
        "waiting": Told("Queued", 400),
        "leaving": Told("Queued", 400),
        "sent": Told("Unknown", 0),
        "read": Told("Delivered", 0),
        "delivered": Told("Delivered", 0),
        "no_receipt": Told("Unknown", 0),
        "final_unknown": Told("Unknown", 0),
        "expired": Told("Expired", 153),
        "dead_number": Told("Failed", 150),
        "landline": Told("Failed", 152),
        "network_error": Told("Failed", 155),
        "spam_filter": Told("Failed", 62),
        "outage": Told("Failed", 207),
        "invalid_number": Told("Rejected", 300),
        "opted_out": Told("Deleted", 0),
        "cancelled": Told("Cancelled", 407),
    }

    def __init__(self, world: World, accounts: Accounts, way: Way | None = None) -> None:
        super().__init__(world, accounts, way)
        silent = pl.col("outcome") == "no_receipt"
        given_up = pl.when(silent).then(pl.col("submitted_at") + AGED_OUT)
        self._newest_first = self.messages.with_columns(
            reported_at=pl.coalesce("done_at", given_up)
        ).reverse()
        self._newest_reports = self._newest_first.sort(
            "reported_at", descending=True, nulls_last=True, maintain_order=True
        )

    def identifier(self, thirty_two_hex: pl.Expr) -> pl.Expr:
        """A ULID, of a batch."""
        return "01" + thirty_two_hex.str.slice(0, 24).str.to_uppercase()

    def own_id(self) -> pl.Expr:
        """The batch and the recipient's digits: Sinch has no identifier of a message."""
        return pl.col("message_id").replace_strict(self._own_ids, return_dtype=pl.String)

    @cached_property
    def _own_ids(self) -> dict[str, str]:
        rows = self.world.by_way[self.way]
        digits = pl.coalesce("e164", "recipient").str.replace_all(r"\D", "")
        written = pl.when(digits != "").then(digits).otherwise(pl.lit(_NO_DIGITS))
        own = rows.select("message_id", own=super().own_id() + ":" + written)
        return dict(own.iter_rows())

    def failure(self, status: int, headers: Mapping[str, str]) -> Reply:
        """Sinch's error body."""
        code, text = _FAILURES[status]
        return json_reply(status, {"code": code, "text": text}, headers)

    def handle(self, request: Request, now: datetime, faults: FaultSettings) -> Reply:
        """The answer to a request at a simulated time."""
        if faults.token_expired or request.token != self.accounts.secret_of(self.name):
            return self.failure(401, {})
        listings = {f"{ROOT}/batches": self._batches, f"{ROOT}/delivery_reports": self._reports}
        if request.method != "GET" or request.path not in listings:
            return self.failure(404, {})
        try:
            return listings[request.path](request.query, now, faults)
        except ValueError:
            return self.failure(400, {})

    def _batches(self, query: Mapping[str, str], now: datetime, faults: FaultSettings) -> Reply:
        created = pl.col("submitted_at")
        seen = self._newest_first.filter(created <= now, created > now - _KEPT)
        return self._list("batches", seen, created, query, now, faults)

    def _reports(self, query: Mapping[str, str], now: datetime, faults: FaultSettings) -> Reply:
        made = pl.col("reported_at")
        seen = self._newest_reports.filter(made <= now)
        return self._list("delivery_reports", seen, made, query, now, faults)

    def _list(
        self,
        listing: str,
        rows: pl.DataFrame,
        time: pl.Expr,
        query: Mapping[str, str],
        now: datetime,
        faults: FaultSettings,
    ) -> Reply:
        if unknown := set(query) - _PARAMETERS:
            raise ValueError(f"unknown parameters: {unknown}")
        number, size = int(query.get("page", 0)), int(query.get("page_size", DEFAULT_PAGE_SIZE))
        if number < 0 or not 1 <= size <= MAX_PAGE_SIZE:
            raise ValueError("page must not be negative, page_size 1 to 100")
        start = _moment(query["start_date"]) if "start_date" in query else now - _WITHOUT_A_START
        end = _moment(query["end_date"]) if "end_date" in query else now + _WITHOUT_A_START
        matching = rows.filter(time >= start, time < end)
        size = page_size(size, faults)
        seen = self.seen(matching.slice(number * size, size), now, faults)
        write = _batch if listing == "batches" else _report
        found = [
            self._spoiled(write(row), row["message_id"], faults)
            for row in seen.iter_rows(named=True)
        ]
        records = [record for same in found for record in same]
        body = {"count": matching.height, "page": number, "page_size": len(records)}
        return json_reply(200, {**body, listing: records})

    def _spoiled(
        self, record: dict[str, Any], message_id: str, faults: FaultSettings
    ) -> list[dict[str, Any]]:
        if message_id in faults.blank:
            kept = {"id", "to", "batch_id", "recipient"} & set(record)
            record = dict.fromkeys(record) | {name: record[name] for name in kept}
        return [record] * (2 if message_id in faults.twice else 1)


def _batch(row: Mapping[str, Any]) -> dict[str, Any]:
    batch, _, number = row["message_id"].partition(":")
    created = row["submitted_at"]
    return {
        "id": batch,
        "to": [number],
        "from": row["sender"],
        "canceled": row["word"] == "Cancelled",
        "body": row["text"],
        "type": "mt_text",
        "created_at": _utc(created),
        "modified_at": _utc(created),
        "delivery_report": "none",
        "send_at": _utc(created),
        "expire_at": _utc(created + _LIVES),
        "client_reference": row["campaign"],
        "feedback_enabled": False,
        "flash_message": False,
    }


def _report(row: Mapping[str, Any]) -> dict[str, Any]:
    batch, _, number = row["message_id"].partition(":")
    made = row["reported_at"]
    return {
        "type": "recipient_delivery_report_sms",
        "batch_id": batch,
        "recipient": number,
        "code": int(row["code"]),
        "status": row["word"],
        "at": _utc(made),
        "operator_status_at": _utc(made.replace(second=0)),
        "client_reference": row["campaign"],
    }


def _moment(text: str) -> datetime:
    """An ISO-8601 time; without an offset it is UTC.

    Raises:
        ValueError: it is no such time.
    """
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.000Z}"
