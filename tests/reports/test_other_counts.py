"""The one place of a report where every honest answer stands, each with its denominator."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sms_etl.config.settings import Language
from sms_etl.reports.figures import EventDay, Figures, Reach
from sms_etl.reports.language import Words
from sms_etl.reports.other_counts import other_counts
from sms_etl.reports.quality import definitions
from tests.reports import samples
from tests.reports.samples import rate

UK, EN = Words(Language.UKRAINIAN), Words(Language.ENGLISH)
NB = "\u00a0"


def worked_case(**changes) -> Figures:
    """1,015 asked, 15 skipped; 900 delivered, 50 failed, 20 rejected, 30 without an answer."""
    totals = samples.totals(1000, 0.9).model_copy(
        update={
            "delivered": 900,
            "failed": 50,
            "rejected": 20,
            "delivery": rate(900, 1000, missing=30, covered=970),
            "delivery_of_final": rate(900, 970, "final"),
        }
    )
    reach = Reach(
        campaign=None,
        silence_is_success=rate(930, 1000),
        of_asked=rate(900, 1015, "asked"),
        skipped={"opted out": 10, "bad number": 5},
        per_person=rate(880, 965, "people"),
        messages_without_person=0,
        messages_to_dead=0,
        people_dead=0,
    ).model_copy(update=changes)
    return samples.month(totals=totals, reach=reach)


def test_all_answers_of_the_worked_case() -> None:
    ((term, text),) = other_counts(EN, worked_case())
    assert term == "Other ways to count"
    assert text == (
        "Delivered: 90.0% of 1,000 sent; 92.8% of 970 with a final state; 93.0% of 1,000 sent if "
        "silence counts as delivery; 88.7% of 1,015 asked for, 15 skipped; 91.2% of 965 people. "
        "This report prints the first."
    )
    ((_, text),) = other_counts(UK, worked_case())
    assert text.replace(NB, " ") == (
        "Доставлено: 90,0 % з 1 000 надісланих; 92,8 % з 970 із відомим результатом; "
        "93,0 % з 1 000 надісланих, якщо вважати мовчання доставкою; "
        "88,7 % з 1 015 запитаних, 15 пропущених; 91,2 % з 965 людей. У цьому звіті — перше."
    )


def test_an_answer_that_nobody_knows_is_left_out() -> None:
    ((_, text),) = other_counts(EN, worked_case(of_asked=None, per_person=None, skipped={}))
    assert "asked" not in text
    assert "people" not in text
    assert other_counts(EN, samples.month()) == [], "editions frozen before have none of them"


def test_dead_numbers_count_by_message_and_by_person() -> None:
    ((_, text),) = other_counts(EN, worked_case(messages_to_dead=1200, people_dead=345))
    assert text.endswith("already known to be dead: 1,200 messages, 345 people.")


@pytest.mark.parametrize(("more", "told"), [(0, False), (1, True)])
def test_the_day_of_the_receipt_is_told_where_it_makes_a_difference(more, told) -> None:
    figures = samples.month()
    totals = figures.totals
    days = (
        EventDay(day=figures.first_day, delivered=totals.delivered, failed=0, rejected=0),
        EventDay(
            day=figures.first_day + timedelta(days=1),
            delivered=more,
            failed=totals.failed,
            rejected=totals.rejected,
        ),
    )
    entries = dict(definitions(EN, figures.model_copy(update={"event_days": days})))
    assert ("By the day of the receipt" in entries) is told
    if told:
        text = entries["By the day of the receipt"]
        assert f"delivered {EN.count(totals.delivered + 1)}, failed" in text
