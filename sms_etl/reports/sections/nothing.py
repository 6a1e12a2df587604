"""What stands in the place of everything else when there are no messages."""

from __future__ import annotations

from sms_etl.reports.figures import Figures
from sms_etl.reports.language import Words
from sms_etl.reports.sections.section import Section, Values, sent


def nothing_text(words: Words, figures: Figures) -> str:
    """Why a report has no messages: nothing was sent, or data is missing."""
    absent = [s for s in figures.sources if s.days_present < s.days_expected]
    if absent:
        return words.text(
            "This does not mean that nothing was sent. The table shows which source has not "
            "brought its data, and for which days."
        )
    return words.text(
        "Every source was asked for every day and answered, and none of them knows a message."
    )


def values(figures: Figures, words: Words) -> Values:
    """Why there is nothing."""
    return {"text": nothing_text(words, figures)}


NOTHING = Section("nothing", values, lambda figures: not sent(figures))
