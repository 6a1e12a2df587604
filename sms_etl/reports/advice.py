"""What to do: next steps computed from findings and reasons, the largest stake first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sms_etl.dictionaries import ReasonLabel, reason_labels
from sms_etl.model.vocabulary import Mender
from sms_etl.reports.figures import Figures, Finding, FindingKind, ReasonRow
from sms_etl.reports.language import Words, typographic
from sms_etl.reports.sentences import finding_when, mender, scope_text
from sms_etl.reports.slices import MOST_ACTIONS

Reasons = Mapping[str, ReasonLabel]

LEAST_SHARE_WORTH_ADVICE = 0.03
"""A reason below this share of the undelivered does not earn a step of its own."""


@dataclass(frozen=True)
class Step:
    """One next step: what, who, and how many messages depend on it."""

    what: str
    who: str
    stake: str


def reasons_of(words: Words) -> Reasons:
    """Meaning and advice of every reason in the report's language."""
    return {
        reason: ReasonLabel(typographic(label.meaning), typographic(label.advice))
        for reason, label in reason_labels(words.language.value).items()
    }


def reason_name(words: Words, reasons: Reasons, reason: str) -> str:
    """A reason in words; a word that no dictionary explains is printed as it is."""
    label = reasons.get(reason)
    return label.meaning if label else words.label(reason)


def finding_mender(figures: Figures, finding: Finding) -> Mender:
    """Who can mend a finding: whoever can mend its main reason, else by its kind."""
    for row in figures.reasons:
        if row.reason == finding.main_reason and row.mender != Mender.NOBODY:
            return Mender(row.mender)
    match finding.kind:
        case FindingKind.SENDER_BLOCKED | FindingKind.UNMAPPED_WORDS | FindingKind.QUARANTINED:
            return Mender.SENDER
        case FindingKind.DEAD_NUMBERS:
            return Mender.LIST
        case _:
            return Mender.PROVIDER


def steps(words: Words, figures: Figures, reasons: Reasons) -> list[Step]:
    """Next steps, from findings first and then from reasons that no finding covers."""
    found = sorted(figures.findings, key=lambda f: (-f.severity, -f.excess, f.id))
    result = [_finding_step(words, figures, finding) for finding in found]
    covered = {f.main_reason for f in found}
    for row in figures.reasons:
        if row.reason not in covered and _worth(row) and row.reason in reasons:
            covered.add(row.reason)
            result.append(_reason_step(words, row, reasons[row.reason]))
    return result[:MOST_ACTIONS]


def _worth(row: ReasonRow) -> bool:
    share = row.share.value or 0.0
    return row.mender != Mender.NOBODY and share >= LEAST_SHARE_WORTH_ADVICE


def _reason_step(words: Words, row: ReasonRow, label: ReasonLabel) -> Step:
    n = row.share.numerator
    stake = words.plural("%(n)s message: %(why)s", "%(n)s messages: %(why)s", n, why=label.meaning)
    return Step(what=label.advice, who=mender(words, row.mender), stake=stake)


def _finding_step(words: Words, figures: Figures, finding: Finding) -> Step:
    n = finding.affected
    stake = words.plural("%(n)s message", "%(n)s messages", n)
    who = mender(words, finding_mender(figures, finding))
    return Step(what=_what(words, figures, finding), who=who, stake=stake)


def _what(words: Words, figures: Figures, finding: Finding) -> str:
    where = scope_text(words, figures, finding.scope)
    when = finding_when(words, figures, finding)
    match finding.kind:
        case FindingKind.DELIVERY_DROP:
            return words.text(
                "Ask the provider what happened on the route (%(where)s; %(when)s) and who pays "
                "for the undelivered messages; keep a second route ready.",
                where=where,
                when=when,
            )
        case FindingKind.RECEIPTS_MISSING:
            return words.text(
                "Ask the provider to send the missing receipts again (%(where)s; %(when)s); "
                "until then read the delivery rate as its lower bound.",
                where=where,
                when=when,
            )
        case FindingKind.SLOW_DELIVERY:
            return words.text(
                "Move codes and other urgent messages to another route and ask the provider "
                "about the queue (%(where)s; %(when)s).",
                where=where,
                when=when,
            )
        case FindingKind.SENDER_BLOCKED:
            return words.text(
                "Check that the sender name is registered with the operator and the text agrees "
                "with its rules (%(where)s).",
                where=where,
            )
        case FindingKind.DEAD_NUMBERS:
            return words.text(
                "Remove the numbers that do not exist from the list and find out where they came "
                "from (%(where)s).",
                where=where,
            )
        case FindingKind.UNMAPPED_WORDS:
            return words.text(
                "Add the new status words to the provider's dictionary (%(where)s).", where=where
            )
        case FindingKind.QUARANTINED:
            return words.text(
                "Look at the records that could not be read and report them to the provider "
                "(%(where)s).",
                where=where,
            )
