from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_etl.metrics.rate import newcombe, tail_bound, wilson


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        (97, 100, 0.9155, 0.9897),
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (3, 40, 0.0258, 0.1986),
        (9500, 10_000, 0.9456, 0.9541),
    ],
)
def test_wilson_golden(successes: int, trials: int, low: float, high: float) -> None:
    interval = wilson(successes, trials)
    assert interval is not None
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=5e-5)


def test_no_trials_no_interval() -> None:
    assert wilson(0, 0) is None


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        ((56, 70), (48, 80), 0.052, 0.334),
        ((950, 1000), (930, 1000), -0.001, 0.041),
    ],
)
def test_newcombe_golden(first, second, low: float, high: float) -> None:
    interval = newcombe(first[0] / first[1], first[1], second[0] / second[1], second[1])
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=5e-4)


@given(st.integers(0, 200), st.integers(1, 200))
def test_wilson_holds_the_share(successes: int, trials: int) -> None:
    successes = min(successes, trials)
    interval = wilson(successes, trials)
    assert interval is not None
    assert 0 <= interval.low <= successes / trials <= interval.high <= 1


@given(st.integers(0, 40), st.integers(1, 40), st.floats(0.01, 0.99))
def test_the_tail_bound_is_above_the_exact_tail(least: int, trials: int, usual: float) -> None:
    least = min(least, trials)
    exact = sum(
        math.comb(trials, k) * usual**k * (1 - usual) ** (trials - k)
        for k in range(least, trials + 1)
    )
    assert exact <= tail_bound(least / trials, trials, usual) * (1 + 1e-9)
