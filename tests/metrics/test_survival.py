"""Times over everything submitted, against brute force and the estimators of statsmodels."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.duration.survfunc import CumIncidenceRight, SurvfuncRight

from sms_etl.metrics.histogram import RELATIVE_ERROR, bucket_of, value_of
from sms_etl.metrics.survival import (
    incidence,
    quantiles_of_submitted,
    slower_than,
    without_silent_sources,
)
from tests.cubes import at, latency

NOON = at("2026-10-20")
FATES = ("delivered", "failed", "pending")


def bucket(seconds: float) -> int:
    return pl.select(bucket_of(pl.lit(seconds))).item()


def row(fate: str, seconds: float, messages: int = 1, **more) -> dict:
    origin = "none" if fate in {"pending", "unknown"} else "provider"
    return {
        "hour": NOON, "status_class": fate, "origin": origin, "bucket": bucket(seconds),
        "messages": messages, **more,
    }  # fmt: skip


lives = st.lists(
    st.tuples(st.sampled_from(FATES), st.sampled_from([1, 2, 5, 10, 60, 600, 7200])),
    min_size=1,
    max_size=60,
).filter(lambda all_: any(fate == "delivered" for fate, _ in all_))


def test_ten_minutes_after_sending_with_forty_of_a_hundred_still_waiting():
    rows = [row("delivered", 4, 60), row("pending", 600, 40)]
    (told,) = quantiles_of_submitted(latency(rows), ["source"], (50, 60, 95)).to_dicts()
    assert told["all_p50"] == pytest.approx(4, rel=RELATIVE_ERROR)
    assert told["all_p60"] == pytest.approx(4, rel=RELATIVE_ERROR)
    assert told["all_p95"] is None, "over delivered messages alone it would be 4 seconds"
    (slow,) = slower_than(latency(rows), ["source"], [60]).to_dicts()
    assert (slow["slow"], slow["messages"]) == (40, 100)


@given(lives)
@settings(max_examples=60, deadline=None)
def test_the_incidence_is_that_of_statsmodels(all_):
    told = incidence(latency([row(fate, s) for fate, s in all_]), ["source"]).collect()
    seconds = np.array([s for _, s in all_], dtype=float)
    status = np.array([{"delivered": 1, "failed": 2, "pending": 0}[fate] for fate, _ in all_])
    causes = CumIncidenceRight(seconds, status)
    survival = SurvfuncRight(seconds, (status > 0).astype(int))
    for time, delivered in zip(causes.times, causes.cinc[0], strict=True):
        mine = told.filter(pl.col("bucket") <= bucket(time))
        assert mine["delivered"].max() == pytest.approx(delivered, abs=1e-9)
    for time, alive in zip(survival.surv_times, survival.surv_prob, strict=True):
        mine = told.filter(pl.col("bucket") <= bucket(time))
        assert mine["ended"].max() == pytest.approx(1 - alive, abs=1e-9)


@given(lives)
@settings(max_examples=60, deadline=None)
def test_without_anything_waiting_a_quantile_is_that_of_all_rows(all_):
    ended = [(fate, s) for fate, s in all_ if fate != "pending"]
    rows = latency([row(fate, s) for fate, s in ended])
    (told,) = quantiles_of_submitted(rows, ["source"], (50, 90)).to_dicts()
    for percent in (50, 90):
        arrived = sorted(s for fate, s in ended if fate == "delivered")
        rank = -(-percent * len(ended) // 100)
        exact = arrived[rank - 1] if rank <= len(arrived) else None
        assert told[f"all_p{percent}"] == (
            None if exact is None else pytest.approx(exact, rel=RELATIVE_ERROR + 1e-9)
        )


@given(lives, st.sampled_from([3, 30, 3000]))
@settings(max_examples=60, deadline=None)
def test_slow_is_counted_as_one_would_by_hand(all_, threshold):
    (told,) = slower_than(latency([row(f, s) for f, s in all_]), ["source"], [threshold]).to_dicts()
    slow = sum(s > threshold for fate, s in all_ if fate != "failed")
    quick = sum(s <= threshold for fate, s in all_ if fate == "delivered")
    assert (told["slow"], told["messages"]) == (slow, slow + quick)


def test_waiting_messages_of_a_source_that_tells_no_times_say_nothing():
    mute = {"source": "mute", "operator": "Kyivstar"}
    rows = latency(
        [
            row("delivered", 4, 10),
            row("pending", 600, 10),
            row("pending", 600, 500, **mute),
            {"hour": NOON, "status_class": "delivered", "origin": "none", "bucket": None, **mute},
        ]
    )
    (told,) = quantiles_of_submitted(without_silent_sources(rows), ["operator"], (50,)).to_dicts()
    assert told["all_p50"] == pytest.approx(4, rel=RELATIVE_ERROR)


def test_a_group_in_which_nothing_was_delivered_has_no_times():
    rows = latency([row("failed", 4, 10), row("pending", 60, 10)])
    assert quantiles_of_submitted(rows, ["source"]).is_empty()


def test_the_value_of_a_bucket_is_within_the_promise():
    assert pl.select(value_of(pl.lit(bucket(90.0)))).item() == pytest.approx(90, rel=RELATIVE_ERROR)
