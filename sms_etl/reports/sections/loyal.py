"""Buyers in fifths, how messages reach them, and the loyal ones they do not reach."""

from __future__ import annotations

from dataclasses import dataclass

from sms_etl.metrics.loyalty import QUINTILES
from sms_etl.reports import sentences
from sms_etl.reports.engagement_figures import BuyerGroup, Loyalty
from sms_etl.reports.figures import Figures
from sms_etl.reports.language import Words
from sms_etl.reports.sections.section import Section, Values


@dataclass(frozen=True)
class LoyalTable:
    """One measure: its name and its fifths, the highest first."""

    name: str
    lines: list[tuple[str, BuyerGroup]]


def values(figures: Figures, words: Words) -> Values:
    """Three tables of fifths and what they say."""
    found = figures.loyalty
    if found is None:
        return {}
    return {
        "title": title(words, found),
        "sub": sub(words, found),
        "tables": [
            LoyalTable(
                measure_name(words, measure),
                [(score_name(words, measure, one.score), one) for one in found.groups
                 if one.measure == measure],
            )
            for measure in ("recency", "frequency", "money")
        ],
        "clicked": any(one.clicked is not None for one in found.groups),
        "refused": any(one.opted_out is not None for one in found.groups),
        "notes": [note for note in (unreachable(words, found),) if note],
    }  # fmt: skip


def title(words: Words, found: Loyalty) -> str:
    """How many loyal customers are not reached."""
    if not found.unreachable.numerator:
        return words.text("Messages and loyal customers")
    return words.text(
        "Loyal but out of reach: %(rate)s", rate=sentences.rate_text(words, found.unreachable)
    )


def sub(words: Words, found: Loyalty) -> str:
    """Who is cut into fifths, and when."""
    buyers = words.plural("%(n)s person", "%(n)s people", found.buyers)
    return words.text(
        "Who ordered from %(first)s to %(last)s (%(buyers)s), in fifths as they stood before these "
        "days. Bought before and after: people who ordered in the %(beside)s before and after "
        "their first message of these days; not all of it because of the message.",
        first=words.day(found.first_day),
        last=words.day(found.last_day),
        buyers=buyers,
        beside=words.plural("%(n)s day", "%(n)s days", found.beside_days),
    )


def unreachable(words: Words, found: Loyalty) -> str:
    """Who they are, and what to do."""
    if not found.unreachable.denominator:
        return ""
    said = words.text(
        "Loyal: in the upper two fifths of both how often and how much. Out of reach: the last two "
        "messages to them did not arrive."
    )
    if not found.unreachable.numerator:
        return said
    return f"{said} " + words.text(
        "Ask them for a working number by e-mail or in the shop; the list: sms-etl "
        "loyal-unreachable."
    )


def measure_name(words: Words, measure: str) -> str:
    """A measure in words."""
    names = {
        "recency": words.text("How lately they bought"),
        "frequency": words.text("How often they bought"),
        "money": words.text("How much they spent"),
    }
    return names[measure]


def score_name(words: Words, measure: str, score: str) -> str:
    """A fifth in words; the ends are named."""
    ends = {
        "recency": (words.text("longest ago"), words.text("most lately")),
        "frequency": (words.text("most seldom"), words.text("most often")),
        "money": (words.text("least"), words.text("most")),
    }[measure]
    named = {"1": ends[0], str(QUINTILES): ends[1]}
    return f"{score} · {named[score]}" if score in named else score


LOYALTY = Section("loyal", values, lambda figures: figures.loyalty is not None)
