"""Checks of whole days on a deployment: what is fresh, usual and shaped as before."""

from datetime import UTC, date, datetime, timedelta

import polars as pl

from sms_etl.checks import steps
from sms_etl.checks.days import LEAST_MESSAGES, odd_volumes
from sms_etl.model.schemas import CUBE
from tests.pipeline.company import DAYS, NOW, land_and_rebuild

LAST_DAY = date(2026, 11, 1)
LOST = date(2026, 10, 29)


def test_an_ordinary_month_has_nothing_odd(company):
    project = company.project
    for name in project.source_names:
        assert steps.drifts(project, name, DAYS) == {}
        assert steps.twice(project, name, DAYS).is_empty()


def test_yesterday_is_fresh_only_if_it_was_pulled_after_its_end(fresh_company):
    project = fresh_company.project
    # A backfill of October, as it might be run in November.
    land_and_rebuild(project, [date(2026, 10, 5)])
    stale = steps.freshness(project, "twilio", NOW)
    assert (stale.day, stale.pulled_at, stale.built, stale.fresh) == (LAST_DAY, None, False, False)

    # Pulled while it was under way: half a day, and no more.
    fresh_company.move_to(datetime(2026, 11, 1, 12, 0, tzinfo=UTC))
    land_and_rebuild(project, [LAST_DAY])
    half = steps.freshness(project, "twilio", NOW)
    assert (half.built, half.fresh) == (True, False)

    fresh_company.move_to(NOW)
    land_and_rebuild(project, [LAST_DAY])
    assert steps.freshness(project, "twilio", NOW).fresh


def test_a_day_on_which_all_went_missing_is_odd_and_the_day_itself_is_not(company):
    project = company.project
    counts = project.lake.scan(CUBE).group_by("day").agg(pl.col("messages").sum()).collect().lazy()
    usual = counts.filter(pl.col("day").is_in([LOST - timedelta(days=7 * n) for n in range(1, 5)]))
    median = usual.collect()["messages"].median()
    assert median >= LEAST_MESSAGES

    without = counts.filter(pl.col("day") != LOST)

    assert odd_volumes(without, [LOST]).rows() == [(LOST, 0, median)]
    assert odd_volumes(counts, [LOST]).is_empty()
