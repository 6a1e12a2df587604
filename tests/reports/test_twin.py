"""The cube a page carries: small, whole, without persons, and packed so that nothing is lost."""

from __future__ import annotations

import base64
import json
import re
import zlib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from sms_etl.config.settings import Language
from sms_etl.metrics.histogram import RELATIVE_ERROR, bucket_of
from sms_etl.metrics.summary import AsOf
from sms_etl.reports.build import build_figures, build_twin
from sms_etl.reports.render import render_html
from sms_etl.reports.twin import pack as packing
from sms_etl.reports.twin.cube import (
    DIMENSIONS,
    REST,
    TwinCube,
    twin_cube,
    with_merged_buckets,
    with_merged_campaigns,
)
from sms_etl.reports.twin.pack import pack, pack_within
from sms_etl.reports.twin.page import script, with_policy
from tests.reports.test_build import REQUEST
from tests.reports.twin_world import EVIL, company

MEGABYTES = 1_000_000
MOST_BYTES = 2 * MEGABYTES


@pytest.fixture(scope="module")
def given():
    return company(1500)


@pytest.fixture(scope="module")
def cube(given):
    return build_twin(given, REQUEST)


@pytest.fixture(scope="module")
def html(given, cube):
    figures = build_figures(given, REQUEST)
    return render_html(figures, Language.UKRAINIAN, cube).decode()


def columns_of(packed):
    """The packed columns, unpacked by an independent reading of the format."""
    raw, at, found = zlib.decompress(base64.b64decode(packed.body)), 0, {}
    for name, rows, planes in packed.head["columns"]:
        parts = [raw[at + n * rows : at + (n + 1) * rows] for n in range(planes)]
        found[name] = [
            sum(byte << (8 * n) for n, byte in enumerate(row)) for row in zip(*parts, strict=True)
        ]
        at += rows * planes
    assert at == len(raw)
    return found


def test_every_message_of_the_report_is_in_the_cube_once(given, cube):
    figures = build_figures(given, REQUEST)
    assert cube.counts["messages"].sum() == figures.totals.submitted
    assert sum(columns_of(pack(cube))["count_messages"]) == figures.totals.submitted
    assert sum(columns_of(pack(cube))["time_messages"]) == cube.times["messages"].sum()


def test_the_same_cube_is_packed_into_the_same_bytes(given, cube):
    assert pack(build_twin(given, REQUEST)) == pack(cube)


def test_no_person_and_no_hour_is_in_the_page(cube):
    held = {*cube.counts.columns, *cube.times.columns}
    assert held.isdisjoint({"recipient", "contact", "message_id", "number_prefix", "hour"})


def test_merged_buckets_keep_every_message_and_a_known_error(cube):
    merged = with_merged_buckets(cube)
    assert merged.times["messages"].sum() == cube.times["messages"].sum()
    assert merged.times.height < cube.times.height
    assert merged.relative_error == pytest.approx(2 * RELATIVE_ERROR, rel=0.001)
    seconds = pl.Series([0.004, 0.02, 0.7, 3.3, 61.0, 7_000.0])
    bucket = pl.select(bucket_of(seconds))[:, 0]
    for exact, place in zip(seconds, ((bucket + 1) // 2).to_list(), strict=True):
        value = merged.floor_seconds * merged.gamma**place * 2 / (1 + merged.gamma) if place else 0
        assert value == pytest.approx(exact, rel=merged.relative_error * 1.0001, abs=0.01)


def test_the_smallest_campaigns_are_merged_last_and_counted(cube):
    merged = with_merged_campaigns(cube, 2)
    assert merged.campaigns_merged == 2
    assert merged.counts["campaign"].n_unique() == 3
    assert REST in merged.counts["campaign"]
    assert merged.counts["messages"].sum() == cube.counts["messages"].sum()
    assert with_merged_campaigns(merged, 1).campaigns_merged == 3


def test_a_cube_over_its_budget_gets_coarser_until_it_fits_or_is_left_out(cube, monkeypatch):
    full = len(pack(cube).body)
    kept, packed = pack_within(cube, full - 1)
    assert kept.collapsed == 1
    assert len(packed.body) < full
    assert pack_within(cube, 10) is None
    monkeypatch.setattr(packing, "LEAST_CAMPAIGNS", 1)
    coarse = cube
    for _ in range(packing.MOST_COLLAPSES):
        coarse = with_merged_buckets(coarse)
    enough = len(pack(with_merged_campaigns(coarse, 2)).body)
    kept, packed = pack_within(cube, enough)
    assert (kept.collapsed, kept.campaigns_merged) == (packing.MOST_COLLAPSES, 2)
    assert packed == pack(kept), "what is kept between attempts is that of the kept cube"
    assert len(packed.body) <= enough


def test_nothing_to_filter_or_too_much_to_add_exactly_makes_a_page_without_filters(cube):
    assert pack_within(replace(cube, counts=cube.counts.clear())) is None
    rich = cube.counts.with_columns(cost_micro=pl.lit(2**53))
    assert pack_within(replace(cube, counts=rich)) is None


def test_a_name_cannot_end_the_script_it_stands_in(html):
    head = re.search(
        r'<script type="application/json" id="twin-head">(.*?)</script>', html, re.DOTALL
    )
    told = json.loads(head[1])
    assert EVIL in told["values"]["campaign"]
    assert "<" not in head[1]


def test_the_policy_names_every_style_and_script_of_the_page_and_nothing_else(html):
    policy = re.search(r'Security-Policy" content="([^"]*)"', html)[1]
    assert "'unsafe-inline'" not in policy.replace("&#39;", "'")
    assert policy.startswith("default-src 'none'")
    attributes = set(re.findall(r' style="([^"]*)"', html))
    assert policy.count("sha256-") == len(attributes) + 2
    assert with_policy("<style>a{}</style>").count("sha256-") == 0


def test_the_scripts_reach_for_no_network_and_make_no_markup_of_texts():
    for word in (
        "fetch(",
        "XMLHttpRequest",
        "WebSocket",
        "innerHTML",
        "outerHTML",
        "eval(",
        "import(",
    ):
        assert word not in script()


@pytest.mark.slow
@pytest.mark.parametrize("messages_a_day", [2_000, 20_000])
def test_a_year_of_a_usual_company_stays_under_two_megabytes(given, messages_a_day):
    """3 sources, 5 operators, 40 campaigns of which 6 run all year, 4 senders, 8 outcomes."""
    figures = build_figures(given, REQUEST)
    year = year_of(messages_a_day)
    kept, _ = pack_within(year)
    assert kept.relative_error == pytest.approx(RELATIVE_ERROR)
    assert kept.campaigns_merged == 0
    page = render_html(figures, Language.UKRAINIAN, year)
    assert b"twin-cube" in page
    assert len(page) < MOST_BYTES


OUTCOMES = (
    ("delivered", None), ("failed", "absent_subscriber"), ("failed", "invalid_number"),
    ("unknown", "no_receipt"), ("failed", "carrier_blocked"), ("failed", "expired_ttl"),
    ("rejected", "spam_filtered_content"), ("pending", None),
)  # fmt: skip
DAYS = 365


def year_of(messages_a_day: int) -> TwinCube:
    """A year whose messages are drawn one by one: bursts of five days beside steady campaigns."""
    import numpy

    draw = numpy.random.default_rng(1)
    n, first = messages_a_day * DAYS, date(2025, 11, 1)
    burst = draw.random(n) < 0.3
    starts = draw.integers(0, DAYS - 5, 40)
    campaign = numpy.where(burst, draw.integers(6, 40, n), draw.integers(0, 6, n))
    day = numpy.where(burst, starts[campaign] + draw.integers(0, 5, n), draw.integers(0, DAYS, n))
    mixed = draw.choice(3, n, p=[0.6, 0.3, 0.1])
    source = numpy.where(campaign % 3 == 0, mixed, campaign % 3)
    shares = [0.95, 0.015, 0.01, 0.008, 0.006, 0.005, 0.004, 0.002]
    outcome = draw.choice(len(OUTCOMES), n, p=shares)
    frame = pl.DataFrame(
        {
            "campaign": campaign,
            "source": source,
            "sender": campaign % 4,
            "operator": draw.choice(5, n, p=[0.42, 0.3, 0.2, 0.05, 0.03]),
            "day": day,
            "outcome": outcome,
            "seconds": numpy.exp(draw.normal(1.1 + 0.2 * source, 0.8, n)),
        }
    )
    names = {
        name: pl.concat_str(pl.lit(f"{name} "), name) for name in DIMENSIONS if name != "country"
    }
    local_day = pl.lit(first) + pl.duration(days=pl.col("day"))
    classes, reasons = zip(*OUTCOMES, strict=True)
    parts = (1 + pl.col("campaign") % 3).cast(pl.Int64)
    rows = frame.with_columns(
        **names,
        parts=parts,
        cost_micro=parts * (420_000 + 30_000 * pl.col("source").cast(pl.Int64)),
        country=pl.lit("UA"),
        local_day=local_day,
        hour=local_day.cast(pl.Datetime("us", "UTC")),
        status_class=pl.col("outcome").replace_strict(range(len(OUTCOMES)), classes),
        reason=pl.col("outcome").replace_strict(range(len(OUTCOMES)), reasons),
        bucket=bucket_of(pl.col("seconds")),
        receipt=pl.lit("handset"),
        currency=pl.lit("UAH"),
        origin=pl.when(pl.col("outcome") == 0).then(pl.lit("provider")).otherwise(pl.lit("none")),
    ).lazy()
    keys = [*DIMENSIONS, "local_day", "hour", "status_class"]
    one = pl.len().cast(pl.Int64)
    counts = rows.group_by(*keys, "reason", "receipt", "currency").agg(
        pl.col("parts", "cost_micro").sum(),
        messages=one,
        messages_with_parts=one,
        messages_with_cost=one,
        partly_delivered=pl.lit(0, pl.Int64),
        known_milli=one * 1000,
    )
    times = rows.group_by(*keys, "origin", "bucket").agg(messages=one)
    as_of = AsOf(datetime(2026, 11, 1, 4, tzinfo=UTC), 72)
    return twin_cube(counts, times, first, first + timedelta(days=DAYS - 1), as_of)
