"""Comparisons against statsmodels and against worlds in which the answer is known."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import StratifiedTable
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep

from sms_etl.metrics.compare import difference, discoveries, dispersion_of


def strata(*rows: tuple[int, int, int, int]) -> pl.DataFrame:
    """(n, d, base_n, base_d) per operator."""
    return pl.DataFrame(rows, schema=["n", "d", "base_n", "base_d"], orient="row")


counted = st.integers(1, 400).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))
operators = st.lists(st.tuples(counted, counted), min_size=1, max_size=5).map(
    lambda rows: strata(*[(*mine, *base) for mine, base in rows])
)


@pytest.mark.parametrize(
    ("mine", "base", "low", "high"),
    [((70, 56), (80, 48), 0.0524, 0.3339), ((1000, 950), (1000, 930), -0.0008, 0.0411)],
)
def test_with_one_operator_it_is_newcombe_s_interval(mine, base, low, high):
    told = difference(strata((*mine, *base)), 1.0)
    assert told is not None
    assert (told.interval.low, told.interval.high) == pytest.approx((low, high), abs=5e-4)
    exact = confint_proportions_2indep(
        mine[1], mine[0], base[1], base[0], method="newcomb", compare="diff"
    )
    assert (told.interval.low, told.interval.high) == pytest.approx(exact, abs=1e-9)


@given(operators)
@settings(max_examples=80, deadline=None)
def test_the_test_is_that_of_statsmodels(rows):
    tables = [
        np.array([[d, n - d], [base_d, base_n - base_d]]) for n, d, base_n, base_d in rows.rows()
    ]
    told = difference(rows, 1.0)
    assert told is not None
    with np.errstate(all="ignore"):
        expected = StratifiedTable(tables).test_null_odds(correction=False).pvalue
    if np.isnan(expected):
        assert told.p_value == 1.0
    else:
        assert told.p_value == pytest.approx(expected, rel=1e-6, abs=1e-12)


@given(operators)
@settings(max_examples=80, deadline=None)
def test_rate_and_mix_effect_add_up_and_the_interval_holds_the_difference(rows):
    told = difference(rows, 1.0)
    assert told is not None
    plain = rows["d"].sum() / rows["n"].sum() - rows["base_d"].sum() / rows["base_n"].sum()
    assert told.plain == pytest.approx(plain)
    assert told.rate_effect + told.mix_effect == pytest.approx(plain)
    assert told.interval.low - 1e-12 <= told.standardised <= told.interval.high + 1e-12


@given(st.lists(st.tuples(st.integers(1, 9), counted), min_size=1, max_size=5))
def test_with_an_equal_mix_the_standardised_difference_is_the_plain_one(rows):
    same_mix = strata(*[(n * 1, d, n * 3, min(3 * n, d + times)) for times, (n, d) in rows])
    told = difference(same_mix, 1.0)
    assert told is not None
    assert told.standardised == pytest.approx(told.plain)
    assert told.mix_effect == pytest.approx(0.0, abs=1e-12)
    assert told.common == 1.0


def test_a_campaign_to_a_weak_operator_is_not_a_weak_campaign():
    """Both deliver 99 % at one operator and 80 % at the other; one wrote mostly to the weak one."""
    told = difference(strata((1000, 990, 9000, 8910), (9000, 7200, 1000, 800)), 1.0)
    assert told is not None
    assert told.plain == pytest.approx(-0.152)
    assert told.standardised == pytest.approx(0.0)
    assert told.rate_effect == pytest.approx(0.0)
    assert told.mix_effect == pytest.approx(-0.152)
    assert told.p_value == pytest.approx(1.0)


def test_a_period_that_only_wrote_elsewhere_has_a_mix_effect_alone():
    """The worked case: shares 70/30 become 40/60, rates of 98 % and 90 % stay: 95.6 to 93.2 %."""
    told = difference(strata((4000, 3920, 7000, 6860), (6000, 5400, 3000, 2700)), 1.0)
    assert told is not None
    assert told.plain == pytest.approx(0.932 - 0.956)
    assert told.rate_effect == pytest.approx(0.0)
    assert told.mix_effect == pytest.approx(-0.024)


def test_operators_only_one_of_them_wrote_to_are_not_compared_and_that_is_said():
    told = difference(strata((100, 90, 100, 80), (300, 290, 0, 0)), 1.0)
    assert told is not None
    assert told.standardised == pytest.approx(0.1)
    assert told.common == pytest.approx(0.4)
    assert difference(strata((10, 9, 0, 0), (0, 0, 10, 9)), 1.0) is None


def test_scattering_batches_widen_the_interval():
    rows = strata((100_000, 95_000, 100_000, 92_000))
    calm, wild = difference(rows, 1.0), difference(rows, 9.0)
    assert calm is not None
    assert wild is not None
    assert (calm.interval.high - calm.interval.low) * 3 == pytest.approx(
        wild.interval.high - wild.interval.low, rel=0.01
    )
    assert wild.p_value > calm.p_value


@pytest.mark.parametrize("true", [1.0, 6.0])
def test_the_scatter_of_batches_is_found(true):
    """Batches of 200 whose rates vary so that their variance is `true` times the binomial one."""
    generator = np.random.default_rng(11)
    n, p, batches = 200, 0.9, 4000
    if true == 1.0:
        rates = np.full(batches, p)
    else:
        correlation = (true - 1) / (n - 1)
        scale = (1 - correlation) / correlation
        rates = generator.beta(p * scale, (1 - p) * scale, batches)
    seen = pl.DataFrame(
        {
            "operator": ["a", "b"] * (batches // 2),
            "n": np.full(batches, n),
            "d": generator.binomial(n, rates),
        }
    )
    assert dispersion_of(seen, ["operator"]) == pytest.approx(true, rel=0.1)


def test_few_or_small_batches_tell_no_scatter():
    few = pl.DataFrame({"operator": ["a"] * 5, "n": [100] * 5, "d": [99, 10, 50, 0, 100]})
    small = pl.DataFrame({"operator": ["a"] * 99, "n": [19] * 99, "d": [19, 0, 9] * 33})
    assert dispersion_of(few, ["operator"]) == 1.0
    assert dispersion_of(small, ["operator"]) == 1.0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_false_discoveries_are_controlled_as_statsmodels_does(p_values):
    expected, *_ = multipletests(p_values, alpha=0.05, method="fdr_bh")
    assert discoveries(p_values) == list(expected)
