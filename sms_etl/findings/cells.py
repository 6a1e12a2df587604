"""Cells: hourly counts of sent and bad messages, in one shape for every kind of problem.

A cell is one hour of one combination of SLICED_BY. Columns: `usual` (true: only tells what is
normal), `hour` (UTC), SLICED_BY (Categorical, for it is grouped faster), and whole numbers
`n` and `bad` (messages, and those of them that went wrong), `allow` (bad ones that are no wonder,
such as receipts too young to be there), `usual_n` and `usual_bad` (what the cell says of normal).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import polars as pl

from sms_etl.findings.thresholds import Thresholds
from sms_etl.metrics.histogram import bucket_of, value_of
from sms_etl.metrics.reasons import DEAD_REASONS, list_reasons
from sms_etl.metrics.summary import AsOf
from sms_etl.metrics.survival import delivered_with_time
from sms_etl.model.vocabulary import Permanence, StatusClass, TimeOrigin

SLICED_BY = ("source", "sender", "country", "operator")
"""Dimensions a problem can be told of."""

_TIME = ("usual", "hour")
_STATE = ("status_class", "reason", "permanence", "currency")
_HOUR = timedelta(hours=1)

UNDELIVERED = pl.col("status_class").is_in([StatusClass.FAILED.value, StatusClass.REJECTED.value])
MISSING = pl.col("status_class").is_in([StatusClass.UNKNOWN.value, StatusClass.PENDING.value])
_FOR_GOOD = (pl.col("permanence") == Permanence.PERMANENT).fill_null(value=False)


def _by_reason(reasons: Iterable[str]) -> pl.Expr:
    named = pl.col("reason").is_in(sorted(reasons)).fill_null(value=False)
    return UNDELIVERED & named & _FOR_GOOD


DEAD = _by_reason(DEAD_REASONS)
"""Messages to numbers that no network could reach: the recipient list is to be mended."""

DROPPED = UNDELIVERED & ~_by_reason(list_reasons())
"""Messages that a number in order, whose owner wants them, did not get."""


def with_usual(rows: pl.LazyFrame, usual: pl.LazyFrame) -> pl.LazyFrame:
    """Both tables as one, told apart by the column `usual`."""
    return pl.concat(
        [
            rows.with_columns(usual=pl.lit(value=False)),
            usual.with_columns(usual=pl.lit(value=True)),
        ]
    )


def hourly(cube: pl.LazyFrame, usual: pl.LazyFrame) -> pl.DataFrame:
    """CUBE rows summed over what no problem is told of."""
    return (
        with_usual(cube, usual)
        .group_by([*_TIME, *SLICED_BY, *_STATE])
        .agg(pl.col("messages", "cost_micro", "messages_with_cost").sum())
        .with_columns(pl.col(*SLICED_BY, *_STATE).cast(pl.Categorical))
        .collect(engine="streaming")
    )


def hourly_times(
    latency: pl.LazyFrame, usual: pl.LazyFrame, limits: Thresholds
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Cells of slow deliveries, and for every source how many were delivered by which bucket."""
    rows = with_usual(latency, usual).filter(delivered_with_time())
    slow = value_of(pl.col("bucket")) > limits.slow_seconds
    cells = (
        rows.filter(pl.col("origin") == TimeOrigin.PROVIDER)
        .group_by([*_TIME, *SLICED_BY])
        .agg(n=pl.col("messages").sum(), bad=pl.col("messages").filter(slow).sum())
        .with_columns(
            pl.col(*SLICED_BY).cast(pl.Categorical),
            allow=pl.lit(0, pl.Int64),
            usual_n="n",
            usual_bad="bad",
        )
    )
    speed = (
        rows.group_by("source", "bucket")
        .agg(pl.col("messages").sum())
        .sort("source", "bucket")
        .with_columns(
            arrived=pl.col("messages").cum_sum().over("source")
            / pl.col("messages").sum().over("source")
        )
        .select(pl.col("source").cast(pl.Categorical), "bucket", "arrived")
    )
    return cells.collect(engine="streaming"), speed.collect(engine="streaming")


def slot_sums(hours: pl.DataFrame) -> pl.DataFrame:
    """For every hour of every combination: messages `n`, `dropped`, and with `missing` end."""
    messages = pl.col("messages")
    return (
        hours.lazy()
        .group_by([*_TIME, *SLICED_BY])
        .agg(
            n=messages.sum(),
            dropped=messages.filter(DROPPED).sum(),
            missing=messages.filter(MISSING).sum(),
        )
        .collect(engine="streaming")
    )


def delivery_cells(sums: pl.DataFrame) -> pl.DataFrame:
    """Undelivered of all sent; what is normal is told by those whose end is known.

    Both choices lean to silence: a waiting message counts as sent and not as bad, so an hour
    whose rejections come in before its deliveries raises no alarm.
    """
    return sums.select(
        *_TIME,
        *SLICED_BY,
        "n",
        bad="dropped",
        allow=pl.lit(0, pl.Int64),
        usual_n=pl.col("n") - pl.col("missing"),
        usual_bad="dropped",
    )


def receipt_cells(
    hours: pl.DataFrame,
    sums: pl.DataFrame,
    speed: pl.DataFrame,
    as_of: AsOf,
    limits: Thresholds,
) -> pl.DataFrame:
    """Messages without a known end; as many are allowed as are usually late at that age.

    Late at an age: deliveries slower than it, and all that will fail, for a failure may be told
    only when the network gives up.
    """
    cells = sums.drop("dropped").rename({"missing": "bad"})
    late = _late_shares(hours, speed, as_of, limits)
    allow = (pl.col("n") * pl.col("late")).ceil().cast(pl.Int64)
    return (
        cells.join(late, on=["source", "hour"])
        .filter(pl.col("age") >= limits.first_receipts_hours * _HOUR)
        .with_columns(allow=allow)
        .with_columns(usual_n="n", usual_bad=(pl.col("bad") - pl.col("allow")).clip(lower_bound=0))
        .drop("late", "age")
    )


def _late_shares(
    hours: pl.DataFrame, speed: pl.DataFrame, as_of: AsOf, limits: Thresholds
) -> pl.DataFrame:
    """For every source and hour: `age` of its youngest message and share `late` at that age."""
    messages = pl.col("messages")
    failing = hours.group_by("source").agg(
        failing=messages.filter(UNDELIVERED).sum() / messages.filter(~MISSING).sum().clip(1)
    )
    timed = speed["source"].unique().to_list()
    slots = (
        hours.select("source", "hour")
        .unique()
        .with_columns(age=pl.lit(as_of.moment) - (pl.col("hour") + _HOUR))
    )
    known = slots.with_columns(bucket=bucket_of(pl.col("age").dt.total_seconds().cast(pl.Float64)))
    untimed = (pl.col("age") >= limits.receipt_hours * _HOUR).cast(pl.Float64)
    arrived = (
        pl.when(pl.col("source").is_in(timed))
        .then(pl.col("arrived").fill_null(0.0))
        .otherwise(untimed)
    )
    late = (1 - arrived + pl.col("failing")).clip(0.0, 1.0)
    settled = pl.col("age") >= as_of.silence_hours * _HOUR
    return (
        known.sort("bucket")
        .join_asof(
            speed.sort("bucket"),
            on="bucket",
            by="source",
            strategy="backward",
            check_sortedness=False,
        )
        .join(failing, on="source")
        .select("source", "hour", "age", late=pl.when(settled).then(0.0).otherwise(late))
    )
