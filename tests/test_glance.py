"""A day at a glance: hours of the business zone as a chart, operators as a small table."""

import re
from datetime import UTC, date, datetime

import polars as pl

from sms_etl.glance import glances

DAY = date(2026, 10, 13)


def cube(*rows):
    """Rows of hour (UTC), operator, class and messages of one day."""
    return pl.DataFrame(
        [
            {"day": DAY, "hour": datetime(2026, 10, 13, hour, tzinfo=UTC), "country": "UA",
             "operator": operator, "status_class": of, "messages": count}
            for hour, operator, of, count in rows
        ]
    )  # fmt: skip


def test_hours_are_the_business_zones_and_bars_stand_on_each_other():
    rows = cube((6, "Kyivstar", "delivered", 30), (6, "Kyivstar", "failed", 10))
    (glance,) = glances(rows, "twilio", "Europe/Kyiv")
    bars = re.findall(r'<path fill="[^"]+" d="([^"]+)"/>', glance.chart)
    # Nine in the morning in Kyiv: three quarters of the height, and the rest above it.
    assert bars == ["M216 64h20V154h-20z", "M216 34h20V64h-20z"]
    texts = re.findall(r"<text [^>]+>([^<]+)</text>", glance.chart)
    assert texts[:3] == [
        "twilio, 2026-10-13, Europe/Kyiv: messages by hour of sending, most 40 in one",
        "delivered 30", "failed 10",
    ]  # fmt: skip


def test_small_operators_are_told_as_one_and_nothing_is_left_out():
    rows = cube(*((6, f"operator {n}", "delivered", 100 - n) for n in range(8)),
                (7, "operator 1", "failed", 1))  # fmt: skip
    (glance,) = glances(rows, "twilio", "Europe/Kyiv")
    lines = glance.operators.splitlines()[2:]
    assert lines[0] == "| UA operator 0 | 100 | 100 | 0 | 0 |"
    assert lines[1] == "| UA operator 1 | 100 | 99 | 1 | 0 |"
    assert lines[-1] == "| others | 187 | 187 | 0 | 0 |"
    assert len(lines) == 7


def test_a_name_chosen_by_a_provider_breaks_no_table():
    (glance,) = glances(cube((6, "A|B <b>", "delivered", 1)), "twilio", "Europe/Kyiv")
    assert glance.operators.splitlines()[-1] == "| UA A/B (b> | 1 | 1 | 0 | 0 |"
