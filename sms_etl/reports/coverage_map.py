"""The map of days and sources: which are there, which are missing, where records were lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sms_etl.reports.language import Words
from sms_etl.reports.marks import svg_of, text_at
from sms_etl.reports.operations_figures import DayFates, SourceDays
from sms_etl.reports.style import BLUE_LIGHT, BLUE_MID, INK, MUTED, ORANGE

MOST_TICKS = 8
"""Days named below the map."""

WIDEST_CELL = 40.0


@dataclass(frozen=True)
class Strip:
    """Size of the map in CSS pixels."""

    width: int
    gutter: int
    row: int
    letters: int


PAGE_STRIP = Strip(width=672, gutter=120, row=18, letters=11)
PHONE_STRIP = Strip(width=360, gutter=84, row=18, letters=12)


def coverage_map(
    sources: Sequence[SourceDays], expected: frozenset[date], words: Words, strip: Strip
) -> str:
    """SVG with a row per source and a cell per day; what each mark means is `legend_colours`.

    A missing day carries a cross, a day with records set aside a dot, so that colour is never
    the only sign.
    """
    days = [one.day for one in sources[0].days]
    width = min((strip.width - strip.gutter) / len(days), WIDEST_CELL)
    body: list[str] = []
    for n, source in enumerate(sources):
        top = n * (strip.row + 3)
        body.append(text_at(0, top + strip.row - 5, words.label(source.source), strip.letters, INK))
        body += [
            _cell(one, strip.gutter + i * width, top, width, strip.row, one.day in expected)
            for i, one in enumerate(source.days)
        ]
    bottom = len(sources) * (strip.row + 3) + strip.letters
    every = max(1, -(-len(days) // MOST_TICKS))
    body += [
        text_at(strip.gutter + i * width, bottom, words.day_short(day), strip.letters, MUTED)
        for i, day in enumerate(days)
        if i % every == 0
    ]
    return svg_of(strip.width, bottom + 4, "".join(body))


def _cell(one: DayFates, left: float, top: float, width: float, height: int, due: bool) -> str:
    middle, centre = left + width / 2, top + height / 2
    inner = max(width - 1.0, 0.8)
    if not one.built:
        if not due:
            return ""
        arm = min(width, height) * 0.28
        return (
            f'<rect x="{left:.1f}" y="{top:.1f}" width="{inner:.1f}" height="{height}" '
            f'fill="none" stroke="{ORANGE}" stroke-width="0.8"/>'
            f'<path d="M{middle - arm:.1f} {centre - arm:.1f}L{middle + arm:.1f} {centre + arm:.1f}'
            f'M{middle + arm:.1f} {centre - arm:.1f}L{middle - arm:.1f} {centre + arm:.1f}" '
            f'stroke="{ORANGE}" stroke-width="1.4"/>'
        )
    colour = BLUE_MID if one.messages else BLUE_LIGHT
    square = (
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{inner:.1f}" height="{height}" '
        f'fill="{colour}"/>'
    )
    if not one.set_aside:
        return square
    return square + (
        f'<circle cx="{middle:.1f}" cy="{centre:.1f}" r="{min(2.6, width / 2):.1f}" '
        f'fill="{ORANGE}" stroke="#fff" stroke-width="0.8"/>'
    )


def legend(words: Words) -> tuple[tuple[str, str], ...]:
    """Colours and what they say."""
    return (
        (BLUE_MID, words.text("pulled and built")),
        (BLUE_LIGHT, words.text("pulled, no messages")),
        (ORANGE, words.text("with a cross: missing; with a dot: records were set aside")),
    )
