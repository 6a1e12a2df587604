"""Countries beside each other, in full."""

from __future__ import annotations

from sms_etl.reports.figures import Figures
from sms_etl.reports.group_tables import message, table
from sms_etl.reports.language import Words
from sms_etl.reports.sections.section import Section, Values


def values(figures: Figures, words: Words) -> Values:
    """The table."""
    shown = table(words, figures, figures.by_country, "country", total=True)
    return {"title": message(words, words.text("Countries"), shown), "countries": shown}


COUNTRIES = Section("countries", values, lambda figures: bool(figures.by_country))
