"""Which days a report covers, which it is compared with, and which must be loaded for it."""

from __future__ import annotations

from datetime import date, timedelta

from sms_etl.config.settings import Period

BASELINE_DAYS = 28
"""Days before the period that tell what is normal: four of every weekday."""

_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)


def period_days(period: Period, reference: date) -> tuple[date, date]:
    """First and last day of the last period that is complete once `reference` has ended.

    A day is `reference` itself; a week runs Monday to Sunday; a month is a calendar month.
    """
    if period is Period.DAY:
        return reference, reference
    if period is Period.WEEK:
        last = reference - _DAY * (reference.isoweekday() % 7)
        return last - _WEEK + _DAY, last
    after = reference + _DAY
    last = after.replace(day=1) - _DAY
    return last.replace(day=1), last


def previous_days(period: Period | None, first: date, last: date) -> tuple[date, date]:
    """The calendar month before for a month; else as many days, directly before."""
    before = first - _DAY
    if period is Period.MONTH:
        return before.replace(day=1), before
    return before - (last - first), before


def days_to_load(period: Period | None, first: date, last: date) -> tuple[date, date]:
    """Business days whose cube a report needs.

    They hold the previous period, the baseline of the findings, and one day on either side for
    readers whose zone is not the business zone.
    """
    start = min(previous_days(period, first, last)[0], first - BASELINE_DAYS * _DAY)
    return start - _DAY, last + _DAY
