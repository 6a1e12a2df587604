"""Corrections of mailed reports, restated boxes, drafts, and two editions compared in words."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from sms_etl.config.settings import Language
from sms_etl.reports.correction import correction
from sms_etl.reports.difference import differences
from sms_etl.reports.figures import Converted, RestatedFigure, fingerprint
from sms_etl.reports.language import Words
from sms_etl.reports.render import render_html
from sms_etl.restatement import Cause, Restatement
from tests.reports import samples
from tests.reports.test_render import text_of

EN, UK = Words(Language.ENGLISH), Words(Language.UKRAINIAN)
MADE = datetime(2026, 11, 2, 6, tzinfo=UTC)
STEP = 0.005
THEN = samples.totals(10_000, 0.95, unknown_share=0.0, pending_share=0.02)


def later(receipts: int):
    """The same messages after some more receipts came."""
    moved = {"delivered": THEN.delivered + receipts, "pending": THEN.pending - receipts}
    return THEN.model_copy(update=moved)


@pytest.mark.parametrize(("receipts", "corrected"), [(0, False), (50, False), (51, True)])
def test_a_mailed_report_is_corrected_from_the_step_on(receipts, corrected):
    assert (correction(THEN, later(receipts), STEP, MADE) is not None) == corrected


def test_money_is_measured_by_all_money_of_its_currency():
    [cost] = THEN.costs
    dearer = cost.model_copy(update={"spent_micro": cost.spent_micro + cost.spent_micro // 100})
    assert correction(THEN, THEN.model_copy(update={"costs": (dearer,)}), STEP, MADE)
    other = cost.model_copy(update={"currency": "USD", "spent_micro": 1})
    assert correction(THEN, THEN.model_copy(update={"costs": (cost, other)}), STEP, MADE)


def test_another_currency_to_convert_to_corrects_nothing():
    """What was paid is the same; the next period is told in the new one."""
    [cost] = THEN.costs
    dollars = Converted(
        currency="USD",
        spent_micro=cost.spent_micro // 41,
        spent_on_undelivered_micro=0,
        per_delivered_micro=None,
        messages_with_cost=cost.messages_with_cost,
        first_rate_day=None,
        last_rate_day=None,
        missing=(),
    )
    assert correction(THEN, THEN.model_copy(update={"converted": dollars}), 0.0, MADE) is None


def test_a_correction_says_then_now_and_why():
    late = Restatement(
        MADE, date(2026, 10, 31), "turbosms", "delivered", "", 100, 200, (Cause.RECEIPTS,)
    )
    told = correction(THEN, later(100), STEP, MADE, [late])
    assert told is not None
    assert [(one.figure, one.then, one.now, one.causes) for one in told.figures] == [
        ("delivered", 9_500, 9_600, ("receipts",)),
        ("pending", 200, 100, ()),
    ]
    figures = samples.month(correction=told)
    text = text_of(render_html(figures, Language.ENGLISH))
    assert "This is a correction" in text
    assert "The report made on 2 November 2026, 08:00 said otherwise." in text
    assert "Delivered 9,500 9,600 late receipts" in text
    assert fingerprint(figures) == fingerprint(samples.month())


def test_smaller_moves_stand_in_a_box_of_the_next_report():
    moved = RestatedFigure(
        figure="delivered", currency="", then=5_120, now=5_133, causes=("receipts",)
    )
    text = text_of(render_html(samples.month(restated=(moved,)), Language.UKRAINIAN))
    assert "Після останнього звіту попередній період уточнено" in text
    assert "Доставлено 5 120 5 133 пізні звіти про доставку" in text
    assert "уточнено" not in text_of(render_html(samples.month(), Language.UKRAINIAN))


@pytest.mark.parametrize(("language", "word"), [(Language.ENGLISH, "Draft"), ("uk", "Чернетка")])
def test_a_draft_says_that_it_is_one(language, word):
    language = Language(language)
    assert word in text_of(render_html(samples.month(), language, draft=True))
    assert word not in text_of(render_html(samples.month(), language))


def test_the_same_edition_differs_in_nothing():
    assert differences(EN, samples.month(), samples.month()) == ["The two editions say the same."]
    assert differences(UK, samples.month(), samples.month()) == ["Обидва випуски кажуть те саме."]


def test_two_editions_are_compared_in_words():
    then = samples.month()
    whole = samples.totals(then.totals.submitted + 12, 0.97)
    sources = tuple(s.model_copy(update={"missing_days": ()}) for s in then.sources)
    now = samples.month(
        totals=whole,
        findings=then.findings[1:],
        sources=sources,
        by_source=(
            samples.group("turbosms", "TurboSMS", 2_976_176, 0.971, 0.972),
            *then.by_source[1:3],
        ),
    )
    said = " ".join(differences(EN, then, now))
    assert "Sent: 4,800,284 → 4,800,296." in said
    assert "The delivery rate: 96.5% → 97.0% (+0.5 pp, better)." in said
    assert "Gone: source Twilio." in said
    assert "Delivered, by source: TurboSMS: 96.1% → 97.1%." in said
    assert "No more findings: Delivery dropped: operator lifecell, source TurboSMS" in said
    assert "twilio now has 12 October." in said
    back = " ".join(differences(UK, now, then)).replace("\u00a0", " ")
    assert "Частка доставлених: 97,0 % → 96,5 % (−0,5 в. п., гірше)." in back
    assert "З’явилося: джерело Twilio." in back
    assert "twilio: тепер бракує 12 жовтня." in back


def test_editions_of_different_days_say_so_first():
    other = samples.month(first_day=date(2026, 10, 2))
    assert differences(EN, samples.month(), other)[0] == (
        "Two reports are compared: SMS delivery, 1–31 October 2026; "
        "SMS delivery, 2–31 October 2026."
    )
