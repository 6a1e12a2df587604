"""Comparisons in words: what is better or worse, by how much, and what is not shown."""

from __future__ import annotations

from collections.abc import Sequence

from sms_etl.reports.figures import Comparison, Figures, Verdict
from sms_etl.reports.language import Words
from sms_etl.reports.sentences import scope_value

MOST_NAMED = 4
"""Campaigns named in one sentence; the rest is in the data of the report."""

VISIBLE_MIX = 0.0005
"""A smaller effect of the mix prints as zero."""


def change_sentence(words: Words, figures: Figures) -> str:
    """The delivery rate against the period before; empty where nothing can be said."""
    one = figures.change
    if one is None or one.verdict is Verdict.TOO_FEW:
        return ""
    if one.verdict is Verdict.TOO_EARLY:
        return words.text(
            "It is too early to compare delivery with the period before: receipts are missing."
        )
    if one.verdict is Verdict.NOT_SHOWN:
        return words.text(
            "No change of delivery is shown: %(amount)s, and with so many messages it could be "
            "chance.",
            amount=amount(words, one),
        )
    if one.verdict is Verdict.BETTER:
        said = words.text(
            "Operators being equal, delivery is better than before: %(amount)s.",
            amount=amount(words, one),
        )
    else:
        said = words.text(
            "Operators being equal, delivery is worse than before: %(amount)s.",
            amount=amount(words, one),
        )
    if abs(one.mix_effect) < VISIBLE_MIX:
        return said
    mix = words.text(
        "Writing to other operators alone moved it by %(mix)s.", mix=words.points(one.mix_effect)
    )
    return f"{said} {mix}"


def campaign_sentences(words: Words, figures: Figures) -> list[str]:
    """Which campaigns delivered better or worse than the others of the same days."""
    if figures.campaign is None and len(figures.comparisons) < 2:
        return []
    said = []
    for verdict in (Verdict.BETTER, Verdict.WORSE, Verdict.NOT_SHOWN, Verdict.TOO_EARLY):
        found = [one for one in figures.comparisons if one.verdict is verdict]
        if found:
            said.append(_verdict_sentence(words, figures, verdict, found))
    return said


def _verdict_sentence(
    words: Words, figures: Figures, verdict: Verdict, found: Sequence[Comparison]
) -> str:
    match verdict:
        case Verdict.BETTER:
            names = _named(words, figures, found, with_amounts=True)
            return words.text(
                "Better than the others, operators being equal: %(names)s.", names=names
            )
        case Verdict.WORSE:
            names = _named(words, figures, found, with_amounts=True)
            return words.text(
                "Worse than the others, operators being equal: %(names)s.", names=names
            )
        case Verdict.NOT_SHOWN:
            names = _named(words, figures, found, with_amounts=figures.campaign is not None)
            return words.text("No difference from the others is shown: %(names)s.", names=names)
        case _:
            names = _named(words, figures, found, with_amounts=False)
            return words.text("Too early to compare, receipts are missing: %(names)s.", names=names)


def _named(
    words: Words, figures: Figures, found: Sequence[Comparison], *, with_amounts: bool
) -> str:
    ordered = sorted(found, key=lambda one: (-abs(one.standardised), one.key))
    shown = []
    for one in ordered[:MOST_NAMED]:
        name = scope_value(words, figures, "campaign", one.key)
        shown.append(f"{name} ({amount(words, one)})" if with_amounts else name)
    text = ", ".join(shown)
    rest = len(ordered) - MOST_NAMED
    if rest <= 0:
        return text
    return words.plural("%(names)s and %(n)s more", "%(names)s and %(n)s more", rest, names=text)


def amount(words: Words, one: Comparison) -> str:
    """The difference with its interval: `+1.2 pp, from +0.8 to +1.6`."""
    return words.text(
        "%(difference)s, from %(low)s to %(high)s",
        difference=words.points(one.standardised),
        low=words.decimal(one.interval.low * 100, 1, signed=True),
        high=words.decimal(one.interval.high * 100, 1, signed=True),
    )
