"""The figures of an edition as rows: what a query or a BI tool reads of a report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sms_etl.metrics.rate import Rate
from sms_etl.reports.figures import Figures, GroupRow, Totals
from sms_etl.reports.flat_clean import flat_clean
from sms_etl.reports.flat_engagement import flat_engagement

WHOLE = ""
"""Dimension and key of the whole report."""

RATE_FIELDS = (
    "value", "numerator", "denominator", "denominator_name", "low", "high", "coverage", "mature",
)  # fmt: skip
COUNTS = (
    "submitted", "delivered", "failed", "rejected", "unknown", "pending", "partly_delivered",
    "parts", "completeness",
)  # fmt: skip
TIMES = ("median", "p90", "p95", "p99", "all_median", "all_p90", "all_p95", "all_p99")
COSTS = ("spent_micro", "spent_on_undelivered_micro", "per_delivered_micro")
RATES = ("delivery", "delivery_of_final", "coverage")


def flat_figures(figures: Figures) -> list[dict[str, Any]]:
    """One row per figure of the whole report and of every group.

    Returns:
        dimension, key, figure, and the fields of a rate (null for a plain number).
    """
    groups: dict[str, Sequence[GroupRow]] = {
        "campaign": figures.by_campaign,
        "source": figures.by_source,
        "sender": figures.by_sender,
        "country": figures.by_country,
        "operator": figures.by_operator,
    }
    rows = [_row(WHOLE, WHOLE, *one) for one in _of_totals(figures.totals)]
    for dimension, members in groups.items():
        rows += [
            _row(dimension, group.key, *one)
            for group in members
            for one in _of_totals(group.totals)
        ]
    for point in figures.days:
        rows += [_row("day", point.day.isoformat(), *one) for one in _of_totals(point.totals)]
    rows += [
        _row("campaign", one.key, "against_the_others", one.standardised)
        for one in figures.comparisons
    ]
    if figures.last_year is not None:
        rows.append(_row(WHOLE, WHOLE, "last_year_submitted", figures.last_year.submitted))
        rows.append(_row(WHOLE, WHOLE, "last_year_delivered", figures.last_year.delivered))
        rows.append(_row(WHOLE, WHOLE, "last_year_delivery_rate", figures.last_year.delivery))
    rows += [_row(*one) for one in flat_engagement(figures)]
    rows += [_row(*one) for one in flat_clean(figures)]
    return rows


def _of_totals(totals: Totals) -> Iterator[tuple[str, float | Rate | None]]:
    for name in COUNTS:
        yield name, getattr(totals, name)
    for name in RATES:
        yield f"{name}_rate", getattr(totals, name)
    for name in TIMES:
        yield f"{name}_seconds", getattr(totals.latency, name)
    for slow in totals.latency.slow:
        yield f"slower_than_{slow.threshold_seconds:g}_seconds", slow.rate
    for cost in totals.costs:
        for name in COSTS:
            yield f"{name}_{cost.currency}", getattr(cost, name)


def _row(dimension: str, key: str, figure: str, value: float | Rate | None) -> dict[str, Any]:
    row: dict[str, Any] = {"dimension": dimension, "key": key, "figure": figure}
    if isinstance(value, Rate):
        interval = value.interval
        return row | {
            **{name: getattr(value, name) for name in RATE_FIELDS},
            "interval_low": interval.low if interval else None,
            "interval_high": interval.high if interval else None,
        }
    plain = dict.fromkeys((*RATE_FIELDS, "interval_low", "interval_high"))
    return row | plain | {"value": value}
