"""Which days of which source are there."""

from __future__ import annotations

from sms_etl.days import days_between
from sms_etl.reports.charts import Chart
from sms_etl.reports.coverage_map import PAGE_STRIP, PHONE_STRIP, Strip, coverage_map, legend
from sms_etl.reports.figures import Figures
from sms_etl.reports.language import Words
from sms_etl.reports.operations_told import days_sentence
from sms_etl.reports.quality import spans
from sms_etl.reports.sections.section import Caption, Section, Values


def _alt(figures: Figures, words: Words) -> str:
    """Missing days of every source, for those who do not see the map."""
    told = []
    for state in figures.sources:
        days = ", ".join(words.span_short(*run) for run in spans(state.missing_days))
        name = words.label(state.source)
        if days:
            told.append(words.text("%(name)s lacks %(days)s", name=name, days=days))
        else:
            told.append(words.text("%(name)s has every day", name=name))
    return "; ".join(told)


def values(figures: Figures, words: Words) -> Values:
    """The map in both sizes."""
    operations = figures.operations
    sources = operations.days if operations else ()
    expected = frozenset(days_between(figures.first_day, figures.last_day))

    def draw(strip: Strip) -> str:
        return coverage_map(sources, expected, words, strip)

    return {
        "title": days_sentence(words, figures),
        "chart": Chart(draw(PAGE_STRIP), draw(PHONE_STRIP), _alt(figures, words)),
        "legend": legend(words),
    }


def caption(words: Words, figures: Figures) -> Caption:
    """What the map shows."""
    return days_sentence(words, figures), _alt(figures, words)


COVERAGE = Section(
    "coverage",
    values,
    lambda figures: bool(figures.operations and figures.operations.days),
    caption,
)
