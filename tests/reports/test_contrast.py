"""Colours that carry text: readable by WCAG AA on every ground they are printed on."""

from __future__ import annotations

import re

import pytest

from sms_etl.reports import style
from sms_etl.reports.language import TEMPLATES

AA_TEXT, AA_MARK = 4.5, 3.0
"""Least contrast of text and of marks that must be told apart (WCAG 2.1, 1.4.3 and 1.4.11)."""

GROUNDS = {
    "white": ("#ffffff", ("ink", "muted", "good", "bad", "blue", "orange")),
    "a weak row": (style.TINT, ("ink", "muted", "good", "bad")),
    "the cover": (style.NAVY, ("blue_light",)),
    "the number of a finding": (style.ORANGE_LIGHT, ("bad",)),
}


def luminance(colour: str) -> float:
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_that_of_the_standard():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize(
    ("ground", "colour"), [(name, one) for name, (_, colours) in GROUNDS.items() for one in colours]
)
def test_text_is_readable_on_its_ground(ground, colour):
    assert contrast(style.PALETTE[colour], GROUNDS[ground][0]) >= AA_TEXT


def test_marks_of_charts_stand_out_from_the_paper():
    assert contrast(style.BLUE, "#ffffff") >= AA_MARK
    assert contrast(style.ORANGE, "#ffffff") >= AA_MARK
    assert contrast(style.ORANGE, style.BLUE_MID) >= 1.5


def test_style_sheets_print_text_in_colours_of_the_palette_only():
    for sheet in ("report.css", "pdf.css", "screen.css"):
        css = (TEMPLATES / "styles" / sheet).read_text()
        plain = set(re.findall(r"(?<![-\w])color:\s*(#[0-9a-fA-F]+)", css))
        assert plain <= {"#fff"}, sheet
        named = set(re.findall(r"var\(--([\w-]+)\)", css))
        assert {name.replace("-", "_") for name in named} <= set(style.PALETTE)
