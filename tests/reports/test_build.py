from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sms_etl.config.settings import Language, Period, ReportKind
from sms_etl.cube import build_cube
from sms_etl.errors import ConfigError, ConservationError
from sms_etl.metrics.double_entry import cross_check
from sms_etl.model.schemas import MESSAGES
from sms_etl.reports.build import ReportInputs, ReportRequest, build_figures
from sms_etl.reports.figures import Figures, Totals
from sms_etl.reports.periods import days_to_load, period_days, previous_days
from sms_etl.reports.source_states import ConfiguredSource
from tests.cubes import conservation, unmapped

ZONE = "Europe/Kyiv"
MONDAY, SUNDAY = date(2026, 10, 19), date(2026, 10, 25)
AS_OF = datetime(2026, 10, 26, 4, 40, tzinfo=UTC)
SOURCES = (
    ConfiguredSource("turbosms", "turbosms", [MONDAY + timedelta(days=n) for n in range(7)], AS_OF),
    ConfiguredSource("twilio", "twilio", [MONDAY, SUNDAY]),
)
REQUEST = ReportRequest(
    kind=ReportKind.PERIOD,
    period=Period.WEEK,
    first_day=MONDAY,
    last_day=SUNDAY,
    zone=ZONE,
    language=Language.UKRAINIAN,
    project="Shop",
    data_as_of=AS_OF,
    silence_hours=72,
)
OUTCOMES = (
    ("delivered", None, None),
    ("failed", "absent_subscriber", "temporary"),
    ("rejected", "spam_filtered_content", "temporary"),
    ("unknown", "no_receipt", "unknown"),
    ("pending", None, None),
)
START = datetime(2026, 10, 11, 18, tzinfo=UTC)
"""Some hours before the Monday of the previous week in Kyiv."""


def message(n: int, hours: float, **changes) -> dict:
    """A delivered message, `hours` after START."""
    submitted = START + timedelta(hours=hours)
    row = {
        "day": submitted.date(),
        "source": "turbosms",
        "provider": "turbosms",
        "message_id": str(n),
        "campaign": "sale",
        "campaign_origin": "outbox",
        "country": "UA",
        "operator": "Kyivstar",
        "operator_origin": "prefix",
        "number_type": "mobile",
        "sender": "SHOP",
        "channel": "sms",
        "status_class": "delivered",
        "final": True,
        "receipt": "handset",
        "submitted_at": submitted,
        "submitted_at_origin": "provider",
        "done_at_origin": "provider",
        "parts": 2,
        "parts_origin": "billed",
        "cost_micro": 420_001,
        "currency": "UAH",
        "cost_origin": "billed",
        "observed_at": AS_OF,
        "observations": 1,
        **changes,
    }
    if row["status_class"] == "delivered":
        row.setdefault("seconds_to_deliver", 4.0)
    return row


def table(rows: list[dict]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=MESSAGES.schema)


def inputs(messages: pl.DataFrame, **changes) -> ReportInputs:
    built = build_cube(messages.lazy())
    given = ReportInputs(
        cube=built.counts.lazy(),
        latency=built.latency.lazy(),
        conservation=conservation(),
        unmapped=unmapped(),
        sources=SOURCES,
        labels={"sale": {"uk": "Розпродаж", "en": "Sale"}},
    )
    return replace(given, **changes)


def some(random_: random.Random, count: int) -> list[dict]:
    rows = []
    for n in range(count):
        name, reason, permanence = random_.choices(OUTCOMES, (80, 8, 4, 4, 4))[0]
        priced = random_.random() < 0.9
        rows.append(
            message(
                n,
                random_.uniform(0, 15 * 24),
                status_class=name,
                reason=reason,
                permanence=permanence,
                campaign=random_.choice(["sale", "otp", "unknown"]),
                source=random_.choice(["turbosms", "twilio"]),
                operator=random_.choice(["Kyivstar", "lifecell", "unknown"]),
                cost_micro=random_.randrange(900_000) if priced else None,
                currency=random_.choice(["UAH", "USD"]) if priced else None,
                parts=random_.choice([1, 2, None]),
            )
        )
    return rows


def added_up(parts: list[Totals], word: str) -> int:
    return sum(getattr(part, word) for part in parts)


@settings(deadline=None, max_examples=8)
@given(st.randoms(use_true_random=False), st.integers(0, 150))
def test_every_way_of_adding_up_gives_the_same_totals(random_, count: int) -> None:
    rows = some(random_, count)
    messages = table(rows)
    figures = build_figures(inputs(messages), REQUEST)
    cross_check(figures, messages.lazy(), ZONE)
    groups = (
        figures.days,
        figures.hours,
        figures.by_campaign,
        figures.by_source,
        figures.by_sender,
        figures.by_country,
        figures.by_operator,
    )
    for word in ("submitted", "delivered", "failed", "rejected", "unknown", "pending", "parts"):
        for group in groups:
            totals = [row.totals for row in group]
            assert added_up(totals, word) == getattr(figures.totals, word)
        if figures.previous is not None:
            before = [day.totals for day in figures.previous_days]
            assert added_up(before, word) == getattr(figures.previous, word)
    told = figures.totals
    undelivered = told.failed + told.rejected + told.unknown
    assert sum(row.share.numerator for row in figures.reasons) == undelivered
    random_.shuffle(rows)
    assert build_figures(inputs(table(rows)), REQUEST) == figures


def test_a_week_beside_the_week_before() -> None:
    rows = [
        *[message(n, 30) for n in range(10)],
        *[message(100 + n, 30 + 7 * 24) for n in range(8)],
        message(200, 31 + 7 * 24, status_class="failed", reason="absent_subscriber",
                permanence="temporary", campaign="otp"),
    ]  # fmt: skip
    figures = build_figures(inputs(table(rows)), REQUEST)
    assert (figures.previous_first_day, figures.previous_last_day) == (
        date(2026, 10, 12),
        date(2026, 10, 18),
    )
    assert figures.previous is not None
    assert (figures.totals.submitted, figures.previous.submitted) == (9, 10)
    assert [row.label for row in figures.by_campaign] == ["Розпродаж", "otp"]
    assert [row.previous is None for row in figures.by_campaign] == [False, True]
    assert [day.totals.submitted for day in figures.days] == [0, 9, 0, 0, 0, 0, 0]
    (reason,) = figures.reasons
    assert (reason.reason, reason.mender, reason.share.denominator) == (
        "absent_subscriber",
        "nobody",
        1,
    )
    assert reason.previous_messages == 0


def test_no_data_before_means_no_previous_period() -> None:
    figures = build_figures(inputs(table([message(1, 8 * 24)])), REQUEST)
    assert figures.previous is figures.previous_first_day is None
    assert figures.previous_days == ()
    assert figures.by_source[0].previous is None


def test_an_empty_week_has_all_its_days() -> None:
    figures = build_figures(inputs(table([])), REQUEST)
    assert figures.totals.submitted == 0
    assert len(figures.days) == 7
    assert figures.findings == figures.reasons == figures.by_campaign == ()


def test_the_evening_of_the_local_day_belongs_to_it() -> None:
    late = message(1, 0, submitted_at=datetime(2026, 10, 25, 21, 30, tzinfo=UTC))
    next_day = message(2, 0, submitted_at=datetime(2026, 10, 25, 22, 0, tzinfo=UTC))
    figures = build_figures(inputs(table([late, next_day])), REQUEST)
    assert figures.days[-1].totals.submitted == figures.totals.submitted == 1
    assert [(cell.weekday, cell.hour) for cell in figures.hours] == [(7, 23)]


def test_a_campaign_stands_beside_the_others_of_its_days() -> None:
    rows = [
        *[message(n, 8 * 24 + 12 + n, campaign="sale", source="twilio") for n in range(30)],
        *[message(100 + n, 8 * 24 + 12, campaign="otp") for n in range(5)],
        message(200, 3 * 24, campaign="otp"),
    ]
    request = replace(
        REQUEST,
        kind=ReportKind.CAMPAIGN,
        period=None,
        campaign="sale",
        language=Language.ENGLISH,
        first_day=date(2026, 10, 1),
    )
    messages = table(rows)
    figures = build_figures(inputs(messages), request)
    assert (figures.first_day, figures.last_day) == (date(2026, 10, 20), date(2026, 10, 21))
    assert (figures.campaign, figures.campaign_label) == ("sale", "Sale")
    assert figures.totals.submitted == 30
    assert figures.previous is None
    assert [(row.key, row.totals.submitted) for row in figures.by_campaign] == [
        ("sale", 30),
        ("otp", 5),
    ]
    assert [row.key for row in figures.by_source] == ["twilio"]
    assert [state.source for state in figures.sources] == ["twilio"]
    cross_check(figures, messages.lazy(), ZONE)


def test_an_unknown_campaign_is_refused() -> None:
    request = replace(REQUEST, kind=ReportKind.CAMPAIGN, period=None, campaign="no_such")
    with pytest.raises(ConfigError, match="no_such"):
        build_figures(inputs(table([message(1, 200)])), request)


def test_what_sources_brought() -> None:
    told = inputs(
        table([message(n, 8 * 24) for n in range(50)]),
        conservation=conservation(
            [
                (MONDAY, "turbosms", "message", None, 50),
                (MONDAY, "turbosms", "folded", "repeated_observation", 7),
                (SUNDAY, "turbosms", "quarantined", "unreadable_price", 2),
                (date(2026, 10, 1), "turbosms", "message", None, 999),
            ]
        ),
        unmapped=unmapped([(MONDAY, "turbosms", "status", "BLOCKED_BY_SHAPER", 3)]),
    )
    figures = build_figures(told, REQUEST)
    brought, absent = figures.sources
    assert (brought.source, absent.source) == ("turbosms", "twilio")
    assert (brought.records, brought.messages) == (59, 50)
    assert brought.folded == {"repeated_observation": 7}
    assert brought.quarantined == {"unreadable_price": 2}
    assert brought.unmapped == {"BLOCKED_BY_SHAPER": 3}
    assert (absent.days_expected, absent.days_present, len(absent.missing_days)) == (7, 2, 5)
    kinds = {finding.kind.value: finding for finding in figures.findings}
    assert kinds.keys() == {"unmapped_words", "quarantined_records"}
    assert kinds["quarantined_records"].rate.denominator == 59
    assert kinds["unmapped_words"].scope == {"source": "turbosms"}


def test_a_false_figure_is_named() -> None:
    messages = table([message(n, 8 * 24 + n) for n in range(20)])
    figures = build_figures(inputs(messages), REQUEST)
    cross_check(figures, messages.lazy(), ZONE)
    with pytest.raises(ConservationError, match=r"totals\.submitted: report 20, messages 19"):
        cross_check(figures, messages.head(19).lazy(), ZONE)
    elsewhere = messages.with_columns(source=pl.lit("twilio"))
    with pytest.raises(ConservationError, match=r"by_source\[turbosms\]\.submitted"):
        cross_check(figures, elsewhere.lazy(), ZONE)
    dearer = messages.with_columns(pl.col("cost_micro") + 1)
    with pytest.raises(ConservationError, match=r"totals\.spent\[UAH\]"):
        cross_check(figures, dearer.lazy(), ZONE)


def test_figures_survive_json() -> None:
    figures = build_figures(inputs(table(some(random.Random(3), 200))), REQUEST)
    assert Figures.model_validate_json(figures.model_dump_json()) == figures


@pytest.mark.parametrize(
    ("period", "reference", "first", "last"),
    [
        (Period.DAY, "2026-10-25", "2026-10-25", "2026-10-25"),
        (Period.WEEK, "2026-10-25", "2026-10-19", "2026-10-25"),
        (Period.WEEK, "2026-10-24", "2026-10-12", "2026-10-18"),
        (Period.WEEK, "2026-10-26", "2026-10-19", "2026-10-25"),
        (Period.MONTH, "2026-10-31", "2026-10-01", "2026-10-31"),
        (Period.MONTH, "2026-10-30", "2026-09-01", "2026-09-30"),
        (Period.MONTH, "2026-03-01", "2026-02-01", "2026-02-28"),
    ],
)
def test_last_complete_period(period: Period, reference: str, first: str, last: str) -> None:
    days = period_days(period, date.fromisoformat(reference))
    assert days == (date.fromisoformat(first), date.fromisoformat(last))


def test_the_period_before() -> None:
    march = (date(2026, 3, 1), date(2026, 3, 31))
    assert previous_days(Period.MONTH, *march) == (date(2026, 2, 1), date(2026, 2, 28))
    assert previous_days(None, *march) == (date(2026, 1, 29), date(2026, 2, 28))
    assert days_to_load(Period.DAY, SUNDAY, SUNDAY) == (
        SUNDAY - timedelta(days=29),
        SUNDAY + timedelta(days=1),
    )
