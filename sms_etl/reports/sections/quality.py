"""How complete the data is, and what else a reader should know about it."""

from __future__ import annotations

from sms_etl.reports import letters_told, reconciled
from sms_etl.reports import quality as told
from sms_etl.reports.figures import Figures
from sms_etl.reports.language import NO_GLYPH, Words
from sms_etl.reports.sections.section import Section, Values, always
from sms_etl.reports.subset import left_out_note


def quality_title(words: Words, figures: Figures) -> str:
    """How complete the data is."""
    days = sum(len(state.missing_days) for state in figures.sources)
    if days:
        return words.plural(
            "Data quality: %(n)s day is missing", "Data quality: %(n)s days are missing", days
        )
    return words.text("Data quality: no day is missing")


def _boxed(figures: Figures, words: Words) -> bool:
    """Whether a name of the data holds a character that our fonts cannot draw."""
    groups = (figures.by_campaign, figures.by_source, figures.by_sender, figures.by_operator)
    names = [figures.project, figures.campaign_label or "", figures.campaign or ""]
    names += [row.label for rows in groups for row in rows]
    return any(NO_GLYPH in words.label(name) for name in names)


def values(figures: Figures, words: Words) -> Values:
    """The table of sources and every note about the data."""
    return {
        "title": quality_title(words, figures),
        "source_notes": told.source_notes,
        "reconciled": reconciled.lines(words, figures),
        "reconciled_notes": reconciled.notes(words, figures),
        "left_out": left_out_note(words, figures),
        "latin_note": letters_told.latin_note(words, figures),
        "boxed": _boxed(figures, words),
    }


QUALITY = Section("quality", values, always)
