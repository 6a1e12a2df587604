"""Erasure of one person in every layer, with proof; the sums stay.

Pages lose the number, the texts to it and the identifiers told with it. Rows of the lake lose
whom they are about, in every version of the tables. What the person's messages counted as is kept
without the person (model.erasure), so a rebuild from landing gives the same figures.
"""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import polars as pl
import zstandard

from sms_etl.clean_base.steps import LEAST_REASON
from sms_etl.config.clock import now
from sms_etl.engagement.build import stream_name
from sms_etl.errors import ConfigError, StoreError
from sms_etl.housekeeping.layers import PERSON_TABLES, TIED_COLUMNS
from sms_etl.housekeeping.masking import Marks, NotEditableError, holds, marks_of, masked
from sms_etl.messages.phones import parse_numbers, pseudonyms
from sms_etl.model.clean_base import SUPPRESSIONS
from sms_etl.model.erasure import ERASED
from sms_etl.model.schemas import MESSAGES, Table
from sms_etl.project import OUTBOX_NAME, Project
from sms_etl.sources.base import LandedPage, PageFormat
from sms_etl.store.audit import Erasure, record_erasure
from sms_etl.store.files import write_atomically
from sms_etl.store.journal import JOURNAL
from sms_etl.store.landing import Place, stored_pages
from sms_etl.store.manifest import MANIFEST, read_manifest


@dataclass(frozen=True)
class Person:
    """One person: the number in E.164, its pseudonym, and their identifiers at the user's."""

    e164: str
    pseudonym: str
    contacts: frozenset[str] = frozenset()
    """Keyed digests."""


@dataclass
class Receipt:
    """What was done: counts by layer before, what is left after, and what a person must do."""

    pages: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    left_pages: list[str] = field(default_factory=list)
    left_rows: dict[str, int] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether a search after the erasure found nothing."""
        return not self.left_pages and not any(self.left_rows.values())


def person_of(project: Project, number: str) -> Person:
    """The person behind a number as somebody writes it.

    Raises:
        ConfigError: it is no number.
    """
    settings = project.settings.project
    parsed = parse_numbers(pl.Series([number]), settings.home_country)
    e164 = parsed["e164"][0] if parsed.height else None
    if e164 is None:
        raise ConfigError(f"{number!r} is no phone number that can be read; write it as +380...")
    key = settings.pseudonym_key.get().encode()
    pseudonym = pseudonyms(pl.Series([e164]), key)[0]
    contacts = (
        project.lake.scan(MESSAGES)
        .filter(pl.col("recipient") == pseudonym, pl.col("contact").is_not_null())
        .select(pl.col("contact").unique())
        .collect()["contact"]
    )
    return Person(e164, pseudonym, frozenset(contacts))


def erase(project: Project, number: str, who: str, why: str) -> Receipt:
    """Take a person out of landing and lake for good; started again it goes on.

    The request is written down with a pseudonym, so that pages pulled later do not bring the
    person back into the lake; call it again to take them out of those pages too.

    Raises:
        ConfigError: no name, no reason, or no number.
        StoreError: a pull that holds the person is under way.
    """
    if len(why.strip()) < LEAST_REASON or not who.strip():
        raise ConfigError("Say who asks and why (--why 'letter of 3 November'); both are kept.")
    person = person_of(project, number)
    for name in (person.pseudonym, *sorted(person.contacts)):
        record_erasure(project.warehouse, Erasure(now(), who, why.strip(), name, "asked"))
    receipt = Receipt()
    _keep_facts(project, person)
    _erase_pages(project, person, receipt)
    for table in PERSON_TABLES:
        _erase_rows(project, table, person, receipt)
    marks = marks_of(person.e164)
    receipt.left_pages = [str(place.path) for place in held_pages(project, marks)]
    receipt.left_rows = {table.name: _count(project, table, person) for table in PERSON_TABLES}
    outcome = "done" if receipt.complete else "incomplete"
    record_erasure(project.warehouse, Erasure(now(), who, why.strip(), person.pseudonym, outcome))
    return receipt


def _keep_facts(project: Project, person: Person) -> None:
    """Keep what the person's messages counted as, beside what earlier erasures kept."""
    mine = project.lake.scan(MESSAGES).filter(about(MESSAGES, person)).select(ERASED.names)
    found = mine.collect()
    for (source,), rows in found.group_by("source"):
        days = rows["day"].unique().to_list()
        kept = project.lake.scan(ERASED, min(days), max(days), [str(source)]).collect()
        kept = kept.filter(pl.col("day").is_in(days))
        again = kept.join(rows, on=["source", "message_id"], how="anti")
        project.lake.replace(ERASED, str(source), days, pl.concat([again, rows]))


def _erase_pages(project: Project, person: Person, receipt: Receipt) -> None:
    marks = marks_of(person.e164)
    project.landing.fetch_all()
    for place in held_pages(project, marks):
        if place.manifest is None:
            _drop_dead_pull(place.path.parent)
            receipt.pages += 1
            continue
        body = page_body(place.path)
        told = marks.with_values([*_values(project, place, marks)])
        try:
            project.landing.rewrite(place, masked(body, place.format, told))
        except NotEditableError:
            continue  # named by the search at the end
        receipt.pages += 1
    for manifest in sorted(project.landing.root.glob(f"*/*_*/*/{MANIFEST}")):
        raw = manifest.read_bytes()
        if holds(raw, marks):
            write_atomically(manifest, masked(raw, PageFormat.TEXT, marks))
            project.landing.manifest_edited(manifest)
            receipt.pages += 1


def held_pages(project: Project, marks: Marks) -> Iterator[Place]:
    """Every stored page that holds a number, those of pulls that never came whole included."""
    for place in stored_pages(project.landing.root):
        if holds(page_body(place.path), marks):
            yield place


def page_body(path: Path) -> bytes:
    """The body of a stored page."""
    return zstandard.ZstdDecompressor().stream_reader(path.read_bytes()).read()


def _drop_dead_pull(folder: Path) -> None:
    """A pull that never came whole only spares questions; it goes, unless it is under way."""
    journal = folder / JOURNAL
    if journal.exists():
        with journal.open("rb") as held:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise StoreError(
                    f"A pull is under way in {folder}; erase again when it is done."
                ) from error
    shutil.rmtree(folder)


def _values(project: Project, place: Place, marks: Marks) -> Iterator[str]:
    """Texts to the person, and their identifiers, in the records of a page."""
    page = _landed(place)
    name, _, stream = place.path.parents[2].name.partition(".")
    if place.path.parents[2].name == OUTBOX_NAME and project.outbox is not None:
        rows = project.outbox.read([page]).collect()
    elif name not in project.settings.sources:
        return
    elif stream:
        streams = {stream_name(name, s.kind): s for s in project.source(name).streams()}
        if place.path.parents[2].name not in streams:
            return
        rows = streams[place.path.parents[2].name].read([page]).collect()
    else:
        rows = project.source(name).read([page]).collect()
    mine = rows.filter(pl.col("recipient").str.contains(_loose(marks)))
    for column in ("text", "contact_id"):
        if column in mine.columns:
            yield from mine[column].drop_nulls().unique().to_list()


def _loose(marks: Marks) -> str:
    """The national digits with anything but digits between them; the page was found exactly."""
    return r"\D*".join(marks.digits)


def _landed(place: Place) -> LandedPage:
    manifest = read_manifest(place.path.with_name(MANIFEST))
    page = next((p for p in manifest.pages if p.file == place.path.name), None)
    return LandedPage(
        path=place.path,
        pull=manifest.pull,
        number=1,
        format=place.format,
        records=page.records if page else 0,
        received_at=page.received_at if page else manifest.finished_at,
        meta=page.meta if page else {},
    )


def about(table: Table, person: Person) -> pl.Expr:
    """Rows of a table that are about a person."""
    mine = pl.lit(value=False)
    if "recipient" in table.names:
        mine |= (pl.col("recipient") == person.pseudonym).fill_null(value=False)
    if "contact" in table.names and person.contacts:
        mine |= pl.col("contact").is_in(list(person.contacts)).fill_null(value=False)
    return mine


def _count(project: Project, table: Table, person: Person) -> int:
    rows = project.lake.scan(table).filter(about(table, person))
    return int(rows.select(pl.len()).collect().item())


def _erase_rows(project: Project, table: Table, person: Person, receipt: Receipt) -> None:
    """Rows lose whom they are about; grounds to write to nobody have no meaning without one."""
    found = (
        project.lake.scan(table)
        .filter(about(table, person))
        .group_by("source", "day")
        .agg(rows=pl.len())
        .collect()
    )
    if found.is_empty():
        return
    for (source,), slices in found.group_by("source"):
        days = slices["day"].to_list()
        rows = project.lake.scan(table, min(days), max(days), [str(source)]).collect()
        rows = rows.filter(pl.col("day").is_in(days))
        project.lake.replace(table, str(source), days, without(rows, table, person))
    receipt.rows[table.name] = int(found["rows"].sum())
    project.lake.vacuum(table, timedelta(0))


def without(rows: pl.DataFrame, table: Table, person: Person) -> pl.DataFrame:
    """Rows of a table without the person."""
    mine = about(table, person)
    if table is SUPPRESSIONS:
        return rows.filter(~mine)
    tied = [name for name in TIED_COLUMNS if name in table.names]
    return rows.with_columns(pl.when(~mine).then(pl.col(name)).alias(name) for name in tied)
