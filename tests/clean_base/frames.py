"""Small tables written by hand: what a row does not say has a plain default."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import polars as pl

from sms_etl.model.engagement import OPT_OUTS, REPLIES
from sms_etl.model.schemas import MESSAGES, UTC_TIME, Column, Table

CONSENTS = Table(
    "consents",
    "The columns of the consent register that are read here",
    (
        Column("day", pl.Date, "Day"),
        Column("source", pl.String, "Source"),
        Column("event_id", pl.String, "Entry"),
        Column("recipient", pl.String, "Person"),
        Column("key_id", pl.String, "Key"),
        Column("contact", pl.String, "Person"),
        Column("given_at", UTC_TIME, "Given"),
        Column("withdrawn_at", UTC_TIME, "Withdrawn"),
        Column("purpose", pl.String, "For what"),
        Column("pulled_at", UTC_TIME, "Pulled"),
    ),
)

DELIVERED = {"status_class": "delivered"}
DEAD = {"status_class": "failed", "reason": "invalid_number", "permanence": "permanent"}
LANDLINE = DEAD | {"reason": "not_mobile_landline"}
HARD = DEAD | {"reason": "unreachable_handset", "mender": "nobody"}
ABSENT = {"status_class": "failed", "reason": "absent_subscriber", "permanence": "temporary"}
FILTERED = {
    "status_class": "rejected",
    "reason": "spam_filtered_content",
    "permanence": "permanent",
    "mender": "sender",
}
SILENT = {"status_class": "unknown", "reason": "no_receipt", "permanence": "unknown"}


def at(day: int, hour: int = 10, minute: int = 0, month: int = 10) -> datetime:
    """A moment of autumn 2026, UTC."""
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def messages(*rows: dict[str, Any]) -> pl.LazyFrame:
    """MESSAGES; `submitted_at` decides the day, ids are the row numbers."""
    said = [
        {
            "message_id": f"m{number}",
            "source": "alpha",
            "recipient": "anna",
            "submitted_at": at(1),
            "status_class": "delivered",
            "channel": "sms",
            "country": "UA",
        }
        | row
        for number, row in enumerate(rows, 1)
    ]
    for row in said:
        row.setdefault("day", row["submitted_at"].date())
        row.setdefault("done_at", row["submitted_at"])
    return table(MESSAGES, said)


def replies(*rows: dict[str, Any]) -> pl.LazyFrame:
    """REPLIES; `received_at` decides the day."""
    said = [
        {"event_id": f"r{n}", "source": "alpha", "recipient": "anna"} | row
        for n, row in enumerate(rows, 1)
    ]
    for row in said:
        row.setdefault("day", row["received_at"].date())
    return table(REPLIES, said)


def opt_outs(*rows: dict[str, Any]) -> pl.LazyFrame:
    """OPT_OUTS; `day` is the day the list was pulled for."""
    said = [{"source": "alpha", "recipient": "anna", "event_id": "e1"} | row for row in rows]
    for row in said:
        row.setdefault("pulled_at", datetime.combine(row["day"], datetime.min.time(), UTC))
    return table(OPT_OUTS, said)


def table(schema: Table, rows: list[dict[str, Any]]) -> pl.LazyFrame:
    """Rows of a canonical table; what they do not say is null."""
    full = [{name: row.get(name) for name in schema.names} for row in rows]
    return pl.DataFrame(full, schema=schema.schema).lazy()


def days(first: int, last: int, month: int = 10) -> list[date]:
    """Days of autumn 2026, both included."""
    return [date(2026, month, day) for day in range(first, last + 1)]
