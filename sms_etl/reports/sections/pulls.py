"""What pulling the data took: time, pages, repeated requests."""

from __future__ import annotations

from sms_etl.reports.figures import Figures
from sms_etl.reports.language import Words
from sms_etl.reports.sections.section import Section, Values


def _title(words: Words, figures: Figures) -> str:
    pulls = figures.operations.pulls if figures.operations else ()
    slowest = max(pulls, key=lambda one: (one.slowest_seconds, one.source))
    return words.text(
        "Pulls: the slowest took %(time)s (%(name)s)",
        time=words.duration(slowest.slowest_seconds),
        name=words.label(slowest.source),
    )


def values(figures: Figures, words: Words) -> Values:
    """The table, a row per source."""
    return {
        "title": _title(words, figures),
        "pulls": figures.operations.pulls if figures.operations else (),
    }


PULLS = Section(
    "pulls", values, lambda figures: bool(figures.operations and figures.operations.pulls)
)
