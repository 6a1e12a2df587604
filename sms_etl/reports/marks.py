"""Small drawings made by hand: sparklines and the map of weekdays and hours."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from sms_etl.reports.figures import Figures, Totals
from sms_etl.reports.language import Words
from sms_etl.reports.slices import weak
from sms_etl.reports.style import BLUE, BLUES, FAMILY, GREY, INK, MUTED, ORANGE

SPARK_WIDTH, SPARK_HEIGHT, SPARK_EDGE = 120.0, 24.0, 3.0
DAY_HOURS = 24
WEEK_DAYS = 7


def svg_of(width: float, height: float, body: str) -> str:
    """A drawing of a size in CSS pixels."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" '
        f'viewBox="0 0 {width:g} {height:g}">{body}</svg>'
    )


def sparkline(series: Sequence[float | None]) -> str:
    """A line through the days with a dot on the last one; days without a value leave a gap."""
    known = [value for value in series if value is not None]
    if not known:
        return ""
    low, high = min(known), max(known)
    span = (high - low) or 1.0
    step = (SPARK_WIDTH - 2 * SPARK_EDGE) / max(len(series) - 1, 1)
    path, last, pen = [], "", "M"
    for n, value in enumerate(series):
        if value is None:
            pen = "M"
            continue
        x = SPARK_EDGE + n * step
        y = SPARK_HEIGHT - SPARK_EDGE - (value - low) / span * (SPARK_HEIGHT - 2 * SPARK_EDGE)
        path.append(f"{pen}{x:.1f} {y:.1f}")
        last = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.4" fill="{BLUE}"/>'
        pen = "L"
    line = f'<path d="{"".join(path)}" fill="none" stroke="{GREY}" stroke-width="1.4"/>'
    return svg_of(SPARK_WIDTH, SPARK_HEIGHT, line + last)


@dataclass(frozen=True)
class HeatMap:
    """The drawing and its legend: colour and the range of messages it stands for."""

    svg: str
    legend: tuple[tuple[str, str], ...]
    busiest: tuple[int, int]
    weak_hours: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Grid:
    """Size of the map in CSS pixels."""

    width: int
    row: int
    letters: int
    every: int


PAGE_GRID = Grid(width=672, row=17, letters=11, every=3)
PHONE_GRID = Grid(width=360, row=18, letters=12, every=6)
GUTTER = 30


def _nice(value: float) -> int:
    """The nearest round number below: 1, 2 or 5 times a power of ten."""
    if value < 1:
        return 1
    power = int(10 ** (len(str(int(value))) - 1))
    return next(power * m for m in (5, 2, 1) if value >= power * m)


def _steps(most: int) -> list[int]:
    """Lower ends of the colour classes above the first one."""
    steps = sorted({_nice(most * share) for share in (0.02, 0.1, 0.25, 0.5, 0.75)})
    return steps[: len(BLUES) - 1]


def heat_map(figures: Figures, words: Words, grid: Grid) -> HeatMap:
    """Messages by weekday and hour; hours that deliver markedly worse carry an orange dot."""
    cells: dict[tuple[int, int], Totals] = {(c.weekday, c.hour): c.totals for c in figures.hours}
    most = max(totals.submitted for totals in cells.values())
    steps = _steps(most)
    whole = figures.totals.delivery
    body: list[str] = []
    weak_hours: list[tuple[int, int]] = []
    for weekday, name in enumerate(words.weekdays(), start=1):
        top = (weekday - 1) * (grid.row + 2)
        body.append(text_at(0, top + grid.row - 5, name, grid.letters, INK))
        for hour in range(DAY_HOURS):
            totals = cells.get((weekday, hour))
            n = totals.submitted if totals else 0
            poor = totals is not None and weak(totals.delivery, whole)
            body.append(_cell(grid, hour, top, BLUES[sum(n >= step for step in steps)], poor=poor))
            weak_hours += [(weekday, hour)] if poor else []
    bottom = WEEK_DAYS * (grid.row + 2)
    body += [
        text_at(
            GUTTER + h * _column(grid), bottom + grid.letters, f"{h:02}:00", grid.letters, MUTED
        )
        for h in range(0, DAY_HOURS, grid.every)
    ]
    busiest = max(cells, key=lambda at: (cells[at].submitted, at))
    drawing = svg_of(grid.width, bottom + grid.letters + 4, "".join(body))
    return HeatMap(drawing, _legend(words, steps), busiest, tuple(weak_hours))


def _column(grid: Grid) -> float:
    return (grid.width - GUTTER) / DAY_HOURS


def _cell(grid: Grid, hour: int, top: int, colour: str, *, poor: bool) -> str:
    """One hour: a square, with an orange dot when it delivers poorly."""
    width = _column(grid)
    left = GUTTER + hour * width
    square = (
        f'<rect x="{left:.1f}" y="{top}" width="{width - 1.5:.1f}" '
        f'height="{grid.row}" fill="{colour}"/>'
    )
    if not poor:
        return square
    return square + (
        f'<circle cx="{left + width / 2 - 0.7:.1f}" cy="{top + grid.row / 2:.1f}" '
        f'r="3.4" fill="{ORANGE}" stroke="#fff" stroke-width="1"/>'
    )


def text_at(x: float, y: float, text: str, size: int, colour: str, anchor: str = "start") -> Markup:
    """A line of text with its start, middle or end at a point."""
    return Markup(
        '<text x="{}" y="{}" font-family="{}" font-size="{}" fill="{}"{}>{}</text>'
    ).format(
        f"{x:.1f}", f"{y:.1f}", FAMILY, size, colour,
        "" if anchor == "start" else Markup(' text-anchor="{}"').format(anchor),
        escape(text),
    )  # fmt: skip


def _legend(words: Words, steps: list[int]) -> tuple[tuple[str, str], ...]:
    first = words.text("under %(n)s", n=words.count(steps[0]))
    last = words.text("%(n)s and more", n=words.count(steps[-1]))
    middle = [f"{words.count(a)}–{words.count(b - 1)}" for a, b in itertools.pairwise(steps)]
    return tuple(zip(BLUES, [first, *middle, last], strict=False))
