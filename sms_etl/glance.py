"""A day of one source at a glance, for whoever looks at its partition: a chart and a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import polars as pl

from sms_etl.model.vocabulary import StatusClass
from sms_etl.reports.style import BLUE, BLUE_LIGHT, GREY, INK, MUTED, ORANGE, RULE

COLOURS = {
    StatusClass.DELIVERED: BLUE,
    StatusClass.PENDING: BLUE_LIGHT,
    StatusClass.UNKNOWN: GREY,
    StatusClass.REJECTED: INK,
    StatusClass.FAILED: ORANGE,
}
"""Bottom to top; a report's colours, so what failed stands on what arrived."""

LISTED_OPERATORS = 6
HOURS = 24
BAR, GAP, HEIGHT, TOP, BOTTOM = 20, 4, 120, 34, 18
"""Sizes of the chart in CSS pixels."""


@dataclass(frozen=True)
class Glance:
    """A day: the chart as SVG, the operators as a Markdown table."""

    day: date
    chart: str
    operators: str


def glances(cube: pl.DataFrame, source: str, zone: str) -> Iterator[Glance]:
    """A glance at each day that has messages.

    Args:
        cube: rows of CUBE of one source.
        source: its name, for the title.
        zone: business time zone; the hours of the chart are its.
    """
    hour = pl.col("hour").dt.convert_time_zone(zone).dt.hour()
    counted = cube.with_columns(hour=hour)
    for day in counted["day"].unique().sort():
        rows = counted.filter(pl.col("day") == day)
        by_hour = rows.group_by("hour", "status_class").agg(pl.col("messages").sum())
        counts = {(hour, of): count for hour, of, count in by_hour.iter_rows()}
        yield Glance(day, _chart(counts, f"{source}, {day}, {zone}"), _operators(rows))


def _chart(counts: dict[tuple[int, str], int], title: str) -> str:
    most = max(
        (sum(counts.get((hour, of), 0) for of in COLOURS) for hour in range(HOURS)), default=0
    )
    width = HOURS * (BAR + GAP)
    bottom = TOP + HEIGHT
    parts = [_text(0, 12, f"{title}: messages by hour of sending, most {most:,} in one", INK)]
    floor = dict.fromkeys(range(HOURS), 0)
    left = 0
    for of, colour in COLOURS.items():
        bars = []
        for hour in range(HOURS):
            low, high = floor[hour], floor[hour] + counts.get((hour, of), 0)
            floor[hour] = high
            if high > low:
                y, end = (bottom - round(HEIGHT * at / most, 1) for at in (high, low))
                bars.append(f"M{hour * (BAR + GAP)} {y:g}h{BAR}V{end:g}h-{BAR}z")
        if bars:
            total = sum(count for (_, one), count in counts.items() if one == of)
            parts.append(f'<path fill="{colour}" d="{"".join(bars)}"/>')
            parts.append(f'<rect x="{left}" y="20" width="8" height="8" fill="{colour}"/>')
            parts.append(_text(left + 12, 28, f"{of} {total:,}", MUTED))
            left += width // len(COLOURS)
    parts.append(f'<path stroke="{RULE}" d="M0 {bottom}.5h{width}"/>')
    parts += [
        _text(hour * (BAR + GAP), bottom + 14, f"{hour:02}", MUTED) for hour in range(0, HOURS, 3)
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{bottom + BOTTOM}" '
        f'font-family="sans-serif" font-size="11">{"".join(parts)}</svg>\n'
    )


def _text(x: int, y: int, text: str, colour: str) -> str:
    return f'<text x="{x}" y="{y}" fill="{colour}">{text}</text>'


def _operators(rows: pl.DataFrame) -> str:
    """The largest operators, and the others as one."""

    def count(of: StatusClass) -> pl.Expr:
        return pl.col("messages").filter(pl.col("status_class") == of).sum()

    names = (
        rows.group_by("country", "operator")
        .agg(pl.col("messages").sum())
        .sort("messages", "country", "operator", descending=[True, False, False])
        .with_row_index("rank")
        .with_columns(
            name=pl.when(pl.col("rank") < LISTED_OPERATORS)
            .then(pl.format("{} {}", "country", "operator"))
            .otherwise(pl.lit("others"))
        )
    )
    table = (
        rows.join(names.drop("messages"), on=["country", "operator"])
        .group_by("name")
        .agg(
            pl.col("rank").min(),
            submitted=pl.col("messages").sum(),
            delivered=count(StatusClass.DELIVERED),
            failed=count(StatusClass.FAILED),
            rejected=count(StatusClass.REJECTED),
        )
        .sort("rank")
    )
    lines = ["| operator | submitted | delivered | failed | rejected |", "|:--|--:|--:|--:|--:|"]
    for name, _, submitted, delivered, failed, rejected in table.iter_rows():
        # A provider chose the name.
        safe = name.replace("|", "/").replace("<", "(")
        lines.append(f"| {safe} | {submitted:,} | {delivered:,} | {failed:,} | {rejected:,} |")
    return "\n".join(lines)
