"""Landing invoices and reconciling days: functions of a project, a source and some days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from sms_etl.days import days_between
from sms_etl.model.schemas import (
    CONSERVATION,
    INVOICE_LINES,
    INVOICE_TOTALS,
    MESSAGES,
    OUTBOX,
    RECONCILIATION,
    RECONCILIATION_DAYS,
)
from sms_etl.project import OUTBOX_NAME, Project
from sms_etl.reconciliation.rows import Rules, Sides, reconcile
from sms_etl.reconciliation.silence import USUAL_DAYS, DaySides, Landed, day_rows
from sms_etl.reconciliation.totals import compare_totals
from sms_etl.sources.invoices import Invoices, billed_days
from sms_etl.store.landing import Manifest

INVOICES_SUFFIX = ".invoices"
"""Invoices of a source lie in landing under its name and this."""

MARGIN_DAYS = 1
"""The same message may be stamped on the day beside, by another clock or zone."""


@dataclass(frozen=True)
class Account:
    """What became of some days of a source: RECONCILIATION, RECONCILIATION_DAYS, INVOICE_TOTALS.

    `untimed`: outbox rows without a readable time; they belong to no day and are in no row.
    """

    source: str
    rows: pl.DataFrame
    days: pl.DataFrame
    totals: pl.DataFrame
    untimed: int


def invoices_name(source: str) -> str:
    """Under which name the invoices of a source are landed."""
    return source + INVOICES_SUFFIX


def land_invoices(project: Project, name: str) -> list[Manifest]:
    """Land the files of the invoice folder that are new, exactly as they are.

    Raises:
        PermanentSourceError: the folder or some files cannot be read; the others are landed.
    """
    invoices = project.invoices(name)
    if invoices is None:
        return []
    place = invoices_name(name)
    known = project.landing.checksums(place)
    zone = project.settings.project.zone.key
    return project.landing.land_all(place, invoices.plan(known, zone))


def reconcile_days(project: Project, name: str, days: Sequence[date]) -> Account:
    """Reconcile these days of a source from landing and messages, and keep the rows in the lake.

    Raises:
        LandingError: a landed page is gone or changed.
        ConservationError: a row of a side is in no state.
    """
    account = compare_days(project, name, days)
    for table, frame in (
        (RECONCILIATION, account.rows),
        (RECONCILIATION_DAYS, account.days),
        (INVOICE_TOTALS, account.totals),
    ):
        project.lake.replace(table, name, days, frame)
    return account


def compare_days(project: Project, name: str, days: Sequence[date]) -> Account:
    """What reconcile_days finds; nothing is kept."""
    mine = pl.col("day").is_in(list(days))
    sides, untimed = _sides(project, name, min(days), max(days))
    return Account(
        source=name,
        rows=reconcile(name, sides, _rules(project)).filter(mine),
        days=day_rows(name, days, _day_sides(project, name, days, sides)),
        totals=_totals(project, name, days).filter(mine),
        untimed=untimed,
    )


def _sides(project: Project, name: str, first: date, last: date) -> tuple[Sides, int]:
    """What may tell of these days, and how many outbox rows tell no time."""
    late, lines, covered = 0, INVOICE_LINES.empty(), list[date]()
    invoices = project.invoices(name)
    if invoices is not None and invoices.settings.has_ids:
        late = invoices.settings.late_days
        until = last + timedelta(days=max(MARGIN_DAYS, late))
        around = days_between(first - timedelta(days=MARGIN_DAYS), until)
        manifests = _invoice_files(project, name, around)
        lines = _lines(project, invoices, manifests).filter(
            pl.col("day").is_between(around[0], around[-1])
        )
        covered = _covered(manifests, late)
    wide = days_between(
        first - timedelta(days=max(MARGIN_DAYS, late)), last + timedelta(days=MARGIN_DAYS)
    )
    covers = name in project.outbox_sources
    outbox, untimed = _outbox(project, name, wide) if covers else (OUTBOX.empty(), 0)
    messages = project.lake.scan(MESSAGES, wide[0], wide[-1], [name]).collect()
    return Sides(outbox, messages, lines, covers, covered), untimed


def _totals(project: Project, name: str, days: Sequence[date]) -> pl.DataFrame:
    """Totals of every invoice without identifiers that is about these days."""
    invoices = project.invoices(name)
    if invoices is None or invoices.settings.has_ids:
        return INVOICE_TOTALS.empty()
    told = _covered(_invoice_files(project, name, days), 0)
    if not told:
        return INVOICE_TOTALS.empty()
    # Totals of other files about the same days share out the same messages.
    manifests = _invoice_files(project, name, told)
    covered = _covered(manifests, 0)
    return compare_totals(
        name,
        _lines(project, invoices, manifests),
        project.lake.scan(MESSAGES, min(covered), max(covered), [name]).collect(),
        covered,
        project.settings.reconciliation.tolerance_micro,
    )


def _lines(project: Project, invoices: Invoices, manifests: Sequence[Manifest]) -> pl.DataFrame:
    """INVOICE_LINES of landed files; a line that says no day is of the first day of its file."""
    if not manifests:
        return INVOICE_LINES.empty()
    lines = invoices.read(project.landing.pages(manifests), project.settings.project.zone.key)
    files = pl.LazyFrame(
        {"pull": [m.pull for m in manifests], "file_day": [m.first_day for m in manifests]}
    )
    placed = lines.join(files, on="pull", how="left").with_columns(
        day=pl.coalesce("day", "file_day")
    )
    return placed.select(INVOICE_LINES.names).collect()


def _invoice_files(project: Project, name: str, days: Sequence[date]) -> list[Manifest]:
    """Landed files about any of these days; one that two runs landed at a time counts once."""
    found = project.landing.manifests(invoices_name(name), days)
    return list({m.pages[0].meta["file_sha256"]: m for m in found}.values())


def _covered(manifests: Sequence[Manifest], late_days: int) -> list[date]:
    """Days whose messages must be on these invoices."""
    return sorted(
        {day for m in manifests for day in billed_days(m.first_day, m.last_day, late_days)}
    )


def _rules(project: Project) -> Rules:
    settings = project.settings
    return Rules(
        price_tolerance_micro=settings.reconciliation.tolerance_micro,
        double_seconds=settings.reconciliation.double_seconds,
        home_country=settings.project.home_country,
        zone=settings.project.zone.key,
    )


def _outbox(project: Project, name: str, days: Sequence[date]) -> tuple[pl.DataFrame, int]:
    """Outbox rows of a source as the newest pull of each day that has any tells them.

    A row that names no source is of the source that knows its identifier; one that nobody knows
    is told of by the first of the outbox sources.
    """
    outbox = project.outbox
    if outbox is None:
        return OUTBOX.empty(), 0
    found = project.landing.manifests(OUTBOX_NAME, days)
    newest = {manifest.first_day: manifest for manifest in found if manifest.records}
    if not newest:
        return OUTBOX.empty(), 0
    rows = outbox.read(project.landing.pages(list(newest.values()))).collect()
    mine = (pl.col("source") == name) | (
        pl.col("source").is_null() & ~_of_others(project, name, days)
    )
    rows = rows.filter(mine)
    timed = pl.col("submitted_at").is_not_null()
    # A row without a time is landed with every day.
    return rows.filter(timed), rows.filter(~timed).unique().height


def _of_others(project: Project, name: str, days: Sequence[date]) -> pl.Expr:
    """Rows without a source that another source answers for."""
    names = project.outbox_sources
    others = [other for other in names if other != name]
    if not others:
        return pl.lit(value=False)
    known = project.lake.scan(MESSAGES, min(days), max(days), names)
    ids = known.select("source", "message_id").collect()
    own = ids.filter(pl.col("source") == name)["message_id"].implode()
    if name != names[0]:
        return ~pl.col("message_id").is_in(own).fill_null(value=False)
    theirs = ids.filter(pl.col("source") != name)["message_id"].implode()
    return pl.col("message_id").is_in(theirs).fill_null(value=False)


def _day_sides(project: Project, name: str, days: Sequence[date], sides: Sides) -> DaySides:
    first, last = min(days), max(days)
    zone = project.settings.project.zone.key
    sent = (
        sides.outbox.filter(pl.col("skipped").is_null())["submitted_at"]
        .dt.convert_time_zone(zone)
        .dt.date()
    )
    pulls = project.landing.manifests(name, days)
    seen = project.lake.scan(MESSAGES, first - timedelta(days=USUAL_DAYS), last, [name])
    return DaySides(
        outbox_days=sent,
        line_days=sides.lines["day"],
        messages=seen.select("day", "submitted_at", "status_class").collect(),
        landed=_landed(project, name, days),
        outbox_covers=sides.outbox_covers,
        last_pull=max((m.finished_at for m in pulls), default=None),
    )


def _landed(project: Project, name: str, days: Sequence[date]) -> dict[date, Landed]:
    set_aside = pl.col("records").filter(pl.col("fate") == "quarantined").sum()
    counted = (
        project.lake.scan(CONSERVATION, min(days), max(days), [name])
        .group_by("day")
        .agg(records=pl.col("records").sum(), quarantined=set_aside)
        .collect()
    )
    records = {day: Landed(n, aside) for day, n, aside in counted.iter_rows()}
    pulled = project.landing.days(name)
    return {day: records.get(day, Landed(0, 0)) for day in days if day in pulled}
