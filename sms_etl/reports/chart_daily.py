"""The series of days (or hours): delivery rate above, volume below, on one time axis."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from typing import Any

from sms_etl.config.settings import Period
from sms_etl.reports.figures import DayPoint, Figures, Totals
from sms_etl.reports.language import Words
from sms_etl.reports.slices import MOST_FINDINGS, finding_days
from sms_etl.reports.style import BLUE, BLUES, GREY, INK, MUTED, ORANGE, ORANGE_LIGHT
from sms_etl.reports.vega import SCHEMA, Canvas, Spec, config, fixed_axis

VISIBLE_BOUNDS = 0.005
"""Bounds closer than this are not drawn."""

LEFT_GUTTER = 52
RIGHT_GUTTER = 48
"""Room for the labels of the axes and of the goal, in CSS pixels."""

WHOLE_PERCENT = 1e-6

BAR_GAP = 0.25
"""Room between two days, as a share of their distance."""

NUMBER: Spec = {"fontWeight": 600, "color": ORANGE}
"""The number of a finding, above the plot: inside it a goal near the top would strike it out."""

LEAST_RATE_SPAN = 0.02
"""The rate axis never zooms in further: noise must not look like news."""


@dataclass(frozen=True)
class Slot:
    """One place on the time axis."""

    key: str
    label: str
    totals: Totals | None
    previous: Totals | None
    marked: bool = False
    marks: str = ""


def slots(figures: Figures, words: Words) -> list[Slot]:
    """The time axis of a report: hours for one day, days for anything longer."""
    if figures.period is Period.DAY or figures.first_day == figures.last_day:
        by_hour = {cell.hour: cell.totals for cell in figures.hours}
        return [Slot(f"{h:02}", f"{h:02}:00", by_hour.get(h), None) for h in range(24)]
    numbers: dict[date, list[str]] = {}
    marked: set[date] = set()
    for number, finding in enumerate(figures.findings[:MOST_FINDINGS], start=1):
        days = finding_days(finding, figures)
        marked.update(days)
        if days:
            numbers.setdefault(days[0], []).append(str(number))
    before: dict[int, DayPoint] = dict(enumerate(figures.previous_days))
    return [
        Slot(
            key=point.day.isoformat(),
            label=words.day_short(point.day),
            totals=point.totals,
            previous=before[n].totals if n in before else None,
            marked=point.day in marked,
            marks=" ".join(numbers.get(point.day, ())),
        )
        for n, point in enumerate(figures.days)
    ]


def _value(totals: Totals | None) -> float | None:
    if totals is None or totals.delivery.small:
        return None
    return totals.delivery.value


def _rows(series: list[Slot]) -> list[Spec]:
    rows = []
    for slot in series:
        value, rate = _value(slot.totals), slot.totals.delivery if slot.totals else None
        high = rate.high if rate and value is not None else None
        rows.append(
            {
                "key": slot.key,
                "rate": value,
                "high": high if high is not None else value,
                "previous": _value(slot.previous),
                "arrived": slot.totals.delivered if slot.totals else 0,
                "lost": slot.totals.submitted - slot.totals.delivered if slot.totals else 0,
                "marked": slot.marked,
                "marks": slot.marks,
            }
        )
    return rows


def _nice_step(span: float, count: int) -> float:
    raw = span / max(count, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    return next(power * m for m in (1, 2, 5, 10) if power * m >= raw * 0.999)


def _ticks(low: float, high: float, count: int) -> list[float]:
    step = _nice_step(high - low, count)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(n * step, 10) for n in range(first, last + 1)]


def _rate_ticks(rows: list[Spec], goal: float | None) -> list[float]:
    seen = [r[k] for r in rows for k in ("rate", "high", "previous") if r[k] is not None]
    seen += [goal] if goal is not None else []
    low, high = min(seen, default=0.0), max(seen, default=1.0)
    low = max(0.0, min(low, high - LEAST_RATE_SPAN))
    high = min(1.0, max(high, low + LEAST_RATE_SPAN))
    return [tick for tick in _ticks(low, high, 4) if tick <= 1 + 1e-9]


def _x(series: list[Slot], canvas: Canvas, *, labels: bool) -> Spec:
    step = max(1, math.ceil(len(series) / canvas.ticks))
    if len(series) > canvas.ticks:
        step = 7 if step <= 7 and len(series) > 21 and canvas.ticks >= 5 else step
    shown = [slot.key for n, slot in enumerate(series) if n % step == 0]
    axis = fixed_axis(
        shown,
        {slot.key: slot.label for slot in series},
        labels=labels,
        ticks=labels,
        grid=False,
        labelAngle=0,
        labelOverlap=True,
    )
    # The domain is written out: a layer that filters days away would shift all others.
    days = [slot.key for slot in series]
    return {
        "field": "key",
        "type": "ordinal",
        "sort": days,
        "scale": {"domain": days, "paddingInner": BAR_GAP, "paddingOuter": 0.3},
        "axis": axis,
    }


def _line(x: Spec, field: str, scale: Spec, **mark: Any) -> Spec:
    y = {"field": field, "type": "quantitative", "scale": scale, "title": None}
    run = {"field": f"{field}_run", "type": "nominal"}
    return {
        "transform": [{"filter": f"isValid(datum.{field})"}],
        "mark": {"type": "line", **mark},
        "encoding": {"x": x, "y": y, "detail": run},
    }


def _runs(rows: list[Spec], field: str) -> None:
    """Number the unbroken runs of a field so that a line has a gap where a day has no rate."""
    run = 0
    for row in rows:
        if row[field] is None:
            run += 1
        row[f"{field}_run"] = run


def _bounds(x: Spec, scale: Spec) -> Spec:
    """Bars from the certain rate up to the rate if every missing receipt were a delivery."""
    return {
        "transform": [{"filter": f"datum.high - datum.rate > {VISIBLE_BOUNDS}"}],
        "mark": {"type": "bar", "color": BLUES[2]},
        "encoding": {
            "x": x,
            "y": {"field": "rate", "type": "quantitative", "scale": scale, "title": None},
            "y2": {"field": "high"},
        },
    }


def _goal(goal: float | None, words: Words, scale: Spec, canvas: Canvas) -> list[Spec]:
    """A dashed line with its name in the right gutter."""
    if goal is None:
        return []
    once: Spec = {"values": [{}]}
    y = {"datum": goal, "type": "quantitative", "scale": scale, "title": None}
    rule = {"type": "rule", "strokeDash": [3, 3], "color": INK}
    label = {
        "type": "text",
        "text": [words.text("goal"), words.percent_plain(goal)],
        "align": "left",
        "baseline": "middle",
        "dx": 4,
        "dy": -canvas.letters / 2,
        "color": INK,
        "fontSize": canvas.letters,
    }
    right = {"value": _inner(canvas)}
    return [
        {"data": once, "mark": rule, "encoding": {"y": dict(y)}},
        {"data": once, "mark": label, "encoding": {"x": right, "y": dict(y)}},
    ]


def _inner(canvas: Canvas) -> int:
    return canvas.width - LEFT_GUTTER - RIGHT_GUTTER


def _rate_panel(figures: Figures, words: Words, series: list[Slot], canvas: Canvas) -> Spec:
    rows = _rows(series)
    for field in ("rate", "previous"):
        _runs(rows, field)
    ticks = _rate_ticks(rows, figures.goal)
    digits = 0 if all(abs(t * 100 - round(t * 100)) < WHOLE_PERCENT for t in ticks) else 1
    scale = {"domain": [ticks[0], ticks[-1]], "zero": False, "nice": False, "clamp": True}
    axis = fixed_axis(ticks, {_js(t): words.percent(t, digits) for t in ticks})
    x = _x(series, canvas, labels=False)
    point = {"filled": True, "size": 16}
    curves = [
        _bounds(x, scale),
        _line(x, "previous", scale, color=GREY, strokeWidth=1.5),
        *_goal(figures.goal, words, scale, canvas),
        _line(x, "rate", scale, color=BLUE, strokeWidth=2.25, point=point),
    ]
    for layer in curves:
        layer["encoding"]["y"]["axis"] = axis
    band, number = _finding_marks(x, canvas)
    empty = [] if any(r["arrived"] + r["lost"] for r in rows) else [_empty(words, canvas)]
    return {
        "width": _inner(canvas),
        "height": canvas.rate_height,
        "data": {"values": rows},
        "layer": [band, *curves, number, *empty],
    }


def _finding_marks(x: Spec, canvas: Canvas) -> tuple[Spec, Spec]:
    """A light band over the days of findings; above it the numbers of those that begin there."""
    top = {"value": 0}
    band = {
        "transform": [{"filter": "datum.marked"}],
        "mark": {"type": "bar", "color": ORANGE_LIGHT, "width": {"band": 1 / (1 - BAR_GAP)}},
        "encoding": {"x": x, "y": top, "y2": {"value": canvas.rate_height}},
    }
    number = {
        "transform": [{"filter": "datum.marks != ''"}],
        "mark": {"type": "text", "baseline": "bottom", "dy": -3, **NUMBER},
        "encoding": {"x": x, "y": top, "text": {"field": "marks", "type": "nominal"}},
    }
    return band, number


def _empty(words: Words, canvas: Canvas) -> Spec:
    """A chart without data says so: a blank square could mean anything."""
    middle = {"x": {"value": _inner(canvas) / 2}, "y": {"value": canvas.rate_height / 2}}
    mark = {"type": "text", "text": words.text("no messages"), "color": MUTED, "fontSize": 16}
    return {"data": {"values": [{}]}, "mark": mark, "encoding": middle}


def _volume_panel(words: Words, series: list[Slot], canvas: Canvas) -> Spec:
    rows = _rows(series)
    top = max((row["arrived"] + row["lost"] for row in rows), default=1) or 1
    step = max(1.0, _nice_step(top, 2))
    ticks = [round(n * step) for n in range(math.ceil(top / step) + 1)]
    stacked = [
        {"key": row["key"], "what": what, "order": order, "messages": row[what]}
        for row in rows
        for order, what in enumerate(("arrived", "lost"))
    ]
    return {
        "width": _inner(canvas),
        "height": canvas.volume_height,
        "data": {"values": stacked},
        "mark": {"type": "bar"},
        "encoding": {
            "x": _x(series, canvas, labels=True),
            "y": {
                "field": "messages",
                "type": "quantitative",
                "stack": "zero",
                "scale": {"domain": [0, ticks[-1]], "nice": False},
                "axis": fixed_axis(ticks, {t: words.compact(t) for t in ticks}),
            },
            "color": {
                "field": "what",
                "type": "nominal",
                "legend": None,
                "scale": {"domain": ["arrived", "lost"], "range": [GREY, ORANGE]},
            },
            "order": {"field": "order", "type": "quantitative"},
        },
    }


def daily(figures: Figures, words: Words, canvas: Canvas) -> Spec:
    """Vega-Lite specification: delivery rate above, volume below, on one time axis.

    Both panels leave the same gutter for their labels so that the days line up.
    """
    series = slots(figures, words)
    panels = [_rate_panel(figures, words, series, canvas), _volume_panel(words, series, canvas)]
    for panel in panels:
        _set_gutter(panel)
    return {
        "$schema": SCHEMA,
        "padding": {"left": 2, "right": 2, "top": 4, "bottom": 2},
        "autosize": {"type": "pad", "contains": "padding"},
        "spacing": 8,
        "vconcat": panels,
        "config": config(canvas),
    }


def _set_gutter(panel: Spec) -> None:
    for part in panel.get("layer", [panel]):
        axis = part["encoding"].get("y", {}).get("axis")
        if axis is not None:
            axis["minExtent"] = axis["maxExtent"] = LEFT_GUTTER - 4


def _js(value: float) -> str:
    """A number as JavaScript's toString prints it."""
    return str(int(value)) if float(value).is_integer() else repr(float(value))
