"""The same messages counted otherwise: other denominators, and by the day of the receipt."""

from __future__ import annotations

from sms_etl.metrics.events import TOLD
from sms_etl.reports import sentences
from sms_etl.reports.figures import Figures
from sms_etl.reports.language import Words


def other_counts(words: Words, figures: Figures) -> list[tuple[str, str]]:
    """Entries of the definitions, each only where it says something new."""
    entries = [
        (words.text("Other ways to count"), _answers(words, figures)),
        (words.text("By the day of the receipt"), _by_receipt(words, figures)),
    ]
    return [(term, text) for term, text in entries if text]


def _answers(words: Words, figures: Figures) -> str:
    """Every honest answer to "how many arrived", each with its denominator."""
    reach, totals = figures.reach, figures.totals
    if reach is None or not totals.submitted:
        return ""
    answers = [
        sentences.rate_text(words, totals.delivery),
        sentences.rate_text(words, totals.delivery_of_final),
        words.text(
            "%(rate)s if silence counts as delivery",
            rate=sentences.rate_text(words, reach.silence_is_success),
        ),
    ]
    if reach.of_asked is not None:
        rate = sentences.rate_text(words, reach.of_asked)
        skipped = sum(reach.skipped.values())
        answers.append(
            words.plural("%(rate)s, %(n)s skipped", "%(rate)s, %(n)s skipped", skipped, rate=rate)
            if skipped
            else rate
        )
    if reach.per_person is not None:
        answers.append(sentences.rate_text(words, reach.per_person))
    text = words.text(
        "Delivered: %(answers)s. This report prints the first.", answers="; ".join(answers)
    )
    return " ".join(part for part in (text, _dead(words, figures)) if part)


def _dead(words: Words, figures: Figures) -> str:
    reach = figures.reach
    if reach is None or not reach.messages_to_dead or not reach.people_dead:
        return ""
    return words.text(
        "Sent to numbers already known to be dead: %(messages)s messages, %(people)s people.",
        messages=words.count(reach.messages_to_dead),
        people=words.count(reach.people_dead),
    )


def _by_receipt(words: Words, figures: Figures) -> str:
    """What ended in the period, if that is not what was sent in it."""
    ended = {word: sum(getattr(day, word) for day in figures.event_days) for word in TOLD}
    if not figures.event_days or all(ended[word] == getattr(figures.totals, word) for word in TOLD):
        return ""
    return words.text(
        "In these days, whenever sent: delivered %(delivered)s, failed %(failed)s, rejected "
        "%(rejected)s. All other figures count by the day of sending. Receipts without a time are "
        "on no day.",
        **{word.value: words.count(ended[word]) for word in TOLD},
    )
