"""The same period last year: its totals, and delivery held against it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from sms_etl.metrics.summary import AsOf, compact, compact_latency, totals_by
from sms_etl.reports.comparisons import OPERATOR, between_periods
from sms_etl.reports.figures import Figures

_YEAR_AGO = "year_ago"
"""Column: whether a row belongs to the year before."""

_COMPARED = ("hour", OPERATOR, "status_class", "messages")


@dataclass(frozen=True)
class LastYear:
    """CUBE and LATENCY of the days of `periods.last_year_days`, one more on either side."""

    cube: pl.LazyFrame
    latency: pl.LazyFrame


def with_last_year(
    figures: Figures,
    now: pl.LazyFrame,
    then: tuple[pl.LazyFrame, pl.LazyFrame],
    days: tuple[date, date],
    as_of: AsOf,
) -> Figures:
    """Add the same period last year; nothing where nothing was sent then.

    Args:
        figures: The report.
        now: Its rows of the cube.
        then: Cube and latency of the days a year earlier.
        days: First and last of these days.
        as_of: Moment and silence that decide maturity.
    """
    cube, latency = (frame.with_columns(pl.lit(value=True).alias(_YEAR_AGO)) for frame in then)
    totals = totals_by(
        compact(cube, [_YEAR_AGO]).collect(engine="streaming").lazy(),
        compact_latency(latency, [_YEAR_AGO]).collect(engine="streaming").lazy(),
        [_YEAR_AGO],
        replace(as_of, currency=None),
    ).get((True,))
    if totals is None or not totals.submitted:
        return figures
    change = None
    if figures.totals.submitted:
        marked = now.with_columns(pl.lit(value=False).alias(_YEAR_AGO))
        both = pl.concat([frame.select(*_COMPARED, _YEAR_AGO) for frame in (marked, cube)])
        change = between_periods(both, _YEAR_AGO, figures.totals, totals)
    return figures.model_copy(
        update={
            "last_year_first_day": days[0],
            "last_year_last_day": days[1],
            "last_year": totals,
            "last_year_change": change,
        }
    )
