"""Messages held against rules: breaches, and what could not be judged."""

from __future__ import annotations

from sms_etl.reports import compliance_told
from sms_etl.reports.figures import Figures
from sms_etl.reports.language import Words
from sms_etl.reports.sections.section import Section, Values


def _values(figures: Figures, words: Words, *, sources: bool) -> Values:
    told = figures.compliance
    if told is None:
        return dict.fromkeys(("title", "note", "kept", "lag"), "") | {
            "lines": [],
            "unjudged": False,
            "sources": [],
        }
    campaign = figures.campaign is not None
    lines = compliance_told.rule_lines(words, figures, told)
    printed = [line for line in lines if line.matters]
    return {
        "title": compliance_told.title(words, told),
        "note": compliance_told.packs_note(words, told),
        "lines": printed,
        "unjudged": any(line.unjudged for line in printed),
        "kept": compliance_told.kept_note(words, lines, named=sources),
        "lag": "" if campaign else compliance_told.lag_sentence(words, told.lag),
        "sources": compliance_told.source_lines(words, told) if sources else [],
    }


def _whole(figures: Figures, words: Words) -> Values:
    return _values(figures, words, sources=True)


def _short(figures: Figures, words: Words) -> Values:
    return _values(figures, words, sources=False)


def _judged(figures: Figures) -> bool:
    return figures.compliance is not None


COMPLIANCE = Section("compliance", _whole, _judged)
COMPLIANCE_SHORT = Section("compliance", _short, _judged)
"""The same without where the rules come from."""
