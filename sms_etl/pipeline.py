"""The steps of the house, each a function of a project, a source and some days.

Dagster, the command line and the tests all go through these.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import polars as pl

from sms_etl.campaigns import catalogue, purposes
from sms_etl.config.clock import now
from sms_etl.cube import build_asked, build_cube
from sms_etl.dictionaries import load_dictionary
from sms_etl.encoding import build_encoding
from sms_etl.engagement.person import with_person
from sms_etl.messages.buckets import RECORDS_AT_ONCE, LargeBuilt, build_in_buckets
from sms_etl.messages.build import Built, Recipe, build_messages
from sms_etl.messages.erased import without_erased
from sms_etl.messages.phones import contact_digests
from sms_etl.model.erasure import ERASED
from sms_etl.model.schemas import (
    ASKED,
    CONSERVATION,
    CUBE,
    ENCODING,
    EVENTS,
    LATENCY,
    MESSAGES,
    OBSERVATIONS,
    OUTBOX,
    QUARANTINE,
    UNMAPPED,
)
from sms_etl.project import OUTBOX_NAME, Project
from sms_etl.restatement import Provenance, Restatement, digest, program_digest
from sms_etl.sources.base import PullContext, PullKind, Source
from sms_etl.store.audit import erased_people
from sms_etl.store.landing import Manifest
from sms_etl.store.warehouse import daily_counts

OUTBOX_MARGIN_DAYS = 1
"""An outbox row may be stamped on the day beside the provider's."""

_ASKED_OF = ("message_id", "submitted_at", "campaign", "recipient", "contact_id", "skipped")
"""Columns of the outbox that tell what was asked for."""


@dataclass(frozen=True)
class DayAccount:
    """What became of one day of one source."""

    day: date
    source: str
    records: int
    messages: int
    folded: dict[str, int]
    quarantined: dict[str, int]
    classes: dict[str, int]
    unmapped: dict[str, int]


def land_outbox(
    project: Project, days: Sequence[date], since: datetime | None = None
) -> list[Manifest]:
    """Land what the user's own system submitted on these days; nothing without an outbox.

    What was landed whole since a moment is not landed again.
    """
    outbox = project.outbox
    if outbox is None:
        return []
    context = PullContext(project.settings.project.zone, now(), OUTBOX.empty())
    return project.landing.land_all(OUTBOX_NAME, outbox.plan(days, context), since=since)


def read_outbox(project: Project, days: Sequence[date], source: str | None = None) -> pl.DataFrame:
    """OUTBOX rows submitted on these days, one per message_id (the latest landed one)."""
    rows = _outbox_rows(project, project.landing.manifests(OUTBOX_NAME, days))
    rows = rows.filter(pl.col("skipped").is_null())
    if source is not None:
        rows = rows.filter(pl.col("source").is_null() | (pl.col("source") == source))
    return rows.collect().unique("message_id", keep="last", maintain_order=True)


def _outbox_rows(project: Project, manifests: Sequence[Manifest]) -> pl.LazyFrame:
    if project.outbox is None or not manifests:
        return OUTBOX.empty().lazy()
    return project.outbox.read(project.landing.pages(manifests)).select(OUTBOX.names)


def land_source(
    project: Project, name: str, days: Sequence[date], since: datetime | None = None
) -> list[Manifest]:
    """Pull these days of a source and land every page as received.

    A source that can only be asked by id is asked for what is not final yet. What was pulled
    whole since a moment is not pulled again.

    Raises:
        PermanentSourceError, TransientSourceError: what was landed before stays.
    """
    source = project.source(name)
    zone = project.settings.project.zone
    rows = read_outbox(project, days, name)
    if source.kind is PullKind.BY_ID:
        rows = rows.join(_final_ids(project, name, days), on="message_id", how="anti")
    on_days = pl.col("submitted_at").dt.convert_time_zone(zone.key).dt.date().is_in(list(days))
    context = PullContext(
        zone=zone,
        now=now(),
        outbox=rows.filter(on_days),
        landed_checksums=project.landing.checksums(name)
        if _picks_up_files(source)
        else frozenset(),
        landed=lambda day: project.landing.pages(project.landing.manifests(name, [day])),
    )
    return project.landing.land_all(name, source.plan(days, context), source.parallel, since)


def rebuild_messages(project: Project, name: str, days: Sequence[date]) -> list[DayAccount]:
    """Rebuild messages, quarantine and accounts of these days from landing alone.

    Raises:
        LandingError: a landed page is gone or changed.
        ConservationError: records in differ from messages + folded + quarantined.
    """
    days = project.rebuildable(days)
    if not days:
        return []
    source = project.source(name)
    records = {day: _records_read(project, source, [day]) for day in days}
    accounts = []
    for some in _at_once(days, records):
        if sum(records[day] for day in some) <= RECORDS_AT_ONCE:
            accounts += _kept(project, name, some, built_messages(project, name, some))
        else:
            with build_in_buckets(*_ingredients(project, source, some)) as built:
                messages = _without_erased(project, name, some, built.messages)
                accounts += _kept(project, name, some, replace(built, messages=messages))
    return accounts


def built_messages(project: Project, name: str, days: Sequence[date]) -> Built:
    """What rebuild_messages keeps; nothing is written.

    Raises:
        LandingError: a landed page is gone or changed.
        ConservationError: records in differ from messages + folded + quarantined.
    """
    built = build_messages(*_ingredients(project, project.source(name), days))
    messages = _without_erased(project, name, days, built.messages.lazy())
    return replace(built, messages=messages.collect())


def _kept(
    project: Project, name: str, days: Sequence[date], built: Built | LargeBuilt
) -> list[DayAccount]:
    for table, frame in (
        (QUARANTINE, built.quarantine),
        (UNMAPPED, built.unmapped),
        (CONSERVATION, built.conservation),
        (MESSAGES, built.messages),
    ):
        project.lake.replace(table, name, days, frame)
    return _accounts(built, name, days)


def _ingredients(
    project: Project, source: Source, days: Sequence[date]
) -> tuple[pl.LazyFrame, pl.LazyFrame, pl.DataFrame, Sequence[date], Recipe]:
    """What the messages of these days are made of."""
    manifests = _manifests_read(project, source, days)
    margin = OUTBOX_MARGIN_DAYS
    outbox = read_outbox(project, _with_neighbours(days, margin, margin), source.name)
    return (
        _observations(project, source, manifests),
        outbox.lazy(),
        pull_frame(manifests),
        days,
        _recipe(project, source),
    )


def _manifests_read(project: Project, source: Source, days: Sequence[date]) -> list[Manifest]:
    return project.landing.manifests(source.name, _with_neighbours(days, 0, source.spill_days))


def _records_read(project: Project, source: Source, days: Sequence[date]) -> int:
    """Records that must be read to rebuild these days."""
    return sum(manifest.records for manifest in _manifests_read(project, source, days))


def _at_once(days: Sequence[date], records: Mapping[date, int]) -> Iterator[list[date]]:
    """Days in turn, as many together as fit in memory; a day too large for it comes alone."""
    together, held = list[date](), 0
    for day in sorted(days):
        if together and held + records[day] > RECORDS_AT_ONCE:
            yield together
            together, held = [], 0
        together.append(day)
        held += records[day]
    if together:
        yield together


def _without_erased(
    project: Project, name: str, days: Sequence[date], messages: pl.LazyFrame
) -> pl.LazyFrame:
    facts = project.lake.scan(ERASED, min(days), max(days), [name]).collect()
    return without_erased(messages, facts, erased_people(project.warehouse))


@dataclass(frozen=True)
class CubeAccount:
    """Messages per day, millionths paid per day and currency, and figures that are others now."""

    messages: dict[date, int]
    costs: dict[date, dict[str, int]]
    restatements: list[Restatement]


def rebuild_cube(project: Project, name: str, days: Sequence[date]) -> CubeAccount:
    """Rebuild the cube of these days from messages, and its roll-up in the warehouse."""
    days = project.rebuildable(days)
    if not days:
        return CubeAccount({}, {}, [])
    first, last = min(days), max(days)
    messages = project.lake.scan(MESSAGES, first, last, [name]).filter(
        pl.col("day").is_in(list(days))
    )
    cube = build_cube(messages)
    project.lake.replace(LATENCY, name, days, cube.latency)
    project.lake.replace(EVENTS, name, days, cube.events)
    project.lake.replace(ENCODING, name, days, build_encoding(messages))
    project.lake.replace(ASKED, name, days, _asked(project, name, days))
    project.lake.replace(CUBE, name, days, cube.counts)
    changes = project.warehouse.replace_daily_counts(
        days,
        name,
        daily_counts(cube.counts.lazy()).collect(),
        built=_provenance(project, name, days),
        now=now(),
    )
    counted = cube.counts.group_by("day").agg(pl.col("messages").sum())
    paid = cube.counts.drop_nulls("currency").group_by("day", "currency")
    return CubeAccount(
        dict.fromkeys(days, 0) | dict(counted.iter_rows()),
        _by_day(paid.agg(pl.col("cost_micro").sum())),
        changes,
    )


def rehearse_cube(
    project: Project, name: str, days: Sequence[date], built: Built
) -> list[Restatement]:
    """Which figures rebuild_cube would restate, were these messages kept; nothing is written."""
    counts = build_cube(built.messages.lazy()).counts
    return project.warehouse.replace_daily_counts(
        days,
        name,
        daily_counts(counts.lazy()).collect(),
        built=_provenance(project, name, days),
        now=now(),
        keep=False,
    )


def _asked(project: Project, name: str, days: Sequence[date]) -> pl.DataFrame:
    """ASKED of a source, from the last pull of each day that brought rows.

    Rows may lack an identifier, so those of two pulls cannot be told apart.
    """
    brought = [m for m in project.landing.manifests(OUTBOX_NAME, days) if m.records]
    latest = {m.first_day: m for m in brought}
    settings, first = project.settings.project, project.source_names[0]
    owner = pl.col("source")
    owner = pl.when(owner.is_in(project.source_names)).then(owner).otherwise(pl.lit(first))
    rows = _outbox_rows(project, list(latest.values())).filter(owner == name).select(_ASKED_OF)
    key = settings.pseudonym_key.get().encode()
    skipped = rows.filter(pl.col("skipped").is_not_null()).collect()
    skipped = skipped.with_columns(contact_id=contact_digests(skipped["contact_id"], key))
    people = with_person(skipped, settings.home_country, key).select(_ASKED_OF)
    submitted, known = rows.filter(pl.col("skipped").is_null()), pl.col("message_id").is_not_null()
    once = submitted.filter(known).unique("message_id", keep="last", maintain_order=True)
    told = pl.concat([once, submitted.filter(~known), people.lazy()])
    asked = build_asked(told, settings.zone.key, name)
    return asked.filter(pl.col("day").is_in(list(days)))


def _provenance(project: Project, name: str, days: Sequence[date]) -> dict[date, Provenance]:
    """What these days are built from, as digests."""
    source = project.source(name)
    recipe = _recipe(project, source)
    settings = _settings_digest(recipe)
    margin = OUTBOX_MARGIN_DAYS
    pulls = [
        *_pulls(project, name, _with_neighbours(days, 0, source.spill_days), source.spill_days),
        *_pulls(project, OUTBOX_NAME, _with_neighbours(days, margin, margin), margin),
    ]
    return {
        day: Provenance(
            landing=digest(pull for pull, first, last in pulls if first <= day <= last),
            dictionary=recipe.dictionary.version,
            code=program_digest(),
            settings=settings,
        )
        for day in days
    }


def recipe_digest(project: Project, names: Sequence[str]) -> str:
    """Digest of all but the landed pages that decides what these sources' days look like."""
    recipes = [_recipe(project, project.source(name)) for name in names]
    parts = [(recipe.dictionary.version, _settings_digest(recipe)) for recipe in recipes]
    return digest([program_digest(), *parts])


def _settings_digest(recipe: Recipe) -> str:
    told = (recipe.rules, recipe.tariff, recipe.zone, recipe.home_country, recipe.silence_hours)
    return digest((*told, sorted(recipe.purposes.items()), recipe.opt_out_wordings))


def _pulls(
    project: Project, name: str, days: Sequence[date], margin: int
) -> list[tuple[str, date, date]]:
    """Identifiers of pulls with the first and last day they may tell of."""
    reach = timedelta(days=margin)
    found = project.landing.manifests(name, days)
    return [(m.pull, m.first_day - reach, m.last_day + reach) for m in found]


def _picks_up_files(source: Source) -> bool:
    return source.kind is PullKind.DROP_FOLDER


def _final_ids(project: Project, name: str, days: Sequence[date]) -> pl.DataFrame:
    """Identifiers whose status cannot change any more: a provider is asked until then."""
    known = project.lake.scan(MESSAGES, min(days), max(days), [name])
    return known.filter(pl.col("final")).select("message_id").collect()


def _with_neighbours(days: Sequence[date], before: int, after: int) -> list[date]:
    wide = {day + timedelta(days=n) for day in days for n in range(-before, after + 1)}
    return sorted(wide)


def read_observations(project: Project, name: str, days: Sequence[date]) -> pl.LazyFrame:
    """OBSERVATIONS of every landed record that the messages of these days are made of.

    Raises:
        LandingError: a landed page is gone or changed.
    """
    source = project.source(name)
    return _observations(project, source, _manifests_read(project, source, days))


def _observations(project: Project, source: Source, manifests: Sequence[Manifest]) -> pl.LazyFrame:
    pages = project.landing.pages(manifests)
    observed = source.read(pages) if pages else OBSERVATIONS.empty().lazy()
    return observed.select(OBSERVATIONS.names)


def pull_frame(manifests: Sequence[Manifest]) -> pl.DataFrame:
    """`pull`, `first_day`, `last_day`, `records` of pulls."""
    return pl.DataFrame(
        [(m.pull, m.first_day, m.last_day, m.records) for m in manifests],
        schema={
            "pull": pl.String,
            "first_day": pl.Date,
            "last_day": pl.Date,
            "records": pl.Int64,
        },
        orient="row",
    )


def _recipe(project: Project, source: Source) -> Recipe:
    settings = project.settings
    return Recipe(
        source=source.name,
        provider=source.provider,
        dictionary=load_dictionary(source.provider),
        rules=settings.campaigns.rules,
        tariff=settings.sources[source.name].tariff,
        zone=settings.project.zone,
        home_country=settings.project.home_country,
        silence_hours=settings.project.silence_hours,
        pseudonym_key=settings.project.pseudonym_key.get().encode(),
        spill_days=source.spill_days,
        purposes=purposes(catalogue(settings)),
        opt_out_wordings=settings.engagement.opt_out_wordings,
    )


def _accounts(built: Built | LargeBuilt, name: str, days: Sequence[date]) -> list[DayAccount]:
    counted = built.messages.lazy().group_by("day", "status_class").agg(pl.len().alias("n"))
    classes = _by_day(counted.collect(engine="streaming"))
    account = built.conservation.select("day", "reason", "records", "fate")
    folded = _by_day(account.filter(pl.col("fate") == "folded").drop("fate"))
    quarantined = _by_day(account.filter(pl.col("fate") == "quarantined").drop("fate"))
    unmapped = _by_day(built.unmapped.select("day", "word", "messages"))
    return [
        DayAccount(
            day=day,
            source=name,
            records=sum(sum(part.get(day, {}).values()) for part in (classes, folded, quarantined)),
            messages=sum(classes.get(day, {}).values()),
            folded=folded.get(day, {}),
            quarantined=quarantined.get(day, {}),
            classes=classes.get(day, {}),
            unmapped=unmapped.get(day, {}),
        )
        for day in sorted(days)
    ]


def _by_day(frame: pl.DataFrame) -> dict[date, dict[str, int]]:
    """Rows (day, name, count) as day -> name -> count."""
    days: dict[date, dict[str, int]] = {}
    for day, name, count in frame.sort(frame.columns[:2]).iter_rows():
        days.setdefault(day, {})[name] = count
    return days
