"""Small synthetic worlds: messages drawn one by one, and the cube built from them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl

from sms_etl.model.schemas import CONSERVATION, CUBE, LATENCY, UNMAPPED

HOUR = timedelta(hours=1)
DEFAULTS: dict[str, Any] = {
    "source": "turbosms",
    "provider": "turbosms",
    "campaign": "sale",
    "sender": "SHOP",
    "channel": "sms",
    "country": "UA",
    "operator": "Kyivstar",
    "status_class": "delivered",
    "reason": None,
    "permanence": None,
    "receipt": "none",
    "currency": None,
    "messages": 1,
    "parts": 0,
    "messages_with_parts": 0,
    "cost_micro": 0,
    "messages_with_cost": 0,
    "partly_delivered": 0,
    "messages_with_time": 0,
}


def at(day: date | str, hour: int = 12) -> datetime:
    day = date.fromisoformat(day) if isinstance(day, str) else day
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + hour * HOUR


def cube(rows: Iterable[dict[str, Any]]) -> pl.LazyFrame:
    """CUBE rows from what differs from DEFAULTS; `day` follows from `hour`."""
    full = [{"day": row["hour"].date(), **DEFAULTS, **row} for row in rows]
    return pl.DataFrame(full, schema=CUBE.schema, orient="row").lazy()


def latency(rows: Iterable[dict[str, Any]]) -> pl.LazyFrame:
    """LATENCY rows from what differs from DEFAULTS, provider times unless told otherwise."""
    names = LATENCY.names
    full = [{"day": row["hour"].date(), **DEFAULTS, "origin": "provider", **row} for row in rows]
    return pl.DataFrame(
        [{name: row[name] for name in names} for row in full], schema=LATENCY.schema
    ).lazy()


def conservation(rows: Sequence[tuple[date, str, str, str | None, int]] = ()) -> pl.LazyFrame:
    return pl.DataFrame(rows, schema=CONSERVATION.schema, orient="row").lazy()


def unmapped(rows: Sequence[tuple[date, str, str, str, int]] = ()) -> pl.LazyFrame:
    return pl.DataFrame(rows, schema=UNMAPPED.schema, orient="row").lazy()
