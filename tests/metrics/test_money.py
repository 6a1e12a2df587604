"""Money in one currency: worked by hand, as fractions by another road, and as laws."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sms_etl.metrics.local_time import with_local_time
from sms_etl.metrics.money import RATE_SCALE, RATES_SCHEMA, Rates, daily_rates, with_converted
from sms_etl.metrics.summary import AsOf, totals_by, totals_of
from sms_etl.reports.figures import Converted, Money
from tests.cubes import at, cube, latency

FRIDAY, SATURDAY, SUNDAY, MONDAY = (date(2026, 10, day) for day in (16, 17, 18, 19))
AS_OF = AsOf(at("2026-10-30"), silence_hours=72, currency="UAH")


def rates(*rows: tuple[date, str, str], base="UAH", target="UAH", age=7) -> Rates:
    scaled = [(day, currency, int(Fraction(rate) * RATE_SCALE)) for day, currency, rate in rows]
    return Rates(pl.DataFrame(scaled, schema=RATES_SCHEMA, orient="row"), base, target, age)


def paid(day: date, currency: str, micro: int, **changes) -> dict:
    row = {"hour": at(day), "currency": currency, "cost_micro": micro, "messages_with_cost": 1}
    return row | changes


def converted(rows: list[dict], table: Rates, first=FRIDAY, last=MONDAY) -> Converted:
    local = with_local_time(cube(rows), "UTC")
    as_of = AsOf(AS_OF.moment, 72, currency=table.target)
    found = totals_of(with_converted(local, table, first, last), latency([]), as_of).converted
    assert found is not None
    return found


def test_every_day_is_converted_at_its_own_rate_and_a_weekend_at_fridays():
    table = rates((FRIDAY, "USD", "41.5"), (MONDAY, "USD", "42"))
    rows = [
        paid(FRIDAY, "USD", 1_000_000),
        paid(SUNDAY, "USD", 2_000_000, status_class="failed"),
        paid(MONDAY, "USD", 1_000_000),
        paid(MONDAY, "UAH", 500_000),
    ]
    # 41.5 + 2 x 41.5 + 42 + 0.5 = 167 hryvnias, 83 of them for what failed; three delivered.
    assert converted(rows, table) == Converted(
        currency="UAH",
        spent_micro=167_000_000,
        spent_on_undelivered_micro=83_000_000,
        per_delivered_micro=55_666_667,
        messages_with_cost=4,
        first_rate_day=FRIDAY,
        last_rate_day=MONDAY,
    )


def test_money_without_a_rate_is_never_taken_one_to_one():
    table = rates((MONDAY, "USD", "42"))
    rows = [
        paid(FRIDAY, "USD", 1_000_000),
        paid(MONDAY, "EUR", 3_000_000),
        paid(MONDAY, "USD", 1_000_000),
    ]
    found = converted(rows, table)
    assert found.spent_micro == 42_000_000
    assert found.messages_with_cost == 1
    assert found.missing == (
        Money(currency="EUR", micro=3_000_000),
        Money(currency="USD", micro=1_000_000),
    )


@pytest.mark.parametrize(("age", "known"), [(3, True), (2, False)])
def test_a_rate_may_be_so_old_and_no_older(age, known):
    table = rates((FRIDAY, "USD", "41.5"), age=age)
    found = converted([paid(MONDAY, "USD", 1_000_000)], table)
    assert (found.spent_micro > 0) is known
    assert (found.missing == ()) is known


def test_another_currency_than_the_banks_is_a_cross_rate():
    table = rates((FRIDAY, "USD", "41.5"), (FRIDAY, "EUR", "48.3"), target="USD")
    rows = [paid(FRIDAY, "EUR", 1_000_000), paid(SATURDAY, "UAH", 83_000_000)]
    found = converted(rows, table)
    # 48.3 / 41.5 = 1.16385542 and 83 / 41.5 = 2 dollars.
    assert found.spent_micro == 3_163_855
    assert (found.first_rate_day, found.last_rate_day) == (FRIDAY, FRIDAY)


def test_the_reports_own_currency_needs_no_rate():
    found = converted([paid(MONDAY, "UAH", 7)], rates())
    assert (found.spent_micro, found.first_rate_day, found.missing) == (7, None, ())


def test_the_original_amounts_stay():
    local = with_local_time(cube([paid(FRIDAY, "USD", 9)]), "UTC")
    table = rates((FRIDAY, "USD", "41.5"))
    told = totals_of(with_converted(local, table, FRIDAY, MONDAY), latency([]), AS_OF)
    assert [(cost.currency, cost.spent_micro) for cost in told.costs] == [("USD", 9)]


def test_sums_far_beyond_sixty_four_bits_are_exact():
    rows = [paid(FRIDAY, "USD", 9 * 10**15 + n) for n in range(3)]
    found = converted(rows, rates((FRIDAY, "USD", "41.123456789012")))
    expected = (27 * 10**15 + 3) * Fraction("41.123456789012")
    assert found.spent_micro == round(expected)


def last_rate(table: Rates, day: date, currency: str) -> Fraction | None:
    if currency == table.target:
        return Fraction(1)
    known = [
        (at_, rate)
        for at_, name, rate in table.table.iter_rows()
        if name == currency and timedelta(0) <= day - at_ <= timedelta(table.largest_age_days)
    ]
    return Fraction(max(known)[1], RATE_SCALE) if known else None


DAYS = st.integers(0, 9).map(lambda n: FRIDAY + timedelta(days=n))
CURRENCIES = st.sampled_from(["UAH", "USD", "EUR"])


@given(
    st.dictionaries(
        st.tuples(DAYS, st.sampled_from(["USD", "EUR"])), st.integers(1, 10**14), max_size=6
    ),
    st.lists(st.tuples(DAYS, CURRENCIES, st.integers(0, 10**9)), min_size=1, max_size=8),
    st.integers(0, 4),
)
@settings(deadline=None, max_examples=40)
def test_the_sum_is_that_of_the_fractions_and_groups_add_up(table_rows, costs, age):
    rows = [(day, currency, rate) for (day, currency), rate in table_rows.items()]
    table = Rates(pl.DataFrame(rows, schema=RATES_SCHEMA, orient="row"), "UAH", "UAH", age)
    last = FRIDAY + timedelta(days=9)
    found = converted([paid(*cost) for cost in costs], table, FRIDAY, last)
    exact, missing = Fraction(0), 0
    for day, currency, micro in costs:
        rate = last_rate(table, day, currency)
        exact += micro * (rate or 0)
        missing += micro if rate is None else 0
    assert found.spent_micro == round(exact)
    assert sum(money.micro for money in found.missing) == missing
    local = with_local_time(cube([paid(*cost) for cost in costs]), "UTC")
    by_day = totals_by(
        with_converted(local, table, FRIDAY, last), latency([]).with_columns(
            local_day=pl.col("day")), ["local_day"], AS_OF
    )  # fmt: skip
    parts = [t.converted.spent_micro for t in by_day.values() if t.converted]
    assert abs(sum(parts) - found.spent_micro) <= len(parts)


def test_a_day_has_one_rate_of_a_currency():
    found = daily_rates(rates((FRIDAY, "USD", "1"), (MONDAY, "USD", "2")), FRIDAY, MONDAY)
    assert found.select("day", "currency").is_unique().all()
    assert found.sort("day")["rate_day"].to_list() == [FRIDAY, FRIDAY, FRIDAY, MONDAY]
