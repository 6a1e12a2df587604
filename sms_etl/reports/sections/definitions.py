"""What every figure means."""

from __future__ import annotations

from sms_etl.reports import quality
from sms_etl.reports.figures import Figures
from sms_etl.reports.language import Words
from sms_etl.reports.sections.section import Section, Values


def values(figures: Figures, words: Words) -> Values:
    """Terms and their meaning."""
    return {"definitions": quality.definitions(words, figures)}


DEFINITIONS = Section("definitions", values)
