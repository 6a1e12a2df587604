"""What the undelivered have in common, found by machine."""

from __future__ import annotations

from sms_etl.reports.clean_told import factor_lines, factors_note, factors_title
from sms_etl.reports.figures import Figures
from sms_etl.reports.language import Words
from sms_etl.reports.sections.section import Section, Values


def values(figures: Figures, words: Words) -> Values:
    """The table of factors; only its heading if there are none."""
    return {
        "title": factors_title(words, figures),
        "note": factors_note(words, figures),
        "factors": factor_lines(words, figures),
    }


def _studied(figures: Figures) -> bool:
    return figures.failure_study is not None


def _found(figures: Figures) -> bool:
    return figures.failure_study is not None and bool(figures.failure_study.factors)


FACTORS = Section("factors", values, _studied)
FACTORS_FOUND = Section("factors", values, _found)
"""The same, left out where nothing was found."""
