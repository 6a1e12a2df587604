"""The maturity clock: how complete receipts usually are at an age, learned from earlier messages.

A completion curve G(age) is the share of the receipts that ever come which have come by that age,
for a provider and operator; where these saw too few messages, for the provider, or for all.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import polars as pl

from sms_etl.metrics.histogram import bucket_of
from sms_etl.metrics.survival import ended_with_time, incidence

LEAST_ENDS = 200
"""With fewer ends seen, a curve's last percents are guesswork."""

COMPLETE = 0.99
"""A cohort is mature when so much of what will ever be known is usually known at its age."""

LEVELS: tuple[tuple[str, ...], ...] = (("provider", "operator"), ("provider",), ())
"""Groups a curve is learned for, the finest first."""

MILLI = 1000
_LEVEL = "level"
_HOUR = timedelta(hours=1)


def completion_curves(latency: pl.LazyFrame, horizon_seconds: float) -> pl.DataFrame:
    """Curves of every level that has seen enough ends.

    Messages that still wait are censored at their age, so young ones do not make a curve look
    quicker than it is; failed and rejected ones count: their receipt has come.

    Args:
        latency: LATENCY rows, best of messages older than those to be judged.
        horizon_seconds: Age at which silence is final; a curve is complete there.

    Returns:
        `level`, `provider`, `operator` (null where the level does not tell them apart), `bucket`
        (Int32, ascending), `known` (Float64, share known by the end of the bucket).
    """
    curves = [_curves_of(latency, keys, horizon_seconds) for keys in LEVELS]
    return pl.concat(curves).sort(_LEVEL, "provider", "operator", "bucket").collect()


def completeness(
    cube: pl.LazyFrame, curves: pl.DataFrame, as_of: datetime, keys: Sequence[str]
) -> pl.DataFrame:
    """Share of the receipts of each group that usually are there at its age.

    A message is as young as the end of its hour, so the share is rather too low than too high.

    Args:
        cube: CUBE rows: `keys`, `provider`, `operator`, `hour`, `messages`.
        curves: Result of `completion_curves`.
        as_of: When the data was last refreshed.
        keys: Columns that name a group, at least one.

    Returns:
        `keys`, `complete` (0..1) of groups for which a curve is known.
    """
    age = (pl.lit(as_of) - (pl.col("hour") + _HOUR)).dt.total_seconds().cast(pl.Float64)
    rows = (
        cube.group_by([*dict.fromkeys([*keys, "provider", "operator", "hour"])])
        .agg(pl.col("messages").sum())
        .with_columns(bucket=bucket_of(age.clip(lower_bound=0.0)))
        .collect(engine="streaming")
    )
    known = _known_at(rows, curves)
    share = (pl.col("known") * pl.col("messages")).sum() / pl.col("messages").sum()
    return (
        known.filter(pl.col("known").is_not_null().all().over(keys))
        .group_by(keys, maintain_order=True)
        .agg(complete=share)
    )


def with_known(cube: pl.LazyFrame, curves: pl.DataFrame, as_of: datetime) -> pl.LazyFrame:
    """CUBE rows with `known_milli`: thousandths of a message whose receipt usually is there.

    Null where no curve is known. It adds up as `messages` does, so a cohort's completeness is
    its sum over a thousand times the messages.
    """
    keys = ["provider", "operator", "hour"]
    shares = completeness(cube, curves, as_of, keys).lazy()
    milli = (pl.col("complete") * pl.col("messages") * MILLI).round().cast(pl.Int64)
    joined = cube.join(shares, on=keys, how="left", nulls_equal=True)
    return joined.with_columns(known_milli=milli).drop("complete")


def _curves_of(latency: pl.LazyFrame, keys: Sequence[str], horizon: float) -> pl.LazyFrame:
    level = pl.lit(_name(keys)).alias(_LEVEL)
    group = [_LEVEL, *keys]
    rows = latency.with_columns(level)
    ends = pl.col("messages").filter(ended_with_time()).sum()
    enough = rows.group_by(group).agg(ends=ends).filter(pl.col("ends") >= LEAST_ENDS)
    last = bucket_of(pl.lit(horizon))
    curve = incidence(rows, group).filter(pl.col("bucket") <= last)
    missing = [name for name in LEVELS[0] if name not in keys]
    return (
        curve.join(enough, on=group, how="semi", nulls_equal=True)
        .with_columns(known=pl.col("ended") / pl.col("ended").last().over(group))
        .with_columns(pl.lit(None, pl.String).alias(name) for name in missing)
        .select(_LEVEL, *LEVELS[0], "bucket", "known")
    )


def _known_at(rows: pl.DataFrame, curves: pl.DataFrame) -> pl.DataFrame:
    """`rows` with `known`: from the finest curve there is; 0 before its first bucket."""
    told = rows.sort("bucket")
    names = []
    for keys in LEVELS:
        name, group = _name(keys), [_LEVEL, *keys]
        curve = curves.filter(pl.col(_LEVEL) == name).sort("bucket")
        begun = curve.select(*group, "bucket", pl.col("known").alias(name))
        there = curve.select(*group, exists=pl.lit(value=True)).unique()
        told = (
            told.with_columns(pl.lit(name).alias(_LEVEL))
            .join(there, on=group, how="left", maintain_order="left")
            .join_asof(begun, on="bucket", by=group, check_sortedness=False)
            .with_columns(pl.when("exists").then(pl.col(name).fill_null(0.0)).alias(name))
            .drop("exists", _LEVEL)
        )
        names.append(name)
    return told.with_columns(known=pl.coalesce(names))


def _name(keys: Sequence[str]) -> str:
    return "_".join(["by", *keys])
