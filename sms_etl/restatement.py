"""What a rebuild changed in the figures of a day, and why: late receipts, prices, mapping, code."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from sms_etl.model.vocabulary import StatusClass

Cell = tuple[date, str, str]
"""Day, figure, currency (empty for counts)."""

SUBMITTED, PARTS, SPENT = "submitted", "parts", "spent"
FIGURES = (SUBMITTED, *(name.value for name in StatusClass), PARTS, SPENT)
"""Figures that are watched; `spent` in millionths of its currency."""

PROGRAM = ("messages", "sources", "dictionaries", "model", "metrics", "cube.py", "days.py")
"""Files of the package that decide what becomes of a record."""


class Cause(StrEnum):
    """Why a figure of a day that was built before is another one now."""

    RECEIPTS = "receipts"
    PRICES = "prices"
    MAPPING = "mapping"
    SETTINGS = "settings"
    CODE = "code"


@dataclass(frozen=True)
class Provenance:
    """Digests of what a day was built from."""

    landing: str
    dictionary: str
    code: str
    settings: str


@dataclass(frozen=True)
class Restatement:
    """One figure of one day and source that moved."""

    at: datetime
    day: date
    source: str
    figure: str
    currency: str
    then: int
    now: int
    causes: tuple[Cause, ...]


def restated(
    source: str,
    then: Mapping[Cell, int],
    now: Mapping[Cell, int],
    before: Mapping[date, Provenance],
    after: Mapping[date, Provenance],
    at: datetime,
) -> list[Restatement]:
    """Figures of days built before that differ now, each with its causes.

    Args:
        source: The source that was rebuilt.
        then: Figures before; a figure that is not there was zero.
        now: Figures after.
        before: What days were built from before; a day not in it is new, and nothing of it moved.
        after: What they are built from now.
        at: When.
    """
    cells = sorted(set(then) | set(now))
    return [
        Restatement(
            at=at,
            day=day,
            source=source,
            figure=figure,
            currency=currency,
            then=then.get((day, figure, currency), 0),
            now=now.get((day, figure, currency), 0),
            causes=causes(before[day], after[day], figure),
        )
        for day, figure, currency in cells
        if day in before
        and then.get((day, figure, currency), 0) != now.get((day, figure, currency), 0)
    ]


def causes(before: Provenance, after: Provenance, figure: str) -> tuple[Cause, ...]:
    """What differs in what a day was built from; several causes cannot be told apart afterwards."""
    late = Cause.PRICES if figure == SPENT else Cause.RECEIPTS
    differs = {
        late: before.landing != after.landing,
        Cause.MAPPING: before.dictionary != after.dictionary,
        Cause.SETTINGS: before.settings != after.settings,
        Cause.CODE: before.code != after.code,
    }
    return tuple(cause for cause, there in differs.items() if there)


def digest(parts: Iterable[object]) -> str:
    """SHA-256 of a list of plain values."""
    return hashlib.sha256(json.dumps(list(parts), default=str).encode()).hexdigest()


@lru_cache
def program_digest() -> str:
    """Digest of the program files that decide what becomes of a record."""
    root = Path(__file__).parent
    files = [
        path
        for name in PROGRAM
        for path in sorted((root / name).rglob("*.py") if (root / name).is_dir() else [root / name])
    ]
    found = hashlib.sha256()
    for path in files:
        found.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return found.hexdigest()


@dataclass(frozen=True)
class Moved:
    """A figure of several days and sources, from what it was first to what it is now."""

    figure: str
    currency: str
    then: int
    now: int
    causes: tuple[Cause, ...]


def moved(
    restatements: Sequence[Restatement], figures: Mapping[tuple[str, str], int]
) -> list[Moved]:
    """Restatements of a period added up, for figures that are not back where they were.

    Args:
        restatements: Of the days of a period since a moment.
        figures: (figure, currency) -> what the period's figure is now.
    """
    found = []
    for (figure, currency), value in figures.items():
        mine = [r for r in restatements if (r.figure, r.currency) == (figure, currency)]
        change = sum(r.now - r.then for r in mine)
        if change:
            named = {cause for r in mine for cause in r.causes}
            ordered = tuple(cause for cause in Cause if cause in named)
            found.append(Moved(figure, currency, value - change, value, ordered))
    return found
