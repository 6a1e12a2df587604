"""Countries beside each other, in full."""

from __future__ import annotations

from sms_etl.reports.figures import Figures
from sms_etl.reports.group_tables import table
from sms_etl.reports.language import Words
from sms_etl.reports.sections.section import Section, Values


def values(figures: Figures, words: Words) -> Values:
    """The table."""
    return {"countries": table(words, figures, figures.by_country, "country", total=True)}


COUNTRIES = Section("countries", values, lambda figures: bool(figures.by_country))
