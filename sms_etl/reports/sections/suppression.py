"""The suppression list and the proof of what it spared."""

from __future__ import annotations

from sms_etl.reports.clean_told import list_lines, list_title, proof
from sms_etl.reports.figures import Figures
from sms_etl.reports.language import Words
from sms_etl.reports.sections.section import Section, Values


def values(figures: Figures, words: Words) -> Values:
    """The proof and the list by rule."""
    base = figures.clean_base
    if base is None:
        return {"title": "", "proof": [], "lines": []}
    return {
        "title": list_title(words, base),
        "proof": proof(words, base, figures.totals.submitted),
        "lines": list_lines(words, base),
    }


SUPPRESSION = Section("suppression", values, lambda figures: figures.clean_base is not None)
