"""Lift over many simulated companies: intervals hold what was planted; nothing where nothing."""

from dataclasses import replace
from datetime import UTC, date, datetime

import polars as pl
import pytest

from sms_etl.metrics.cohort import Cohort
from sms_etl.metrics.lift import lifts_of
from sms_etl.reports.figures import Verdict
from sms_etl.sandbox import WorldParameters, build_world
from sms_etl.sandbox.company import LIFT_DAYS, planted_at
from sms_etl.sandbox.plants import NOTHING, Plants
from sms_etl.sandbox.shop import ORDER

FIRST, LAST = date(2026, 10, 1), date(2026, 10, 20)
LATER = datetime(2026, 11, 15, tzinfo=UTC)
WORLD = WorldParameters(messages=3_000, first_day=FIRST, days=20, plants=Plants())
COHORT = Cohort(days=(FIRST, LAST), zone="Europe/Kyiv", as_of=LATER)
SEEDS = range(60)


def lifts(world):
    """The lifts of a world, from its own tables as the lake would have them."""
    asked = world.skipped.select(
        "campaign", "skipped", recipient="e164", contact="contact_id",
        hour=pl.col("submitted_at").dt.truncate("1h"),
    )  # fmt: skip
    messages = world.messages.select(
        "campaign", "submitted_at", recipient="e164", contact="contact_id"
    )
    orders = world.shop.orders.filter(kind=ORDER).select(
        recipient="phone", contact="customer", ordered_at="at"
    )
    return lifts_of(asked.lazy(), messages.lazy(), orders, LIFT_DAYS, COHORT)


@pytest.mark.slow
def test_intervals_hold_the_planted_lift_of_sixty_companies():
    held = told = shown = 0
    for seed in SEEDS:
        world = build_world(replace(WORLD, seed=seed))
        truth = {row["campaign"]: row["true_lift"] for row in planted_at(world, LATER)["lifts"]}
        for lift in lifts(world):
            told += 1
            held += lift.interval.low <= truth[lift.campaign] <= lift.interval.high
            shown += lift.verdict == Verdict.BETTER
    assert told == 2 * len(SEEDS)
    assert held / told >= 0.95
    assert shown > 0


@pytest.mark.slow
def test_campaigns_that_bring_nothing_are_hardly_ever_said_to_bring_or_cost_orders():
    verdicts = [
        lift.verdict
        for seed in SEEDS
        for lift in lifts(build_world(replace(WORLD, seed=seed, plants=NOTHING)))
    ]
    said = sum(verdict in (Verdict.BETTER, Verdict.WORSE) for verdict in verdicts)
    assert len(verdicts) == 2 * len(SEEDS)
    assert said / len(verdicts) <= 0.08
