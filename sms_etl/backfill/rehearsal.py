"""The dress rehearsal of a backfill: what would be pulled, rebuilt and moved. Nothing is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median
from time import perf_counter

import polars as pl
from sqlalchemy import func, select

from sms_etl.backfill.run import DERIVED, Place, chunks_of, places_of
from sms_etl.config.clock import now
from sms_etl.days import days_between
from sms_etl.errors import SmsEtlError
from sms_etl.mail.ledger import MailState
from sms_etl.model.schemas import MESSAGES
from sms_etl.model.vocabulary import MICRO
from sms_etl.pipeline import built_messages, rehearse_cube
from sms_etl.project import OUTBOX_NAME, Project
from sms_etl.restatement import Restatement
from sms_etl.store.landing import Manifest
from sms_etl.store.tables import EDITIONS, MAIL_LEDGER


@dataclass(frozen=True)
class PlaceRehearsal:
    """What would happen to the days of one place.

    pulled: days that would be asked for. forgotten: days that the provider keeps no more; they
    are not asked for. landed: days that pages of earlier pulls are there of. absent: days of which
    nothing is landed and nothing can be pulled. `requests`, `records` and `pull_seconds` are
    estimated from the pulls landed so far, null where there are none. `billed`: records that the
    provider would charge for; null where it does not.
    """

    place: Place
    pulled: tuple[date, ...]
    forgotten: tuple[date, ...]
    landed: tuple[date, ...]
    absent: tuple[date, ...]
    requests: int | None
    records: int | None
    pull_seconds: float | None
    billed: int | None
    price: tuple[float, str] | None
    messages: int
    rebuild_seconds: float
    restatements: tuple[Restatement, ...]
    error: str | None = None


@dataclass(frozen=True)
class MailedEdition:
    """A report whose days would move after readers were given it."""

    id: str
    first_day: date
    last_day: date
    data_as_of: datetime
    readers: int


@dataclass(frozen=True)
class Rehearsal:
    """What a backfill would do; figures moved by what is pulled anew are not known before."""

    places: tuple[PlaceRehearsal, ...]
    mailed: tuple[MailedEdition, ...]
    pulls: bool


def rehearse(
    project: Project, first: date, last: date, sources: Sequence[str], *, pull: bool
) -> Rehearsal:
    """Go through a backfill without pulling, keeping or mailing anything.

    Days are rebuilt in memory from what is landed, by the code, dictionaries and settings of now,
    and compared with the figures in the warehouse.

    Raises:
        ConfigError: a source is not there.
    """
    places = [p for p in places_of(project, sources, pull=pull) if p.name != DERIVED]
    told = [_rehearse(project, place, days_between(first, last), pull=pull) for place in places]
    moved = {one.day for place in told for one in place.restatements}
    if pull:
        moved |= {day for place in told for day in place.pulled if place.place.stream is None}
    return Rehearsal(tuple(told), tuple(_mailed(project, moved)), pull)


def _rehearse(
    project: Project, place: Place, days: Sequence[date], *, pull: bool
) -> PlaceRehearsal:
    zone, moment = project.settings.project.zone, now()
    there = project.landing.days(place.name)
    landed = tuple(project.rebuildable([day for day in days if day in there]))
    forgotten: tuple[date, ...] = ()
    if place.name != OUTBOX_NAME and place.stream is None:
        source = project.source(place.source)
        forgotten = tuple(day for day in days if not source.remembers(day, zone, moment))
    pulled = tuple(day for day in days if day not in forgotten) if pull else ()
    cost = _cost(project, place, pulled, there)
    messages, seconds, restatements, error = _rebuilt(project, place, landed)
    return PlaceRehearsal(
        place=place,
        pulled=pulled,
        forgotten=forgotten if pull else (),
        landed=landed,
        absent=tuple(day for day in days if day not in there and day not in pulled),
        requests=cost.requests,
        records=cost.records,
        pull_seconds=cost.seconds,
        billed=cost.billed,
        price=cost.price,
        messages=messages,
        rebuild_seconds=seconds,
        restatements=restatements,
        error=error,
    )


def _rebuilt(
    project: Project, place: Place, landed: Sequence[date]
) -> tuple[int, float, tuple[Restatement, ...], str | None]:
    """Messages, seconds and restatements of rebuilding landed days, chunk by chunk."""
    if place.stream is not None or place.name == OUTBOX_NAME or not landed:
        return 0, 0.0, (), None
    started, messages = perf_counter(), 0
    restatements: list[Restatement] = []
    size = project.settings.project.backfill_chunk_days
    try:
        for first, last in chunks_of(min(landed), max(landed), size):
            days = [day for day in landed if first <= day <= last]
            if days:
                built = built_messages(project, place.source, days)
                messages += built.messages.height
                restatements += rehearse_cube(project, place.source, days, built)
    except SmsEtlError as error:
        return messages, perf_counter() - started, tuple(restatements), str(error)
    return messages, perf_counter() - started, tuple(restatements), None


@dataclass(frozen=True)
class _Cost:
    requests: int | None = None
    records: int | None = None
    seconds: float | None = None
    billed: int | None = None
    price: tuple[float, str] | None = None


def _cost(project: Project, place: Place, pulled: Sequence[date], there: set[date]) -> _Cost:
    """What pulling these days costs, by the largest pull of each day, else the median day's."""
    if not pulled or place.name == OUTBOX_NAME:
        return _Cost()
    known = _largest_pulls(project.landing.manifests(place.name, sorted(there)))
    if not known:
        return _Cost()
    usual = _Day(
        median(day.requests for day in known.values()),
        median(day.records for day in known.values()),
        median(day.seconds for day in known.values()),
    )
    days = [known.get(day, usual) for day in pulled]
    records = round(sum(day.records for day in days))
    billed, price = _billed(project, place, pulled, known, usual)
    return _Cost(
        requests=round(sum(day.requests for day in days)),
        records=billed if billed is not None else records,
        seconds=sum(day.seconds for day in days),
        billed=billed,
        price=price,
    )


def _billed(
    project: Project,
    place: Place,
    pulled: Sequence[date],
    known: dict[date, _Day],
    usual: _Day,
) -> tuple[int | None, tuple[float, str] | None]:
    """Records charged for: all of days never read, and what is not final of the others."""
    if place.stream is not None or not project.source(place.source).reads_are_billed:
        return None, None
    scan = project.lake.scan(MESSAGES, min(pulled), max(pulled), [place.source])
    again = pl.col("day").is_in([day for day in pulled if day in known]) & ~pl.col("final")
    unfinished = int(scan.filter(again).select(pl.len()).collect().item())
    new = sum(usual.records for day in pulled if day not in known)
    billed = unfinished + round(new)
    price = project.settings.sources[place.source].reading_price
    if price is None:
        return billed, None
    return billed, (float(billed * price.micro_per_record / MICRO), price.currency)


@dataclass(frozen=True)
class _Day:
    requests: float
    records: float
    seconds: float


def _largest_pulls(manifests: Sequence[Manifest]) -> dict[date, _Day]:
    """Per day the pull with the most records; one over several days is shared out evenly."""
    found: dict[date, _Day] = {}
    for manifest in manifests:
        days = days_between(manifest.first_day, manifest.last_day)
        seconds = (manifest.finished_at - manifest.started_at) / timedelta(seconds=1)
        share = _Day(
            len(manifest.pages) / len(days), manifest.records / len(days), seconds / len(days)
        )
        for day in days:
            if day not in found or share.records >= found[day].records:
                found[day] = share
    return found


def _mailed(project: Project, moved: set[date]) -> list[MailedEdition]:
    """Editions with readers whose days are among those that would move, the newest first."""
    if not moved:
        return []
    editions, ledger = EDITIONS.c, MAIL_LEDGER.c
    query = (
        select(
            editions.id,
            editions.first_day,
            editions.last_day,
            editions.data_as_of,
            func.count(ledger.reader).label("readers"),
        )
        .join(MAIL_LEDGER, ledger.edition_id == editions.id)
        .where(
            ledger.state == MailState.SENT.value,
            editions.first_day <= max(moved),
            editions.last_day >= min(moved),
        )
        .group_by(editions.id, editions.first_day, editions.last_day, editions.data_as_of)
        .order_by(editions.first_day.desc(), editions.id)
    )
    with project.warehouse.read() as connection:
        rows = connection.execute(query).all()
    return [
        MailedEdition(row.id, row.first_day, row.last_day, row.data_as_of, row.readers)
        for row in rows
        if any(row.first_day <= day <= row.last_day for day in moved)
    ]
