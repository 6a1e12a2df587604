"""Days against what is usual: only what is odd is named."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from sms_etl.checks.days import counted_twice, odd_volumes, thin_coverage

MONDAY = date(2026, 10, 26)
KYIV = ZoneInfo("Europe/Kyiv")
SILENCE = timedelta(hours=72)


def weeks(*counts):
    """Messages on MONDAY and on the Mondays before it."""
    days = [MONDAY - timedelta(days=7 * n) for n in range(len(counts))]
    return pl.LazyFrame({"day": days, "messages": counts}, schema_overrides={"day": pl.Date})


@pytest.mark.parametrize(
    ("counts", "usual"),
    [
        ((201, 100, 100, 100, 100), 100.0),
        ((49, 100, 100, 100, 100), 100.0),
        ((0, 100, 90, 110, 100), 100.0),
    ],
)
def test_a_day_far_from_its_weekday_is_odd(counts, usual):
    (row,) = odd_volumes(weeks(*counts), [MONDAY]).iter_rows(named=True)
    assert row == {"day": MONDAY, "messages": counts[0], "usual": usual}


@pytest.mark.parametrize(
    "counts",
    [
        (200, 100, 100, 100, 100),
        (50, 100, 100, 100, 100),
        (29, 5, 5, 5, 5),  # too few to say
        (500, 100),  # one week is not usual yet
        (120, 100, 3000, 110, 90),  # one odd Monday before does not make this one odd
    ],
)
def test_a_day_near_it_or_too_small_is_not(counts):
    assert odd_volumes(weeks(*counts), [MONDAY]).is_empty()


def coverage(known_today, operator_known=None):
    """Fifteen days of 100 messages each, of which 97 are usually known."""
    rows = []
    for n in range(15):
        day = MONDAY - timedelta(days=n)
        known = known_today if n == 0 else 97
        rows += [(day, "Kyivstar", "delivered", known), (day, "Kyivstar", "pending", 100 - known)]
        if operator_known is not None:
            of_it = operator_known if n == 0 else 97
            rows += [(day, "lifecell", "failed", of_it), (day, "lifecell", "unknown", 100 - of_it)]
    schema = ("day", "operator", "status_class", "messages")
    return pl.DataFrame(rows, schema=schema, orient="row").lazy()


def judged(counts, now):
    return thin_coverage(counts, [MONDAY], now, SILENCE, KYIV)


LATER = datetime(2026, 11, 1, tzinfo=UTC)


def test_receipts_that_stopped_are_named_with_the_operator_they_lack_most():
    (row,) = judged(coverage(96, operator_known=40), LATER).iter_rows(named=True)
    assert row["worst_operator"] == "lifecell"
    assert row["messages"] == 200
    assert row["known"] == pytest.approx(136 / 200)
    assert row["usual"] == pytest.approx(0.97)


def test_a_small_drop_is_not_and_a_young_day_is_not_judged():
    assert judged(coverage(88), LATER).is_empty()
    assert judged(coverage(10), datetime(2026, 10, 29, 21, 59, tzinfo=UTC)).is_empty()
    assert not judged(coverage(10), datetime(2026, 10, 29, 22, 0, tzinfo=UTC)).is_empty()


def test_an_identifier_on_two_days_is_named():
    before = MONDAY - timedelta(days=1)
    messages = pl.LazyFrame(
        [(before, "a"), (MONDAY, "a"), (MONDAY, "b"), (MONDAY, "b")],
        schema={"day": pl.Date, "message_id": pl.String},
        orient="row",
    )
    assert counted_twice(messages, [MONDAY]).rows() == [("a", [before, MONDAY])]
    assert counted_twice(messages, [MONDAY + timedelta(days=1)]).is_empty()
