"""Operators: how fast each is, and how much of what was sent to it arrived."""

from __future__ import annotations

from sms_etl.model.vocabulary import UNKNOWN_LABEL
from sms_etl.reports import sentences
from sms_etl.reports.chart_latency import latency, times_known
from sms_etl.reports.charts import vega_chart
from sms_etl.reports.figures import Figures
from sms_etl.reports.group_tables import table
from sms_etl.reports.language import Words
from sms_etl.reports.sections.section import Caption, Section, Values
from sms_etl.reports.slices import heard_operators


def operators_title(words: Words, figures: Figures) -> str:
    """Which operator is slowest."""
    heard = [row for row in heard_operators(figures) if row.key != UNKNOWN_LABEL]
    if len(heard) < 2:
        return words.text("Operators")
    slow = max(heard, key=lambda row: (row.totals.latency.median or 0.0, row.key))
    name = sentences.scope_value(words, figures, "operator", slow.key)
    time = words.duration(slow.totals.latency.median or 0.0)
    return words.text(
        "The slowest operator is %(name)s: half within %(time)s", name=name, time=time
    )


def values(figures: Figures, words: Words) -> Values:
    """The chart of times, where any are known, and the table."""
    title = operators_title(words, figures)
    # Beside a scorecard of operators their table would say the same again.
    scored = figures.scorecard is not None and figures.scorecard.dimension == "operator"
    return {
        "title": title,
        "chart": vega_chart(latency, figures, words, title) if times_known(figures) else None,
        "operators": None if scored else table(words, figures, figures.by_operator, "operator"),
    }


def caption(words: Words, figures: Figures) -> Caption | None:
    """What the chart of times shows, where any are known."""
    title = operators_title(words, figures)
    return (title, title) if times_known(figures) else None


OPERATORS = Section("operators", values, lambda figures: bool(figures.by_operator), caption=caption)
