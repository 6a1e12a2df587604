"""A chart of a section: drawn for the page and for a phone, with the text that stands for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sms_etl.reports import vega
from sms_etl.reports.figures import Figures
from sms_etl.reports.language import Words

Specify = Callable[[Figures, Words, vega.Canvas], vega.Spec]
"""Makes the specification of a chart for a canvas."""


@dataclass(frozen=True)
class Chart:
    """Two SVG drawings of the same data, and its text for those who do not see it."""

    wide: str
    narrow: str
    alt: str


def vega_chart(specify: Specify, figures: Figures, words: Words, alt: str) -> Chart:
    """A Vega-Lite chart in both sizes."""
    wide, narrow = (specify(figures, words, canvas) for canvas in (vega.PAGE, vega.PHONE))
    return Chart(vega.svg(wide), vega.svg(narrow), alt)
