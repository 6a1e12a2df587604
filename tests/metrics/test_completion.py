"""The maturity clock, against counting rows and against a world with known delays."""

from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from sms_etl.metrics.completion import COMPLETE, LEAST_ENDS, completeness, completion_curves
from sms_etl.metrics.histogram import RELATIVE_ERROR, bucket_of, value_of
from tests.cubes import HOUR, at, cube, latency

NOON = at("2026-10-20")
HORIZON = 72 * 3600.0


def lived(seconds, fate="delivered", messages=1, **more) -> dict:
    origin = "none" if fate == "pending" else "provider"
    bucket = pl.select(bucket_of(pl.lit(float(seconds)))).item()
    return {
        "hour": NOON, "status_class": fate, "origin": origin, "bucket": bucket,
        "messages": messages, **more,
    }  # fmt: skip


def known_at(curves: pl.DataFrame, seconds: float, **group) -> float:
    rows = curves.filter(pl.col(name) == value for name, value in group.items())
    return rows.filter(value_of(pl.col("bucket")) <= seconds * (1 + RELATIVE_ERROR))["known"].max()


def test_a_curve_is_the_share_of_receipts_that_have_come():
    rows = [lived(5, messages=700), lived(600, "failed", 200), lived(7200, messages=100)]
    curves = completion_curves(latency(rows), HORIZON)
    for group in ({"level": "by"}, {"level": "by_provider"}, {"operator": "Kyivstar"}):
        assert known_at(curves, 10, **group) == pytest.approx(0.7)
        assert known_at(curves, 900, **group) == pytest.approx(0.9)
        assert known_at(curves, 9000, **group) == pytest.approx(1.0)


def test_young_messages_that_wait_do_not_make_a_curve_quicker():
    """Half of a day's messages were seen a minute after sending: only quick ends are known."""
    generator = np.random.default_rng(7)
    seconds = generator.exponential(600.0, 40_000)
    seen_after = np.where(np.arange(40_000) < 20_000, 60.0, HORIZON)
    ended = seconds <= seen_after
    rows = [
        lived(s if over else age, "delivered" if over else "pending")
        for s, over, age in zip(seconds, ended, seen_after, strict=True)
    ]
    curves = completion_curves(latency(rows), HORIZON)
    for age in (30.0, 300.0, 1200.0):
        assert known_at(curves, age, level="by") == pytest.approx(1 - np.exp(-age / 600), abs=0.02)
    naive = (seconds[ended] <= 300).mean()
    assert naive > 1 - np.exp(-0.5) + 0.03, "counting known ends alone would be too quick"


def test_a_group_that_saw_too_little_borrows_the_curve_of_its_provider():
    few, many = LEAST_ENDS - 1, LEAST_ENDS
    rows = [
        lived(5, messages=many),
        lived(7200, messages=few, operator="TriMob"),
        lived(60, messages=few, provider="new", operator="lifecell"),
    ]
    curves = completion_curves(latency(rows), HORIZON)
    as_of = NOON + HOUR + timedelta(minutes=2)
    asked = cube(
        [
            {"hour": NOON, "operator": "Kyivstar"},
            {"hour": NOON, "operator": "TriMob"},
            {"hour": NOON, "operator": "lifecell", "provider": "new"},
        ]
    )
    told = dict(completeness(asked, curves, as_of, ["operator"]).iter_rows())
    assert told["Kyivstar"] == pytest.approx(1.0), "its own curve: all within five seconds"
    assert told["TriMob"] == pytest.approx(many / (many + few)), "that of its provider"
    assert told["lifecell"] == pytest.approx((many + few) / (many + 2 * few)), "that of all"


def test_the_age_of_a_message_is_counted_from_the_end_of_its_hour():
    curves = completion_curves(
        latency([lived(5, messages=500), lived(7200, messages=500)]), HORIZON
    )
    rows = cube([{"hour": NOON, "messages": 3}, {"hour": NOON - 24 * HOUR, "messages": 1}])
    fresh = completeness(rows, curves, NOON + HOUR, ["day"])
    told = dict(fresh.iter_rows())
    assert told[NOON.date()] == 0.0
    assert told[(NOON - 24 * HOUR).date()] == 1.0
    (whole,) = completeness(rows, curves, NOON + HOUR, ["source"])["complete"]
    assert whole == pytest.approx(0.25)
    assert whole < COMPLETE


def test_without_a_past_nothing_is_promised():
    curves = completion_curves(latency([lived(5, messages=LEAST_ENDS - 1)]), HORIZON)
    assert curves.is_empty()
    rows = cube([{"hour": NOON, "messages": 3}])
    assert completeness(rows, curves, NOON + HOUR, ["source"]).is_empty()
