"""Cells summed to the hours of every slice, once: what a problem takes away is summed anew.

A slice is a value of a scope (an operator, a sender at an operator ...). Slices are numbered, for
numbers are joined and grouped faster than names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import polars as pl

from sms_etl.findings.cells import SLICED_BY
from sms_etl.findings.thresholds import Thresholds

SCOPES: tuple[tuple[str, ...], ...] = (
    (),
    ("source",),
    ("operator",),
    ("sender",),
    ("country",),
    ("operator", "source"),
    ("operator", "sender"),
)
"""Slices looked at; of two names for the same messages the earlier one is told."""

EVERYTHING = 0
"""Number of the slice of all messages: its scope is the first."""

SLOT = ("slice", "local_hour")

_COMBINATION = "combination"
_COUNTS = ("n", "bad", "allow", "usual_n", "usual_bad")
_USUAL_COUNTS = ("usual_n", "usual_bad")


@dataclass(frozen=True)
class Past:
    """What the hours that only tell what is normal say of every slice; it never changes.

    `hours`: `slice`, `hour`, `local_hour`, `usual_n`, `usual_bad`. `sums`: `slice`, `before_n`,
    `before_bad`. `seasons`: `slice`, `local_hour` and the median share `season`, where enough days
    are known.
    """

    hours: pl.DataFrame
    sums: pl.DataFrame
    seasons: pl.DataFrame


@dataclass(frozen=True)
class Sliced:
    """Hours of every slice, sorted: `slice`, `hour`, `local_hour` and the counts of a cell.

    `scopes` holds the scope of each slice number; `cells` the current cells that `now` sums, and
    `members` which combination of SLICED_BY is in which slice, a table per scope.
    """

    zone: str

    scopes: Sequence[dict[str, str]]
    past: Past
    now: pl.DataFrame
    cells: pl.DataFrame
    members: Sequence[pl.DataFrame]

    def without(self, gone: pl.Expr, windows: Sequence[tuple[datetime, datetime]]) -> Sliced:
        """The same without the cells `gone`, all of which lie in `windows` (hours, inclusive)."""
        touched = pl.any_horizontal(pl.col("hour").is_between(*window) for window in windows)
        cells = self.cells.filter(~gone)
        fresh = _hours(cells.filter(touched), self.members, self.zone)
        now = pl.concat([self.now.filter(~touched), fresh]).sort("slice", "hour")
        return replace(self, cells=cells, now=now)


def slice_cells(cells: pl.DataFrame, zone: str, limits: Thresholds) -> Sliced:
    """Sum cells (see findings.cells) to the hours of their slices; hours of the day in `zone`."""
    combinations = cells.select(SLICED_BY).unique().sort(SLICED_BY).with_row_index(_COMBINATION)
    scopes: list[dict[str, str]] = []
    members = []
    for names in SCOPES:
        if names:
            values = combinations.select(names).unique().sort(names)
            numbered = values.with_row_index("slice", offset=len(scopes))
            members.append(combinations.join(numbered, on=names).select(_COMBINATION, "slice"))
            scopes += values.to_dicts()
        else:
            everything = pl.lit(EVERYTHING, combinations.schema[_COMBINATION]).alias("slice")
            members.append(combinations.select(_COMBINATION, everything))
            scopes.append({})
    known = cells.join(combinations, on=list(SLICED_BY))
    usual = pl.col("usual")
    current = known.filter(~usual)
    return Sliced(
        zone=zone,
        scopes=scopes,
        past=_past(_hours(known.filter(usual), members, zone), limits),
        now=_hours(current, members, zone).sort("slice", "hour"),
        cells=current,
        members=members,
    )


def speaks(limits: Thresholds) -> pl.Expr:
    """Hours with enough messages for their share to say something."""
    return pl.col("usual_n") >= limits.hour_messages


def seasons_of(hours: pl.DataFrame, limits: Thresholds) -> pl.DataFrame:
    """Median share of every slot (a slice at an hour of the day) with enough days that speak."""
    share = pl.col("usual_bad") / pl.col("usual_n")
    return (
        hours.filter(speaks(limits))
        .group_by(SLOT)
        .agg(days=pl.len(), season=share.median())
        .filter(pl.col("days") >= limits.days_of_season)
        .select(*SLOT, "season")
    )


def _past(hours: pl.DataFrame, limits: Thresholds) -> Past:
    hours = hours.select(*SLOT, "hour", *_USUAL_COUNTS).sort("slice", "hour")
    sums = hours.group_by("slice").agg(
        before_n=pl.col("usual_n").sum(), before_bad=pl.col("usual_bad").sum()
    )
    return Past(hours=hours, sums=sums, seasons=seasons_of(hours, limits))


def _hours(cells: pl.DataFrame, members: Sequence[pl.DataFrame], zone: str) -> pl.DataFrame:
    counted = cells.lazy().select(_COMBINATION, "hour", *_COUNTS)
    local_hour = pl.col("hour").dt.convert_time_zone(zone).dt.hour()
    return (
        pl.concat(
            counted.join(member.lazy(), on=_COMBINATION)
            .group_by("slice", "hour")
            .agg(pl.col(*_COUNTS).sum())
            for member in members
        )
        .with_columns(local_hour=local_hour)
        .collect(engine="streaming")
    )
