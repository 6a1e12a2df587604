"""Which messages a report is of, in words, where it is not of all."""

from __future__ import annotations

from sms_etl.reports.figures import Figures
from sms_etl.reports.language import Words
from sms_etl.reports.sentences import dimension, scope_value

MOST_VALUES = 6
"""Values of a dimension that are named; the data of the report names all."""


def scope_of(words: Words, figures: Figures) -> str:
    """The dimensions and values that the messages have; empty for a report of all messages."""
    return "; ".join(
        f"{dimension(words, name)} {_values(words, figures, name, values)}"
        for name, values in sorted(figures.filters.items())
    )


def subset_line(words: Words, figures: Figures) -> str:
    """The line under the title of a report of a part of the messages; else empty."""
    scope = scope_of(words, figures)
    return words.text("Only messages of: %(scope)s", scope=scope) if scope else ""


def left_out_note(words: Words, figures: Figures) -> str:
    """What a report of a part of the messages cannot say."""
    if not figures.filters:
        return ""
    return words.text(
        "This report is of a part of the messages. Records, and what is set aside or not "
        "explained, are counted of whole sources; the suppression list, loyalty, suspicions and "
        "restatements are in reports of all messages only."
    )


def _values(words: Words, figures: Figures, name: str, values: tuple[str, ...]) -> str:
    named = [scope_value(words, figures, name, value) for value in values[:MOST_VALUES]]
    more = len(values) - len(named)
    if more:
        named.append(words.plural("%(n)s more", "%(n)s more", more))
    return f" {words.text('or')} ".join(named)
