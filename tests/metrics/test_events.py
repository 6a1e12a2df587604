"""What happened on a day: the day of the receipt, in the reader's zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from sms_etl.cube import build_cube
from sms_etl.days import days_between
from sms_etl.metrics.events import event_days
from sms_etl.model.schemas import EVENTS
from tests.reports.test_build import message, table

SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)
HOUR = timedelta(hours=1)


def ended(moments: list[datetime], **changes) -> pl.LazyFrame:
    """EVENTS of messages that were sent long before these moments."""
    rows = [
        message(n, 0, submitted_at=moment - timedelta(days=3), done_at=moment, **changes)
        for n, moment in enumerate(moments)
    ]
    return build_cube(table(rows).lazy()).events.lazy()


def utc(day: date, hour: int) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + hour * HOUR


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Kyiv", SPRING, 23),
        ("Europe/Kyiv", AUTUMN, 25),
        ("Europe/Kyiv", date(2026, 10, 24), 24),
        ("America/New_York", date(2026, 3, 8), 23),
        ("America/New_York", date(2026, 11, 1), 25),
        ("UTC", AUTUMN, 24),
    ],
)
def test_a_day_has_as_many_hours_as_its_clock(zone, day, hours) -> None:
    """One delivery in the middle of every hour of three days."""
    moments = [utc(day, n) + HOUR / 2 for n in range(-36, 60)]
    (told,) = event_days(ended(moments), [day], zone)
    assert (told.day, told.delivered, told.failed, told.rejected) == (day, hours, 0, 0)


def test_the_day_is_that_of_the_end_whenever_it_was_sent() -> None:
    sent = datetime(2026, 10, 23, 20, 50, tzinfo=UTC)
    rows = [
        message(1, 0, submitted_at=sent, done_at=sent + HOUR),
        message(2, 0, submitted_at=sent, done_at=sent + 3 * timedelta(days=1),
                status_class="failed", reason="absent_subscriber", permanence="temporary"),
        message(3, 0, submitted_at=sent, done_at=sent, status_class="rejected",
                reason="spam_filtered_content", permanence="permanent"),
        message(4, 0, submitted_at=sent, status_class="pending", final=False),
        message(5, 0, submitted_at=sent),
    ]  # fmt: skip
    events = build_cube(table(rows).lazy()).events.lazy()
    days = days_between(date(2026, 10, 23), date(2026, 10, 26))
    told = event_days(events, days, "Europe/Kyiv")
    assert [(one.delivered, one.failed, one.rejected) for one in told] == [
        (0, 0, 1),
        (1, 0, 0),
        (0, 0, 0),
        (0, 1, 0),
    ], "neither the waiting message nor the one whose end has no time is on a day"
    assert sum(events.collect()["messages"]) == 3


def test_no_ends_no_days() -> None:
    assert event_days(EVENTS.empty().lazy(), [AUTUMN], "Europe/Kyiv") == ()
