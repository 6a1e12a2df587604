"""What every source brought for the days of a report, and which days are missing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from sms_etl.reports.figures import SourceState


@dataclass(frozen=True)
class ConfiguredSource:
    """A source of the settings, the days that have been built for it and its last pull (UTC)."""

    name: str
    provider: str
    whole_days: Collection[date] = ()
    last_pulled_at: datetime | None = None


def source_states(
    conservation: pl.LazyFrame,
    unmapped: pl.LazyFrame,
    sources: Sequence[ConfiguredSource],
    expected: Sequence[date],
    days: tuple[date, date],
) -> tuple[SourceState, ...]:
    """State of every source, in order of name.

    Args:
        conservation: CONSERVATION; days outside `days` are ignored.
        unmapped: UNMAPPED; days outside `days` are ignored.
        sources: Sources to tell of.
        expected: Days each of them should have been built for.
        days: First and last day of the report.
    """
    inside = pl.col("day").is_between(*days)
    fates = (
        conservation.filter(inside)
        .group_by("source", "fate", "reason")
        .agg(pl.col("records").sum())
        .sort("source", "fate", "reason", nulls_last=True)
        .collect()
    )
    words = (
        unmapped.filter(inside)
        .group_by("source", "word")
        .agg(pl.col("messages").sum())
        .sort("source", "word")
        .collect()
    )
    return tuple(
        _state(source, fates, words, expected)
        for source in sorted(sources, key=lambda source: source.name)
    )


def _state(
    source: ConfiguredSource, fates: pl.DataFrame, words: pl.DataFrame, expected: Sequence[date]
) -> SourceState:
    mine = fates.filter(pl.col("source") == source.name)
    missing = tuple(sorted(set(expected) - set(source.whole_days)))
    return SourceState(
        source=source.name,
        provider=source.provider,
        days_expected=len(set(expected)),
        days_present=len(set(expected)) - len(missing),
        missing_days=missing,
        records=mine["records"].sum(),
        messages=sum(_by_reason(mine, "message").values()),
        folded=_by_reason(mine, "folded"),
        quarantined=_by_reason(mine, "quarantined"),
        unmapped=dict(
            words.filter(pl.col("source") == source.name).select("word", "messages").iter_rows()
        ),
        last_pulled_at=source.last_pulled_at,
    )


def _by_reason(fates: pl.DataFrame, fate: str) -> dict[str, int]:
    rows = fates.filter(pl.col("fate") == fate).select("reason", "records").iter_rows()
    return {reason or "": records for reason, records in rows if records}
