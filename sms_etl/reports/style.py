"""Colours and sizes shared by the charts and the style sheets of a report.

Blue and orange are the only pair that carries meaning: they stay apart under every common colour
blindness, and good or bad is always said in words as well.
"""

from __future__ import annotations

FAMILY = "Report Sans"

INK = "#1b2733"
MUTED = "#566472"
RULE = "#dde3e9"
NAVY = "#14304f"
BLUE = "#1f5fa8"
BLUE_MID = "#7fa6d3"
BLUE_LIGHT = "#d5e3f2"
GREY = "#a9b5c1"
GREY_LIGHT = "#e9eef3"
ORANGE = "#b8460e"
ORANGE_LIGHT = "#fbe3d3"
TINT = "#fdf1e8"
GOOD = "#146c4b"
BAD = "#a8400f"

BLUES = ("#eef3f8", "#d5e3f2", "#a9c6e5", "#74a3d5", "#3f7dbf", "#1f5fa8")
"""Steps of the heat map, from almost nothing to most."""

DARK_BLUES = ("#1b2a39", "#20405f", "#2f5f8e", "#4780b5", "#64a0d9", "#8cc2f5")
"""The same steps on dark paper."""

PALETTE = {
    "ink": INK,
    "muted": MUTED,
    "rule": RULE,
    "navy": NAVY,
    "blue": BLUE,
    "blue_mid": BLUE_MID,
    "blue_light": BLUE_LIGHT,
    "grey": GREY,
    "grey_light": GREY_LIGHT,
    "orange": ORANGE,
    "orange_light": ORANGE_LIGHT,
    "tint": TINT,
    "good": GOOD,
    "bad": BAD,
}
"""What the style sheets may name."""
