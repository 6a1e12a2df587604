"""The cube: counts that add, by UTC hour and the reporting dimensions."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from sms_etl.metrics.histogram import bucket_of
from sms_etl.model.schemas import ASKED, CUBE, CUBE_KEYS, EVENTS, LATENCY
from sms_etl.model.vocabulary import UNKNOWN_LABEL, TimeOrigin

MICROSECONDS = 1e6

_TIME_KEYS = ("status_class", "origin", "bucket")
_EVENT_KEYS = ("day", "source", "provider", "campaign", "event_hour", "status_class")
_ASKED_KEYS = ("day", "source", "hour", "campaign", "skipped", "recipient", "contact")
_STATE_KEYS = ("status_class", "reason", "permanence", "receipt", "currency")


@dataclass(frozen=True)
class Cube:
    """Counts, times to deliver and ends of some slices; schemas CUBE, LATENCY and EVENTS."""

    counts: pl.DataFrame
    latency: pl.DataFrame
    events: pl.DataFrame


def build_cube(messages: pl.LazyFrame) -> Cube:
    """Sum MESSAGES into CUBE, LATENCY and EVENTS.

    A pure function: same messages, same rows, same order.
    """
    keyed = messages.with_columns(hour=pl.col("submitted_at").dt.truncate("1h"))
    counts = (
        keyed.group_by(*CUBE_KEYS, *_STATE_KEYS)
        .agg(
            messages=pl.len(),
            parts=pl.col("parts").sum(),
            messages_with_parts=pl.col("parts").count(),
            cost_micro=pl.col("cost_micro").sum(),
            messages_with_cost=pl.col("cost_micro").count(),
            partly_delivered=pl.col("partly_delivered").sum(),
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
        events=count_events(messages).collect(engine="streaming").sort(_EVENT_KEYS),
    )


def count_events(messages: pl.LazyFrame) -> pl.LazyFrame:
    """MESSAGES whose end has a time, counted by the hour of it: EVENTS, in no order."""
    return (
        messages.filter(pl.col("final"), pl.col("done_at").is_not_null())
        .with_columns(event_hour=pl.col("done_at").dt.truncate("1h"))
        .group_by(_EVENT_KEYS)
        .agg(messages=pl.len())
        .select(EVENTS.names)
        .cast(EVENTS.schema)
    )


def build_asked(outbox: pl.LazyFrame, zone: str, source: str) -> pl.DataFrame:
    """Count the outbox rows of a source.

    Args:
        outbox: `submitted_at`, `campaign`, `skipped`, and `recipient` and `contact_id`,
            pseudonyms where skipped, as in OUTBOX; rows without a readable time belong to no day
            and are left out.
        zone: Business time zone.
        source: The configured source.

    Returns:
        ASKED, sorted.
    """
    skipped = pl.col("skipped").is_not_null()
    return (
        outbox.filter(pl.col("submitted_at").is_not_null())
        .with_columns(
            day=pl.col("submitted_at").dt.convert_time_zone(zone).dt.date(),
            hour=pl.col("submitted_at").dt.truncate("1h"),
            source=pl.lit(source),
            campaign=pl.col("campaign").fill_null(UNKNOWN_LABEL),
            recipient=pl.when(skipped).then("recipient"),
            contact=pl.when(skipped).then("contact_id"),
        )
        .group_by(_ASKED_KEYS)
        .agg(messages=pl.len())
        .select(ASKED.names)
        .cast(ASKED.schema)
        .collect(engine="streaming")
        .sort(_ASKED_KEYS)
    )


def _origin_of_end() -> pl.Expr:
    """TimeOrigin of the final state; none while there is no final state."""
    return pl.when(pl.col("final")).then("done_at_origin").otherwise(pl.lit(TimeOrigin.NONE.value))


def _seconds_lived() -> pl.Expr:
    """From submission to the final state, or to the last sight of a message without one."""
    until = pl.when(pl.col("final")).then("done_at").otherwise("observed_at")
    seconds = (until - pl.col("submitted_at")).dt.total_microseconds() / MICROSECONDS
    return pl.coalesce("seconds_to_deliver", seconds.clip(lower_bound=0.0))
