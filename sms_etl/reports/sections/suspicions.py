"""What is suspected and should be tested."""

from __future__ import annotations

from sms_etl.reports.clean_told import suspicion_lines, suspicions_title
from sms_etl.reports.figures import Figures
from sms_etl.reports.language import Words
from sms_etl.reports.sections.section import Section, Values


def values(figures: Figures, words: Words) -> Values:
    """The suspicions, each with its signs."""
    return {
        "title": suspicions_title(words, figures),
        "suspicions": suspicion_lines(words, figures),
    }


SUSPICIONS = Section("suspicions", values, lambda figures: bool(figures.suspicions))
