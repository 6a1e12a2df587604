"""The failure study, the suppression list and the suspicions in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sms_etl.clean_base.rules import Lifter
from sms_etl.metrics.rate import Rate
from sms_etl.model.suspicions import Sign, SuspicionKind
from sms_etl.model.vocabulary import Mender
from sms_etl.reports.clean_figures import (
    CleanBase,
    CommonFactor,
    ListedBy,
    Spared,
    Suspicion,
    SuspicionSign,
    Wasted,
)
from sms_etl.reports.figures import Figures
from sms_etl.reports.language import Words
from sms_etl.reports.sentences import dimension, mender, rate_text, scope_value

SHOWN_CHARACTERS = 8
"""Of a digest: enough to tell one from another."""

SHOWN_SAMPLES = 3
"""Messages to test that are printed; the data of the report has more."""


@dataclass(frozen=True)
class FactorLine:
    """One row of the failure study."""

    name: str
    inside: Rate
    outside: Rate
    lift: str
    share: Rate


def factor_lines(words: Words, figures: Figures) -> list[FactorLine]:
    """Common factors, the strongest first."""
    study = figures.failure_study
    return [_factor_line(words, figures, one) for one in (study.factors if study else ())]


def _factor_line(words: Words, figures: Figures, one: CommonFactor) -> FactorLine:
    return FactorLine(
        name=", ".join(_in_scope(words, figures, *part) for part in one.scope.items()),
        inside=one.inside,
        outside=one.outside,
        lift=_lift(words, one),
        share=one.share_of_failures,
    )


def _in_scope(words: Words, figures: Figures, name: str, value: str) -> str:
    """One dimension of a scope with its value."""
    match name:
        case "hour":
            shown = f"{value}:00–{value}:59"
        case "template":
            shown = words.label(value[:SHOWN_CHARACTERS])
        case _:
            shown = scope_value(words, figures, name, value)
    return f"{dimension(words, name)} {shown}"


def _lift(words: Words, one: CommonFactor) -> str:
    if one.lift is None:
        return "—"
    shown = f"×{words.decimal(one.lift, 1)}"
    if one.interval is None:
        return shown
    low, high = (words.decimal(end, 1) for end in (one.interval.low, one.interval.high))
    return f"{shown} ({low}–{high})"


def factors_title(words: Words, figures: Figures) -> str:
    """How many things the undelivered have in common."""
    n = len(factor_lines(words, figures))
    if not n:
        return words.text("The undelivered have nothing in common that stands out")
    return words.plural(
        "%(n)s thing that the undelivered have in common",
        "%(n)s things that the undelivered have in common",
        n,
    )


def factors_note(words: Words, figures: Figures) -> str:
    """How they were found, and what they do not say."""
    study = figures.failure_study
    return words.plural(
        "Found by machine among %(n)s candidate: at most one in twenty of those told is there by "
        "chance. What goes together need not be the cause.",
        "Found by machine among %(n)s candidates: at most one in twenty of those told is there by "
        "chance. What goes together need not be the cause.",
        study.candidates if study else 0,
    )


@dataclass(frozen=True)
class ListLine:
    """One row of the suppression list's table."""

    name: str
    people: int
    added: int
    ended: int
    lifter: str


def list_lines(words: Words, base: CleanBase) -> list[ListLine]:
    """The list by rule."""
    return [
        ListLine(
            name=rule_name(words, one.rule),
            people=one.people,
            added=one.added,
            ended=sum(one.ended.values()),
            lifter=_lifter(words, one),
        )
        for one in base.rules
    ]


def rule_name(words: Words, name: str) -> str:
    """A rule of the suppression list in words."""
    known = {
        "no_such_number": words.text("The number does not exist"),
        "not_mobile": words.text("Not a mobile number"),
        "blocked_by_recipient": words.text("Blocked by the recipient"),
        "hard_failures": words.text("Three hard failures in a row"),
        "opted_out": words.text("Refused messages"),
    }
    return known.get(name, name)


def _lifter(words: Words, one: ListedBy) -> str:
    match Lifter(one.lifted_by):
        case Lifter.LIST_OWNER:
            return mender(words, Mender.LIST)
        case Lifter.PERSON:
            return words.text("only the person")


def list_title(words: Words, base: CleanBase) -> str:
    """How many people are on the list."""
    return words.plural(
        "Suppression list: %(n)s person", "Suppression list: %(n)s people", base.people
    )


def proof(words: Words, base: CleanBase, sent: int) -> list[str]:
    """What the list spared, and what was sent in spite of it."""
    return [_spared(words, base.spared, sent), _wasted(words, base.wasted), _before(words, base)]


def _messages(words: Words, n: int) -> str:
    return words.plural("%(n)s message", "%(n)s messages", n)


def _people(words: Words, n: int) -> str:
    return words.plural("to %(n)s person", "to %(n)s people", n)


def _sum(words: Words, cost: Mapping[str, int]) -> str:
    return " + ".join(words.money(micro, currency) for currency, micro in cost.items())


def _spared(words: Words, spared: Spared | None, sent: int) -> str:
    if spared is None:
        return words.text(
            "No row of the outbox was skipped for the list, so what it spared cannot be proved."
        )
    if not spared.messages:
        return words.text("By the outbox nobody on the list was skipped.")
    told = [
        words.text(
            "The list spared %(messages)s %(people)s.",
            messages=_messages(words, spared.messages),
            people=_people(words, spared.people),
        )
    ]
    if spared.cost_micro:
        told.append(
            words.text("At the price paid: %(money)s.", money=_sum(words, spared.cost_micro))
        )
    if spared.unpriced:
        told.append(
            words.text(
                "No price is known of %(messages)s.", messages=_messages(words, spared.unpriced)
            )
        )
    told.append(
        words.text(
            "Without it %(would)s would have been sent; it was %(was)s.",
            would=_messages(words, sent + spared.messages),
            was=words.count(sent),
        )
    )
    return " ".join(told)


def _wasted(words: Words, wasted: Wasted) -> str:
    if not wasted.messages:
        return words.text("Nobody on the list was written to.")
    told = words.text(
        "Sent to people on the list all the same: %(messages)s %(people)s, "
        "not delivered: %(lost)s.",
        messages=_messages(words, wasted.messages),
        people=_people(words, wasted.people),
        lost=words.count(wasted.undelivered),
    )
    if not wasted.cost_micro:
        return told
    return f"{told} " + words.text(
        "Spent on them: %(money)s.", money=_sum(words, wasted.cost_micro)
    )


def _before(words: Words, base: CleanBase) -> str:
    now = words.text(
        "Failures that a clean list would spare: %(rate)s.",
        rate=rate_text(words, base.list_failures),
    )
    if base.list_failures_before is None:
        return now
    before = rate_text(words, base.list_failures_before)
    return f"{now} " + words.text("Before: %(rate)s.", rate=before)


@dataclass(frozen=True)
class SuspicionLine:
    """One suspicion as printed."""

    title: str
    when: str
    signs: str
    samples: str
    step: str


def suspicion_lines(words: Words, figures: Figures) -> list[SuspicionLine]:
    """What should be tested, in the order of the figures."""
    return [_suspicion(words, figures, one) for one in figures.suspicions]


def _suspicion(words: Words, figures: Figures, one: Suspicion) -> SuspicionLine:
    match SuspicionKind(one.kind):
        case SuspicionKind.PUMPED_TRAFFIC:
            title = words.text(
                "Pumped traffic? Numbers beginning with %(prefix)s (%(country)s)",
                prefix=one.scope["number_prefix"],
                country=words.country(one.scope["country"]),
            )
            step = words.text(
                "Look at the form or campaign that sent them, and hold the prefix back until it "
                "is known."
            )
        case SuspicionKind.FAKED_RECEIPTS:
            title = words.text(
                "Faked receipts? %(source)s to %(operator)s",
                source=words.label(one.scope["source"]),
                operator=words.label(one.scope["operator"]),
            )
            step = words.text(
                "Send to phones of your own over this route, and hold its receipts against what "
                "arrives."
            )
    return SuspicionLine(
        title=title,
        when=f"{words.between(one.first_at, one.last_at, figures.zone)}, "
        + _messages(words, one.messages),
        signs="; ".join(sign_text(words, sign) for sign in one.signs),
        samples=", ".join(one.sample[:SHOWN_SAMPLES]),
        step=step,
    )


def sign_text(words: Words, one: SuspicionSign) -> str:
    """One sign with what was seen and what is usual."""
    usual = one.usual or 0.0
    shares = {"share": words.percent(one.value), "usual": words.percent(usual)}
    match Sign(one.sign):
        case Sign.GROWTH:
            return words.text("%(share)s of all messages, before %(usual)s", **shares)
        case Sign.NEW_COUNTRY:
            return words.text(
                "%(share)s of all messages, to the country before %(usual)s", **shares
            )
        case Sign.NUMBER_RUNS:
            return words.text(
                "%(share)s went to consecutive numbers, elsewhere %(usual)s", **shares
            )
        case Sign.NO_CLICKS:
            return words.text("%(share)s opened the link, elsewhere %(usual)s", **shares)
        case Sign.DEARER:
            score = words.decimal(one.value, 1)
            return words.text(
                "the dearest day is %(score)s deviations above the days before", score=score
            )
        case Sign.CONCENTRATION:
            times = words.decimal(one.value / usual, 1)
            return words.text(
                "all messages together are on %(times)s times fewer prefixes than before",
                times=times,
            )
        case Sign.TOO_FAST:
            return words.text(
                "%(share)s of the receipts came within a second, on other routes %(usual)s",
                **shares,
            )
        case Sign.SAME_TIME:
            return words.text(
                "every receipt came after exactly %(time)s", time=words.duration(one.value)
            )


def suspicions_title(words: Words, figures: Figures) -> str:
    """How many suspicions there are."""
    return words.plural(
        "%(n)s suspicion to test", "%(n)s suspicions to test", len(figures.suspicions)
    )
