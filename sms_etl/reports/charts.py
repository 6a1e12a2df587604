"""Charts drawn by Vega-Lite: the series of days (or hours) and the ranges of time to deliver.

Every number and date on a chart is printed by `Words`, so charts and text cannot differ in form.
No chart uses gradients, filters or unique ids: some PDF viewers lose them.
"""

from __future__ import annotations

import io
import json
import math
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from sms_etl.config.settings import Period
from sms_etl.reports.figures import DayPoint, Figures, Finding, Totals
from sms_etl.reports.language import FONTS, Words
from sms_etl.reports.slices import finding_days, heard_operators
from sms_etl.reports.style import (
    BLUE,
    BLUE_LIGHT,
    BLUE_MID,
    FAMILY,
    GREY,
    INK,
    MUTED,
    ORANGE,
    ORANGE_LIGHT,
    RULE,
)

PNG_SCALE = 2.0
VISIBLE_BOUNDS = 0.005
"""Bounds closer than this are not drawn."""

LEFT_GUTTER = 52
RIGHT_GUTTER = 48
"""Room for the labels of the axes and of the goal, in CSS pixels."""

LEAST_RATE_SPAN = 0.02
"""The rate axis never zooms in further: noise must not look like news."""

NAME_GUTTER, LABEL_LEFT, LABEL_RIGHT = 110, 46, 76
"""Room for operator names and for the labels of the marks, in CSS pixels."""

LATENCY_TICKS = (1, 2, 5, 10, 20, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 86400)
LOWEST_LATENCY = 0.5


@dataclass(frozen=True)
class Canvas:
    """Size of a drawing in CSS pixels and the size of its letters."""

    width: int
    rate_height: int
    volume_height: int
    letters: int
    ticks: int


PAGE = Canvas(width=672, rate_height=150, volume_height=56, letters=11, ticks=8)
PHONE = Canvas(width=360, rate_height=150, volume_height=60, letters=12, ticks=4)


@dataclass(frozen=True)
class Slot:
    """One place on the time axis."""

    key: str
    label: str
    totals: Totals | None
    previous: Totals | None
    marked: bool = False
    marks: str = ""


@cache
def _engine() -> Any:
    """The chart engine with the fonts of the package; starts a JavaScript VM on first use."""
    import vl_convert

    vl_convert.register_font_directory(str(FONTS))
    return vl_convert


def slots(figures: Figures, words: Words) -> list[Slot]:
    """The time axis of a report: hours for one day, days for anything longer."""
    if figures.period is Period.DAY or figures.first_day == figures.last_day:
        by_hour = {cell.hour: cell.totals for cell in figures.hours}
        return [Slot(f"{h:02}", f"{h:02}:00", by_hour.get(h), None) for h in range(24)]
    numbers: dict[date, list[str]] = {}
    marked: set[date] = set()
    for number, finding in enumerate(figures.findings, start=1):
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


def _rows(series: list[Slot]) -> list[dict[str, Any]]:
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


def _rate_ticks(rows: list[dict[str, Any]], goal: float | None) -> list[float]:
    seen = [r[k] for r in rows for k in ("rate", "high", "previous") if r[k] is not None]
    seen += [goal] if goal is not None else []
    low, high = min(seen, default=0.0), max(seen, default=1.0)
    low = max(0.0, min(low, high - LEAST_RATE_SPAN))
    high = min(1.0, max(high, low + LEAST_RATE_SPAN))
    return [tick for tick in _ticks(low, high, 4) if tick <= 1 + 1e-9]


def _labels(texts: dict[Any, str]) -> str:
    """A Vega expression that prints the label of each tick from a table."""
    table = {str(key): text for key, text in texts.items()}
    return f"{json.dumps(table, ensure_ascii=False)}[toString(datum.value)]"


def _axis(values: list[Any], names: dict[Any, str], **more: Any) -> dict[str, Any]:
    return {"values": values, "labelExpr": _labels(names), "title": None, **more}


def _x(series: list[Slot], canvas: Canvas, *, labels: bool) -> dict[str, Any]:
    step = max(1, math.ceil(len(series) / canvas.ticks))
    if len(series) > canvas.ticks:
        step = 7 if step <= 7 and len(series) > 21 and canvas.ticks >= 5 else step
    shown = [slot.key for n, slot in enumerate(series) if n % step == 0]
    axis = _axis(
        shown,
        {slot.key: slot.label for slot in series},
        labels=labels,
        ticks=labels,
        grid=False,
        labelAngle=0,
        labelOverlap=True,
    )
    return {
        "field": "key",
        "type": "ordinal",
        "sort": [slot.key for slot in series],
        "scale": {"paddingInner": 0.25, "paddingOuter": 0.3},
        "axis": axis,
    }


def _line(x: dict[str, Any], field: str, scale: dict[str, Any], **mark: Any) -> dict[str, Any]:
    y = {"field": field, "type": "quantitative", "scale": scale, "title": None}
    return {
        "transform": [{"filter": f"isValid(datum.{field})"}],
        "mark": {"type": "line", **mark},
        "encoding": {"x": x, "y": y},
    }


def _runs(rows: list[dict[str, Any]], field: str) -> None:
    """Number the unbroken runs of a field so that a line has a gap where a day has no rate."""
    run = 0
    for row in rows:
        if row[field] is None:
            run += 1
        row[f"{field}_run"] = run


def _bounds(x: dict[str, Any], scale: dict[str, Any]) -> dict[str, Any]:
    """Bars from the certain rate up to the rate if every missing receipt were a delivery."""
    return {
        "transform": [{"filter": f"datum.high - datum.rate > {VISIBLE_BOUNDS}"}],
        "mark": {"type": "bar", "color": BLUE_MID, "opacity": 0.55},
        "encoding": {
            "x": x,
            "y": {"field": "rate", "type": "quantitative", "scale": scale, "title": None},
            "y2": {"field": "high"},
        },
    }


def _goal(
    goal: float, text: list[str], scale: dict[str, Any], canvas: Canvas
) -> list[dict[str, Any]]:
    y = {"datum": goal, "type": "quantitative", "scale": scale, "title": None}
    once = {"values": [{}]}
    label = {"type": "text", "text": text, "align": "left", "dx": 4}
    label |= {"baseline": "middle", "dy": -canvas.letters / 2}
    rule = {"type": "rule", "strokeDash": [3, 3], "color": INK}
    return [
        {"data": once, "mark": rule, "encoding": {"y": y}},
        {
            "data": once,
            "mark": {**label, "color": INK, "fontSize": canvas.letters},
            "encoding": {"x": {"value": _inner(canvas)}, "y": y},
        },
    ]


def _inner(canvas: Canvas) -> int:
    return canvas.width - LEFT_GUTTER - RIGHT_GUTTER


def _rate_panel(
    figures: Figures, words: Words, series: list[Slot], canvas: Canvas
) -> dict[str, Any]:
    rows = _rows(series)
    for field in ("rate", "previous"):
        _runs(rows, field)
    ticks = _rate_ticks(rows, figures.goal)
    digits = 0 if all(abs(t * 100 - round(t * 100)) < 1e-6 for t in ticks) else 1
    scale = {"domain": [ticks[0], ticks[-1]], "zero": False, "nice": False, "clamp": True}
    axis = _axis(ticks, {_js(t): words.percent(t, digits) for t in ticks})
    x = _x(series, canvas, labels=False)
    band = {
        "transform": [{"filter": "datum.marked"}],
        "mark": {"type": "bar", "color": ORANGE_LIGHT, "opacity": 0.75},
        "encoding": {"x": x, "y": {"value": 0}, "y2": {"value": canvas.rate_height}},
    }
    number = {
        "transform": [{"filter": "datum.marks != ''"}],
        "mark": {"type": "text", "baseline": "top", "dy": 3, "fontWeight": 600, "color": ORANGE},
        "encoding": {"x": x, "y": {"value": 0}, "text": {"field": "marks", "type": "nominal"}},
    }
    before = _line(x, "previous", scale, color=GREY, strokeWidth=1.5)
    before["encoding"]["detail"] = {"field": "previous_run", "type": "nominal"}
    now = _line(x, "rate", scale, color=BLUE, strokeWidth=2.25, point={"filled": True, "size": 16})
    now["encoding"]["detail"] = {"field": "rate_run", "type": "nominal"}
    for layer in (before, now):
        layer["encoding"]["y"]["axis"] = axis
    bounds = _bounds(x, scale)
    bounds["encoding"]["y"]["axis"] = axis
    goal = []
    if figures.goal is not None:
        text = [words.text("goal"), words.percent_plain(figures.goal)]
        goal = _goal(figures.goal, text, scale, canvas)
        for layer in goal:
            layer["encoding"]["y"]["axis"] = axis
    empty = [] if any(r["arrived"] + r["lost"] for r in rows) else [_empty(words, canvas)]
    return {
        "width": _inner(canvas),
        "height": canvas.rate_height,
        "data": {"values": rows},
        "layer": [band, bounds, before, *goal, now, number, *empty],
    }


def _empty(words: Words, canvas: Canvas) -> dict[str, Any]:
    """A chart without data says so: a blank square could mean anything."""
    middle = {"x": {"value": _inner(canvas) / 2}, "y": {"value": canvas.rate_height / 2}}
    mark = {"type": "text", "text": words.text("nothing sent"), "color": MUTED, "fontSize": 16}
    return {"data": {"values": [{}]}, "mark": mark, "encoding": middle}


def _js(value: float) -> str:
    """A number as JavaScript's toString prints it."""
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def _volume_panel(words: Words, series: list[Slot], canvas: Canvas) -> dict[str, Any]:
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
                "axis": _axis(ticks, {t: words.compact(t) for t in ticks}),
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


def _config(canvas: Canvas) -> dict[str, Any]:
    """One look for every chart."""
    letters = {"labelFontSize": canvas.letters, "labelFont": FAMILY, "labelColor": MUTED}
    return {
        "font": FAMILY,
        "view": {"stroke": None},
        "axis": {**letters, "gridColor": RULE, "domain": False, "ticks": False, "labelLimit": 0},
        "axisX": {"domain": True, "domainColor": GREY, "tickColor": GREY, "labelPadding": 4},
        "text": {"font": FAMILY, "fontSize": canvas.letters},
        "background": "white",
    }


def daily(figures: Figures, words: Words, canvas: Canvas) -> dict[str, Any]:
    """Vega-Lite specification: delivery rate above, volume below, on one time axis.

    Both panels leave the same gutter for their labels so that the days line up.
    """
    series = slots(figures, words)
    panels = [_rate_panel(figures, words, series, canvas), _volume_panel(words, series, canvas)]
    for panel in panels:
        _set_gutter(panel)
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "padding": {"left": 2, "right": 2, "top": 4, "bottom": 2},
        "autosize": {"type": "pad", "contains": "padding"},
        "spacing": 8,
        "vconcat": panels,
        "config": _config(canvas),
    }


def _set_gutter(panel: dict[str, Any]) -> None:
    for part in panel.get("layer", [panel]):
        axis = part["encoding"].get("y", {}).get("axis")
        if axis is not None:
            axis["minExtent"] = axis["maxExtent"] = LEFT_GUTTER - 4


def _reach(value: float) -> float:
    return max(value, LOWEST_LATENCY)


def _log_domain(low: float, high: float, width: int) -> list[float]:
    """A logarithmic domain with room for the labels left and right of the marks."""
    decades = max(math.log10(high / low), 0.3)
    per_pixel = decades / (width - LABEL_LEFT - LABEL_RIGHT)
    return [low / 10 ** (per_pixel * LABEL_LEFT), high * 10 ** (per_pixel * LABEL_RIGHT)]


def latency(figures: Figures, words: Words, canvas: Canvas) -> dict[str, Any] | None:
    """Vega-Lite specification: median, 90th and 99th percentile by operator; null if unknown."""
    rows = [
        {
            "name": words.label(row.label),
            "p50": _reach(lat.median),
            "p90": _reach(lat.p90),
            "p99": _reach(lat.p99),
            "middle": words.duration(lat.median),
            "far": words.duration(lat.p99),
        }
        for row in heard_operators(figures)
        if (lat := row.totals.latency)
        and lat.median is not None
        and lat.p90 is not None
        and lat.p99 is not None
    ]
    if not rows:
        return None
    low, high = min(r["p50"] for r in rows), max(r["p99"] for r in rows)
    ticks = [t for t in LATENCY_TICKS if low <= t <= high]
    ticks = ticks[:: 2 if len(ticks) > canvas.ticks else 1]
    domain = _log_domain(low, high, canvas.width - NAME_GUTTER)
    axis = _axis(ticks, {t: words.duration_short(t) for t in ticks}, grid=True, domain=False)
    scale = {"type": "log", "domain": domain, "nice": False}
    y = {
        "field": "name",
        "type": "nominal",
        "sort": [r["name"] for r in rows],
        "title": None,
        "axis": {"labelColor": INK, "labelPadding": 6},
    }

    def x(field: str) -> dict[str, Any]:
        return {
            "field": field,
            "type": "quantitative",
            "scale": scale,
            "axis": axis,
            "title": None,
        }

    def bar(start: str, end: str, colour: str) -> dict[str, Any]:
        encoding = {"y": y, "x": x(start), "x2": {"field": end}}
        return {"mark": {"type": "bar", "height": 7, "color": colour}, "encoding": encoding}

    def text(at: str, field: str, align: str, dx: int, colour: str) -> dict[str, Any]:
        mark = {"type": "text", "align": align, "dx": dx, "color": colour}
        return {"mark": mark, "encoding": {"y": y, "x": x(at), "text": {"field": field}}}

    point = {"type": "point", "filled": True, "size": 70, "color": BLUE, "opacity": 1}
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "padding": 2,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "width": canvas.width,
        "height": {"step": 24},
        "data": {"values": rows},
        "layer": [
            bar("p50", "p90", BLUE_MID),
            bar("p90", "p99", BLUE_LIGHT),
            {"mark": point, "encoding": {"y": y, "x": x("p50")}},
            text("p50", "middle", "right", -8, INK),
            text("p99", "far", "left", 6, MUTED),
        ],
        "config": _config(canvas),
    }


def svg(spec: dict[str, Any]) -> str:
    """A chart as SVG text."""
    return str(_engine().vegalite_to_svg(spec))


def png(spec: dict[str, Any]) -> bytes:
    """A chart as PNG at twice its size, on white."""
    return bytes(_engine().vegalite_to_png(spec, scale=PNG_SCALE))
