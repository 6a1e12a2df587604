from __future__ import annotations

import math

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sms_etl.metrics.histogram import (
    FLOOR_SECONDS,
    PERCENTS,
    RELATIVE_ERROR,
    bucket_of,
    quantiles,
    value_of,
)

SECONDS = st.lists(st.floats(0, 1e7, allow_subnormal=False), min_size=1, max_size=60)


def histogram(seconds: list[float]) -> pl.DataFrame:
    frame = pl.DataFrame({"seconds": seconds}, schema={"seconds": pl.Float64})
    return frame.group_by(bucket=bucket_of(pl.col("seconds"))).agg(messages=pl.len().cast(pl.Int64))


def read(counts: pl.DataFrame) -> dict[str, float]:
    frame = quantiles(counts.lazy().with_columns(key=pl.lit("all")), ["key"])
    return frame.row(0, named=True)


def exact(seconds: list[float], percent: int) -> float:
    return sorted(seconds)[math.ceil(len(seconds) * percent / 100) - 1]


def test_the_promise_is_two_percent_or_better() -> None:
    assert RELATIVE_ERROR <= 0.02


@settings(deadline=None, max_examples=60)
@given(SECONDS)
def test_quantiles_keep_the_promise(seconds: list[float]) -> None:
    told = read(histogram(seconds))
    for percent in PERCENTS:
        truth = exact(seconds, percent)
        error = abs(told[f"p{percent}"] - truth)
        assert error <= max(FLOOR_SECONDS, truth * RELATIVE_ERROR * (1 + 1e-9))


@settings(deadline=None, max_examples=40)
@given(st.lists(SECONDS, min_size=1, max_size=5), st.randoms())
def test_merging_in_any_order_is_the_same_as_counting_at_once(
    parts: list[list[float]], random_
) -> None:
    whole = read(histogram([value for part in parts for value in part]))
    random_.shuffle(parts)
    assert read(pl.concat(histogram(part) for part in parts)) == whole


@pytest.mark.parametrize("seconds", [0.0, 0.009, FLOOR_SECONDS, -3.0])
def test_zero_and_tiny_times_share_the_floor_bucket(seconds: float) -> None:
    frame = pl.select(bucket=bucket_of(pl.lit(seconds))).with_columns(value=value_of(pl.col.bucket))
    assert frame.row(0) == (0, 0.0)
    assert frame.schema["bucket"] == pl.Int32


def test_null_stays_null() -> None:
    assert pl.select(bucket_of(pl.lit(None, pl.Float64))).item() is None


def test_groups_are_read_apart() -> None:
    counts = pl.concat(
        [
            histogram([1.0, 2.0, 3.0]).with_columns(operator=pl.lit("a")),
            histogram([60.0]).with_columns(operator=pl.lit("b")),
        ]
    )
    frame = quantiles(counts.lazy(), ["operator"])
    assert frame["operator"].to_list() == ["a", "b"]
    assert frame["p50"].to_list() == pytest.approx([2.0, 60.0], rel=RELATIVE_ERROR)
    assert frame["messages"].to_list() == [3, 1]
