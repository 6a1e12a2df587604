"""Which days a report covers, which it is compared with, and which must be loaded for it."""

from __future__ import annotations

from datetime import date, timedelta

from sms_etl.config.settings import Period

BASELINE_DAYS = 28
"""Days before the period that tell what is normal: four of every weekday."""

SAME_WEEKDAYS = timedelta(weeks=52)
"""The year between two weeks: whole weeks, so that weekdays meet."""

LEAP_DAY = (2, 29)
"""Month and day that most years lack."""

_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)


def period_days(period: Period, reference: date) -> tuple[date, date]:
    """First and last day of the last period that is complete once `reference` has ended.

    A day is `reference` itself; a week runs Monday to Sunday; months and quarters are those of the
    calendar.
    """
    if period is Period.DAY:
        return reference, reference
    if period is Period.WEEK:
        last = reference - _DAY * (reference.isoweekday() % 7)
        return last - _WEEK + _DAY, last
    after = reference + _DAY
    first = after.replace(day=1)
    if period is Period.QUARTER:
        first = _quarter_start(first)
    return _calendar_start(period, first - _DAY), first - _DAY


def previous_days(period: Period | None, first: date, last: date) -> tuple[date, date]:
    """The calendar month or quarter before for one of them; else as many days, directly before."""
    before = first - _DAY
    if period in {Period.MONTH, Period.QUARTER}:
        return _calendar_start(period, before), before
    return before - (last - first), before


def last_year_days(period: Period | None, first: date, last: date) -> tuple[date, date] | None:
    """The same period a year earlier; null where the two would overlap, or for a leap day.

    A day or a week is held against the same weekdays, 364 days before; a month, a quarter and any
    other range against the same days of the calendar.
    """
    if period in {Period.DAY, Period.WEEK}:
        return first - SAME_WEEKDAYS, last - SAME_WEEKDAYS
    # The day after the end, so that February ends when it does.
    found = _year_before(first), _year_before(last + _DAY) - _DAY
    return found if found[0] <= found[1] < first else None


def _year_before(day: date) -> date:
    """The same day of the calendar; the first of March for a leap day."""
    if (day.month, day.day) == LEAP_DAY:
        day += _DAY
    return day.replace(year=day.year - 1)


def _calendar_start(period: Period | None, day: date) -> date:
    """First day of the month or quarter that a day is in."""
    return _quarter_start(day) if period is Period.QUARTER else day.replace(day=1)


def _quarter_start(day: date) -> date:
    return day.replace(month=day.month - (day.month - 1) % 3, day=1)


def days_to_load(period: Period | None, first: date, last: date) -> tuple[date, date]:
    """Business days whose cube a report needs.

    They hold the previous period, the baseline of the findings, and one day on either side for
    readers whose zone is not the business zone.
    """
    start = min(previous_days(period, first, last)[0], first - BASELINE_DAYS * _DAY)
    return with_neighbours(start, last)


def with_neighbours(first: date, last: date) -> tuple[date, date]:
    """One business day more on either side: a day of another zone lies in two of them."""
    return first - _DAY, last + _DAY
