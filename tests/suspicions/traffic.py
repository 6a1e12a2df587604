"""A month of honest traffic on two routes, and what is planted into it."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from sms_etl.model.attribution import JUDGED_CLICKS
from sms_etl.model.schemas import UTC_TIME
from sms_etl.suspicions.rows import Traffic

START = datetime(2026, 9, 1, tzinfo=UTC)
WINDOW = START + timedelta(days=28)
END = WINDOW + timedelta(days=7)

COLUMNS = pl.Schema(
    [
        ("day", pl.Date), ("source", pl.String), ("message_id", pl.String), ("country", pl.String),
        ("campaign", pl.String),
        ("operator", pl.String), ("number_prefix", pl.String), ("in_number_run", pl.Boolean),
        ("links", pl.Int32), ("status_class", pl.String), ("submitted_at", UTC_TIME),
        ("seconds_to_deliver", pl.Float64), ("done_at_origin", pl.String),
        ("cost_micro", pl.Int64), ("currency", pl.String),
    ]
)  # fmt: skip


def honest(seed: int = 1, a_day: int = 200, clicking: float = 0.08) -> list[dict[str, Any]]:
    """Messages of five weeks; `clicked` says whether a person opened the link."""
    drawn = random.Random(seed)
    return [
        {
            "source": drawn.choice(("alpha", "beta")),
            "country": "UA",
            "operator": drawn.choice(("Kyivstar", "Vodafone")),
            "number_prefix": f"38050{drawn.randrange(40):02}",
            "in_number_run": drawn.random() < 0.002,
            "links": 1,
            "status_class": "delivered" if drawn.random() < 0.95 else "failed",
            "submitted_at": START + timedelta(hours=hour, seconds=drawn.randrange(3600)),
            "seconds_to_deliver": drawn.lognormvariate(1.5, 0.6) + 1,
            "cost_micro": 50_000,
            "clicked": drawn.random() < clicking,
        }
        for hour in range(5 * 7 * 24)
        for _ in range(a_day // 24)
    ]


def pumped(count: int = 400, **others: Any) -> list[dict[str, Any]]:
    """Messages of one night to consecutive numbers of a prefix abroad; nobody opens a link."""
    night = WINDOW + timedelta(days=3, hours=1)
    return [
        {
            "source": "alpha", "country": "AZ", "operator": "Nar", "number_prefix": "9947012",
            "in_number_run": True, "links": 1, "status_class": "delivered",
            "submitted_at": night + timedelta(seconds=20 * n), "seconds_to_deliver": 4.0 + n % 7,
            "cost_micro": 250_000, "clicked": False,
        } | others
        for n in range(count)
    ]  # fmt: skip


def traffic(rows: list[dict[str, Any]]) -> Traffic:
    """Rows as the tables they come in."""
    said = [
        {
            "message_id": f"m{number}", "currency": "EUR", "done_at_origin": "provider",
            "campaign": "sale",
            "day": row["submitted_at"].date(),
        } | row
        for number, row in enumerate(rows)
    ]  # fmt: skip
    messages = pl.DataFrame(said, schema=COLUMNS).lazy()
    opened = [
        dict.fromkeys(JUDGED_CLICKS.names)
        | {"message_source": row["source"], "message_id": row["message_id"]}
        for row in said
        if row["clicked"]
    ]
    late = pl.col("submitted_at") >= WINDOW
    return Traffic(
        messages.filter(late),
        messages.filter(~late),
        pl.DataFrame(opened, schema=JUDGED_CLICKS.schema).lazy(),
    )
