"""Consecutive numbers of one hour."""

from datetime import UTC, datetime, timedelta

import polars as pl

from sms_etl.messages.number_runs import in_number_run, number_prefix

TEN = datetime(2026, 10, 20, 10, 59, 59, tzinfo=UTC)


def runs(*sent):
    at = pl.Series([TEN + timedelta(seconds=second) for second, _ in sent]).dt.cast_time_unit("us")
    numbers = [number and f"+3806712345{number:02}" for _, number in sent]
    return in_number_run(at, pl.Series(numbers, dtype=pl.String)).to_list()


def test_three_in_a_row_within_the_hour_are_a_run_in_any_order_and_two_are_not():
    assert runs((0, 12), (-5, 10), (-9, 11), (0, 20), (0, 21)) == [True] * 3 + [False] * 2


def test_the_next_hour_begins_anew():
    assert runs((0, 10), (0, 11), (1, 12)) == [False] * 3


def test_the_same_number_twice_is_one_of_the_run_and_no_number_is_in_none():
    assert runs((0, 10), (0, 10), (0, 11), (0, None)) == [False] * 4
    assert runs((0, 10), (0, 10), (0, 11), (0, 12)) == [True] * 4


def test_a_prefix_never_tells_the_last_four_digits():
    numbers = pl.Series(["+380671234567", "+50028123", None])
    prefixes = pl.select(number_prefix(pl.lit(numbers))).to_series().to_list()
    assert prefixes == ["3806712", "5002", None]
