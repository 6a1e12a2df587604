"""Time to deliver by operator: median, 90th and 99th percentile on a logarithmic scale."""

from __future__ import annotations

import math

from sms_etl.reports.figures import Figures
from sms_etl.reports.language import Words
from sms_etl.reports.slices import heard_operators
from sms_etl.reports.style import BLUE, BLUE_LIGHT, BLUE_MID, INK, MUTED
from sms_etl.reports.vega import SCHEMA, Canvas, Spec, config, fixed_axis

NAME_GUTTER, LABEL_LEFT, LABEL_RIGHT = 110, 46, 76
"""Room for operator names and for the labels of the marks, in CSS pixels."""

TICKS = (1, 2, 5, 10, 20, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 86400)
"""Durations worth a grid line, in seconds."""

LEAST_SECONDS = 0.5
"""Shorter times are drawn here: the sources tell whole seconds at best."""

LEAST_DECADES = 0.3
"""The scale never zooms in further."""

ROW_HEIGHT, BAR_HEIGHT = 24, 7


def times_known(figures: Figures) -> bool:
    """Whether there is an operator to draw."""
    heard = [row.totals.latency for row in heard_operators(figures)]
    return any(time.p90 is not None and time.p99 is not None for time in heard)


def latency(figures: Figures, words: Words, canvas: Canvas) -> Spec:
    """Vega-Lite specification; some operator has a known time."""
    rows = _rows(figures, words)
    low, high = min(r["p50"] for r in rows), max(r["p99"] for r in rows)
    ticks = [t for t in TICKS if low <= t <= high]
    ticks = ticks[:: 2 if len(ticks) > canvas.ticks else 1]
    domain = _log_domain(low, high, canvas.width - NAME_GUTTER)
    x = {
        "type": "quantitative",
        "scale": {"type": "log", "domain": domain, "nice": False},
        "axis": fixed_axis(ticks, {t: words.duration_short(t) for t in ticks}, grid=True)
        | {"domain": False},
        "title": None,
    }
    y = {
        "field": "name",
        "type": "nominal",
        "sort": [r["name"] for r in rows],
        "title": None,
        "axis": {"labelColor": INK, "labelPadding": 6},
    }
    return {
        "$schema": SCHEMA,
        "padding": 2,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "width": canvas.width,
        "height": {"step": ROW_HEIGHT},
        "data": {"values": rows},
        "layer": _layers(x, y),
        "config": config(canvas),
    }


def _rows(figures: Figures, words: Words) -> list[Spec]:
    rows = []
    for row in heard_operators(figures):
        time = row.totals.latency
        if time.median is None or time.p90 is None or time.p99 is None:
            continue
        rows.append(
            {
                "name": words.label(row.label),
                "p50": max(time.median, LEAST_SECONDS),
                "p90": max(time.p90, LEAST_SECONDS),
                "p99": max(time.p99, LEAST_SECONDS),
                "middle": words.duration(time.median),
                "far": words.duration(time.p99),
            }
        )
    return rows


def _log_domain(low: float, high: float, width: int) -> list[float]:
    """A logarithmic domain with room for the labels left and right of the marks."""
    decades = max(math.log10(high / low), LEAST_DECADES)
    per_pixel = decades / (width - LABEL_LEFT - LABEL_RIGHT)
    return [low / 10 ** (per_pixel * LABEL_LEFT), high * 10 ** (per_pixel * LABEL_RIGHT)]


def _layers(x: Spec, y: Spec) -> list[Spec]:
    def bar(start: str, end: str, colour: str) -> Spec:
        encoding = {"y": y, "x": {**x, "field": start}, "x2": {"field": end}}
        return {
            "mark": {"type": "bar", "height": BAR_HEIGHT, "color": colour},
            "encoding": encoding,
        }

    def text(at: str, field: str, align: str, dx: int, colour: str) -> Spec:
        mark = {"type": "text", "align": align, "dx": dx, "color": colour}
        encoding = {"y": y, "x": {**x, "field": at}, "text": {"field": field}}
        return {"mark": mark, "encoding": encoding}

    dot = {"type": "point", "filled": True, "size": 70, "color": BLUE, "opacity": 1}
    return [
        bar("p50", "p90", BLUE_MID),
        bar("p90", "p99", BLUE_LIGHT),
        {"mark": dot, "encoding": {"y": y, "x": {**x, "field": "p50"}}},
        text("p50", "middle", "right", -8, INK),
        text("p99", "far", "left", 6, MUTED),
    ]
