"""Retention: what is older than the settings say goes, layer by layer; sums stay."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import polars as pl

from sms_etl.housekeeping.layers import ROW_TABLES
from sms_etl.model.schemas import Table
from sms_etl.project import Project
from sms_etl.store.landing import Landing

LANDING = "landing"


@dataclass(frozen=True)
class Removed:
    """What went, or would go, of one layer: everything before `before`."""

    layer: str
    before: date
    items: int
    left: int
    """How many items of these days are still there afterwards: the proof is zero."""


def apply_retention(project: Project, moment: datetime, *, rehearse: bool) -> list[Removed]:
    """Remove landed pulls and rows about people that are older than the settings allow.

    A pull goes when its last day is too old. Days without landing or rows are sealed: they are
    not rebuilt any more (`Project.rebuildable`), and their sums stay as they were.

    Args:
        project: the deployment.
        moment: now.
        rehearse: true counts, and removes nothing.
    """
    settings = project.settings.retention
    today = moment.astimezone(project.settings.project.zone).date()
    done = []
    if settings.landing_days is not None:
        before = today - timedelta(days=settings.landing_days)
        done.append(_landing(project.landing, before, rehearse=rehearse))
    if settings.rows_days is not None:
        before = today - timedelta(days=settings.rows_days)
        done += [_rows(project, table, before, rehearse=rehearse) for table in ROW_TABLES]
    return [one for one in done if one.items]


def _landing(landing: Landing, before: date, *, rehearse: bool) -> Removed:
    old = landing.old_ranges(before)
    removed = len(old) if rehearse else landing.remove_before(before)
    return Removed(LANDING, before, removed, len(landing.old_ranges(before)))


def _rows(project: Project, table: Table, before: date, *, rehearse: bool) -> Removed:
    old = project.lake.scan(table, last=before - timedelta(days=1)).select(pl.len())
    items = int(old.collect().item())
    if items and not rehearse:
        project.lake.remove_days(table, before)
        project.lake.vacuum(table, timedelta(0))
        left = project.lake.scan(table, last=before - timedelta(days=1)).select(pl.len())
        return Removed(table.name, before, items, int(left.collect().item()))
    return Removed(table.name, before, items, items)
