"""Working through past days chunk by chunk. What fails loses only itself; nobody is mailed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sms_etl.config.clock import now
from sms_etl.days import days_between
from sms_etl.derived import rebuild_derived
from sms_etl.engagement.build import stream_name
from sms_etl.engagement.steps import land_stream, rebuild_stream
from sms_etl.errors import ConfigError, SmsEtlError
from sms_etl.pipeline import (
    land_outbox,
    land_source,
    rebuild_cube,
    rebuild_messages,
    recipe_digest,
)
from sms_etl.project import OUTBOX_NAME, Project
from sms_etl.reconciliation.steps import reconcile_days
from sms_etl.sources.base import Stream
from sms_etl.store.backfills import Backfill, Backfills, Chunk, ChunkState, Order
from sms_etl.store.files import only_one
from sms_etl.store.landing import Manifest

LOCK_FILE = "backfill.lock"

DERIVED = "derived"
"""Place of what is made of all sources together, after them."""

OUTBOX_MISSING = "The outbox of these days could not be landed, so nothing that needs it was done."


@dataclass(frozen=True)
class Place:
    """The outbox, a source, a stream of a source, or what is made of all of them."""

    name: str
    source: str
    stream: Stream | None = None


@dataclass(frozen=True)
class Summary:
    """How a backfill ended."""

    backfill: Backfill
    chunks: tuple[Chunk, ...]

    @property
    def failed(self) -> tuple[Chunk, ...]:
        """Chunks that are to be done again."""
        return tuple(chunk for chunk in self.chunks if chunk.state is ChunkState.FAILED)


def places_of(project: Project, sources: Sequence[str], *, pull: bool) -> list[Place]:
    """What is worked on for these sources, in this order.

    Raises:
        ConfigError: a source is not there, or is switched off.
    """
    unknown = sorted(set(sources) - set(project.enabled))
    if unknown:
        raise ConfigError(
            f"There is no enabled source {', '.join(unknown)} in {project.settings.path}; "
            f"there are: {', '.join(project.enabled)}"
        )
    places = []
    if pull and project.outbox is not None:
        places.append(Place(OUTBOX_NAME, OUTBOX_NAME))
    for name in sources:
        if name in project.source_names:
            places.append(Place(name, name))
        places += [
            Place(stream_name(name, stream.kind), name, stream) for stream in project.streams(name)
        ]
    return [*places, Place(DERIVED, DERIVED)]


def chunks_of(first: date, last: date, days: int) -> list[tuple[date, date]]:
    """A range of days in chunks of at most so many, both ends included."""
    every = days_between(first, last)
    return [
        (part[0], part[-1]) for part in (every[n : n + days] for n in range(0, len(every), days))
    ]


def run_backfill(
    project: Project,
    first: date,
    last: date,
    sources: Sequence[str],
    *,
    pull: bool,
    tell: Callable[[Chunk, int], None] = lambda _chunk, _total: None,
) -> Summary:
    """Pull (if asked) and rebuild these days of these sources, in chunks.

    A backfill of the same days, sources and recipe that did not come to its end goes on: chunks
    that are done are not done again, and days pulled since it began are not pulled again.

    Raises:
        ConfigError: a source is not there.
        StoreError: another backfill is under way here, or the warehouse cannot be written.
    """
    places = {place.name: place for place in places_of(project, sources, pull=pull)}
    ranges = chunks_of(first, last, project.settings.project.backfill_chunk_days)
    messages = [name for name in sources if name in project.source_names]
    order = Order(first, last, tuple(places), pull, recipe_digest(project, messages))
    with only_one(project.settings.data_dir / LOCK_FILE, "A backfill"):
        store = Backfills(project.warehouse)
        wanted = [(name, *days) for days in ranges for name in places]
        backfill = store.begin(order, wanted, now())
        ended: list[Chunk] = []
        without_outbox: set[tuple[date, date]] = set()
        for chunk in backfill.chunks:
            done = chunk
            if chunk.state is not ChunkState.DONE:
                if (chunk.first_day, chunk.last_day) in without_outbox:
                    done = replace(chunk, state=ChunkState.FAILED, error=OUTBOX_MISSING)
                else:
                    done = _work(project, places[chunk.place], chunk, backfill, pull=pull)
                store.close_chunk(done, now())
            if done.place == OUTBOX_NAME and done.state is ChunkState.FAILED:
                without_outbox.add((done.first_day, done.last_day))
            ended.append(done)
            tell(done, len(backfill.chunks))
        summary = Summary(backfill, tuple(ended))
        if not summary.failed:
            store.finish(backfill.id, now())
    return summary


def _work(project: Project, place: Place, chunk: Chunk, backfill: Backfill, *, pull: bool) -> Chunk:
    """One chunk, from pulling to its last table."""
    days = days_between(chunk.first_day, chunk.last_day)
    try:
        landed = _land(project, place, days, backfill.started_at) if pull else []
        rows, restated = _rebuild(project, place, days)
    except SmsEtlError as error:
        return replace(chunk, state=ChunkState.FAILED, error=str(error))
    records = sum(manifest.records for manifest in landed)
    return replace(
        chunk,
        state=ChunkState.DONE,
        error=None,
        records=records,
        rows=rows,
        restated=restated,
    )


def _land(project: Project, place: Place, days: Sequence[date], since: datetime) -> list[Manifest]:
    """Pull days; what was pulled whole since the backfill began is not pulled again."""
    if place.name == DERIVED:
        return []
    if place.name == OUTBOX_NAME:
        return land_outbox(project, days, since)
    if place.stream is not None:
        return land_stream(project, place.source, place.stream, days, since)
    return land_source(project, place.source, days, since)


def _rebuild(project: Project, place: Place, days: Sequence[date]) -> tuple[int, int]:
    """Rows rebuilt, and figures that are others now."""
    if place.name == OUTBOX_NAME:
        return 0, 0
    if place.name == DERIVED:
        rebuild_derived(project, days)
        return 0, 0
    # Of a day that was never pulled neighbouring pulls may hold a few records: it stays missing.
    there = project.landing.days(place.name)
    days = [day for day in days if day in there]
    if not days:
        return 0, 0
    if place.stream is not None:
        return sum(a.rows for a in rebuild_stream(project, place.source, place.stream, days)), 0
    rebuild_messages(project, place.source, days)
    account = rebuild_cube(project, place.source, days)
    if place.source in project.reconciled:
        reconcile_days(project, place.source, days)
    return sum(account.messages.values()), len(account.restatements)
