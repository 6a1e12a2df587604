"""How long people who refused were still written to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from sms_etl.model.vocabulary import Purpose, StatusClass

_SECONDS_PER_HOUR = 3600.0


@dataclass(frozen=True)
class Lag:
    """People who refused, those written to after it, and the hours to their last message."""

    refused: int
    written_after: int
    half_hours: float | None
    longest_hours: float | None


def stop_lag(
    messages: pl.LazyFrame, refusals: pl.LazyFrame, days: tuple[date, date], zone: str
) -> Lag | None:
    """From refusal to silence for people who first refused on some days; null for nobody.

    Args:
        messages: MESSAGES of these days and of later ones that are known.
        refusals: Spans of refusals. A message after a new wish is none of theirs.
        days: First and last day of `zone`.
        zone: Time zone of the days.
    """
    local_day = pl.col("since").dt.convert_time_zone(zone).dt.date()
    first = (
        refusals.filter(local_day.is_between(*days))
        .sort("since")
        .group_by("recipient")
        .agg(pl.col("since", "until").first())
        .collect()
    )
    if first.is_empty():
        return None
    marketing = messages.filter(
        pl.col("purpose") == Purpose.MARKETING.value,
        pl.col("status_class") != StatusClass.REJECTED.value,
    )
    hours = (
        marketing.select("recipient", "submitted_at")
        .join(first.lazy(), on="recipient")
        .filter(
            pl.col("submitted_at") > pl.col("since"),
            pl.col("until").is_null() | (pl.col("submitted_at") < pl.col("until")),
        )
        .group_by("recipient")
        .agg(last=(pl.col("submitted_at") - pl.col("since")).max().dt.total_seconds())
        .select(half=pl.col("last").median(), longest=pl.col("last").max(), people=pl.len())
        .collect(engine="streaming")
        .row(0, named=True)
    )
    people = int(hours["people"])
    return Lag(
        refused=first.height,
        written_after=people,
        half_hours=hours["half"] / _SECONDS_PER_HOUR if people else None,
        longest_hours=hours["longest"] / _SECONDS_PER_HOUR if people else None,
    )
