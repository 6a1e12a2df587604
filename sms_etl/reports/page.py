"""What the page templates print: plain values computed from `Figures`, in one language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sms_etl.config.settings import Period, ReportKind
from sms_etl.metrics.rate import Rate
from sms_etl.model.vocabulary import UNKNOWN_LABEL, Permanence
from sms_etl.reports import (
    advice,
    cards,
    letters_told,
    marks,
    quality,
    reconciled,
    sentences,
    verdicts,
)
from sms_etl.reports.figures import Figures, GroupRow, ReasonRow, TimeQuality, Totals
from sms_etl.reports.language import NO_GLYPH, Words
from sms_etl.reports.slices import MOST_FINDINGS, MOST_ROWS, heard_operators, main_cost, weak

BAR_STEPS = 100
OPEN_GAP = 0.005
"""Missing receipts that are worth a word in the legend, as a share."""


@dataclass(frozen=True)
class Line:
    """One row of a table of groups."""

    name: str
    rate: Rate
    bar: int
    change: cards.Change | None
    coverage: Rate
    median: str
    price: str
    weak: bool
    mine: bool


@dataclass(frozen=True)
class Table:
    """A table of groups with what did not fit and its total."""

    lines: tuple[Line, ...]
    left_out: str
    total: Line | None
    any_weak: bool
    prices: bool
    changes: bool

    @property
    def several(self) -> bool:
        """Whether there is anything to compare."""
        return len(self.lines) > 1


@dataclass(frozen=True)
class ReasonLine:
    """One row of the table of reasons."""

    name: str
    share: Rate
    bar: int
    main: bool
    running: str
    before: str
    mender: str


@dataclass(frozen=True)
class FindingLine:
    """One finding as printed."""

    title: str
    when: str
    evidence: str
    reason: str
    cost: str
    mender: str


def _median(words: Words, totals: Totals) -> str:
    latency = totals.latency
    if latency.median is None:
        return "—"
    at_most = "≤ " if latency.quality is TimeQuality.UPPER_ESTIMATE else ""
    return at_most + words.duration(latency.median)


def _price(words: Words, totals: Totals) -> str:
    cost = main_cost(totals)
    if cost is None or cost.per_delivered_micro is None:
        return "—"
    return words.price(cost.per_delivered_micro, cost.currency)


def _line(
    words: Words, figures: Figures, name: str, row: GroupRow, most: int, *, beside: bool
) -> Line:
    """One row; `beside` marks a table in which the report's campaign is one row among others."""
    rate, before = row.totals.delivery, row.previous
    return Line(
        name=name,
        rate=rate,
        bar=max(1, round(BAR_STEPS * row.totals.submitted / most)) if most else 0,
        change=cards.rate_change(words, rate, before.delivery if before else None),
        coverage=row.totals.coverage,
        median=_median(words, row.totals),
        price=_price(words, row.totals),
        weak=not beside and weak(rate, figures.totals.delivery),
        mine=beside and row.key == figures.campaign,
    )


def table(
    words: Words, figures: Figures, rows: Sequence[GroupRow], dimension: str, *, total: bool = False
) -> Table | None:
    """A table of groups, the largest first, with a total on request; null without rows.

    In a report on one campaign the table of campaigns shows it first and the others below it:
    there is no whole that they add up to or could be weak against.
    """
    if not rows:
        return None
    beside = dimension == "campaign" and figures.campaign is not None
    own = figures.campaign if beside else None
    ordered = sorted(rows, key=lambda row: (row.key != own, -row.totals.submitted, row.key))
    most = max(row.totals.submitted for row in rows)
    shown, rest = ordered[:MOST_ROWS], ordered[MOST_ROWS:]
    names = [sentences.scope_value(words, figures, dimension, row.key) for row in shown]
    lines = tuple(
        _line(words, figures, name, row, most, beside=beside)
        for name, row in zip(names, shown, strict=True)
    )
    whole = None
    if total and len(rows) > 1 and not beside:
        everything = GroupRow(key="", label="", totals=figures.totals, previous=figures.previous)
        whole = _line(words, figures, words.text("Total"), everything, 0, beside=False)
    return Table(
        lines=lines,
        left_out=_left_out(words, rest),
        total=whole,
        any_weak=any(line.weak for line in lines),
        prices=any(line.price != "—" for line in lines),
        changes=any(line.change for line in lines),
    )


def _left_out(words: Words, rest: Sequence[GroupRow]) -> str:
    if not rest:
        return ""
    messages = sum(row.totals.submitted for row in rest)
    n = words.plural("%(n)s message", "%(n)s messages", messages)
    return words.plural(
        "%(n)s more row (%(messages)s) is in the data of the report",
        "%(n)s more rows (%(messages)s) are in the data of the report",
        len(rest),
        messages=n,
    )


def reason_lines(words: Words, figures: Figures, reasons: advice.Reasons) -> list[ReasonLine]:
    """Reasons of what did not arrive, with the running share."""
    lines, running = [], 0
    most = max((row.share.numerator for row in figures.reasons), default=0)
    for row in figures.reasons:
        main = running < sentences.MOST_SHARE * row.share.denominator
        running += row.share.numerator
        few = row.share.small or not row.share.denominator
        before = row.previous_messages
        lines.append(
            ReasonLine(
                name=_reason_name(words, reasons, row),
                share=row.share,
                bar=max(1, round(BAR_STEPS * row.share.numerator / most)),
                main=main,
                running="" if few else words.percent(running / row.share.denominator, 0),
                before="—" if before is None else words.count(before),
                mender=sentences.mender(words, row.mender),
            )
        )
    return lines


def _reason_name(words: Words, reasons: advice.Reasons, row: ReasonRow) -> str:
    name = advice.reason_name(words, reasons, row.reason)
    if row.permanence != Permanence.PERMANENT:
        return name
    return words.text("%(name)s · for good", name=name)


def finding_lines(words: Words, figures: Figures, reasons: advice.Reasons) -> list[FindingLine]:
    """Findings in the order of their numbers on the chart."""
    return [
        FindingLine(
            title=sentences.finding_title(words, figures, finding),
            when=sentences.finding_when(words, figures, finding),
            evidence=sentences.finding_evidence(words, finding),
            reason=advice.reason_name(words, reasons, finding.main_reason)
            if finding.main_reason
            else "",
            cost=sentences.money_list(words, finding.cost),
            mender=sentences.mender(words, advice.finding_mender(figures, finding)),
        )
        for finding in figures.findings[:MOST_FINDINGS]
    ]


def findings_left_out(words: Words, figures: Figures) -> str:
    """How many findings are not printed; empty for none."""
    n = len(figures.findings) - MOST_FINDINGS
    if n <= 0:
        return ""
    return words.plural(
        "And %(n)s more in the data of the report.", "And %(n)s more in the data of the report.", n
    )


def title(words: Words, figures: Figures) -> tuple[str, str]:
    """The line above the title, and the title."""
    if figures.kind is ReportKind.CAMPAIGN:
        return words.text("Campaign report"), words.label(
            figures.campaign_label or figures.campaign or ""
        )
    kinds = {
        Period.DAY: words.text("Daily report"),
        Period.WEEK: words.text("Weekly report"),
        Period.MONTH: words.text("Monthly report"),
        None: words.text("Report"),
    }
    return kinds[figures.period], words.text("SMS delivery")


def compared(words: Words, figures: Figures) -> str:
    """What the changes are measured against."""
    if figures.previous is None or figures.previous_first_day is None:
        return words.text("There is no earlier period to compare with.")
    if figures.previous_last_day is None:
        return ""
    span = words.span(figures.previous_first_day, figures.previous_last_day)
    return words.text(
        "Changes are against %(span)s; volumes and spending are compared per day.", span=span
    )


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


def hours_title(words: Words, drawing: marks.HeatMap) -> str:
    """When most is sent."""
    weekday, hour = drawing.busiest
    name = words.weekdays(full=True)[weekday - 1]
    return words.text("The busiest hour: %(day)s, %(hour)s", day=name, hour=f"{hour:02}:00")


def chart_legend(words: Words, figures: Figures) -> str:
    """What the lines and bars of the daily chart are."""
    parts = [words.text("Above: delivered, share of sent (blue line).")]
    if figures.previous_days:
        parts.append(words.text("Grey: the previous period."))
    if any(_open(point.totals.delivery) for point in figures.days):
        parts.append(words.text("Light blue: how far the rate may still rise."))
    parts.append(words.text("Below: messages sent; orange: not delivered."))
    if figures.findings:
        parts.append(words.text("Numbers: findings, see below."))
    return " ".join(parts)


def _open(rate: Rate) -> bool:
    return rate.high is not None and rate.value is not None and rate.high - rate.value > OPEN_GAP


def nothing_text(words: Words, figures: Figures) -> str:
    """Why a report has no messages: nothing was sent, or data is missing."""
    absent = [s for s in figures.sources if s.days_present < s.days_expected]
    if absent:
        return words.text(
            "This does not mean that nothing was sent. The table shows which source has not "
            "brought its data, and for which days."
        )
    return words.text(
        "Every source was asked for every day and answered, and none of them knows a message."
    )


def quality_title(words: Words, figures: Figures) -> str:
    """How complete the data is."""
    days = sum(len(state.missing_days) for state in figures.sources)
    if days:
        return words.plural(
            "Data quality: %(n)s day is missing", "Data quality: %(n)s days are missing", days
        )
    return words.text("Data quality: no day is missing")


def chart_text(words: Words, figures: Figures) -> str:
    """The series of days in one sentence, for those who do not see it."""
    days = [p.totals.delivery for p in figures.days if not p.totals.delivery.small]
    values = [rate.value for rate in days if rate.value is not None]
    head = sentences.daily_title(words, figures)
    if not values:
        return head
    return words.text(
        "%(head)s. Daily delivery rate from %(low)s to %(high)s.",
        head=head,
        low=words.percent(min(values)),
        high=words.percent(max(values)),
    )


def page_values(figures: Figures, words: Words) -> dict[str, Any]:
    """Everything the templates may print."""
    reasons = advice.reasons_of(words)
    kicker, name = title(words, figures)
    shown = cards.cards(words, figures)
    hours = marks.heat_map(figures, words, marks.PAGE_GRID)
    values: dict[str, Any] = {
        "figures": figures,
        "kicker": kicker,
        "title": name,
        "project": words.label(figures.project),
        "span": words.span(figures.first_day, figures.last_day),
        "as_of": words.moment(figures.data_as_of, figures.zone),
        "created": figures.data_as_of.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "headline": sentences.headline(words, figures),
        "compared": " ".join(
            text
            for text in (compared(words, figures), verdicts.change_sentence(words, figures))
            if text
        ),
        "campaign_verdicts": verdicts.campaign_sentences(words, figures),
        "cards": shown,
        "sparks": [marks.sparkline(card.series) for card in shown],
        "daily_title": sentences.daily_title(words, figures),
        "chart_text": chart_text(words, figures),
        "chart_legend": chart_legend(words, figures),
        "nothing_text": nothing_text(words, figures),
        "quality_title": quality_title(words, figures),
        "findings_title": words.plural("%(n)s finding", "%(n)s findings", len(figures.findings)),
        "findings": finding_lines(words, figures, reasons),
        "findings_left_out": findings_left_out(words, figures),
        "steps": advice.steps(words, figures, reasons),
        "reasons": reason_lines(words, figures, reasons),
        "reasons_title": sentences.reasons_title(words, figures),
        "operators_title": operators_title(words, figures),
        "hours": hours,
        "hours_title": hours_title(words, hours) if hours else "",
        "restated": quality.restated_notes(words, figures),
        "source_notes": quality.source_notes,
        "latin_note": letters_told.latin_note(words, figures),
        "reconciled": reconciled.lines(words, figures),
        "reconciled_notes": reconciled.notes(words, figures),
        "definitions": quality.definitions(words, figures),
    }
    groups = {
        "campaigns": (figures.by_campaign, "campaign"),
        "sources": (figures.by_source, "source"),
        "senders": (figures.by_sender, "sender"),
        "countries": (figures.by_country, "country"),
        "operators": (figures.by_operator, "operator"),
    }
    for key, (rows, dimension) in groups.items():
        values[key] = table(words, figures, rows, dimension, total=key == "campaigns")
    values["boxed"] = NO_GLYPH in "".join(_names(values, name))
    return values


def _names(values: dict[str, Any], name: str) -> list[str]:
    tables = [values[key] for key in ("campaigns", "sources", "senders", "operators")]
    return [name, values["project"], *(line.name for t in tables if t for line in t.lines)]
