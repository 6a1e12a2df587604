from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sms_etl.config.settings import Subscription
from sms_etl.subscriptions.due import last_due, next_due
from tests.mail.world import settings

MONDAYS = Subscription(name="weekly", readers=("a@example.com",), cron="0 8 * * 1")
NIGHTLY = MONDAYS.model_copy(update={"cron": "30 3 * * *"})


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("moment", "last", "following"),
    [
        (utc(2026, 11, 2, 5, 59), utc(2026, 10, 26, 6), utc(2026, 11, 2, 6)),
        (utc(2026, 11, 2, 6), utc(2026, 11, 2, 6), utc(2026, 11, 9, 6)),
        (utc(2026, 11, 2, 6, 0, 30), utc(2026, 11, 2, 6), utc(2026, 11, 9, 6)),
        # Clocks went back on 25 October: eight o'clock in Kyiv was five in UTC the week before.
        (utc(2026, 10, 20), utc(2026, 10, 19, 5), utc(2026, 10, 26, 6)),
    ],
)
def test_due_in_the_zone_of_the_reader(moment, last, following):
    assert last_due(MONDAYS, settings(1), moment) == last
    assert next_due(MONDAYS, settings(1), moment) == following


def test_a_time_that_the_change_of_clocks_leaves_out_comes_once():
    due = [utc(2026, 3, 28)]
    for _ in range(3):
        due.append(next_due(NIGHTLY, settings(1), due[-1]))
    assert due[1:] == [utc(2026, 3, 28, 1, 30), utc(2026, 3, 29, 1), utc(2026, 3, 30, 0, 30)]
