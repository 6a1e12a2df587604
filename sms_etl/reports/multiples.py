"""Small multiples: a small line chart per group, all on one scale, with the whole in grey."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sms_etl.reports.language import Words
from sms_etl.reports.marks import svg_of, text_at
from sms_etl.reports.style import BLUE, GREY, INK, MUTED, RULE

Series = Sequence[float | None]

SCALE_STEP = 0.05
"""The scale starts at a whole multiple of this."""

TITLE, GAP, FOOT = 24.0, 22.0, 16.0
"""Room for the name above a panel, between panels, and for the days below, in CSS pixels."""


@dataclass(frozen=True)
class Panel:
    """One group: its name and its shares, a day each; null where there are too few messages."""

    name: str
    shares: Series


@dataclass(frozen=True)
class Layout:
    """Size of the whole drawing and of the plot of each panel, in CSS pixels."""

    width: int
    columns: int
    height: int
    letters: int
    gutter: int = 34


PAGE_LAYOUT = Layout(width=672, columns=3, height=58, letters=11)
PHONE_LAYOUT = Layout(width=360, columns=1, height=58, letters=12)


def scale_of(panels: Sequence[Panel], whole: Series) -> tuple[float, float]:
    """The common scale: from the lowest value, rounded down, to everything delivered."""
    known = [v for series in (whole, *(p.shares for p in panels)) for v in series if v is not None]
    low = math.floor(min(known, default=0.0) / SCALE_STEP) * SCALE_STEP
    return min(low, 1.0 - SCALE_STEP), 1.0


def small_multiples(
    panels: Sequence[Panel], whole: Series, words: Words, ends: tuple[str, str], layout: Layout
) -> str:
    """SVG of all panels, left to right and down.

    Args:
        panels: What to draw.
        whole: Shares of everything, drawn in grey behind each.
        words: Language of the numbers.
        ends: The first and the last day in words.
        layout: Sizes.
    """
    low, high = scale_of(panels, whole)
    columns = _columns(len(panels), layout)
    rows = math.ceil(len(panels) / columns)
    cell_width = (layout.width + GAP) / columns
    cell_height = TITLE + layout.height + FOOT + GAP / 2
    body = [
        _panel(
            panel, whole, words, ends, layout,
            (n % columns * cell_width, n // columns * cell_height, cell_width - GAP),
            (low, high),
        )
        for n, panel in enumerate(panels)
    ]  # fmt: skip
    return svg_of(layout.width, rows * cell_height, "".join(body))


def _columns(panels: int, layout: Layout) -> int:
    """Panels beside each other: one more than usual where the last row would hold one alone."""
    alone = layout.columns > 1 and panels % layout.columns == 1
    return layout.columns + 1 if alone else layout.columns


def _panel(
    panel: Panel,
    whole: Series,
    words: Words,
    ends: tuple[str, str],
    layout: Layout,
    place: tuple[float, float, float],
    scale: tuple[float, float],
) -> str:
    left, top, width = place
    plot_left, plot_width = left + layout.gutter, width - layout.gutter
    plot_top, letters = top + TITLE, layout.letters
    bottom = plot_top + layout.height

    def y(value: float) -> float:
        low, high = scale
        return bottom - (value - low) / (high - low) * layout.height

    marks: list[str] = [text_at(left, top + letters, panel.name, letters + 1, INK)]
    for value in scale:
        marks.append(
            f'<line x1="{plot_left:.1f}" x2="{plot_left + plot_width:.1f}" y1="{y(value):.1f}" '
            f'y2="{y(value):.1f}" stroke="{RULE}" stroke-width="1"/>'
        )
        marks.append(text_at(left, y(value) + 4, words.percent_plain(value), letters, MUTED))
    across = (plot_left, plot_width)
    marks.append(_line(whole, across, y, GREY, 1.2))
    marks.append(_line(panel.shares, across, y, BLUE, 1.8))
    first, last = ends
    marks.append(text_at(plot_left, bottom + letters + 3, first, letters, MUTED))
    marks.append(
        text_at(plot_left + plot_width, bottom + letters + 3, last, letters, MUTED, anchor="end")
    )
    return "".join(marks)


def _line(
    series: Series,
    across: tuple[float, float],
    y: Callable[[float], float],
    colour: str,
    width: float,
) -> str:
    left, length = across
    step = length / max(len(series) - 1, 1)
    path, pen, dots = [], "M", []
    for n, value in enumerate(series):
        if value is None:
            pen = "M"
            continue
        x, height = left + n * step, y(value)
        alone = pen == "M" and (n + 1 == len(series) or series[n + 1] is None)
        if alone:
            dots.append(f'<circle cx="{x:.1f}" cy="{height:.1f}" r="{width:g}" fill="{colour}"/>')
        path.append(f"{pen}{x:.1f} {height:.1f}")
        pen = "L"
    line = f'<path d="{"".join(path)}" fill="none" stroke="{colour}" stroke-width="{width:g}"/>'
    return (line if path else "") + "".join(dots)
