"""Senders and countries side by side; a dimension with one value is said in a sentence."""

from __future__ import annotations

from sms_etl.reports.figures import Figures
from sms_etl.reports.group_tables import table
from sms_etl.reports.language import Words
from sms_etl.reports.sections.section import Section, Values


def values(figures: Figures, words: Words) -> Values:
    """Tables with their heads; names of what all messages have in common."""
    asked = (
        (words.text("Sender"), "sender", figures.by_sender),
        (words.text("Country"), "country", figures.by_country),
        (words.text("Source"), "source", figures.by_source),
    )
    tables = [(head, name, table(words, figures, rows, name)) for head, name, rows in asked]
    return {
        "pair": [(head, t) for head, name, t in tables if t and t.several and name != "source"],
        "single": [(head, t.lines[0].name) for head, _, t in tables if t and not t.several],
    }


PLACES = Section("places", values)
