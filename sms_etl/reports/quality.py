"""The page about the data itself: what came in, what became of it, what every figure means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sms_etl.model.vocabulary import FoldReason, QuarantineReason
from sms_etl.reports.figures import Figures, RestatedFigure, SourceState
from sms_etl.reports.language import Words
from sms_etl.reports.letters_told import billed_note
from sms_etl.reports.other_counts import other_counts
from sms_etl.restatement import Cause


def fold_reason(words: Words, name: str) -> str:
    """Why records were folded into another message."""
    match FoldReason(name):
        case FoldReason.REPEATED:
            return words.text("repeated observation of a message")
        case FoldReason.PART:
            return words.text("part of a longer message")
        case FoldReason.ATTEMPT:
            return words.text("one of several attempts of an order")
        case FoldReason.OTHER_DAY:
            return words.text("message of another day")
        case FoldReason.INBOUND:
            return words.text("inbound message")


def quarantine_reason(words: Words, name: str) -> str:
    """Why records could not become messages."""
    match QuarantineReason(name):
        case QuarantineReason.NO_MESSAGE_ID:
            return words.text("no message id")
        case QuarantineReason.NO_SUBMIT_TIME:
            return words.text("no time of sending")
        case QuarantineReason.BAD_TIME:
            return words.text("unreadable time")
        case QuarantineReason.TIMES_OUT_OF_ORDER:
            return words.text("delivered before it was sent")
        case QuarantineReason.BAD_PRICE:
            return words.text("unreadable price")
        case QuarantineReason.BAD_RECORD:
            return words.text("unreadable record")


def spans(days: Sequence[date]) -> list[tuple[date, date]]:
    """Runs of consecutive days."""
    runs: list[tuple[date, date]] = []
    for day in sorted(days):
        if runs and day - runs[-1][1] == timedelta(days=1):
            runs[-1] = (runs[-1][0], day)
        else:
            runs.append((day, day))
    return runs


def counted(words: Words, counts: Mapping[str, str | int], name: str) -> str:
    """Counts by reason in words, the largest first: `no message id: 12; unreadable price: 3`."""
    name_of = fold_reason if name == "folded" else quarantine_reason
    ordered = sorted(counts.items(), key=lambda item: (-int(item[1]), item[0]))
    return "; ".join(f"{name_of(words, key)}: {words.count(int(n))}" for key, n in ordered)


def source_notes(words: Words, state: SourceState) -> list[str]:
    """What a reader should know about one source."""
    notes = []
    if state.missing_days:
        days = ", ".join(words.span_short(*run) for run in spans(state.missing_days))
        notes.append(words.text("Days without whole data: %(days)s.", days=days))
    if state.folded:
        text = counted(words, state.folded, "folded")
        notes.append(words.text("Folded: %(counts)s.", counts=text))
    if state.quarantined:
        text = counted(words, state.quarantined, "quarantined")
        notes.append(words.text("Could not be read: %(counts)s.", counts=text))
    if state.unmapped:
        ordered = sorted(state.unmapped.items(), key=lambda item: (-item[1], item[0]))
        text = "; ".join(f"{words.label(word)}: {words.count(n)}" for word, n in ordered)
        notes.append(words.text("Status words not in the dictionary: %(counts)s.", counts=text))
    billed = billed_note(words, state.billed)
    return [*notes, billed] if billed else notes


def restated_figure(words: Words, name: str) -> str:
    """A figure that rebuilds may move."""
    known = {
        "submitted": words.text("Sent"),
        "delivered": words.text("Delivered"),
        "failed": words.text("Failed"),
        "rejected": words.text("Rejected"),
        "unknown": words.text("Without an answer"),
        "pending": words.text("Waiting"),
        "parts": words.text("Parts"),
        "spent": words.text("Spent"),
    }
    return known[name]


def cause(words: Words, name: str) -> str:
    """Why a figure moved."""
    match Cause(name):
        case Cause.RECEIPTS:
            return words.text("late receipts")
        case Cause.PRICES:
            return words.text("late prices")
        case Cause.MAPPING:
            return words.text("a changed dictionary")
        case Cause.SETTINGS:
            return words.text("changed settings")
        case Cause.CODE:
            return words.text("a new version of the program")


@dataclass(frozen=True)
class RestatedLine:
    """A figure that moved: its name, what was said, what it is, and why."""

    name: str
    then: str
    now: str
    why: str


def restated_lines(words: Words, figures: Iterable[RestatedFigure]) -> list[RestatedLine]:
    """Figures that moved, those left out that print alike."""
    lines = []
    for one in figures:
        then, now = (
            words.money(value, one.currency) if one.currency else words.count(value)
            for value in (one.then, one.now)
        )
        if then != now:
            why = ", ".join(cause(words, name) for name in one.causes)
            lines.append(RestatedLine(restated_figure(words, one.figure), then, now, why or "—"))
    return lines


def definitions(words: Words, figures: Figures) -> list[tuple[str, str]]:
    """Every figure, its denominator and its formula in words."""
    return [
        (
            words.text("Sent"),
            words.text(
                "Messages handed to a provider in the period, refused ones too. A long message "
                "counts once, whatever its parts. The day is the day of sending."
            ),
        ),
        (
            words.text("Delivered"),
            words.text(
                "Messages whose delivery was confirmed, divided by all messages sent. Messages "
                "without an answer stay in the denominator, so the rate may still rise; the upper "
                "bound counts all of them as delivered."
            ),
        ),
        (
            words.text("Final state known"),
            words.text(
                "Delivered, failed and rejected messages divided by all messages sent. The rest "
                "is waiting or was never answered."
            ),
        ),
        (
            words.text("Mature"),
            words.text(
                "Figures are provisional until 99%% of the receipts that ever come have usually "
                "come, learned from earlier messages of the same provider and operator, or until "
                "silence counts as an answer."
            ),
        ),
        (
            words.text("Reasons"),
            words.text(
                "Failed, rejected and unanswered messages by cause, divided by all of those; "
                "messages still waiting are not among them."
            ),
        ),
        (
            words.text("Time to deliver"),
            words.text(
                "From sending to confirmed delivery, over delivered messages. The median is the "
                "time within which half of them arrive. Of all sent: messages that wait count as "
                "slower than their age, those that failed as never."
            ),
        ),
        (
            words.text("Cost of a delivered message"),
            words.text(
                "All spending in one currency, undelivered messages included, divided by the "
                "messages delivered. Currencies are not converted."
            )
            if figures.totals.converted is None
            else words.text(
                "All spending, undelivered messages included, divided by the messages delivered. "
                "Each day is converted at the last rate known on it; money without a rate is in no "
                "sum."
            ),
        ),
        *other_counts(words, figures),
        (
            words.text("Few messages"),
            words.text("Below 30 messages counts are printed and no percentage."),
        ),
        (
            words.text("Time"),
            words.text(
                "Days and hours are by the clock of %(zone)s. Data as of %(moment)s.",
                zone=words.zone(figures.zone),
                moment=words.moment(figures.data_as_of, figures.zone),
            ),
        ),
    ]
