"""The cube: counts that add, by UTC hour and the reporting dimensions."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from sms_etl.metrics.histogram import bucket_of
from sms_etl.model.schemas import CUBE, CUBE_KEYS, LATENCY
from sms_etl.model.vocabulary import TimeOrigin

MICROSECONDS = 1e6

_TIME_KEYS = ("status_class", "origin", "bucket")
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
        keyed.with_columns(origin=_origin_of_end(), bucket=bucket_of(_seconds_lived()))
        .group_by(*CUBE_KEYS, *_TIME_KEYS)
        .agg(messages=pl.len())
        .select(LATENCY.names)
        .cast(LATENCY.schema)
    )
    return Cube(
        counts=counts.collect(engine="streaming").sort(*CUBE_KEYS, *_STATE_KEYS),
        latency=latency.collect(engine="streaming").sort(*CUBE_KEYS, *_TIME_KEYS),
    )


def _origin_of_end() -> pl.Expr:
    """TimeOrigin of the final state; none while there is no final state."""
    return pl.when(pl.col("final")).then("done_at_origin").otherwise(pl.lit(TimeOrigin.NONE.value))


def _seconds_lived() -> pl.Expr:
    """From submission to the final state, or to the last sight of a message without one."""
    until = pl.when(pl.col("final")).then("done_at").otherwise("observed_at")
    seconds = (until - pl.col("submitted_at")).dt.total_microseconds() / MICROSECONDS
    return pl.coalesce("seconds_to_deliver", seconds.clip(lower_bound=0.0))
