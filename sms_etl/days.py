"""Business days: calendar days of one time zone, and the UTC windows they cover."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Window:
    """A half-open UTC interval [start, end)."""

    start: datetime
    end: datetime

    def hours(self) -> float:
        """Length in hours: 23, 24 or 25 for a business day."""
        return (self.end - self.start).total_seconds() / 3600


def day_window(day: date, zone: ZoneInfo) -> Window:
    """UTC window of one calendar day in a zone; 23 or 25 hours on the nights clocks change."""
    start = datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)
    end = datetime.combine(day + timedelta(days=1), time.min, tzinfo=zone).astimezone(UTC)
    return Window(start, end)


def days_between(first: date, last: date) -> list[date]:
    """Every calendar day from first to last, both included."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def utc_days(window: Window) -> list[date]:
    """Every UTC calendar day that a window touches."""
    return days_between(window.start.date(), (window.end - timedelta(microseconds=1)).date())
