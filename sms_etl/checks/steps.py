"""The checks of a project's days: what the assets, and whoever asks by hand, are told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import polars as pl

from sms_etl.checks.days import (
    HISTORY_DAYS,
    USUAL_DAYS,
    counted_twice,
    odd_volumes,
    thin_coverage,
)
from sms_etl.checks.shape import Drift, Shape, drift, shape_of
from sms_etl.days import day_window, days_between
from sms_etl.model.schemas import CONSERVATION, CUBE, MESSAGES
from sms_etl.project import Project
from sms_etl.sources.base import PullKind

ONE_DAY = timedelta(days=1)


def volumes(project: Project, name: str, days: Sequence[date]) -> pl.DataFrame:
    """Days of a source with far more or fewer messages than usual; see days.odd_volumes.

    A day that was built without a message counts as zero.
    """
    first, last = min(days) - HISTORY_DAYS * ONE_DAY, max(days)
    built = project.lake.scan(CONSERVATION, first, last, [name]).select("day").unique()
    cube = project.lake.scan(CUBE, first, last, [name]).select("day", "messages")
    zero = built.with_columns(messages=pl.lit(0, pl.Int64))
    return odd_volumes(pl.concat([cube, zero]), days)


def coverage(project: Project, name: str, days: Sequence[date], as_of: datetime) -> pl.DataFrame:
    """Days of a source whose receipts are rare; see days.thin_coverage."""
    first = min(days) - HISTORY_DAYS * ONE_DAY
    cube = project.lake.scan(CUBE, first, max(days), [name])
    silence = timedelta(hours=project.settings.project.silence_hours)
    zone = project.settings.project.zone
    columns = ("day", "operator", "status_class", "messages")
    return thin_coverage(cube.select(columns), days, as_of, silence, zone)


def twice(project: Project, name: str, days: Sequence[date]) -> pl.DataFrame:
    """Identifiers counted on two days; see days.counted_twice."""
    first, last = min(days) - ONE_DAY, max(days) + ONE_DAY
    messages = project.lake.scan(MESSAGES, first, last, [name]).select("day", "message_id")
    return counted_twice(messages, days)


def drifts(project: Project, place: str, days: Sequence[date]) -> dict[date, Drift]:
    """Days on which a source's records have other fields than on the days before.

    Of every pull the first page with records is looked at.
    """
    asked = days_between(min(days) - USUAL_DAYS * ONE_DAY, max(days))
    shapes: dict[date, Shape] = {}
    for manifest in project.landing.manifests(place, asked):
        pages = [page for page in project.landing.pages([manifest]) if page.records]
        day = manifest.first_day
        if pages and day in asked:
            shapes[day] = shapes.get(day, Shape({}, 0)).plus(shape_of(pages[0]))
    found = {day: drift(day, shapes) for day in days}
    return {day: one for day, one in found.items() if one.gone or one.new}


def awaited_daily(project: Project) -> list[str]:
    """Sources whose every day is there the next morning; exports are dropped when they are."""
    return [
        name
        for name in project.source_names
        if project.source(name).kind is not PullKind.DROP_FOLDER
    ]


@dataclass(frozen=True)
class Freshness:
    """Whether yesterday is there: pulled after it was over, and built."""

    day: date
    pulled_at: datetime | None
    built: bool

    @property
    def fresh(self) -> bool:
        """Nothing is missing."""
        return self.built and self.pulled_at is not None


def freshness(project: Project, name: str, as_of: datetime) -> Freshness:
    """Of the last business day that is over: when it was pulled after its end, and if it is built.

    Other than a policy on the asset, a backfill of last year does not make it fresh.
    """
    zone = project.settings.project.zone
    yesterday = as_of.astimezone(zone).date() - ONE_DAY
    over = day_window(yesterday, zone).end
    pulls = project.landing.manifests(name, [yesterday])
    after = [pull.started_at for pull in pulls if pull.started_at >= over]
    built = project.lake.scan(CONSERVATION, yesterday, yesterday, [name])
    return Freshness(yesterday, max(after, default=None), not built.head(1).collect().is_empty())
