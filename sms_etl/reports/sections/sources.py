"""Sources beside each other."""

from __future__ import annotations

from sms_etl.reports.figures import Figures
from sms_etl.reports.group_tables import message, table
from sms_etl.reports.language import Words
from sms_etl.reports.sections.section import Section, Values


def values(figures: Figures, words: Words) -> Values:
    """The table."""
    shown = table(words, figures, figures.by_source, "source")
    return {"title": message(words, words.text("Sources"), shown), "sources": shown}


SOURCES = Section("sources", values, lambda figures: len(figures.by_source) > 1)
