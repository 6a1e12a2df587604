"""Sources or operators beside each other: their days, their routes, and who is better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import polars as pl

from sms_etl.config.settings import ReportKind
from sms_etl.metrics.summary import AsOf, totals_by
from sms_etl.model.vocabulary import StatusClass
from sms_etl.reports.comparisons import against_the_others
from sms_etl.reports.figures import DayCount, GroupDays, Route, Scorecard, Totals

SOURCE, OPERATOR = "source", "operator"

DIMENSION_OF = {ReportKind.PROVIDERS: SOURCE, ReportKind.OPERATORS: OPERATOR}
"""What a kind of report compares; the other one is what it holds equal."""


def scorecard(
    cube: pl.LazyFrame,
    latency: pl.LazyFrame,
    dimension: str,
    totals: Mapping[str, Totals],
    days: Sequence[date],
    as_of: AsOf,
) -> Scorecard:
    """The scorecard of one dimension.

    Args:
        cube: CUBE rows of the report, with `local_day`.
        latency: LATENCY rows of the report.
        dimension: SOURCE or OPERATOR.
        totals: Of every value of the dimension.
        days: Every day of the report.
        as_of: Moment and silence that decide maturity.
    """
    held_equal = OPERATOR if dimension == SOURCE else SOURCE
    found = totals_by(cube, latency, [SOURCE, OPERATOR], as_of)
    routes = [Route(source=s, operator=o, totals=t) for (s, o), t in found.items()]
    return Scorecard(
        dimension=dimension,
        comparisons=against_the_others(cube, dimension, totals, held_equal),
        series=_series(cube, dimension, totals, days),
        routes=tuple(sorted(routes, key=lambda r: (-r.totals.submitted, r.source, r.operator))),
    )


def _series(
    cube: pl.LazyFrame, dimension: str, totals: Mapping[str, Totals], days: Sequence[date]
) -> tuple[GroupDays, ...]:
    delivered = pl.col("status_class") == StatusClass.DELIVERED
    counted = (
        cube.group_by(dimension, "local_day")
        .agg(n=pl.col("messages").sum(), d=pl.col("messages").filter(delivered).sum())
        .collect(engine="streaming")
    )
    found = {(key, day): (n, d) for key, day, n, d in counted.iter_rows()}

    def count(key: str, day: date) -> DayCount:
        submitted, delivered = found.get((key, day), (0, 0))
        return DayCount(day=day, submitted=submitted, delivered=delivered)

    keys = sorted(totals, key=lambda key: (-totals[key].submitted, key))
    return tuple(GroupDays(key=key, days=tuple(count(key, day) for day in days)) for key in keys)
