"""Times to deliver over everything submitted: waiting messages are censored, failures compete.

A median over delivered messages alone looks best when most messages are stuck. Here a message
that waits counts as "longer than its age when last seen", and one that failed as "never".
Works on LATENCY rows, so it adds up over any dimension; times have the histogram's relative error.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from sms_etl.metrics.histogram import PERCENTS, value_of
from sms_etl.model.vocabulary import StatusClass, TimeOrigin

NOT_ENDED = (StatusClass.PENDING, StatusClass.UNKNOWN)
"""Classes of messages that may lack a final state; unknown ones for good."""


def ended_with_time() -> pl.Expr:
    """LATENCY rows of messages that ended at a known time."""
    return (pl.col("origin") != TimeOrigin.NONE) & pl.col("bucket").is_not_null()


def delivered_with_time() -> pl.Expr:
    """LATENCY rows of messages that were delivered at a known time."""
    return ended_with_time() & (pl.col("status_class") == StatusClass.DELIVERED)


def waiting() -> pl.Expr:
    """LATENCY rows of messages without a final state; their bucket is an age."""
    open_ = pl.col("status_class").is_in([name.value for name in NOT_ENDED])
    return open_ & (pl.col("origin") == TimeOrigin.NONE) & pl.col("bucket").is_not_null()


def without_silent_sources(latency: pl.LazyFrame) -> pl.LazyFrame:
    """LATENCY without what waits in sources that never tell when anything was delivered."""
    tells = delivered_with_time().any().over("source")
    return latency.filter(tells | ~waiting())


def incidence(latency: pl.LazyFrame, keys: Sequence[str]) -> pl.LazyFrame:
    """Share of all submitted that was delivered, and that ended in any way, by every age.

    The Aalen-Johansen estimator of the cumulative incidence (with one cause: Kaplan-Meier).
    Within a bucket ends come before censorings. Messages of a group without any delivered time
    say nothing and are left out; ends without a time are taken to be like those with one.
    Formula: O. Aalen, S. Johansen, Scand. J. Stat. 5 (1978) 141-150.

    Args:
        latency: `keys`, `status_class`, `origin`, `bucket`, `messages`.
        keys: Columns that name a group, at least one.

    Returns:
        `keys`, `bucket` (ascending), `at_risk`, `delivered` and `ended` (Float64, 0..1).
    """
    counted = (
        latency.filter(ended_with_time() | waiting())
        .group_by([*keys, "bucket"])
        .agg(
            all=pl.col("messages").sum(),
            arrived=pl.col("messages").filter(delivered_with_time()).sum(),
            over=pl.col("messages").filter(ended_with_time()).sum(),
        )
        .sort([*keys, "bucket"])
    )
    before = pl.col("all").cum_sum().over(keys) - pl.col("all")
    at_risk = pl.col("all").sum().over(keys) - before
    hazard = pl.col("over") / pl.col("at_risk")
    alive = (1 - hazard).cum_prod().over(keys)
    alive_before = alive.shift(1).over(keys).fill_null(1.0)
    return (
        counted.filter(pl.col("arrived").sum().over(keys) > 0)
        .with_columns(at_risk=at_risk)
        .with_columns(ended=1 - alive, step=alive_before * pl.col("arrived") / pl.col("at_risk"))
        .with_columns(delivered=pl.col("step").cum_sum().over(keys))
        .select(*keys, "bucket", "at_risk", "delivered", "ended")
    )


def quantiles_of_submitted(
    latency: pl.LazyFrame, keys: Sequence[str], percents: Sequence[int] = PERCENTS
) -> pl.DataFrame:
    """Seconds within which a percentage of everything submitted had arrived.

    Returns:
        One row per group with delivered times: `keys` and `all_p<percent>`, null where so many
        never arrived, or had not yet.
    """
    picks = [
        value_of(
            pl.col("bucket").filter(pl.col("delivered") >= percent / 100 - _ROUNDING).first()
        ).alias(f"all_p{percent}")
        for percent in percents
    ]
    return incidence(latency, keys).group_by(keys, maintain_order=True).agg(picks).collect()


def slower_than(
    latency: pl.LazyFrame, keys: Sequence[str], seconds: Sequence[float]
) -> pl.DataFrame:
    """How many needed longer than a threshold, of those that had time to.

    Slow: delivered after the threshold, or still waiting at an age beyond it. A message that
    waits and is younger says nothing yet; one that failed was not slow.
    Formula: docs/figures.md; the idea is GOV.UK Notify's share of slow deliveries.

    Returns:
        `keys`, `threshold`, `slow`, `messages`; one row per group and threshold.
    """
    known = latency.filter(delivered_with_time() | waiting()).with_columns(
        seconds=value_of(pl.col("bucket"))
    )
    parts = []
    for threshold in seconds:
        late = pl.col("seconds") > threshold
        counts = pl.col("messages")
        parts.append(
            known.group_by(keys).agg(
                threshold=pl.lit(float(threshold)),
                slow=counts.filter(late).sum(),
                messages=counts.filter(late | delivered_with_time()).sum(),
            )
        )
    return pl.concat(parts).sort([*keys, "threshold"]).collect()


_ROUNDING = 1e-12
"""Sums of products of floats fall short of an exact share by less than this."""
