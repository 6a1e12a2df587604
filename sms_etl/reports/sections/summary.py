"""The cards of the first page, and what they are compared with."""

from __future__ import annotations

from collections.abc import Callable

from sms_etl.reports import marks, verdicts
from sms_etl.reports.cards import Card
from sms_etl.reports.figures import Figures
from sms_etl.reports.language import Words
from sms_etl.reports.last_year_told import last_year_sentence
from sms_etl.reports.sections.section import Section, Values, sent

SUMMARY = "summary"


def compared(words: Words, figures: Figures) -> str:
    """What the changes are measured against."""
    if figures.previous is None or figures.previous_first_day is None:
        return words.text("There is no earlier period to compare with.")
    if figures.previous_last_day is None:
        return ""
    span = words.span(figures.previous_first_day, figures.previous_last_day)
    return words.text(
        "Changes are against %(span)s; volumes and spending are compared per day.", span=span
    )


def changes_told(words: Words, figures: Figures) -> str:
    """What changes are measured against, and whether delivery has changed."""
    told = (
        compared(words, figures),
        verdicts.change_sentence(words, figures),
        last_year_sentence(words, figures),
    )
    return " ".join(text for text in told if text)


def summary_section(
    cards_of: Callable[[Words, Figures], list[Card]],
    told: Callable[[Words, Figures], str] = changes_told,
    has_data: Callable[[Figures], bool] = sent,
) -> Section:
    """The cards of one kind of report, with their sparklines and a sentence above them."""

    def values(figures: Figures, words: Words) -> Values:
        shown = cards_of(words, figures)
        return {
            "compared": told(words, figures),
            "cards": shown,
            "sparks": [marks.sparkline(card.series) for card in shown],
        }

    return Section(SUMMARY, values, has_data)
