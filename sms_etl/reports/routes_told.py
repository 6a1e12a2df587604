"""The scorecards of sources and operators in words: headlines and steps."""

from __future__ import annotations

from sms_etl.model.vocabulary import UNKNOWN_LABEL, Mender
from sms_etl.reports import advice, sentences
from sms_etl.reports.advice import Step
from sms_etl.reports.figures import Figures, GroupRow, Verdict
from sms_etl.reports.group_tables import price
from sms_etl.reports.language import Words
from sms_etl.reports.routes import Gain, gains
from sms_etl.reports.sentences import rate_text, scope_value
from sms_etl.reports.slices import MOST_ACTIONS


def providers_headline(words: Words, figures: Figures) -> str:
    """Which source is worse than the others, and what better routes would bring."""
    if len(figures.by_source) < 2:
        return sentences.headline(words, figures)
    parts = [_verdict(words, figures)]
    more = sum(gain.more for gain in gains(figures))
    if more:
        parts.append(
            words.plural(
                "on the best routes at least %(n)s more message would have arrived",
                "on the best routes at least %(n)s more messages would have arrived",
                more,
            )
        )
    return "; ".join(parts)


def _verdict(words: Words, figures: Figures) -> str:
    card = figures.scorecard
    worse = [c for c in (card.comparisons if card else ()) if c.verdict is Verdict.WORSE]
    if card is None or not worse:
        return words.text("No source delivers worse than the others by more than chance")
    worst = min(worse, key=lambda c: (c.standardised, c.key))
    return words.text(
        "%(name)s delivers %(amount)s worse than the other sources, operators being equal",
        name=scope_value(words, figures, card.dimension, worst.key),
        amount=words.points(abs(worst.standardised), signed=False),
    )


def operators_headline(words: Words, figures: Figures) -> str:
    """The best and the worst operator."""
    told = [row for row in figures.by_operator if _judged(row)]
    if len(told) < 2:
        return sentences.headline(words, figures)

    def share(row: GroupRow) -> tuple[float, str]:
        return row.totals.delivery.value or 0.0, row.key

    worst, best = min(told, key=share), max(told, key=share)
    return words.text(
        "%(worst)s delivers worst: %(rate)s; best is %(best)s with %(other)s",
        worst=scope_value(words, figures, "operator", worst.key),
        rate=rate_text(words, worst.totals.delivery),
        best=scope_value(words, figures, "operator", best.key),
        other=rate_text(words, best.totals.delivery),
    )


def _judged(row: GroupRow) -> bool:
    return row.key != UNKNOWN_LABEL and not row.totals.delivery.small


def steps(words: Words, figures: Figures) -> list[Step]:
    """Better routes first, then what the findings and reasons ask for."""
    routes = [_route_step(words, figures, gain) for gain in gains(figures)]
    return [*routes, *advice.steps(words, figures)][:MOST_ACTIONS]


def _route_step(words: Words, figures: Figures, gain: Gain) -> Step:
    names = {
        "operator": scope_value(words, figures, "operator", gain.operator),
        "worse": scope_value(words, figures, "source", gain.worse.source),
        "better": scope_value(words, figures, "source", gain.better.source),
    }
    what = words.text("Send messages to %(operator)s by %(better)s, not by %(worse)s.", **names)
    stake = words.plural("at least %(n)s message more", "at least %(n)s messages more", gain.more)
    prices = [price(words, route.totals) for route in (gain.worse, gain.better)]
    if "—" not in prices and prices[0] != prices[1]:
        told = words.text(
            "a delivered one costs %(now)s, then %(then)s", now=prices[0], then=prices[1]
        )
        stake = f"{stake}; {told}"
    return Step(what, sentences.mender(words, Mender.SENDER), stake)
