"""Figures about the data itself: what was pulled, what is there, and what came late."""

from __future__ import annotations

from datetime import date, datetime

from sms_etl.reports.figure import Figure


class Pulls(Figure):
    """Complete pulls of one source that cover days of the report.

    `seconds` is the time they took together, `waited_seconds` how much of it was spent waiting
    before a request was repeated.
    """

    source: str
    count: int
    pages: int
    records: int
    seconds: float
    slowest_seconds: float
    retries: int
    waited_seconds: float
    last_at: datetime


class DayFates(Figure):
    """Where the records of a business day of one source went; zeros where none came."""

    day: date
    built: bool
    messages: int
    set_aside: int


class SourceDays(Figure):
    """Every business day of the report for one source."""

    source: str
    days: tuple[DayFates, ...]


class LateCount(Figure):
    """Messages whose end came more than so many hours after the end of the report's days."""

    hours: int
    messages: int


class LateReceipts(Figure):
    """Messages of the report's business days with a known time of their end, and how many late."""

    source: str
    ended: int
    late: tuple[LateCount, ...]


class RestatedSource(Figure):
    """How one figure of a source moved after its days were first built.

    `change` adds up all days; `causes` are words of restatement.Cause; `last_day` is the last
    business day that moved, `currency` is empty for counts.
    """

    source: str
    figure: str
    currency: str
    change: int
    days: int
    last_day: date
    causes: tuple[str, ...]


class Operations(Figure):
    """The operations report. Days are business days, whatever the zone of the report."""

    pulls: tuple[Pulls, ...]
    days: tuple[SourceDays, ...]
    late: tuple[LateReceipts, ...]
    restated: tuple[RestatedSource, ...]
