"""What a mail prints: a few of the report's own values, the same for HTML and plain text."""

from __future__ import annotations

from dataclasses import dataclass

from sms_etl.metrics.rate import Rate
from sms_etl.reports import advice, cards, quality
from sms_etl.reports.figures import Figures
from sms_etl.reports.group_tables import Line, table
from sms_etl.reports.kinds import kind_of
from sms_etl.reports.language import Words
from sms_etl.reports.sections import daily
from sms_etl.reports.sections.section import Caption
from sms_etl.reports.sections.summary import compared
from sms_etl.reports.subset import subset_line

MOST_ROWS = 10
"""Rows of the table in a mail; the whole table is in the report."""


@dataclass(frozen=True)
class SummaryRow:
    """One row of the table."""

    name: str
    sent: str
    delivered: str
    change: cards.Change | None
    weak: bool


@dataclass(frozen=True)
class Summary:
    """Everything the mail templates print, in one language."""

    kicker: str
    title: str
    project: str
    span: str
    subset: str
    headline: str
    compared: str
    gaps: tuple[str, ...]
    cards: tuple[cards.Card, ...]
    chart_title: str
    chart_text: str
    rows_title: str
    rows_head: tuple[str, str, str]
    rows: tuple[SummaryRow, ...]
    rows_left_out: str
    steps_title: str
    steps: tuple[advice.Step, ...]
    as_of: str


def summary(figures: Figures, words: Words) -> Summary:
    """The mail's values from the figures of a report."""
    kind = kind_of(figures)
    kicker, title = kind.title(words, figures)
    rows_title, rows, dimension = kind.main_rows(words, figures)
    shown = table(words, figures, rows, dimension)
    lines = shown.lines[:MOST_ROWS] if shown else ()
    chart_title, chart_text = _chart_caption(words, figures)
    return Summary(
        kicker=kicker,
        title=title,
        project=words.label(figures.project),
        span=words.span(figures.first_day, figures.last_day),
        subset=subset_line(words, figures),
        headline=kind.headline(words, figures),
        compared=compared(words, figures),
        gaps=_gaps(words, figures),
        cards=tuple(kind.cards(words, figures)),
        chart_title=chart_title,
        chart_text=chart_text,
        rows_title=rows_title,
        rows_head=(rows_title, words.text("Sent"), words.text("Delivered")),
        rows=tuple(_row(words, line) for line in lines),
        rows_left_out=words.plural(
            "%(n)s more is in the report", "%(n)s more are in the report", len(rows) - len(lines)
        )
        if len(rows) > len(lines)
        else "",
        steps_title=words.text("What to do"),
        steps=tuple(kind.steps(words, figures)),
        as_of=words.text(
            "Data as of %(moment)s (%(zone)s).",
            moment=words.moment(figures.data_as_of, figures.zone),
            zone=words.zone(figures.zone),
        ),
    )


def _chart_caption(words: Words, figures: Figures) -> Caption:
    """Title and text of the picture in the mail: the first chart of the report, as in render."""
    told = (one.caption(words, figures) for one in kind_of(figures).printed(figures))
    return next(filter(None, told), None) or daily.caption(words, figures)


def _row(words: Words, line: Line) -> SummaryRow:
    return SummaryRow(
        name=line.name,
        sent=words.count(line.rate.denominator),
        delivered=_share(words, line.rate),
        change=line.change,
        weak=line.weak,
    )


def _share(words: Words, rate: Rate) -> str:
    """A percentage; of few messages the counts. The denominator stands in the column beside."""
    if rate.value is None:
        return "—"
    if rate.small:
        n = words.count(rate.denominator)
        return words.text("%(k)s of %(n)s", k=words.count(rate.numerator), n=n)
    return words.percent(rate.value)


def _gaps(words: Words, figures: Figures) -> tuple[str, ...]:
    """Days whose data is missing, by source: a reader must not take them for days of rest."""
    lines = []
    for state in figures.sources:
        if state.missing_days:
            days = ", ".join(words.span_short(*run) for run in quality.spans(state.missing_days))
            told = words.text("Days without whole data: %(days)s.", days=days)
            lines.append(f"{words.label(state.provider)}. {told}")
    return tuple(lines)
