"""Small tables for rules, written by hand; the new columns of messages and consents are added."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import polars as pl

from sms_etl.model.clean_base import SUPPRESSIONS
from sms_etl.model.schemas import UTC_TIME
from tests.clean_base.frames import CONSENTS, at, table

MESSAGE_COLUMNS = pl.Schema(
    [
        ("day", pl.Date), ("source", pl.String), ("message_id", pl.String),
        ("campaign", pl.String), ("recipient", pl.String), ("contact", pl.String),
        ("country", pl.String), ("number_prefix", pl.String), ("submitted_at", UTC_TIME),
        ("purpose", pl.String), ("opt_out_wording", pl.Boolean), ("status_class", pl.String),
    ]
)  # fmt: skip


def sent(*rows: dict[str, Any]) -> pl.LazyFrame:
    """Marketing messages to a Ukrainian number at noon in Kyiv, with a way to refuse."""
    said = [
        {
            "message_id": f"m{number}", "source": "alpha", "recipient": "anna", "country": "UA",
            "campaign": "sale", "number_prefix": "3805012", "submitted_at": at(10, 9),
            "purpose": "marketing", "opt_out_wording": True, "status_class": "delivered",
        } | row
        for number, row in enumerate(rows, 1)
    ]  # fmt: skip
    for row in said:
        row["day"] = row["submitted_at"].date()
    return pl.DataFrame(said, schema=MESSAGE_COLUMNS).lazy()


def refusals(*rows: dict[str, Any]) -> pl.LazyFrame:
    """Spans of refusals."""
    frame = table(SUPPRESSIONS, [{"recipient": "anna", "rule": "opted_out"} | row for row in rows])
    until = [row.get("until") for row in rows]
    return frame.collect().with_columns(until=pl.Series(until, dtype=UTC_TIME)).lazy()


def consents(*rows: dict[str, Any]) -> pl.LazyFrame:
    """Entries of a register."""
    pulled: datetime = at(1, month=9)
    said = [
        {"source": "crm", "event_id": f"c{n}", "recipient": "anna", "pulled_at": pulled} | row
        for n, row in enumerate(rows, 1)
    ]
    return table(CONSENTS, said)
