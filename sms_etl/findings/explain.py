"""One problem, told once: of many overlapping slices the one that explains it.

The most harmful run is taken, narrowed to the slice that holds nearly all of its excess while the
rest is clean, and its messages are then taken away; what still stands out is another problem.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

import polars as pl

from sms_etl.findings.runs import Run, find_runs
from sms_etl.findings.sliced import SCOPES, slice_cells
from sms_etl.findings.thresholds import Thresholds

View = tuple[int, float]
"""Messages and excess of a slice in given hours."""


@dataclass(frozen=True)
class Problem:
    """A slice and the runs of hours (UTC, both ends included) in which it went wrong."""

    scope: dict[str, str]
    windows: tuple[tuple[datetime, datetime], ...]
    excess: float

    @property
    def inside(self) -> pl.Expr:
        """Rows of the slice in those hours, with `usual` false."""
        hours = pl.any_horizontal(pl.col("hour").is_between(*window) for window in self.windows)
        return self.mine & hours & ~pl.col("usual")

    @property
    def mine(self) -> pl.Expr:
        """Rows of the slice, whenever."""
        return in_scope(self.scope)


def in_scope(scope: dict[str, str]) -> pl.Expr:
    """Rows of a slice."""
    return pl.all_horizontal(pl.lit(value=True), *[pl.col(k) == v for k, v in scope.items()])


def find_separate_problems(
    cells: pl.DataFrame,
    step: float,
    zone: str,
    limits: Thresholds,
    prefers: Callable[[Problem], bool] = lambda _: False,
) -> list[Problem]:
    """Problems that do not overlap, most harmful first.

    Args:
        cells: See findings.cells.
        step: Rise of the bad share that matters.
        zone: Time zone of the hours of the day, and of the day on which two runs are one problem.
        limits: Thresholds.
        prefers: Which of several names for the same messages is the better one to tell.
    """
    found: list[Problem] = []
    sliced = slice_cells(cells, zone, limits)
    while len(found) < limits.max_problems:
        runs = find_runs(sliced, step, limits)
        if not runs:
            break
        problem = _problem(_choose(runs, limits, lambda run: prefers(_problem(run))))
        sliced = sliced.without(problem.inside, problem.windows)
        found.append(problem)
    return _joined_by_day(found, zone)


def _problem(run: Run) -> Problem:
    return Problem(scope=run.scope, windows=((run.start, run.end),), excess=run.excess)


def _rank(run: Run) -> tuple[int, list[str]]:
    return SCOPES.index(tuple(run.scope)), list(run.scope.values())


def _choose(runs: list[Run], limits: Thresholds, prefers: Callable[[Run], bool]) -> Run:
    chosen = min(runs, key=lambda run: (-round(run.excess), _rank(run)))
    window = (chosen.start, chosen.end)
    rivals = [run for run in runs if run.start <= window[1] and run.end >= window[0]]
    views = [(run, run.within(*window)) for run in rivals]
    view = chosen.within(*window)
    while True:
        narrower = [pair for pair in views if _explains(pair[1], view, limits)]
        if not narrower:
            break
        chosen, view = min(narrower, key=lambda pair: (-_effect(pair[1]), _rank(pair[0])))
    names = [run for run, other in views if run is chosen or _same(other, view, limits)]
    if len(names) == 1:
        return chosen
    return min(names, key=lambda run: (not prefers(run), _rank(run)))


def _effect(view: View) -> float:
    return view[1] / view[0] if view[0] else 0.0


def _explains(narrow: View, wide: View, limits: Thresholds) -> bool:
    rest = wide[0] - narrow[0]
    if rest < limits.hour_messages or narrow[1] < limits.explains * wide[1]:
        return False
    return (wide[1] - narrow[1]) / rest <= limits.clean_rest * _effect(narrow)


def _same(one: View, other: View, limits: Thresholds) -> bool:
    return all(abs(a - b) <= limits.same * abs(b) for a, b in zip(one, other, strict=True))


def _joined_by_day(problems: list[Problem], zone: str) -> list[Problem]:
    """Runs of one slice that begin on one day are one problem with a break."""
    joined: dict[tuple[tuple[tuple[str, str], ...], date], Problem] = {}
    for problem in problems:
        key = (tuple(problem.scope.items()), start_day(problem.windows[0][0], zone))
        other = joined.get(key)
        if other is None:
            joined[key] = problem
            continue
        joined[key] = Problem(
            scope=problem.scope,
            windows=tuple(sorted([*other.windows, *problem.windows])),
            excess=other.excess + problem.excess,
        )
    return list(joined.values())


def start_day(moment: datetime, zone: str) -> date:
    """Calendar day of a moment in a zone."""
    return moment.astimezone(ZoneInfo(zone)).date()
