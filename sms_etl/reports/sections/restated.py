"""Figures that are another one than a report said: a correction, or a box in the next report."""

from __future__ import annotations

from sms_etl.reports.figures import Figures
from sms_etl.reports.language import Words
from sms_etl.reports.quality import restated_lines
from sms_etl.reports.sections.section import Section, Values


def _correction(figures: Figures, words: Words) -> Values:
    """What the mailed revision said, and what is true now."""
    told = figures.correction
    if told is None:
        return {"at": "", "lines": []}
    at = words.moment(told.corrects_at, figures.zone)
    return {"at": at, "lines": restated_lines(words, told.figures)}


def _restated(figures: Figures, words: Words) -> Values:
    """How the previous period moved since its last report."""
    return {"lines": restated_lines(words, figures.restated)}


CORRECTION = Section("correction", _correction, lambda figures: figures.correction is not None)
RESTATED = Section("restated", _restated, lambda figures: bool(figures.restated))
