"""Checks of whole days on a deployment: what is fresh, usual and shaped as before."""

from datetime import UTC, date, datetime, timedelta

import polars as pl

from sms_etl.checks import steps
from sms_etl.model.schemas import CUBE
from tests.pipeline.company import DAYS, NOW, land_and_rebuild

LAST_DAY = date(2026, 11, 1)


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


def test_a_day_on_which_most_went_missing_is_odd(company):
    project = company.project
    per_day = (
        project.lake.scan(CUBE, sources=["twilio"])
        .group_by("day")
        .agg(pl.col("messages").sum())
        .collect()
    )
    busy = per_day.filter(pl.col("day") >= date(2026, 10, 29)).sort("messages").row(-1)
    empty = pl.LazyFrame(schema={"day": pl.Date, "messages": pl.Int64})
    lost = per_day.lazy().filter(pl.col("day") != busy[0])
    odd = steps.odd_volumes(pl.concat([lost, empty]), [busy[0]])
    usual = per_day.filter(
        pl.col("day").is_in([busy[0] - timedelta(days=7 * n) for n in range(1, 5)])
    )["messages"].median()
    assert odd.rows() == ([(busy[0], 0, usual)] if max(usual, 0) >= 30 else [])
