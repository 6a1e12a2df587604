"""Days against what is usual: how many messages, how many of them with a known end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from sms_etl.days import day_window
from sms_etl.model.vocabulary import StatusClass

WEEKS = 4
"""How many days of the same weekday a day is held against."""

LEAST_WEEKS = 2
"""With fewer of them nothing is usual yet."""

LEAST_MESSAGES = 30
"""A day whose messages and usual messages are fewer is not judged."""

VOLUME_FACTOR = 2.0
"""A day with more than so many times the usual messages, or so many times fewer, is odd."""

COVERAGE_DROP = 0.10
"""A share of known ends that is lower than usual by more is odd."""

USUAL_DAYS = 14
"""Days before a day whose median share of known ends is usual."""

HISTORY_DAYS = max(7 * WEEKS, USUAL_DAYS)
"""Days before a day that these functions want to see."""

FINAL = (StatusClass.DELIVERED.value, StatusClass.FAILED.value, StatusClass.REJECTED.value)


def odd_volumes(counts: pl.LazyFrame, days: Sequence[date]) -> pl.DataFrame:
    """Days with far more or fewer messages than the same weekday of the weeks before.

    Args:
        counts: `day`, `messages` of one source; days without a row had none. It holds the
            HISTORY_DAYS before the first day.
        days: the days to judge.

    Returns:
        `day`, `messages`, `usual` (median of the weeks that were built), one row per odd day.
    """
    by_day = counts.group_by("day").agg(pl.col("messages").sum())
    weeks = pl.DataFrame({"week": range(1, WEEKS + 1)}).lazy()
    asked = pl.DataFrame({"day": sorted(days)}, schema={"day": pl.Date}).lazy()
    earlier = asked.join(weeks, how="cross").with_columns(
        before=pl.col("day") - pl.duration(days=7) * pl.col("week")
    )
    usual = (
        earlier.join(by_day, left_on="before", right_on="day")
        .group_by("day")
        .agg(usual=pl.col("messages").median(), weeks=pl.len())
    )
    ratio = pl.max_horizontal("messages", 1) / pl.max_horizontal("usual", 1)
    return (
        asked.join(by_day, on="day", how="left")
        .join(usual, on="day")
        .with_columns(pl.col("messages").fill_null(0))
        .filter(
            pl.col("weeks") >= LEAST_WEEKS,
            pl.max_horizontal("messages", "usual") >= LEAST_MESSAGES,
            (ratio > VOLUME_FACTOR) | (ratio < 1 / VOLUME_FACTOR),
        )
        .select("day", "messages", "usual")
        .sort("day")
        .collect()
    )


def thin_coverage(
    counts: pl.LazyFrame, days: Sequence[date], as_of: datetime, silence: timedelta, zone: ZoneInfo
) -> pl.DataFrame:
    """Days older than the silence whose receipts are much rarer than on the days before.

    Args:
        counts: `day`, `operator`, `status_class`, `messages` of one source, with the
            HISTORY_DAYS before the first day.
        days: the days to judge; younger ones than `silence` are left out.
        as_of: now.
        silence: after which time a receipt does not come any more.
        zone: the business zone.

    Returns:
        `day`, `messages`, `known`, `usual` (shares) and `worst_operator`, one row per thin day.
    """
    old = [day for day in days if day_window(day, zone).end + silence <= as_of]
    if not old:
        return pl.DataFrame(
            schema={
                "day": pl.Date, "messages": pl.Int64, "known": pl.Float64, "usual": pl.Float64,
                "worst_operator": pl.String,
            }
        )  # fmt: skip
    final = pl.col("messages").filter(pl.col("status_class").is_in(FINAL)).sum()
    shares = _shares(counts, final, "day")
    by_operator = _shares(counts, final, "day", "operator")
    worst = by_operator.sort("known", "operator").group_by("day", maintain_order=True).first()
    asked = pl.DataFrame({"day": sorted(old)}, schema={"day": pl.Date}).lazy()
    usual = (
        asked.join(shares.select(before="day", share="known"), how="cross")
        .filter(
            pl.col("before") < pl.col("day"),
            pl.col("before") >= pl.col("day") - pl.duration(days=USUAL_DAYS),
        )
        .group_by("day")
        .agg(usual=pl.col("share").median())
    )
    return (
        asked.join(shares, on="day")
        .join(usual, on="day")
        .join(worst.select("day", worst_operator="operator"), on="day", how="left")
        .filter(
            pl.col("messages") >= LEAST_MESSAGES,
            pl.col("known") < pl.col("usual") - COVERAGE_DROP,
        )
        .select("day", "messages", "known", "usual", "worst_operator")
        .sort("day")
        .collect()
    )


def _shares(counts: pl.LazyFrame, final: pl.Expr, *keys: str) -> pl.LazyFrame:
    summed = counts.group_by(*keys).agg(final=final, messages=pl.col("messages").sum())
    enough = summed.filter(pl.col("messages") >= LEAST_MESSAGES)
    return enough.with_columns(known=pl.col("final") / pl.col("messages"))


def counted_twice(messages: pl.LazyFrame, days: Sequence[date]) -> pl.DataFrame:
    """Identifiers of one source that are messages of two days, one of them asked for.

    Args:
        messages: `day`, `message_id` of one source, with the days beside those asked for.
        days: the days to judge.

    Returns:
        `message_id` and its `days`, one row per identifier.
    """
    return (
        messages.group_by("message_id")
        .agg(days=pl.col("day").unique().sort())
        .filter(pl.col("days").list.len() > 1)
        .filter(pl.col("days").list.eval(pl.element().is_in(list(days))).list.any())
        .sort("message_id")
        .collect()
    )
