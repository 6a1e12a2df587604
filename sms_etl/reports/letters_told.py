"""What letters cost, in words: odd ones, the option of Latin ones, and parts billed."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from sms_etl.reports.figures import EncodingWaste, Figures, Money, PartsBilled
from sms_etl.reports.language import NO_GLYPH, Words, printable

LEAST_PARTS_WORTH_ADVICE = 0.005
"""Odd letters that cost less than this share of all parts do not earn a step."""

MOST_SHOWN = 4
"""Characters named in one sentence."""


def waste_worth_telling(figures: Figures) -> EncodingWaste | None:
    """The campaign that loses most parts to odd letters, if all campaigns lose enough."""
    lost = sum(one.parts for one in figures.waste)
    worth = lost and lost >= LEAST_PARTS_WORTH_ADVICE * figures.totals.parts
    return figures.waste[0] if worth else None


def waste_advice(words: Words, figures: Figures, waste: EncodingWaste) -> str:
    """What to replace, where and why."""
    advice = words.text(
        "Replace %(letters)s in the texts of the campaign “%(campaign)s” by plain characters: one "
        "of them leaves 70 characters to a part instead of 160.",
        letters=shown_letters(words, waste.letters),
        campaign=words.label(waste.label),
    )
    others = len(figures.waste) - 1
    if others <= 0:
        return advice
    more = words.plural(
        "%(n)s more campaign has such letters.", "%(n)s more campaigns have such letters.", others
    )
    return f"{advice} {more}"


def waste_stake(words: Words, figures: Figures) -> str:
    """Parts and money that plain letters would have saved, in all campaigns."""
    parts = sum(one.parts for one in figures.waste)
    sums: dict[str, int] = {}
    for money in (money for one in figures.waste for money in one.money):
        sums[money.currency] = sums.get(money.currency, 0) + money.micro
    shown = money_sum(words, [Money(currency=c, micro=m) for c, m in sorted(sums.items())])
    told = words.plural("%(n)s part too many", "%(n)s parts too many", parts)
    return f"{told}: {shown}" if shown else told


def shown_letters(words: Words, letters: Sequence[str]) -> str:
    """Characters in quotes, each once; what cannot be seen or drawn by its code point."""
    characters = list(dict.fromkeys("".join(letters)))
    return ", ".join(_shown(words, c) for c in characters[:MOST_SHOWN])


def _shown(words: Words, character: str) -> str:
    visible = unicodedata.category(character)[0] in "LNPS" and printable(character) != NO_GLYPH
    if not visible:
        return f"U+{ord(character):04X}"
    return words.text("“%(character)s”", character=character)


def money_sum(words: Words, money: Sequence[Money]) -> str:
    """Sums of several currencies, joined; empty for none."""
    return " + ".join(words.money(one.micro, one.currency) for one in money if one.micro)


def latin_note(words: Words, figures: Figures) -> str:
    """What Latin letters would save, said as the option it is; empty if nothing."""
    option = figures.latin_option
    if option is None:
        return ""
    saved = words.plural("%(n)s part", "%(n)s parts", option.parts)
    money = money_sum(words, option.money)
    return words.text(
        "An option, no advice: Ukrainian texts in Latin letters would take fewer parts, by "
        "%(saved)s; they are harder to read.",
        saved=f"{saved} ({money})" if money else saved,
    )


def billed_note(words: Words, billed: PartsBilled | None) -> str:
    """How parts billed differ from parts computed; empty where they do not."""
    if billed is None:
        return ""
    found = []
    if billed.messages_over:
        found.append(
            words.plural(
                "%(parts)s more for %(n)s message",
                "%(parts)s more for %(n)s messages",
                billed.messages_over,
                parts=words.count(billed.parts_over),
            )
        )
    if billed.messages_under:
        found.append(
            words.plural(
                "%(parts)s fewer for %(n)s message",
                "%(parts)s fewer for %(n)s messages",
                billed.messages_under,
                parts=words.count(billed.parts_under),
            )
        )
    if not found:
        return ""
    return words.text(
        "Parts billed are not those of the texts: %(differences)s, of %(n)s compared.",
        differences="; ".join(found),
        n=words.count(billed.messages),
    )
