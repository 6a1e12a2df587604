"""The operations report in words: headline, cards, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sms_etl.model.vocabulary import Mender
from sms_etl.reports import advice, quality, sentences
from sms_etl.reports.advice import Step
from sms_etl.reports.cards import Card
from sms_etl.reports.figures import Figures, FindingKind, SourceState
from sms_etl.reports.language import Words
from sms_etl.reports.slices import MOST_ACTIONS

DATA_FINDINGS = frozenset(
    {FindingKind.RECEIPTS_MISSING, FindingKind.UNMAPPED_WORDS, FindingKind.QUARANTINED}
)
"""Findings about the data itself."""

MANY_RETRIES = 0.1
"""More repeated requests than this per page earn a step."""


def set_aside(figures: Figures) -> int:
    """Records that could not be read."""
    return sum(sum(state.quarantined.values()) for state in figures.sources)


def records(figures: Figures) -> int:
    """Records that came in."""
    return sum(state.records for state in figures.sources)


def missing(figures: Figures) -> list[SourceState]:
    """Sources that lack days."""
    return [state for state in figures.sources if state.missing_days]


def headline(words: Words, figures: Figures) -> str:
    """Whether all days are there, and what could not be read."""
    parts = [days_sentence(words, figures)]
    k, n = set_aside(figures), records(figures)
    if k:
        parts.append(
            words.plural(
                "%(n)s of %(all)s records could not be read",
                "%(n)s of %(all)s records could not be read",
                k,
                all=words.compact(n),
            )
        )
    elif n:
        parts.append(words.text("all %(n)s records could be read", n=words.compact(n)))
    late = late_count(figures, 0)
    if late:
        parts.append(
            words.plural(
                "%(n)s receipt came after the end of the period",
                "%(n)s receipts came after the end of the period",
                late,
            )
        )
    return "; ".join(parts)


def days_sentence(words: Words, figures: Figures) -> str:
    """How many days are missing, and of which sources."""
    lacking = sum(len(state.missing_days) for state in figures.sources)
    if not lacking:
        return words.text("Every source has every day")
    names = ", ".join(words.label(state.source) for state in missing(figures))
    return words.plural(
        "%(n)s day is missing (%(names)s)", "%(n)s days are missing (%(names)s)", lacking,
        names=names,
    )  # fmt: skip


def late_count(figures: Figures, hours: int) -> int:
    """Receipts that came so many hours after the end of the period, of all sources."""
    late = figures.operations.late if figures.operations else ()
    return sum(c.messages for one in late for c in one.late if c.hours == hours)


def operations_cards(words: Words, figures: Figures) -> list[Card]:
    """Days, records, what was set aside, pulls, late receipts, restatements."""
    return [
        _days_card(words, figures),
        _records_card(words, figures),
        _aside_card(words, figures),
        _pulls_card(words, figures),
        _late_card(words, figures),
        _restated_card(words, figures),
    ]


def _plain(name: str, value: str, *notes: str) -> Card:
    return Card(name, value, tuple(note for note in notes if note), None, ())


def _days_card(words: Words, figures: Figures) -> Card:
    k = sum(state.days_present for state in figures.sources)
    n = sum(state.days_expected for state in figures.sources)
    value = words.text("%(k)s of %(n)s", k=words.count(k), n=words.count(n))
    names = ", ".join(words.label(state.source) for state in missing(figures))
    note = words.text("missing: %(names)s", names=names) if names else ""
    return _plain(
        words.text("Days with data"),
        value,
        words.plural("of %(n)s source", "of %(n)s sources", len(figures.sources)),
        note,
    )


def _records_card(words: Words, figures: Figures) -> Card:
    messages = sum(state.messages for state in figures.sources)
    folded = sum(sum(state.folded.values()) for state in figures.sources)
    return _plain(
        words.text("Records"),
        words.compact(records(figures)),
        words.plural("%(n)s message", "%(n)s messages", messages),
        words.plural("%(n)s folded into another", "%(n)s folded into another", folded),
    )


def _aside_card(words: Words, figures: Figures) -> Card:
    k, n = set_aside(figures), records(figures)
    counts: dict[str, str | int] = {}
    for state in figures.sources:
        for reason, number in state.quarantined.items():
            counts[reason] = int(counts.get(reason, 0)) + number
    return _plain(
        words.text("Set aside"),
        words.count(k),
        words.plural("of %(n)s record", "of %(n)s records", n),
        quality.counted(words, counts, "quarantined") if counts else "",
    )


def _pulls_card(words: Words, figures: Figures) -> Card:
    pulls = figures.operations.pulls if figures.operations else ()
    retries = sum(one.retries for one in pulls)
    count, pages = sum(one.count for one in pulls), sum(one.pages for one in pulls)
    return _plain(
        words.text("Time of pulls"),
        words.duration(sum(one.seconds for one in pulls)),
        words.plural("%(n)s pull", "%(n)s pulls", count),
        words.plural("%(n)s page", "%(n)s pages", pages),
        words.plural("%(n)s request repeated", "%(n)s requests repeated", retries)
        if retries
        else "",
    )


def _late_card(words: Words, figures: Figures) -> Card:
    ended = sum(one.ended for one in (figures.operations.late if figures.operations else ()))
    day = late_count(figures, 24)
    return _plain(
        words.text("Receipts after the period"),
        words.count(late_count(figures, 0)),
        words.plural("of %(n)s receipt with a time", "of %(n)s receipts with a time", ended),
        words.text("more than a day after: %(n)s", n=words.count(day)) if day else "",
    )


def _restated_card(words: Words, figures: Figures) -> Card:
    moved = figures.operations.restated if figures.operations else ()
    days = max((one.days for one in moved), default=0)
    return _plain(
        words.text("Figures restated"),
        words.count(len(moved)),
        words.plural("on %(n)s day at most", "on %(n)s days at most", days)
        if moved
        else words.text("no day changed after it was first built"),
    )


def steps(words: Words, figures: Figures) -> list[Step]:
    """Missing days first, then what the data findings ask for, then slow providers."""
    result = [_missing_step(words, state) for state in missing(figures)]
    about_data = [one for one in figures.findings if one.kind in DATA_FINDINGS]
    asked = figures.model_copy(update={"findings": tuple(about_data), "reasons": (), "waste": ()})
    result += advice.steps(words, asked)
    result += _retry_steps(words, figures)
    return result[:MOST_ACTIONS]


def _missing_step(words: Words, state: SourceState) -> Step:
    what = words.text(
        "Pull and build %(source)s for %(days)s again: sms-etl backfill.",
        source=words.label(state.source),
        days=_days(words, state.missing_days),
    )
    stake = words.plural("%(n)s day", "%(n)s days", len(state.missing_days))
    return Step(what, words.text("the data team"), stake)


def _days(words: Words, days: Sequence[date]) -> str:
    return ", ".join(words.span_short(*run) for run in quality.spans(days))


def _retry_steps(words: Words, figures: Figures) -> list[Step]:
    found = []
    for one in figures.operations.pulls if figures.operations else ():
        if one.retries <= MANY_RETRIES * one.pages:
            continue
        what = words.text(
            "Lower requests_per_second of %(source)s, or ask the provider why requests fail.",
            source=words.label(one.source),
        )
        stake = words.text("%(time)s of waiting", time=words.duration(one.waited_seconds))
        found.append(Step(what, sentences.mender(words, Mender.PROVIDER), stake))
    return found
