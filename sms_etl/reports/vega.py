"""What every Vega-Lite chart of a report shares: engine, sizes, axes and look.

Every number and date on a chart is printed by `Words`, so charts and text cannot differ in form.
No chart uses gradients, filters or unique ids: some PDF viewers lose them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from sms_etl.reports.language import FONTS
from sms_etl.reports.style import FAMILY, GREY, MUTED, RULE

PNG_SCALE = 2.0
SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"

Spec = dict[str, Any]
"""A Vega-Lite specification or a part of one."""


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


@cache
def _engine() -> Any:
    """The chart engine with the fonts of the package; starts a JavaScript VM on first use."""
    import vl_convert

    vl_convert.register_font_directory(str(FONTS))
    return vl_convert


def tick_labels(texts: dict[Any, str]) -> str:
    """A Vega expression that prints the label of each tick from a table."""
    table = {str(key): text for key, text in texts.items()}
    return f"{json.dumps(table, ensure_ascii=False)}[toString(datum.value)]"


def fixed_axis(values: list[Any], names: dict[Any, str], **more: Any) -> Spec:
    """An axis with exactly these ticks and the names given for them."""
    return {"values": values, "labelExpr": tick_labels(names), "title": None, **more}


def config(canvas: Canvas) -> dict[str, Any]:
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


def svg(spec: Spec) -> str:
    """A chart as SVG text."""
    return str(_engine().vegalite_to_svg(spec))


def png(drawing: str) -> bytes:
    """A chart drawn by `svg` as PNG at twice its size."""
    return bytes(_engine().svg_to_png(drawing, scale=PNG_SCALE))
