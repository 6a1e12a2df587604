"""What the rules say, in words: headline, cards, table, steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sms_etl.compliance.packs import HOUSE, Pack
from sms_etl.metrics.rate import Rate
from sms_etl.model.compliance import BreachKind, Judgement
from sms_etl.model.vocabulary import Mender
from sms_etl.reports.advice import Step
from sms_etl.reports.cards import Card
from sms_etl.reports.clean_figures import Compliance, RuleJudged, StopLag
from sms_etl.reports.figures import Figures
from sms_etl.reports.language import Words
from sms_etl.reports.sentences import mender, rate_text, scope_value

_SECONDS_PER_HOUR = 3600.0

_LIST_OWNERS = dict.fromkeys((BreachKind.AFTER_OPT_OUT, BreachKind.NO_CONSENT), Mender.LIST)
"""Breaches that the owner of the contact list mends; the sender mends all others."""


@dataclass(frozen=True)
class RuleLine:
    """One row of the table of rules."""

    name: str
    breaches: Rate
    people: int
    not_judged: str
    campaigns: str
    broken: bool
    unjudged: bool

    @property
    def matters(self) -> bool:
        """Whether there is more to say than that the rule was kept."""
        return self.broken or self.unjudged


@dataclass(frozen=True)
class SourceLine:
    """Where a rule comes from."""

    rule: str
    source: str
    reading: str
    seen: str


def breaches(told: Compliance) -> int:
    """Breaches of all rules: a message that breaks two rules counts twice."""
    return sum(rule.breaches.numerator for rule in told.rules)


def title(words: Words, told: Compliance) -> str:
    """How many breaches there are."""
    n = breaches(told)
    if not n:
        return words.text("No rule was broken")
    return words.plural("%(n)s breach of a rule", "%(n)s breaches of rules", n)


def headline(words: Words, figures: Figures) -> str:
    """Whether rules were broken, and which one most."""
    told = figures.compliance
    if told is None:
        return words.text("No message was held against a rule")
    worst = max(told.rules, key=lambda rule: (rule.breaches.numerator, rule.rule))
    head = title(words, told)
    if not worst.breaches.numerator:
        return head
    return words.text(
        "%(breaches)s; most of them: %(rule)s, %(rate)s",
        breaches=head,
        rule=rule_name(words, worst),
        rate=rate_text(words, worst.breaches),
    )


def rule_name(words: Words, rule: RuleJudged) -> str:
    """What a rule forbids, and whose rule it is."""
    return f"{_kind_name(words, rule)} · {_pack_name(words, rule.rule.partition('.')[0])}"


def _kind_name(words: Words, rule: RuleJudged) -> str:
    match BreachKind(rule.kind):
        case BreachKind.AFTER_OPT_OUT:
            return words.text("Sent after a refusal")
        case BreachKind.NIGHT:
            return words.text("Sent by night, by the recipient’s clock")
        case BreachKind.FREQUENCY:
            return words.plural(
                "More than %(most)s to a person in %(n)s day",
                "More than %(most)s to a person in %(n)s days",
                rule.days or 0,
                most=words.count(rule.most or 0),
            )
        case BreachKind.NO_CONSENT:
            return words.text("No consent on record")
        case BreachKind.NO_OPT_OUT_WORDING:
            return words.text("No word on how to refuse")


def _pack_name(words: Words, name: str) -> str:
    match name:
        case Pack.UKRAINE:
            return words.country("UA")
        case Pack.UNITED_STATES:
            return words.country("US")
        case Pack.EUROPEAN_UNION:
            return words.country("EU")
        case pack if pack == HOUSE:
            return words.text("our own rule")
        case _:
            return words.label(name)


def packs_note(words: Words, told: Compliance) -> str:
    """What was held against what."""
    names = ", ".join(_pack_name(words, pack) for pack in told.packs)
    return words.text(
        "Marketing messages held against: %(packs)s. Rejected ones reached nobody and are not in "
        "it. A message that breaks two rules counts twice. Not legal advice.",
        packs=names,
    )


def rule_lines(words: Words, figures: Figures, told: Compliance) -> list[RuleLine]:
    """Every rule, those broken most first."""
    ordered = sorted(told.rules, key=lambda rule: (-rule.breaches.numerator, rule.rule))
    return [
        RuleLine(
            name=rule_name(words, rule),
            breaches=rule.breaches,
            people=rule.people,
            not_judged=not_judged(words, rule),
            campaigns=", ".join(
                f"{scope_value(words, figures, 'campaign', name)} ({words.count(n)})"
                for name, n in rule.campaigns.items()
            )
            or "—",
            broken=bool(rule.breaches.numerator),
            unjudged=bool(rule.not_judged),
        )
        for rule in ordered
    ]


def kept_note(words: Words, lines: Sequence[RuleLine], *, named: bool) -> str:
    """The rules that are not in the table, being kept: by name or as a number; empty for none."""
    kept = [line for line in lines if not line.matters]
    if not kept:
        return ""
    if named:
        rules = "; ".join(
            f"{line.name} ({words.count(line.breaches.denominator)})" for line in kept
        )
        return words.text("Kept by every message that was judged: %(rules)s.", rules=rules)
    return words.plural(
        "%(n)s rule was kept by every message.",
        "%(n)s rules were kept by every message.",
        len(kept),
    )


def not_judged(words: Words, rule: RuleJudged) -> str:
    """Messages that the rule could not judge, by why."""
    return (
        "; ".join(f"{_why(words, name)}: {words.count(n)}" for name, n in rule.not_judged.items())
        or "—"
    )


def _why(words: Words, name: str) -> str:
    match Judgement(name):
        case Judgement.PURPOSE_UNKNOWN:
            return words.text("purpose not known")
        case Judgement.ZONE_UNKNOWN:
            return words.text("time zone not known")
        case Judgement.ZONE_AMBIGUOUS:
            return words.text("time zone not certain")
        case Judgement.PERSON_UNKNOWN:
            return words.text("person not known")
        case Judgement.NO_REGISTER:
            return words.text("no register of consents")
        case Judgement.NO_TEXT:
            return words.text("text not known")
        case Judgement.KEPT | Judgement.BREACH:
            raise ValueError(f"{name} is a judgement")


def lag_sentence(words: Words, lag: StopLag | None) -> str:
    """How long people who refused were still written to."""
    if lag is None:
        return words.text("Nobody refused in this period.")
    if not lag.written_after.numerator or lag.half_hours is None or lag.longest_hours is None:
        return words.plural(
            "%(n)s person refused and was not written to again.",
            "%(n)s people refused and were not written to again.",
            lag.written_after.denominator,
        )
    return words.text(
        "Written to again after refusing: %(rate)s. From refusal to the last message: half of them "
        "%(half)s, at most %(longest)s.",
        rate=rate_text(words, lag.written_after),
        half=words.duration(lag.half_hours * _SECONDS_PER_HOUR),
        longest=words.duration(lag.longest_hours * _SECONDS_PER_HOUR),
    )


def source_lines(words: Words, told: Compliance) -> list[SourceLine]:
    """Where every rule comes from, and what was made of it."""
    language = words.language.value
    return [
        SourceLine(
            rule=rule_name(words, rule),
            source=rule.source.get(language, ""),
            reading=rule.reading.get(language, ""),
            seen=words.text("Read on %(day)s.", day=words.day(rule.read_on))
            if rule.read_on
            else "",
        )
        for rule in told.rules
    ]


def compliance_cards(words: Words, figures: Figures) -> list[Card]:
    """Breaches, and what they are about."""
    told = figures.compliance
    if told is None:
        return []
    people = sum(rule.people for rule in told.rules)
    cards = [
        _card(
            words,
            words.text("Breaches of rules"),
            breaches(told),
            words.plural("to %(n)s person", "to %(n)s people", people) if people else "",
        )
    ]
    for kind in BreachKind:
        mine = [rule for rule in told.rules if rule.kind == kind]
        if not mine:
            continue
        judged = max(rule.breaches.denominator for rule in mine)
        note = words.plural("of %(n)s judged", "of %(n)s judged", judged)
        worst = max(mine, key=lambda rule: rule.breaches.numerator)
        name = _kind_name(words, worst)
        cards.append(_card(words, name, worst.breaches.numerator, note if judged else ""))
    return cards


def _card(words: Words, name: str, count: int, note: str) -> Card:
    return Card(name, words.count(count), (note,) if note else (), None, ())


def steps(words: Words, figures: Figures) -> list[Step]:
    """What to do about each kind of breach, the most frequent first."""
    told = figures.compliance
    if told is None:
        return []
    counts: dict[BreachKind, int] = {}
    for rule in told.rules:
        kind = BreachKind(rule.kind)
        counts[kind] = max(counts.get(kind, 0), rule.breaches.numerator)
    found = sorted(counts.items(), key=lambda item: -item[1])
    return [
        Step(
            what=_step(words, kind),
            who=mender(words, _LIST_OWNERS.get(kind, Mender.SENDER)),
            stake=words.plural("%(n)s message", "%(n)s messages", n),
        )
        for kind, n in found
        if n
    ]


def _step(words: Words, kind: BreachKind) -> str:
    match kind:
        case BreachKind.AFTER_OPT_OUT:
            return words.text(
                "Carry every refusal over to all lists within the day, and write to these people "
                "no more."
            )
        case BreachKind.NIGHT:
            return words.text("Send by the recipient’s clock, not by ours.")
        case BreachKind.FREQUENCY:
            return words.text("Set a limit for one person over all campaigns together.")
        case BreachKind.NO_CONSENT:
            return words.text(
                "Stop marketing to people without consent on record, or enter what they agreed to."
            )
        case BreachKind.NO_OPT_OUT_WORDING:
            return words.text("Say in every marketing text how to refuse.")
