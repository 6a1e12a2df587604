"""What to do: next steps computed from findings and reasons, the largest stake first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sms_etl.dictionaries import ReasonLabel, reason_labels
from sms_etl.metrics.reasons import DEAD_REASONS
from sms_etl.model.vocabulary import Mender, Reason
from sms_etl.reports.engaged_advice import engaged_steps
from sms_etl.reports.figures import Figures, Finding, FindingKind, ReasonRow
from sms_etl.reports.language import Words, typographic
from sms_etl.reports.letters_told import waste_advice, waste_stake, waste_worth_telling
from sms_etl.reports.sentences import finding_when, mender, scope_text
from sms_etl.reports.slices import MOST_ACTIONS

Reasons = Mapping[str, ReasonLabel]

LEAST_SHARE_WORTH_ADVICE = 0.03
"""A reason below this share of the undelivered does not earn a step of its own."""

MOST_NAMED = 3
"""Slices named in one step; the findings themselves stand above."""


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


def steps(words: Words, figures: Figures) -> list[Step]:
    """Next steps: from findings, odd letters, what people did, then reasons no finding covers.

    Findings that ask the same of the same people are one step.
    """
    reasons = reasons_of(words)
    found = sorted(figures.findings, key=lambda f: (-f.severity, -f.excess, f.id))
    alike: dict[tuple[FindingKind, Mender], list[Finding]] = {}
    for finding in found:
        alike.setdefault((finding.kind, finding_mender(figures, finding)), []).append(finding)
    result = [_finding_step(words, figures, who, group) for (_, who), group in alike.items()]
    result += _letter_steps(words, figures)
    keeper = mender(words, Mender.LIST)
    result += [Step(what, keeper, stake) for what, stake in engaged_steps(words, figures)]
    covered = {reason for finding in found for reason in _covered(finding)}
    for row in figures.reasons:
        if row.reason not in covered and _worth(row) and row.reason in reasons:
            covered.add(row.reason)
            result.append(_reason_step(words, row, reasons[row.reason]))
    return result[:MOST_ACTIONS]


def _letter_steps(words: Words, figures: Figures) -> list[Step]:
    waste = waste_worth_telling(figures)
    if waste is None:
        return []
    what = waste_advice(words, figures, waste)
    return [Step(what, mender(words, Mender.SENDER), waste_stake(words, figures))]


def _covered(finding: Finding) -> set[str | None]:
    """Reasons whose own advice would repeat that of the finding."""
    match finding.kind:
        case FindingKind.DEAD_NUMBERS:
            return {finding.main_reason, *DEAD_REASONS}
        case FindingKind.UNMAPPED_WORDS:
            return {Reason.UNKNOWN_STATUS, Reason.UNKNOWN_CODE}
        case _:
            return {finding.main_reason}


def _worth(row: ReasonRow) -> bool:
    share = row.share.value or 0.0
    return row.mender != Mender.NOBODY and share >= LEAST_SHARE_WORTH_ADVICE


def _reason_step(words: Words, row: ReasonRow, label: ReasonLabel) -> Step:
    n = row.share.numerator
    stake = words.plural("%(n)s message: %(why)s", "%(n)s messages: %(why)s", n, why=label.meaning)
    return Step(what=label.advice, who=mender(words, row.mender), stake=stake)


def _finding_step(words: Words, figures: Figures, who: Mender, group: list[Finding]) -> Step:
    n = sum(finding.affected for finding in group)
    stake = words.plural("%(n)s message", "%(n)s messages", n)
    return Step(what=_what(words, figures, group), who=mender(words, who), stake=stake)


def _places(words: Words, figures: Figures, group: list[Finding]) -> str:
    """Slices of some findings, each named once."""
    return _listed(words, [scope_text(words, figures, finding.scope) for finding in group])


def _times(words: Words, figures: Figures, group: list[Finding]) -> str:
    """Slices of some findings, each with its hours."""
    return _listed(
        words,
        [
            f"{scope_text(words, figures, finding.scope)}; {finding_when(words, figures, finding)}"
            for finding in group
        ],
    )


def _listed(words: Words, names: list[str]) -> str:
    different = list(dict.fromkeys(names))
    shown, rest = different[:MOST_NAMED], len(different) - MOST_NAMED
    if rest > 0:
        shown.append(words.plural("and %(n)s more", "and %(n)s more", rest))
    return "; ".join(shown)


def _what(words: Words, figures: Figures, group: list[Finding]) -> str:
    finding = group[0]
    where, when = _places(words, figures, group), _times(words, figures, group)
    match finding.kind:
        case FindingKind.DELIVERY_DROP:
            return words.text(
                "Ask the provider what happened on the route (%(when)s) and who pays "
                "for the undelivered messages; keep a second route ready.",
                when=when,
            )
        case FindingKind.RECEIPTS_MISSING:
            return words.text(
                "Ask the provider to send the missing receipts again (%(when)s); "
                "until then read the delivery rate as its lower bound.",
                when=when,
            )
        case FindingKind.SLOW_DELIVERY:
            return words.text(
                "Move codes and other urgent messages to another route and ask the provider "
                "about the queue (%(when)s).",
                when=when,
            )
        case FindingKind.SENDER_BLOCKED:
            return words.text(
                "Check that the sender name is registered with the operator and the text agrees "
                "with its rules (%(where)s).",
                where=where,
            )
        case FindingKind.DEAD_NUMBERS:
            if not finding.scope:
                return words.text(
                    "Remove the numbers that do not exist or take no SMS from the lists and find "
                    "out where they came from."
                )
            return words.text(
                "Remove the numbers that do not exist or take no SMS from the list and find out "
                "where they came from (%(where)s).",
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
