"""The cube: counts that add, by UTC hour and the reporting dimensions."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from sms_etl.metrics.histogram import bucket_of
from sms_etl.model.schemas import CUBE, CUBE_KEYS, LATENCY

_STATE_KEYS = ("status_class", "reason", "permanence", "receipt", "currency")


@dataclass(frozen=True)
class Cube:
    """Counts and times to deliver of some slices; schemas CUBE and LATENCY."""

    counts: pl.DataFrame
    latency: pl.DataFrame


def build_cube(messages: pl.LazyFrame) -> Cube:
    """Sum MESSAGES into CUBE and LATENCY. A pure function: same messages, same rows, same order."""
    keyed = messages.with_columns(hour=pl.col("submitted_at").dt.truncate("1h"))
    counts = (
        keyed.group_by(*CUBE_KEYS, *_STATE_KEYS)
        .agg(
            messages=pl.len(),
            parts=pl.col("parts").sum(),
            messages_with_parts=pl.col("parts").count(),
            cost_micro=pl.col("cost_micro").sum(),
            messages_with_cost=pl.col("cost_micro").count(),
            messages_with_time=pl.col("seconds_to_deliver").count(),
        )
        .select(CUBE.names)
        .cast(CUBE.schema)
    )
    latency = (
        keyed.filter(pl.col("seconds_to_deliver").is_not_null())
        .with_columns(
            origin=pl.col("done_at_origin"), bucket=bucket_of(pl.col("seconds_to_deliver"))
        )
        .group_by(*CUBE_KEYS, "origin", "bucket")
        .agg(messages=pl.len())
        .select(LATENCY.names)
        .cast(LATENCY.schema)
    )
    return Cube(
        counts=counts.collect(engine="streaming").sort(*CUBE_KEYS, *_STATE_KEYS),
        latency=latency.collect(engine="streaming").sort(*CUBE_KEYS, "origin", "bucket"),
    )
