"""The report on failures in words: headline and cards."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sms_etl.metrics.rate import Rate
from sms_etl.metrics.summary import AsOf, plain_rate
from sms_etl.model.vocabulary import Mender, Permanence
from sms_etl.reports import sentences
from sms_etl.reports.cards import Card, rate_change
from sms_etl.reports.figures import Figures, ReasonRow, Totals
from sms_etl.reports.language import Words
from sms_etl.reports.sentences import rate_text, rate_value
from sms_etl.reports.slices import main_cost, undelivered

OURS = frozenset({Mender.SENDER, Mender.LIST})
"""Who of those that can mend a cause is on our side."""


def share(figures: Figures, numerator: int, denominator: int, name: str) -> Rate:
    """A share of counts of the report."""
    return plain_rate(numerator, denominator, name, AsOf(figures.data_as_of, 0.0))


def _of_sent(figures: Figures, totals: Totals) -> Rate:
    return share(figures, undelivered(totals), totals.submitted, "submitted")


def _sum_of(figures: Figures, wanted: Callable[[ReasonRow], bool]) -> Rate:
    """Undelivered messages of some reasons."""
    k = sum(row.share.numerator for row in figures.reasons if wanted(row))
    return share(figures, k, undelivered(figures.totals), "undelivered")


def ours(figures: Figures) -> Rate:
    """Undelivered messages whose cause the sender or the owner of the list can mend."""
    return _sum_of(figures, lambda row: row.mender in OURS)


def for_good(figures: Figures) -> Rate:
    """Undelivered messages that will not arrive at that number by trying again."""
    return _sum_of(figures, lambda row: row.permanence == Permanence.PERMANENT)


def headline(words: Words, figures: Figures) -> str:
    """How many did not arrive, and how many of them we can mend."""
    if not figures.totals.submitted:
        return sentences.headline(words, figures)
    lost = _of_sent(figures, figures.totals)
    if not lost.numerator:
        return words.text("Nothing is known to be undelivered")
    parts = [words.text("Not delivered: %(rate)s", rate=rate_text(words, lost))]
    mend = ours(figures)
    if mend.numerator:
        parts.append(
            words.plural(
                "the cause of %(n)s of them is ours to mend",
                "the cause of %(n)s of them is ours to mend",
                mend.numerator,
            )
        )
    return "; ".join(parts)


def failure_cards(words: Words, figures: Figures) -> list[Card]:
    """Undelivered, for good, ours to mend, known dead numbers, money, still waiting."""
    totals, previous = figures.totals, figures.previous
    before = _of_sent(figures, previous) if previous else None
    return [
        _rate_card(words, words.text("Not delivered"), _of_sent(figures, totals), before),
        _rate_card(words, words.text("Undelivered for good"), for_good(figures)),
        _rate_card(words, words.text("Ours to mend"), ours(figures)),
        _dead_card(words, figures),
        _money_card(words, totals),
        _waiting_card(words, figures),
    ]


def _rate_card(
    words: Words, name: str, rate: Rate, before: Rate | None = None, notes: Sequence[str] = ()
) -> Card:
    value = rate_value(words, rate)
    rest = rate_text(words, rate).removeprefix(value).strip()
    counted = "" if rate.small else words.plural("%(n)s message", "%(n)s messages", rate.numerator)
    kept = tuple(note for note in (rest, counted, *notes) if note)
    return Card(name, value, kept, rate_change(words, rate, before, good=-1), ())


def _dead_card(words: Words, figures: Figures) -> Card:
    name, reach = words.text("Sent to numbers known to be dead"), figures.reach
    if reach is None or reach.messages_to_dead is None or reach.people_dead is None:
        return Card(name, "—", (words.text("not known"),), None, ())
    people = words.plural("to %(n)s person", "to %(n)s people", reach.people_dead)
    return Card(name, words.count(reach.messages_to_dead), (people,), None, ())


def _money_card(words: Words, totals: Totals) -> Card:
    name, cost = words.text("Spent on undelivered messages"), main_cost(totals)
    if cost is None:
        return Card(name, "—", (words.text("the sources tell no prices"),), None, ())
    whole = words.money(cost.spent_micro, cost.currency)
    note = words.text("of %(money)s spent", money=whole)
    value = words.money(cost.spent_on_undelivered_micro, cost.currency)
    return Card(name, value, (note,), None, ())


def _waiting_card(words: Words, figures: Figures) -> Card:
    totals = figures.totals
    rate = share(figures, totals.pending, totals.submitted, "submitted")
    return _rate_card(words, words.text("Still waiting"), rate)
