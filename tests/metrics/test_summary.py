from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sms_etl.errors import ConfigError
from sms_etl.metrics.histogram import RELATIVE_ERROR, bucket_of
from sms_etl.metrics.local_time import require_whole_hours, with_local_time
from sms_etl.metrics.money import divide_half_even
from sms_etl.metrics.summary import AsOf, no_totals, totals_by, totals_of
from sms_etl.reports.figures import TimeQuality, Totals
from tests.cubes import HOUR, at, cube, latency

NOON = at("2026-10-20")
AS_OF = AsOf(at("2026-10-21"), silence_hours=72)
CLASSES = ("delivered", "failed", "rejected", "unknown", "pending")


def bucket(seconds: float) -> int:
    return pl.select(bucket_of(pl.lit(seconds))).item()


def totals(rows, times=(), as_of: AsOf = AS_OF) -> Totals:
    return totals_of(cube(rows), latency(times), as_of)


def worked_case() -> list[dict]:
    """1,015 asked for, 15 skipped: 1,000 submitted."""
    parts = [("delivered", 900), ("failed", 40), ("failed", 10), ("rejected", 20)]
    parts += [("unknown", 12), ("pending", 18)]
    reasons = [
        None,
        "absent_subscriber",
        "expired_ttl",
        "spam_filtered_content",
        "no_receipt",
        None,
    ]
    return [
        {"hour": NOON, "status_class": name, "messages": n, "reason": reason}
        for (name, n), reason in zip(parts, reasons, strict=True)
    ]


def test_the_worked_case() -> None:
    told = totals(worked_case())
    assert (told.submitted, told.delivered, told.failed, told.rejected) == (1000, 900, 50, 20)
    assert (told.unknown, told.pending) == (12, 18)
    assert told.delivery.value == 0.9
    assert (told.delivery.low, told.delivery.high) == (0.9, 0.93)
    assert told.delivery_of_final.value == pytest.approx(0.9278, abs=5e-5)
    assert told.coverage.value == 0.97
    assert told.delivery.coverage == 0.97
    assert told.delivery.interval is not None
    assert told.delivery.interval.low == pytest.approx(0.8799, abs=5e-4)
    assert [told.delivery.denominator_name, told.delivery_of_final.denominator_name] == [
        "submitted",
        "final",
    ]


@pytest.mark.parametrize(
    ("pending", "hours_later", "mature"),
    [(1, 72, False), (1, 73, True), (0, 1, True)],
)
def test_a_cohort_is_mature_when_no_receipt_is_expected(pending, hours_later, mature) -> None:
    rows = [{"hour": NOON, "messages": 9}]
    if pending:
        rows.append({"hour": NOON, "messages": pending, "status_class": "pending"})
    as_of = AsOf(NOON + hours_later * HOUR, silence_hours=72)
    assert totals(rows, as_of=as_of).delivery.mature is mature


def test_money_is_kept_by_currency_and_rounded_half_to_even() -> None:
    uah, eur = ({"hour": NOON, "currency": name} for name in ("UAH", "EUR"))
    told = totals(
        [
            {**uah, "messages": 2, "cost_micro": 7, "messages_with_cost": 2},
            {**uah, "cost_micro": 4, "messages_with_cost": 1, "status_class": "failed"},
            {**uah, "cost_micro": 2, "messages_with_cost": 1, "status_class": "pending"},
            {**eur, "cost_micro": 5, "messages_with_cost": 1, "status_class": "unknown"},
            {"hour": NOON, "messages": 3},
        ]
    )  # fmt: skip
    in_eur, in_uah = told.costs
    assert (in_uah.currency, in_uah.spent_micro, in_uah.spent_on_undelivered_micro) == (
        "UAH", 13, 4,
    )  # fmt: skip
    assert in_uah.per_delivered_micro == 6, "13 / 2 = 6.5, to even"
    assert (in_uah.messages_with_cost, in_uah.messages) == (4, 8)
    assert (in_eur.spent_micro, in_eur.spent_on_undelivered_micro, in_eur.per_delivered_micro) == (
        5,
        5,
        None,
    )


@pytest.mark.parametrize(
    ("numerator", "denominator", "rounded"),
    [(5, 2, 2), (7, 2, 4), (10, 3, 3), (11, 3, 4), (0, 9, 0)],
)
def test_divide_half_even(numerator: int, denominator: int, rounded: int) -> None:
    assert divide_half_even(numerator, denominator) == rounded


@pytest.mark.parametrize(
    ("origins", "quality"),
    [
        (["provider"], TimeQuality.MEASURED),
        (["provider_update"], TimeQuality.UPPER_ESTIMATE),
        (["provider", "poll"], TimeQuality.UPPER_ESTIMATE),
        (["none"], TimeQuality.NOT_AVAILABLE),
        ([], TimeQuality.NOT_AVAILABLE),
    ],
)
def test_the_quality_of_times_is_that_of_the_worst(origins, quality) -> None:
    times = [{"hour": NOON, "bucket": bucket(4), "origin": origin} for origin in origins]
    assert totals([{"hour": NOON, "messages": 5}], times).latency.quality is quality


def test_times_to_deliver() -> None:
    times = [
        {"hour": NOON, "bucket": bucket(seconds), "messages": n}
        for seconds, n in [(3, 50), (10, 40), (60, 5), (600, 5)]
    ]
    waiting = {"hour": NOON, "messages": 7, "status_class": "pending"}
    told = totals([{"hour": NOON, "messages": 100}, waiting], times).latency
    assert [told.median, told.p90, told.p95, told.p99] == pytest.approx(
        [3, 10, 60, 600], rel=RELATIVE_ERROR
    )
    assert (told.messages, told.waiting) == (100, 7)


def test_nothing_sent() -> None:
    told = totals([])
    assert told == no_totals(AS_OF)
    assert told.submitted == 0
    assert told.delivery.value is told.delivery.low is told.delivery.interval is None


def test_receipts_that_reach_only_the_operator_are_counted() -> None:
    rows = [
        {"hour": NOON, "messages": 4, "receipt": "operator"},
        {"hour": NOON, "messages": 3, "receipt": "handset"},
    ]
    assert totals(rows).operator_receipts == 4


def test_messages_that_arrived_in_part_are_counted_beside_their_class() -> None:
    rows = [
        {"hour": NOON, "messages": 5, "receipt": "handset"},
        {"hour": NOON, "messages": 3, "status_class": "failed", "partly_delivered": 2},
        {"hour": NOON, "messages": 1, "status_class": "unknown", "partly_delivered": 1},
    ]
    told = totals(rows)
    assert (told.delivered, told.failed, told.unknown, told.partly_delivered) == (5, 3, 1, 3)


ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "hour": st.integers(0, 60).map(lambda n: at("2026-10-17", 0) + n * HOUR),
            "status_class": st.sampled_from(CLASSES),
            "operator": st.sampled_from(["Kyivstar", "lifecell", "unknown"]),
            "currency": st.sampled_from([None, "UAH", "USD"]),
            "messages": st.integers(1, 50),
            "parts": st.integers(0, 90),
            "cost_micro": st.integers(0, 9_999_999),
        }
    ).map(
        lambda row: row | {"messages_with_cost": row["messages"] if row["currency"] else 0}
    ),
    max_size=25,
)  # fmt: skip


@settings(deadline=None, max_examples=40)
@given(ROWS, st.randoms())
def test_laws_of_totals(rows, random_) -> None:
    whole = totals(rows)
    classes = [getattr(whole, name) for name in CLASSES]
    assert sum(classes) == whole.submitted == sum(row["messages"] for row in rows)
    for rate in (whole.delivery, whole.delivery_of_final):
        if rate.value is not None:
            assert rate.low is not None
            assert rate.high is not None
            assert 0 <= rate.low <= rate.value <= rate.high <= 1
            assert rate.interval is not None
            assert rate.interval.low <= rate.value <= rate.interval.high
    groups = totals_by(cube(rows), latency([]), ["operator"], AS_OF)
    for name in ("submitted", "parts", *CLASSES):
        assert sum(getattr(group, name) for group in groups.values()) == getattr(whole, name)
    for currency in ("UAH", "USD"):
        spent = [
            cost.spent_micro
            for told in groups.values()
            for cost in told.costs
            if cost.currency == currency
        ]
        assert sum(spent) == sum(c.spent_micro for c in whole.costs if c.currency == currency)
    random_.shuffle(rows)
    assert totals(rows) == whole
    assert totals_by(cube(rows), latency([]), ["operator"], AS_OF) == groups


def test_hours_of_the_reader_follow_the_clock_change() -> None:
    night = [{"hour": datetime(2026, 10, 24, 20, tzinfo=UTC) + n * HOUR} for n in range(7)]
    local = with_local_time(cube(night), "Europe/Kyiv").collect()
    assert local["local_hour"].to_list() == [23, 0, 1, 2, 3, 3, 4]
    assert local["local_day"].to_list() == [date(2026, 10, 24)] + [date(2026, 10, 25)] * 6
    assert local["weekday"].to_list() == [6] + [7] * 6


def test_a_zone_that_cuts_hours_is_refused() -> None:
    day = date(2026, 10, 20)
    require_whole_hours("America/New_York", day, day + timedelta(days=40))
    with pytest.raises(ConfigError, match="Asia/Kolkata"):
        require_whole_hours("Asia/Kolkata", day, day)
