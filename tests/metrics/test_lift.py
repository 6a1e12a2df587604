"""Treated against held out: who counts, what is said, and whether the interval keeps its word."""

import random
from datetime import date, timedelta

import polars as pl
import pytest

from sms_etl.metrics.cohort import Cohort
from sms_etl.metrics.lift import lifts_of
from sms_etl.metrics.rate import newcombe
from sms_etl.model.schemas import UTC_TIME
from sms_etl.reports.figures import Verdict
from tests.engagement.clicked import START, at, messages

DAY = date(2026, 10, 5)
COHORT = Cohort(days=(DAY, DAY), zone="Europe/Kyiv", as_of=START + timedelta(days=30))
ASKED = {
    "hour": UTC_TIME, "campaign": pl.String, "skipped": pl.String, "recipient": pl.String,
    "contact": pl.String,
}  # fmt: skip
ORDERS = {"recipient": pl.String, "contact": pl.String, "ordered_at": UTC_TIME}


def asked(*people, campaign="sale"):
    rows = [(at(), campaign, "holdout", person, None) for person in people]
    return pl.DataFrame(rows, schema=ASKED, orient="row").lazy()


def orders(*given):
    return pl.DataFrame(list(given), schema=ORDERS, orient="row")


def sent(*people):
    return messages(*({"recipient": person} for person in people)).lazy()


def trial(treated, treated_bought, held, held_bought, cohort=COHORT):
    bought = [(f"t{n}", None, at(5)) for n in range(treated_bought)]
    bought += [(f"h{n}", None, at(5)) for n in range(held_bought)]
    [lift] = lifts_of(
        asked(*(f"h{n}" for n in range(held))),
        sent(*(f"t{n}" for n in range(treated))),
        orders(*bought),
        7,
        cohort,
    )
    return lift


def test_shares_of_people_their_difference_and_its_interval():
    lift = trial(70, 56, 80, 48)
    assert (lift.treated.numerator, lift.treated.denominator) == (56, 70)
    assert lift.difference == pytest.approx(0.2)
    # Newcombe (1998), contrast (a) of table II by method 10.
    assert (round(lift.interval.low, 4), round(lift.interval.high, 4)) == (0.0524, 0.3339)
    assert lift.verdict == Verdict.BETTER


@pytest.mark.parametrize(
    ("counts", "verdict"),
    [
        ((1_000, 950, 1_000, 930), Verdict.NOT_SHOWN),
        ((1_000, 100, 1_000, 200), Verdict.WORSE),
        ((1_000, 500, 29, 0), Verdict.TOO_FEW),
    ],
)
def test_verdicts(counts, verdict):
    assert trial(*counts).verdict == verdict


def test_it_is_too_early_before_the_last_person_has_had_the_same_time():
    early = Cohort(COHORT.days, COHORT.zone, START + timedelta(days=7))
    assert trial(100, 90, 100, 1, early).verdict == Verdict.TOO_EARLY


def test_whoever_was_held_out_once_and_written_to_once_is_in_neither_group():
    [lift] = lifts_of(asked("olena", "ivan"), sent("olena", "petro"), orders(), 7, COHORT)
    assert (lift.treated.denominator, lift.holdout.denominator, lift.both) == (1, 1, 1)


def test_people_count_once_undelivered_ones_too_and_orders_by_number_or_contact():
    people = messages(
        {"recipient": "olena", "contact": "c1"},
        {"recipient": "olena", "contact": "c1", "submitted_at": at(3)},
        {"recipient": "petro", "status_class": "failed"},
    )
    bought = orders((None, "c1", at(24)), ("petro", None, at(1)), ("ivan", None, at(24 * 7 + 2)))
    [lift] = lifts_of(asked("ivan"), people.lazy(), bought, 7, COHORT)
    assert (lift.treated.numerator, lift.treated.denominator) == (2, 2)
    assert lift.holdout.numerator == 0


def test_no_holdout_no_lift():
    assert lifts_of(asked(), sent("olena"), orders(), 7, COHORT) == ()


@pytest.mark.slow
def test_intervals_hold_the_planted_lift_in_nineteen_of_twenty_trials():
    """2,000 trials of a true lift of two points; the share of intervals that hold it."""
    rng, held = random.Random(20261005), 0
    trials, n, m, share, lift = 2_000, 1_800, 200, 0.05, 0.02
    for _ in range(trials):
        treated = sum(rng.random() < share + lift for _ in range(n))
        control = sum(rng.random() < share for _ in range(m))
        interval = newcombe(treated / n, n, control / m, m)
        held += interval.low <= lift <= interval.high
    assert 0.94 <= held / trials <= 0.97


def test_a_lift_that_is_not_there_is_hardly_ever_told():
    rng, told = random.Random(7), 0
    for _ in range(40):
        treated = sum(rng.random() < 0.06 for _ in range(900))
        held = sum(rng.random() < 0.06 for _ in range(100))
        told += trial(900, treated, 100, held).verdict in (Verdict.BETTER, Verdict.WORSE)
    assert told <= 5
