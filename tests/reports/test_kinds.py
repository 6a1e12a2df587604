"""Kinds of reports as lists of sections, and the days that periods are."""

import html
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_etl.config.settings import Language, Period, ReportKind
from sms_etl.mail.summary import summary
from sms_etl.reports.charts import Chart
from sms_etl.reports.kinds import KINDS, kind_of
from sms_etl.reports.language import TEMPLATES, Words
from sms_etl.reports.periods import period_days, previous_days
from sms_etl.reports.render import render_html
from sms_etl.reports.sections import daily
from tests.reports import samples


@pytest.mark.parametrize("kind", list(ReportKind))
def test_every_kind_is_a_list_of_sections_with_templates(kind):
    sections = KINDS[kind].sections
    keys = [section.key for section in sections]
    assert len(keys) == len(set(keys))
    assert [s.template for s in sections if not (TEMPLATES / s.template).is_file()] == []


def test_every_template_of_a_section_is_in_some_report():
    used = {section.template for kind in KINDS.values() for section in kind.sections}
    files = {f"sections/{path.name}" for path in (TEMPLATES / "sections").iterdir()}
    assert files == used


@pytest.mark.parametrize("kind", list(ReportKind))
def test_the_mail_tells_of_the_chart_that_it_shows(kind):
    words = Words(Language.UKRAINIAN)
    name = "month" if kind is ReportKind.PERIOD else kind.value
    figures = getattr(samples, name)()
    printed = [one.values(figures, words) for one in kind_of(figures).printed(figures)]
    charts = [(v["title"], c.alt) for v in printed for c in v.values() if isinstance(c, Chart)]
    told = summary(figures, words)
    first = charts[0] if charts else daily.caption(words, figures)
    assert (told.chart_title, told.chart_text) == first


def test_sections_without_data_are_left_out():
    figures = samples.nothing(missing=True)
    assert [s.key for s in kind_of(figures).printed(figures)] == ["steps", "nothing", "quality"]


def test_chosen_sections_are_printed_in_the_kinds_order_with_those_that_nothing_leaves_out():
    figures = samples.month().model_copy(update={"sections": ("operators", "daily")})
    keys = [section.key for section in kind_of(figures).printed(figures)]
    assert keys == ["summary", "daily", "operators", "quality", "definitions"]


def test_no_choice_leaves_out_that_nothing_was_sent_or_that_days_are_missing():
    figures = samples.nothing(missing=True).model_copy(update={"sections": ("daily",)})
    assert [s.key for s in kind_of(figures).printed(figures)] == ["nothing", "quality"]


def test_the_page_of_a_choice_has_these_headings_only():
    figures = samples.month().model_copy(update={"sections": ("hours",)})
    page = render_html(figures, Language.ENGLISH).decode()
    assert "The busiest hour" in page
    assert "What the figures mean" in page
    assert "What to do" not in page
    assert "The slowest operator" not in page


@pytest.mark.parametrize(
    ("figures", "on_top"),
    [(samples.month(), True), (samples.campaign(), False), (samples.providers(), False)],
    ids=["findings stand between", "steps begin on the first page", "steps follow the cards"],
)
def test_the_first_step_stands_under_the_headline_where_the_list_is_further_down(figures, on_top):
    step = kind_of(figures).steps(Words(Language.ENGLISH), figures)[0]
    page = render_html(figures, Language.ENGLISH).decode()
    before_cards = page.partition("<main>")[2].partition("<section")[0]
    assert ("First of all:" in before_cards) is on_top
    assert (step.what in html.unescape(before_cards)) is on_top


@pytest.mark.parametrize("kind", list(ReportKind))
@pytest.mark.parametrize("language", list(Language))
def test_every_section_says_nothing_of_what_there_is_not(kind, language):
    """No section fails on a report of a kind without a single message."""
    figures = samples.nothing().model_copy(update={"kind": kind, "campaign": "none"})
    for section in KINDS[kind].printed(figures):
        assert section.values(figures, Words(language)) is not None


@pytest.mark.parametrize(
    ("period", "reference", "first", "last"),
    [
        (Period.DAY, date(2026, 11, 15), date(2026, 11, 15), date(2026, 11, 15)),
        (Period.WEEK, date(2026, 11, 15), date(2026, 11, 9), date(2026, 11, 15)),
        (Period.MONTH, date(2026, 11, 15), date(2026, 10, 1), date(2026, 10, 31)),
        (Period.QUARTER, date(2026, 11, 15), date(2026, 7, 1), date(2026, 9, 30)),
        (Period.QUARTER, date(2026, 12, 31), date(2026, 10, 1), date(2026, 12, 31)),
        (Period.QUARTER, date(2026, 12, 30), date(2026, 7, 1), date(2026, 9, 30)),
        (Period.QUARTER, date(2026, 1, 1), date(2025, 10, 1), date(2025, 12, 31)),
    ],
)
def test_a_period_is_the_last_one_that_is_over(period, reference, first, last):
    assert period_days(period, reference) == (first, last)


@given(st.sampled_from(list(Period)), st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_periods_follow_each_other_without_gap_or_overlap(period, reference):
    first, last = period_days(period, reference)
    assert first <= last <= reference
    before = previous_days(period, first, last)
    assert before == period_days(period, first - timedelta(days=1))
    assert before[1] == first - timedelta(days=1)


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("kind", [kind.value for kind in ReportKind])
def test_every_kind_is_drawn_in_every_language(kind, language):
    """With data in every section; the page holds no English where it is Ukrainian."""
    figures = samples.month() if kind == "period" else getattr(samples, kind)()
    page = render_html(figures, language).decode()
    assert figures.kind == kind
    for section in kind_of(figures).printed(figures):
        assert section.values(figures, Words(language))
    assert page.count("<h2>") == page.count("</h2>") >= 4
    assert "<h2></h2>" not in page
