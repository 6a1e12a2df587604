"""The scorecard: sources or operators beside each other, with how each stands to the others."""

from __future__ import annotations

from dataclasses import dataclass

from sms_etl.metrics.rate import Rate
from sms_etl.reports import cards
from sms_etl.reports.figures import Comparison, Figures, GroupRow, TimeQuality, Verdict
from sms_etl.reports.group_tables import left_out, price
from sms_etl.reports.language import Words
from sms_etl.reports.scorecard import OPERATOR
from sms_etl.reports.sections.section import Section, Values
from sms_etl.reports.sentences import rate_value, scope_value
from sms_etl.reports.slices import MOST_ROWS


@dataclass(frozen=True)
class Score:
    """One row as printed. `verdict` is better, worse or plain; `against` says it in words."""

    name: str
    rate: Rate
    change: cards.Change | None
    known: str
    median: str
    p90: str
    price: str
    verdict: str
    against: str


def verdict_words(words: Words, one: Comparison | None) -> str:
    """How a value stands to the others: in words, with the amount where it is shown."""
    if one is None:
        return "—"
    match one.verdict:
        case Verdict.BETTER:
            return words.text("%(amount)s better", amount=words.points(one.standardised))
        case Verdict.WORSE:
            return words.text("%(amount)s worse", amount=words.points(one.standardised))
        case Verdict.NOT_SHOWN:
            return words.text("no difference shown")
        case Verdict.TOO_FEW:
            return words.text("too few messages")
        case Verdict.TOO_EARLY:
            return words.text("too early to say")


def _score(words: Words, figures: Figures, row: GroupRow, one: Comparison | None) -> Score:
    card = figures.scorecard
    latency = row.totals.latency
    at_most = "≤ " if latency.quality is TimeQuality.UPPER_ESTIMATE else ""

    def time(seconds: float | None) -> str:
        return "—" if seconds is None else at_most + words.duration(seconds)

    shown = one is not None and one.verdict in {Verdict.BETTER, Verdict.WORSE}
    previous = row.previous.delivery if row.previous else None
    return Score(
        name=scope_value(words, figures, card.dimension if card else "", row.key),
        rate=row.totals.delivery,
        change=cards.rate_change(words, row.totals.delivery, previous),
        known=rate_value(words, row.totals.coverage),
        median=time(latency.median),
        p90=time(latency.p90),
        price=price(words, row.totals),
        verdict=one.verdict.value if one is not None and shown else "plain",
        against=verdict_words(words, one),
    )


def title(words: Words, figures: Figures) -> str:
    """Who is best and who is worst, where anybody is."""
    card = figures.scorecard
    told = [
        c
        for c in (card.comparisons if card else ())
        if c.verdict in {Verdict.BETTER, Verdict.WORSE}
    ]
    if card is None or not told:
        return words.text("Beside each other: no difference is shown")
    best = max(told, key=lambda c: (c.standardised, c.key))
    worst = min(told, key=lambda c: (c.standardised, c.key))
    names = [scope_value(words, figures, card.dimension, c.key) for c in (best, worst)]
    if best is worst or best.standardised <= 0 or worst.standardised >= 0:
        clear = worst if worst.standardised < 0 else best
        name = scope_value(words, figures, card.dimension, clear.key)
        if clear.standardised < 0:
            return words.text("%(name)s delivers worse than the others", name=name)
        return words.text("%(name)s delivers better than the others", name=name)
    return words.text("%(best)s delivers best, %(worst)s worst", best=names[0], worst=names[1])


def values(figures: Figures, words: Words) -> Values:
    """The table and its message."""
    card = figures.scorecard
    by_operator = card is not None and card.dimension == OPERATOR
    rows = figures.by_operator if by_operator else figures.by_source
    verdicts = {one.key: one for one in card.comparisons} if card else {}
    scores = [_score(words, figures, row, verdicts.get(row.key)) for row in rows[:MOST_ROWS]]
    return {
        "title": title(words, figures),
        "by_operator": by_operator,
        "scores": scores,
        "prices": any(score.price != "—" for score in scores),
        "left_out": left_out(words, rows[MOST_ROWS:]),
    }


SCORECARD = Section(
    "scorecard", values, lambda figures: bool(figures.scorecard and figures.scorecard.series)
)
