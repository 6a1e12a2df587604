"""Why messages did not arrive, with the running share."""

from __future__ import annotations

from dataclasses import dataclass

from sms_etl.metrics.rate import Rate
from sms_etl.model.vocabulary import Permanence
from sms_etl.reports import advice, sentences
from sms_etl.reports.figures import Figures, ReasonRow
from sms_etl.reports.group_tables import BAR_STEPS
from sms_etl.reports.language import Words
from sms_etl.reports.sections.section import Section, Values


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


def values(figures: Figures, words: Words) -> Values:
    """The table of reasons and its message."""
    return {
        "title": sentences.reasons_title(words, figures),
        "reasons": reason_lines(words, figures, advice.reasons_of(words)),
    }


REASONS = Section("reasons", values, lambda figures: bool(figures.reasons))
