"""Times to deliver as a log-scale histogram: small, mergeable by adding, with a known error.

Bucket b > 0 holds seconds in (FLOOR * GAMMA**(b - 1), FLOOR * GAMMA**b]; bucket 0 holds the rest,
zero included. A quantile read from the counts is off by at most RELATIVE_ERROR of the exact one
(or by FLOOR_SECONDS, for times that short), however the histogram was merged.
Method: C. Masson, J. E. Rim, H. K. Lee, "DDSketch", PVLDB 12 (2019), sections 2.1 and 2.2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import polars as pl

GAMMA = 1.04
"""Ratio of a bucket's upper end to its lower end."""

RELATIVE_ERROR = (GAMMA - 1) / (GAMMA + 1)
"""Promise on every quantile: 1.96 %, half a bucket on either side of its value."""

FLOOR_SECONDS = 0.01
"""Providers state seconds or milliseconds; below this a difference is clock noise."""

PERCENTS = (50, 90, 95, 99)
"""Quantiles that reports print."""


def bucket_of(seconds: pl.Expr) -> pl.Expr:
    """Bucket (Int32) of a time in seconds; null stays null, zero and below fall in bucket 0."""
    above = seconds.clip(lower_bound=FLOOR_SECONDS) / FLOOR_SECONDS
    return (above.log() / math.log(GAMMA)).ceil().clip(lower_bound=0).cast(pl.Int32)


def value_of(bucket: pl.Expr) -> pl.Expr:
    """Seconds (Float64) that stand for a bucket; 0 for the floor bucket, null for no bucket."""
    upper = FLOOR_SECONDS * pl.lit(GAMMA).pow(bucket)
    return pl.when(bucket <= 0).then(0.0).otherwise(upper * 2 / (1 + GAMMA))


def quantiles(
    counts: pl.LazyFrame, keys: Sequence[str], percents: Sequence[int] = PERCENTS
) -> pl.DataFrame:
    """Quantiles of every group at once.

    Args:
        counts: `keys`, `bucket` and `messages`; several rows of one bucket are added up.
        keys: Columns that name a group, at least one.
        percents: Whole percents; the quantile is the value of rank ceil(n * percent / 100).

    Returns:
        One row per group with messages: `keys`, `messages` and a column `p<percent>` each.
    """
    merged = (
        counts.group_by([*keys, "bucket"])
        .agg(pl.col("messages").sum())
        .filter(pl.col("messages") > 0)
        .sort([*keys, "bucket"])
    )
    total = pl.col("messages").sum()
    reached = pl.col("messages").cum_sum()
    picks = [
        value_of(pl.col("bucket").filter(reached * 100 >= total * percent).first()).alias(
            f"p{percent}"
        )
        for percent in percents
    ]
    return merged.group_by(keys, maintain_order=True).agg(total, *picks).collect()
