"""Small questions asked of `Figures` by more than one drawing."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from sms_etl.days import days_between
from sms_etl.metrics.rate import Rate
from sms_etl.reports.figures import Converted, Cost, Figures, Finding, GroupRow, Totals

MOST_ROWS = 25
"""Longest table in a report; what is beyond is counted in one line and is whole in the data."""

MOST_OPERATORS = 8
"""Operators drawn in the chart of times."""

MOST_FINDINGS = 6
"""Findings printed and numbered on the chart; the data of the report holds all."""

MOST_ACTIONS = 6
"""Next steps printed; more would not be done."""

WEAK_BY = 0.01
"""A group is marked only when it is at least one percentage point below the whole."""


def finding_span(finding: Finding, zone: str) -> tuple[date, date]:
    """First and last calendar day that a finding touches; its end is exclusive."""
    place = ZoneInfo(zone)
    last = max(finding.start, finding.end - timedelta(microseconds=1))
    return finding.start.astimezone(place).date(), last.astimezone(place).date()


def finding_days(finding: Finding, figures: Figures) -> list[date]:
    """Days of the report to mark for a finding; none when it lasts for most of the report."""
    first, last = finding_span(finding, figures.zone)
    days = days_between(max(first, figures.first_day), min(last, figures.last_day))
    length = (figures.last_day - figures.first_day).days + 1
    return days if 2 * len(days) <= length else []


def heard_operators(figures: Figures) -> list[GroupRow]:
    """The largest operators whose time to deliver is known."""
    known = [row for row in figures.by_operator if row.totals.latency.median is not None]
    enough = [row for row in known if not row.totals.delivery.small]
    return sorted(enough, key=lambda row: (-row.totals.submitted, row.key))[:MOST_OPERATORS]


def converted(totals: Totals) -> Converted | None:
    """All money in the report's currency, where some of it was another one and has a rate."""
    whole = totals.converted
    if whole is None or not whole.messages_with_cost:
        return None
    return whole if any(cost.currency != whole.currency for cost in totals.costs) else None


def main_cost(totals: Totals) -> Cost | Converted | None:
    """The money a reader is told of: all of it converted, else that of the commonest currency."""
    commonest = max(totals.costs, key=lambda c: (c.messages_with_cost, c.currency), default=None)
    return converted(totals) or commonest


def same_currency(totals: Totals | None, currency: str) -> Cost | Converted | None:
    """The money of a cohort in one currency, converted where the report converts to it."""
    if totals is None:
        return None
    whole = converted(totals)
    if whole is not None and whole.currency == currency:
        return whole
    return next((cost for cost in totals.costs if cost.currency == currency), None)


def undelivered(totals: Totals) -> int:
    """Messages that are known or feared not to have arrived; pending ones may still arrive."""
    return totals.failed + totals.rejected + totals.unknown


def length_in_days(figures: Figures) -> int:
    """Calendar days of the report."""
    return (figures.last_day - figures.first_day).days + 1


def previous_length_in_days(figures: Figures) -> int | None:
    """Calendar days of the period compared with."""
    if figures.previous_first_day is None or figures.previous_last_day is None:
        return None
    return (figures.previous_last_day - figures.previous_first_day).days + 1


def weak(rate: Rate, whole: Rate) -> bool:
    """Whether a slice delivers worse than the whole by more than chance and by a full point.

    The upper end of its interval, moved up by what missing receipts may still add, lies below.
    """
    if rate.small or rate.value is None or whole.value is None or rate.interval is None:
        return False
    hope = (rate.high - rate.value) if rate.high is not None else 0.0
    return rate.interval.high + hope < whole.value - WEAK_BY
