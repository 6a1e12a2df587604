"""Sinch's SMS REST API over a simulated world: the list of batches and that of finished reports.

Shapes and rules: github.com/sinch/sinch-sdk-java @d747cc3 (JSON fixtures, query parameters) and
developers.sinch.com, Delivery reports. Decided here, because the documents are silent: both
lists are newest first; reports are filtered by the time they were made; a message without a
receipt gets the report Unknown after 72 hours; messages of a
campaign in one second are a batch, with the text of one of them; a recipient that is no number is
written as the digits in it; a batch is never cancelled as a whole. Inbounds: as in the SDK's
MOTextMessage and developers.sinch.com, Inbounds: 14 days, newest first.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import polars as pl

from sms_etl.model.vocabulary import Engagement
from sms_etl.sandbox.accounts import Accounts
from sms_etl.sandbox.batch_api import BatchApi, batches, with_batch
from sms_etl.sandbox.campaigns import Way
from sms_etl.sandbox.engaged import REPLY_NUMBER
from sms_etl.sandbox.faults import FaultSettings
from sms_etl.sandbox.lifecycle import AGED_OUT
from sms_etl.sandbox.provider import Told, page_size
from sms_etl.sandbox.wire import Reply, Request, json_reply
from sms_etl.sandbox.world import World

SERVICE_PLAN = "5a5a5a5a000000000000000000000002"
ROOT = f"/xms/v1/{SERVICE_PLAN}"
DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE = 30, 100
_WITHOUT_A_START = timedelta(hours=24)
_KEPT = timedelta(days=14)
_LIVES = timedelta(days=3)
_PARAMETERS = {"page", "page_size", "start_date", "end_date"}
_FAILURES = {
    400: ("syntax_invalid_parameter_format", "The parameter is not valid"),
    401: ("unauthorized", "The token is not valid for this service plan"),
    404: ("not_found", "There is no such resource"),
    429: ("too_many_requests", "The request rate limit has been exceeded."),
    500: ("internal_error", "An unexpected error"),
}


class SinchApi(BatchApi):
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
        self._newest_first = (
            with_batch(self.messages)
            .with_columns(reported_at=pl.coalesce("done_at", given_up))
            .reverse()
        )
        self._newest_reports = self._newest_first.sort(
            "reported_at", descending=True, nulls_last=True, maintain_order=True
        )

    def identifier(self, thirty_two_hex: pl.Expr) -> pl.Expr:
        """A ULID, of a batch."""
        return "01" + thirty_two_hex.str.slice(0, 24).str.to_uppercase()

    def failure(self, status: int, headers: Mapping[str, str]) -> Reply:
        """Sinch's error body."""
        code, text = _FAILURES[status]
        return json_reply(status, {"code": code, "text": text}, headers)

    def handle(self, request: Request, now: datetime, faults: FaultSettings) -> Reply:
        """The answer to a request at a simulated time."""
        if faults.token_expired or request.token != self.accounts.secret_of(self.name):
            return self.failure(401, {})
        listings = {
            f"{ROOT}/batches": (self._batches, self._batch_records),
            f"{ROOT}/delivery_reports": (self._reports, self._report_records),
            f"{ROOT}/inbounds": (self._inbounds, self._inbound_records),
        }
        if request.method != "GET" or request.path not in listings:
            return self.failure(404, {})
        listed, records = listings[request.path]
        try:
            matching, number, size = _asked(listed(now), request.query, now)
        except ValueError:
            return self.failure(400, {})
        size = page_size(size, faults)
        found = records(matching.slice(number * size, size), now, faults)
        body = {"count": matching.height, "page": number, "page_size": len(found)}
        return json_reply(200, {**body, request.path.rpartition("/")[2]: found})

    def _batches(self, now: datetime) -> pl.DataFrame:
        """What may be listed of the batches; `at` is the time that is filtered."""
        at = pl.col("submitted_at")
        return batches(self._newest_first.filter(at <= now, at > now - _KEPT)).with_columns(at=at)

    def _reports(self, now: datetime) -> pl.DataFrame:
        at = pl.col("reported_at")
        return self._newest_reports.filter(at <= now).with_columns(at=at)

    def _inbounds(self, now: datetime) -> pl.DataFrame:
        at = pl.col("at")
        return self.engaged(Engagement.REPLIES).filter(at <= now, at > now - _KEPT).reverse()

    def _inbound_records(
        self, page: pl.DataFrame, _now: datetime, faults: FaultSettings
    ) -> list[dict[str, Any]]:
        return self.spoiled_events(
            page, [_inbound(row) for row in page.iter_rows(named=True)], faults
        )

    def _batch_records(
        self, page: pl.DataFrame, _now: datetime, _faults: FaultSettings
    ) -> list[dict[str, Any]]:
        return [_batch(row) for row in page.iter_rows(named=True)]

    def _report_records(
        self, page: pl.DataFrame, now: datetime, faults: FaultSettings
    ) -> list[dict[str, Any]]:
        rows = self.seen(page, now, faults).iter_rows(named=True)
        return [record for row in rows for record in self._report(row, faults)]

    def _report(self, row: Mapping[str, Any], faults: FaultSettings) -> list[dict[str, Any]]:
        made = row["reported_at"]
        record = {
            "type": "recipient_delivery_report_sms",
            "batch_id": row["batch"],
            "recipient": row["number"],
            "code": int(row["code"]),
            "status": row["word"],
            "at": _utc(made),
            "operator_status_at": _utc(made.replace(second=0)),
            "client_reference": row["campaign"],
        }
        return self.spoilt(record, ("batch_id", "recipient"), row["message_id"], faults)


def _asked(
    rows: pl.DataFrame, query: Mapping[str, str], now: datetime
) -> tuple[pl.DataFrame, int, int]:
    """Rows between the bounds, the page number and its size.

    Raises:
        ValueError: a parameter is not one of Sinch's, or its value is not.
    """
    if unknown := set(query) - _PARAMETERS:
        raise ValueError(f"unknown parameters: {unknown}")
    number, size = int(query.get("page", 0)), int(query.get("page_size", DEFAULT_PAGE_SIZE))
    if number < 0 or not 1 <= size <= MAX_PAGE_SIZE:
        raise ValueError("page must not be negative, page_size 1 to 100")
    since = _moment(query["start_date"]) if "start_date" in query else now - _WITHOUT_A_START
    rows = rows.filter(pl.col("at") >= since)
    if "end_date" in query:
        rows = rows.filter(pl.col("at") < _moment(query["end_date"]))
    return rows, number, size


def _batch(row: Mapping[str, Any]) -> dict[str, Any]:
    created = row["submitted_at"]
    return {
        "id": row["batch"],
        "to": row["numbers"],
        "from": row["sender"],
        "canceled": False,
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


def _inbound(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "mo_text",
        "id": "01" + row["event_id"][:24].upper(),
        "from": row["e164"].removeprefix("+"),
        "to": REPLY_NUMBER.removeprefix("+"),
        "body": row["text"],
        "client_reference": row["campaign"],
        "operator_id": "25503",
        "sent_at": _utc(row["at"]),
        "received_at": _utc(row["at"]),
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
