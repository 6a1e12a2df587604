"""Landing and rebuilding a stream: functions of a project, a source, a stream and some days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from sms_etl.config.clock import now
from sms_etl.engagement.build import (
    ROW,
    TABLES,
    BuiltEvents,
    EventRecipe,
    build_events,
    stream_name,
)
from sms_etl.engagement.fates import FOLDED, QUARANTINED
from sms_etl.engagement.person import without_erased
from sms_etl.model.engagement import EVENT_CONSERVATION, EVENT_QUARANTINE, EVENTS
from sms_etl.model.schemas import OUTBOX
from sms_etl.pipeline import pull_frame
from sms_etl.project import Project
from sms_etl.sources.base import PullContext, PullKind, Stream
from sms_etl.store.audit import erased_people
from sms_etl.store.landing import Manifest


@dataclass(frozen=True)
class StreamAccount:
    """What became of one day of one stream."""

    day: date
    stream: str
    rows: int
    folded: dict[str, int]
    quarantined: dict[str, int]

    @property
    def records(self) -> int:
        """Records in."""
        return self.rows + sum(self.folded.values()) + sum(self.quarantined.values())


def land_stream(
    project: Project,
    name: str,
    stream: Stream,
    days: Sequence[date],
    since: datetime | None = None,
) -> list[Manifest]:
    """Pull these days of a stream and land every page as received, apart from the messages.

    What was pulled whole since a moment is not pulled again.

    Raises:
        PermanentSourceError, TransientSourceError: what was landed before stays.
    """
    landing, place = project.landing, stream_name(name, stream.kind)
    picks_up_files = project.source(name).kind is PullKind.DROP_FOLDER
    context = PullContext(
        zone=project.settings.project.zone,
        now=now(),
        outbox=OUTBOX.empty(),
        landed_checksums=landing.checksums(place) if picks_up_files else frozenset(),
        landed=lambda day: landing.pages(landing.manifests(place, [day])),
    )
    return landing.land_all(place, stream.plan(days, context), since=since)


def rebuild_stream(
    project: Project, name: str, stream: Stream, days: Sequence[date]
) -> list[StreamAccount]:
    """Rebuild the rows, quarantine and accounts of these days from landing alone.

    Raises:
        LandingError: a landed page is gone or changed.
        ConservationError: records in differ from rows + folded + quarantined.
    """
    days = project.rebuildable(days)
    if not days:
        return []
    recipe = _recipe(project, name, stream)
    manifests = project.landing.manifests(recipe.stream, days)
    pages = project.landing.pages(manifests)
    read = stream.read(pages) if pages else EVENTS.empty().lazy()
    built = build_events(read.select(EVENTS.names), pull_frame(manifests), days, recipe)
    project.lake.replace(EVENT_QUARANTINE, recipe.stream, days, built.quarantine)
    project.lake.replace(EVENT_CONSERVATION, recipe.stream, days, built.conservation)
    people = erased_people(project.warehouse)
    rows = without_erased(built.rows, people)
    project.lake.replace(TABLES[stream.kind], name, days, rows)
    return [_account(built, recipe.stream, day) for day in sorted(days)]


def _recipe(project: Project, name: str, stream: Stream) -> EventRecipe:
    settings = project.settings.project
    return EventRecipe(
        source=name,
        provider=project.source(name).provider,
        kind=stream.kind,
        zone=settings.zone,
        home_country=settings.home_country,
        pseudonym_key=settings.pseudonym_key.get().encode(),
        whole_list=stream.whole_list,
        opt_out_keywords=project.settings.engagement.opt_out_keywords,
    )


def _account(built: BuiltEvents, stream: str, day: date) -> StreamAccount:
    of_day = built.conservation.filter(pl.col("day") == day)

    def counts(fate: str) -> dict[str, int]:
        return dict(of_day.filter(pl.col("fate") == fate).select("reason", "records").iter_rows())

    rows = of_day.filter(pl.col("fate") == ROW)["records"].sum()
    return StreamAccount(day, stream, int(rows), counts(FOLDED), counts(QUARANTINED))
