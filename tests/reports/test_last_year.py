"""The same period last year, and the goal: which days, what is counted, what is said."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from sms_etl.config.settings import Language, Period
from sms_etl.cube import build_cube
from sms_etl.errors import ConservationError
from sms_etl.metrics.double_entry import check_last_year, cross_check
from sms_etl.metrics.rate import Interval
from sms_etl.reports.build import build_figures
from sms_etl.reports.cards import delivered, median_time, submitted
from sms_etl.reports.figures import Verdict
from sms_etl.reports.flat import flat_figures
from sms_etl.reports.language import Words
from sms_etl.reports.last_year import LastYear
from sms_etl.reports.last_year_told import goal_note, last_year_sentence
from sms_etl.reports.periods import last_year_days
from tests.reports.samples import last_year_month, month, totals
from tests.reports.test_build import REQUEST, ZONE, inputs, message, table

NOON = datetime(2026, 10, 21, 9, tzinfo=UTC)
YEAR = timedelta(weeks=52)
WORDS = Words(Language.ENGLISH)


@pytest.mark.parametrize(
    ("period", "first", "last", "expected"),
    [
        (Period.WEEK, "2026-10-19", "2026-10-25", ("2025-10-20", "2025-10-26")),
        (Period.DAY, "2026-10-19", "2026-10-19", ("2025-10-20", "2025-10-20")),
        (Period.MONTH, "2027-02-01", "2027-02-28", ("2026-02-01", "2026-02-28")),
        (Period.MONTH, "2028-02-01", "2028-02-29", ("2027-02-01", "2027-02-28")),
        (Period.MONTH, "2029-02-01", "2029-02-28", ("2028-02-01", "2028-02-29")),
        (Period.QUARTER, "2026-07-01", "2026-09-30", ("2025-07-01", "2025-09-30")),
        (None, "2026-01-01", "2026-12-31", ("2025-01-01", "2025-12-31")),
        (None, "2028-02-29", "2028-02-29", None),
        (None, "2025-01-01", "2026-03-31", None),
    ],
)
def test_which_days_a_year_earlier(period, first, last, expected) -> None:
    found = last_year_days(period, date.fromisoformat(first), date.fromisoformat(last))
    assert found == (expected and tuple(date.fromisoformat(day) for day in expected))


def sent(count: int, failed: int, moment: datetime) -> pl.DataFrame:
    """Messages of one hour, the first of them failed."""
    lost = {"status_class": "failed", "reason": "absent_subscriber", "permanence": "temporary"}
    return table(
        [
            message(n, 0, submitted_at=moment, day=moment.date(), **(lost if n < failed else {}))
            for n in range(count)
        ]
    )


def built(now: pl.DataFrame, then: pl.DataFrame):
    cube = build_cube(then.lazy())
    given = inputs(now)
    found = LastYear(cube.counts.lazy(), cube.latency.lazy())
    return build_figures(given, REQUEST), build_figures(replace(given, last_year=found), REQUEST)


def test_last_year_is_a_second_cohort_and_moves_nothing_else() -> None:
    """Messages of the neighbouring days are loaded for the zone's sake and are in no sum."""
    now = sent(400, 8, NOON)
    outside = sent(50, 50, NOON - YEAR - timedelta(days=3))
    then = pl.concat([sent(400, 80, NOON - YEAR), outside])
    plain, figures = built(now, then)
    assert (figures.last_year_first_day, figures.last_year_last_day) == (
        date(2025, 10, 20),
        date(2025, 10, 26),
    )
    assert figures.last_year is not None
    assert (figures.last_year.submitted, figures.last_year.delivered) == (400, 320)
    assert figures.last_year_change is not None
    assert figures.last_year_change.verdict is Verdict.BETTER
    empty = dict.fromkeys(
        ("last_year", "last_year_change", "last_year_first_day", "last_year_last_day")
    )
    assert figures.model_copy(update=empty) == plain
    cross_check(figures, now.lazy(), ZONE)
    check_last_year(figures, then.lazy(), ZONE)
    flat = {row["figure"]: row["value"] for row in flat_figures(figures) if not row["dimension"]}
    assert (flat["last_year_delivered"], flat["last_year_delivery_rate"]) == (320, 0.8)


def test_a_sum_of_last_year_that_the_rows_do_not_say_is_refused() -> None:
    now, then = sent(40, 8, NOON), sent(40, 4, NOON - YEAR)
    _, figures = built(now, then)
    with pytest.raises(ConservationError, match=r"last_year\.submitted: report 40, messages 39"):
        check_last_year(figures, then.head(39).lazy(), ZONE)


def test_nothing_sent_last_year_is_nothing_said() -> None:
    plain, figures = built(sent(40, 8, NOON), table([]))
    assert figures == plain
    assert last_year_sentence(WORDS, figures) == ""


def test_few_messages_of_last_year_are_told_as_counts() -> None:
    _, figures = built(sent(400, 8, NOON), sent(12, 5, NOON - YEAR))
    assert last_year_sentence(WORDS, figures) == (
        "A year ago (20–26 October 2025): delivered 7 of 12 sent; too few messages to compare."
    )
    assert "a year ago: 7 of 12 sent" in delivered(WORDS, figures).notes


def test_cards_and_sentence_of_a_better_year() -> None:
    figures = last_year_month()
    assert last_year_sentence(WORDS, figures) == (
        "Operators being equal, delivery is better than a year ago (1–31 October 2025): "
        "+1.4 pp, from +1.2 to +1.6."
    )
    assert any(note.endswith(", now better") for note in delivered(WORDS, figures).notes)
    for card in (submitted(WORDS, figures), median_time(WORDS, figures)):
        assert any(note.startswith("a year ago: ") for note in card.notes)


@pytest.mark.parametrize(
    ("half_width", "said"),
    [(0.004, "Delivery is about the same as a year ago"), (0.03, "No difference from a year ago")],
)
def test_only_a_narrow_interval_about_nothing_is_the_same(half_width: float, said: str) -> None:
    figures = last_year_month()
    assert figures.last_year_change is not None
    interval = Interval(low=-half_width, high=half_width)
    change = figures.last_year_change.model_copy(
        update={"standardised": 0.0, "interval": interval, "verdict": Verdict.NOT_SHOWN}
    )
    figures = figures.model_copy(update={"last_year_change": change})
    assert last_year_sentence(WORDS, figures).startswith(said)
    same = any(note.endswith("about the same") for note in delivered(WORDS, figures).notes)
    assert same is said.endswith("same as a year ago")


@pytest.mark.parametrize("verdict", list(Verdict))
@pytest.mark.parametrize("language", list(Language))
def test_every_verdict_on_last_year_has_a_sentence(verdict, language) -> None:
    figures = last_year_month()
    assert figures.last_year_change is not None
    change = figures.last_year_change.model_copy(update={"verdict": verdict})
    told = last_year_sentence(
        Words(language), figures.model_copy(update={"last_year_change": change})
    )
    assert "2025" in told
    assert told.endswith(".")


@pytest.mark.parametrize(
    ("submitted_", "share", "goal", "said"),
    [
        (1000, 0.962, 0.95, "goal 95%: reached, 1.2 pp above"),
        (1000, 0.95, 0.95, "goal 95%: reached"),
        (1000, 0.93, 0.97, "goal 97%: missed by 4.0 pp"),
        (100_000, 0.94997, 0.95, "goal 95%: missed by less than 0.1 pp"),
        (12, 0.5, 0.95, None),
        (1000, 0.93, None, None),
    ],
)
def test_the_goal_in_words(submitted_, share, goal, said) -> None:
    whole = totals(submitted_, share, unknown_share=0)
    assert goal_note(WORDS, month(totals=whole, goal=goal)) == said


def test_a_goal_that_missing_receipts_may_reach_is_open() -> None:
    whole = totals(1000, 0.94, pending_share=0.04)
    said = goal_note(WORDS, month(totals=whole, goal=0.95))
    assert said == "goal 95%: still open"
