"""The cube that a page carries: the report's messages by local day and dimension, no persons.

Everything the page says under a filter is a sum over these rows, as everything in the report is a
sum over the cube. Hours go, so a day is the smallest step of time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

import polars as pl

from sms_etl.metrics.completion import MILLI
from sms_etl.metrics.histogram import FLOOR_SECONDS, GAMMA
from sms_etl.metrics.summary import AsOf
from sms_etl.metrics.survival import delivered_with_time, ended_with_time, waiting
from sms_etl.model.vocabulary import Receipt, TimeOrigin

DIMENSIONS = ("source", "campaign", "sender", "country", "operator")
"""What the page can be filtered by, besides days and reasons."""

STATES = ("status_class", "reason", "by_operator", "currency", "young", "unjudged")
"""What tells rows of the same day and dimensions apart.

`by_operator`: delivered by the operator's word only. `young`: silence does not count as final yet.
`unjudged`: no completion curve is known.
"""

MEASURES = (
    "messages", "parts", "messages_with_parts", "cost_micro", "messages_with_cost",
    "partly_delivered", "expected_milli",
)  # fmt: skip
"""`expected_milli`: thousandths of messages whose receipt usually would still be to come."""

REST = "\u2026"
"""Stands for campaigns that were too small to be kept apart."""

_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class TwinCube:
    """Counts (DIMENSIONS, day, STATES, MEASURES), times (DIMENSIONS, day, kind, bucket, messages).

    `kind` is the place of a word of TIME_KINDS. `collapsed`: how many times neighbouring buckets
    of the histogram were merged in pairs, each of which doubles the relative error of times.
    `campaigns_merged`: campaigns that are one row.
    """

    counts: pl.DataFrame
    times: pl.DataFrame
    first_day: date
    days: int
    as_of: AsOf
    collapsed: int = 0
    campaigns_merged: int = 0

    @property
    def gamma(self) -> float:
        """Ratio of a bucket's ends, as merged."""
        return float(GAMMA ** (2**self.collapsed))

    @property
    def relative_error(self) -> float:
        """Promise on every quantile of a time."""
        return (self.gamma - 1) / (self.gamma + 1)

    @property
    def floor_seconds(self) -> float:
        """Upper end of bucket 0."""
        return FLOOR_SECONDS


TIME_KINDS = ("delivered", "delivered_at_most", "ended", "waiting")
"""Delivered, delivered with an estimated time, ended otherwise, without a final state."""


def twin_cube(
    cube: pl.LazyFrame, latency: pl.LazyFrame, first: date, last: date, as_of: AsOf
) -> TwinCube:
    """Sum CUBE and LATENCY rows over hours and over what the page does not tell apart.

    Args:
        cube: CUBE rows of the report with `local_day` and `known_milli`.
        latency: LATENCY rows of the report with `local_day`, without silent sources.
        first: First day of the report, in its zone.
        last: Last day.
        as_of: Moment and silence that decide maturity.
    """
    day = (pl.col("local_day") - pl.lit(first)).dt.total_days().cast(pl.Int32)
    age = pl.lit(as_of.moment) - (pl.col("hour") + _HOUR)
    known = pl.col("known_milli")
    counts = (
        cube.with_columns(
            day=day,
            by_operator=pl.col("receipt") == Receipt.OPERATOR,
            young=age < timedelta(hours=as_of.silence_hours),
            unjudged=known.is_null(),
            expected_milli=pl.when(known.is_not_null())
            .then(pl.col("messages") * MILLI - known)
            .otherwise(0),
        )
        .group_by(*DIMENSIONS, "day", *STATES)
        .agg(pl.col(*MEASURES).sum())
        .collect(engine="streaming")
        .sort(*DIMENSIONS, "day", *STATES)
    )
    estimated = pl.col("origin") != TimeOrigin.PROVIDER
    kind = (
        pl.when(delivered_with_time() & ~estimated)
        .then(0)
        .when(delivered_with_time())
        .then(1)
        .when(ended_with_time())
        .then(2)
        .otherwise(3)
    )
    times = (
        latency.filter(ended_with_time() | waiting())
        .with_columns(day=day, kind=kind.cast(pl.Int32))
        .group_by(*DIMENSIONS, "day", "kind", "bucket")
        .agg(pl.col("messages").sum())
        .collect(engine="streaming")
        .sort(*DIMENSIONS, "day", "kind", "bucket")
    )
    return TwinCube(counts, times, first, (last - first).days + 1, as_of)


def with_merged_buckets(cube: TwinCube) -> TwinCube:
    """Half as many buckets, each of two neighbours: the same histogram with its ratio squared.

    Method: I. Epicoco et al., "UDDSketch", IEEE Access 8 (2020), uniform collapse.
    """
    keys = [*DIMENSIONS, "day", "kind", "bucket"]
    halved = pl.col("bucket").clip(lower_bound=0)
    times = (
        cube.times.with_columns(bucket=((halved + 1) // 2).cast(pl.Int32))
        # Rows of a merged bucket are neighbours: a cube's times are sorted by these keys.
        .group_by(keys, maintain_order=True)
        .agg(pl.col("messages").sum())
    )
    return replace(cube, times=times, collapsed=cube.collapsed + 1)


def with_merged_campaigns(cube: TwinCube, kept: int) -> TwinCube:
    """The largest campaigns, and one row for all others."""
    sizes = cube.counts.group_by("campaign").agg(pl.col("messages").sum())
    largest = sizes.filter(pl.col("campaign") != REST).sort(
        "messages", "campaign", descending=[True, False]
    )
    names = largest["campaign"].head(kept).to_list()
    merged = pl.when(pl.col("campaign").is_in(names)).then("campaign").otherwise(pl.lit(REST))
    count_keys = [*DIMENSIONS, "day", *STATES]
    time_keys = [*DIMENSIONS, "day", "kind", "bucket"]
    return replace(
        cube,
        counts=cube.counts.with_columns(campaign=merged)
        .group_by(count_keys)
        .agg(pl.col(*MEASURES).sum())
        .sort(count_keys),
        times=cube.times.with_columns(campaign=merged)
        .group_by(time_keys)
        .agg(pl.col("messages").sum())
        .sort(time_keys),
        campaigns_merged=cube.campaigns_merged + max(len(largest) - kept, 0),
    )
