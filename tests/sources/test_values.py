from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from functools import partial
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sms_etl.sources.values import (
    ISO,
    blank_to_null,
    cost_micro,
    count,
    first_reading,
    later_reading,
    local_to_utc,
    rfc2822_utc,
    times_to_utc,
)

KYIV = "Europe/Kyiv"
TEXT = pl.col("text")
YEARS = datetime.fromisoformat("2000-01-01"), datetime.fromisoformat("2036-12-31")


def values(texts, expression) -> list:
    return (
        pl.DataFrame({"text": texts}, schema={"text": pl.String}).select(expression)[:, 0].to_list()
    )


def utc(*parts) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def test_twilio_times():
    texts = [
        "Wed, 05 Mar 2025 08:00:01 +0000",
        "Wed, 5 Mar 2025 08:00:01 +0000",
        "Wed, 05 Mar 2025 08:00:01 +0200",
        "20261025",
        "",
        None,
    ]
    eight = utc(2025, 3, 5, 8, 0, 1)
    assert values(texts, rfc2822_utc(TEXT)) == [eight, eight, None, None, None, None]


@settings(deadline=None)
@given(st.datetimes(YEARS[0], YEARS[1]))
def test_twilio_times_as_the_standard_library_writes_them(moment):
    moment = moment.replace(microsecond=0, tzinfo=UTC)
    assert values([format_datetime(moment)], rfc2822_utc(TEXT)) == [moment]


@settings(deadline=None)
@given(st.datetimes(YEARS[0], YEARS[1]))
def test_wall_clock_is_read_as_the_standard_library_reads_it(naive):
    wanted = naive.replace(tzinfo=ZoneInfo(KYIV), fold=0).astimezone(UTC)
    frame = pl.DataFrame({"text": [naive]}).select(local_to_utc(TEXT, KYIV))
    assert frame.item() == wanted


def test_the_hours_in_which_clocks_change():
    texts = ["2025-10-26 03:30:00", "2025-03-30 03:30:00"]
    twice, skipped = values(texts, times_to_utc(TEXT, ["iso"], KYIV))
    assert twice == utc(2025, 10, 26, 0, 30), "the earlier of both"
    assert skipped == utc(2025, 3, 30, 1, 30), "as if the clock had not been changed"


def test_the_other_moment_of_a_repeated_hour_is_told_and_of_no_other_time():
    texts = ["2025-10-26 03:30:00", "2025-10-26 04:00:00", "2025-03-30 03:30:00", "x", None]
    assert values(texts, later_reading(TEXT, ["iso"], KYIV)) == [
        utc(2025, 10, 26, 1, 30), None, None, None, None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("2025-03-05 10:00:00", "iso"),
        ("2025-03-05T10:00:00.000", "iso"),
        ("2025-03-05T08:00:00Z", "iso"),
        ("2025-03-05T08:00:00.000+0000", "iso"),
        ("2025-03-05 09:00:00+01:00", "iso"),
        ("1741161600", "unix_seconds"),
        ("1741161600000", "unix_milliseconds"),
        ("05.03.2025 10:00:00", "%d.%m.%Y %H:%M:%S"),
        ("05.03.2025 10:00", "%d.%m.%Y %H:%M"),
        ("2503051000", "%y%m%d%H%M"),
        ("05/03/2025 08:00:00 +0000", "%d/%m/%Y %H:%M:%S %z"),
    ],
)
def test_one_moment_in_many_forms(text, form):
    assert values([text, "nonsense"], times_to_utc(TEXT, [form], KYIV)) == [
        utc(2025, 3, 5, 8),
        None,
    ]


def test_several_formats_are_tried_in_turn():
    texts = ["05.03.2025 10:00:00", "2025-03-05 10:00:00"]
    assert (
        values(texts, times_to_utc(TEXT, ["%d.%m.%Y %H:%M:%S", "iso"], KYIV))
        == [utc(2025, 3, 5, 8)] * 2
    )


def test_nothing_written_is_no_time():
    assert values(["", "  ", "0000-00-00 00:00:00", "x"], blank_to_null(TEXT)) == [
        None, None, None, "x",
    ]  # fmt: skip


@settings(deadline=None)
@given(st.decimals(0, 10**9, places=6))
def test_money_is_exact(amount):
    text = f"{amount:f}"
    assert values([text], cost_micro(TEXT, charge_is_negative=False)) == [
        int(amount * Decimal(10**6))
    ]


@pytest.mark.parametrize(
    ("text", "decimal", "micro"),
    [
        ("0.479", ".", 479_000),
        ("0,479", ",", 479_000),
        ("2 941,44", ",", 2_941_440_000),
        ("2\u00a0941,44", ",", 2_941_440_000),
        ("1,5", ".", None),
        ("1.5", ",", None),
        ("-1.5", ".", None),
        ("1,234,5", ",", None),
        ("1.2 грн", ".", None),
        ("free", ".", None),
        ("7e-3", ".", None),
        ("", ".", None),
    ],
)
def test_prices_as_exports_write_them(text, decimal, micro):
    assert values([text], cost_micro(TEXT, decimal, charge_is_negative=False)) == [micro]


def test_a_negative_charge_is_a_cost():
    assert values(["-0.00750", "0.0"], cost_micro(TEXT, charge_is_negative=True)) == [7500, 0]


def test_counts():
    assert values(["2", " 3 ", "0", "many", None], count(TEXT)) == [2, 3, None, None, None]


def test_everything_streams():
    frame = pl.LazyFrame({"text": ["2025-03-05 10:00:00"]})
    plan = frame.select(
        times_to_utc(TEXT, ["iso"], KYIV).alias("time"),
        rfc2822_utc(TEXT).alias("mail"),
        cost_micro(TEXT, ",", charge_is_negative=False).alias("cost"),
    ).show_graph(engine="streaming", plan_stage="physical", raw_output=True)
    assert "columnar-function" not in str(plan)


def test_a_day_has_as_many_hours_as_the_clock_says():
    texts = ["2025-03-30 00:00:00", "2025-03-31 00:00:00"]
    start, end = values(texts, times_to_utc(TEXT, ["iso"], KYIV))
    assert end - start == timedelta(hours=23)


def test_times_of_several_forms_in_one_column_are_all_read():
    texts = [
        "Tue, 20 Oct 2026 17:00:00 +0000",
        None,
        "2026-10-20T17:00:01Z",
        "soon",
        "2026-10-20 17:00:02",
    ]
    iso = partial(times_to_utc, formats=(ISO,), zone="UTC")
    read = pl.DataFrame({"t": texts}).select(first_reading(pl.col("t"), (rfc2822_utc, iso)))
    at = datetime(2026, 10, 20, 17, tzinfo=UTC)
    assert read["t"].to_list() == [
        at,
        None,
        at + timedelta(seconds=1),
        None,
        at + timedelta(seconds=2),
    ]
