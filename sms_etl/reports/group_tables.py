"""Tables of groups: a row per campaign, source, operator and so on, with what did not fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sms_etl.metrics.rate import Rate
from sms_etl.reports import cards, sentences
from sms_etl.reports.figures import Figures, GroupRow, TimeQuality, Totals
from sms_etl.reports.language import Words
from sms_etl.reports.slices import MOST_ROWS, main_cost, weak

BAR_STEPS = 100
"""Width of the longest bar, in percent of its cell."""

AT_MOST = "≤ "
"""Before a time that is an upper estimate."""

MOST_NAMED = 2
"""So many weak rows are named in the title of a table; more are counted."""


@dataclass(frozen=True)
class Line:
    """One row of a table of groups."""

    name: str
    rate: Rate
    bar: int
    change: cards.Change | None
    coverage: Rate
    median: str
    price: str
    weak: bool
    mine: bool
    median_seconds: float | None
    price_micro: int | None


@dataclass(frozen=True)
class Table:
    """A table of groups with what did not fit and its total."""

    lines: tuple[Line, ...]
    left_out: str
    total: Line | None
    any_weak: bool
    at_most: bool
    prices: bool
    changes: bool

    @property
    def several(self) -> bool:
        """Whether there is anything to compare."""
        return len(self.lines) > 1


def table(
    words: Words, figures: Figures, rows: Sequence[GroupRow], dimension: str, *, total: bool = False
) -> Table | None:
    """A table of groups, the largest first, with a total on request; null without rows.

    In a report on one campaign the table of campaigns shows it first and the others below it:
    there is no whole that they add up to or could be weak against.
    """
    if not rows:
        return None
    beside = dimension == "campaign" and figures.campaign is not None
    own = figures.campaign if beside else None
    ordered = sorted(rows, key=lambda row: (row.key != own, -row.totals.submitted, row.key))
    most = max(row.totals.submitted for row in rows)
    shown, rest = ordered[:MOST_ROWS], ordered[MOST_ROWS:]
    names = [sentences.scope_value(words, figures, dimension, row.key) for row in shown]
    lines = tuple(
        _line(words, figures, name, row, most, beside=beside)
        for name, row in zip(names, shown, strict=True)
    )
    whole = None
    if total and len(rows) > 1 and not beside:
        everything = GroupRow(key="", label="", totals=figures.totals, previous=figures.previous)
        whole = _line(words, figures, words.text("Total"), everything, 0, beside=False)
    return Table(
        lines=lines,
        left_out=left_out(words, rest),
        total=whole,
        any_weak=any(line.weak for line in lines),
        at_most=any(line.median.startswith(AT_MOST) for line in lines),
        prices=any(line.price != "—" for line in lines),
        changes=any(line.change for line in lines),
    )


def _median(words: Words, totals: Totals) -> str:
    latency = totals.latency
    if latency.median is None:
        return "—"
    at_most = AT_MOST if latency.quality is TimeQuality.UPPER_ESTIMATE else ""
    return at_most + words.duration(latency.median)


def price(words: Words, totals: Totals) -> str:
    """What one delivered message cost; a dash where it is not known."""
    cost = main_cost(totals)
    if cost is None or cost.per_delivered_micro is None:
        return "—"
    return words.price(cost.per_delivered_micro, cost.currency)


def _price_micro(totals: Totals) -> int | None:
    cost = main_cost(totals)
    return cost.per_delivered_micro if cost else None


def _line(
    words: Words, figures: Figures, name: str, row: GroupRow, most: int, *, beside: bool
) -> Line:
    """One row; `beside` marks a table in which the report's campaign is one row among others."""
    rate, before = row.totals.delivery, row.previous
    return Line(
        name=name,
        rate=rate,
        bar=max(1, round(BAR_STEPS * row.totals.submitted / most)) if most else 0,
        change=cards.rate_change(words, rate, before.delivery if before else None),
        coverage=row.totals.coverage,
        median=_median(words, row.totals),
        price=price(words, row.totals),
        weak=not beside and weak(rate, figures.totals.delivery),
        mine=beside and row.key == figures.campaign,
        median_seconds=row.totals.latency.median,
        price_micro=_price_micro(row.totals),
    )


def message(words: Words, head: str, shown: Table | None) -> str:
    """What a table of groups shows: who delivers worse than the whole."""
    if shown is None:
        return head
    weak_names = [line.name for line in shown.lines if line.weak]
    if not weak_names:
        return words.text("%(head)s: none delivers worse than the whole", head=head)
    who = ", ".join(weak_names)
    if len(weak_names) > MOST_NAMED:
        k, n = words.count(len(weak_names)), words.count(len(shown.lines))
        who = words.text("%(k)s of %(n)s", k=k, n=n)
    return words.plural(
        "%(head)s: %(who)s delivers worse than the whole",
        "%(head)s: %(who)s deliver worse than the whole",
        len(weak_names),
        head=head,
        who=who,
    )


def left_out(words: Words, rest: Sequence[GroupRow]) -> str:
    """How many rows a table does not show; empty for none."""
    if not rest:
        return ""
    messages = sum(row.totals.submitted for row in rest)
    n = words.plural("%(n)s message", "%(n)s messages", messages)
    return words.plural(
        "%(n)s more row (%(messages)s) is in the data of the report",
        "%(n)s more rows (%(messages)s) are in the data of the report",
        len(rest),
        messages=n,
    )
