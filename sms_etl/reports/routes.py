"""Which source delivers an operator better than another, and what changing it would bring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sms_etl.model.vocabulary import UNKNOWN_LABEL
from sms_etl.reports.figures import Figures, Route, Totals
from sms_etl.reports.slices import weak


@dataclass(frozen=True)
class Gain:
    """Messages to one operator that another source would have delivered.

    `more` is the least that follows from the two rates: the missing receipts of the worse source
    are taken for deliveries.
    """

    operator: str
    worse: Route
    better: Route
    more: int


def routes_by_operator(figures: Figures) -> dict[str, list[Route]]:
    """The routes of each operator, both in the order of their messages."""
    found: dict[str, list[Route]] = {}
    for route in figures.scorecard.routes if figures.scorecard else ():
        found.setdefault(route.operator, []).append(route)
    return dict(sorted(found.items(), key=lambda item: (-_sent(item[1]), item[0])))


def _sent(routes: Sequence[Route]) -> int:
    return sum(route.totals.submitted for route in routes)


def best_of(routes: Sequence[Route]) -> Route | None:
    """The route that surely delivers best: by the lower end of its interval; null for none.

    Few messages have a wide interval, so a route that is hardly used does not win by luck.
    """
    told = [route for route in routes if not route.totals.delivery.small]
    return max(told, key=lambda route: (_surely(route), route.source), default=None)


def _hoped(totals: Totals) -> int:
    """Messages that arrived or still may have."""
    return totals.delivered + totals.unknown + totals.pending


def _surely(route: Route) -> float:
    interval = route.totals.delivery.interval
    return interval.low if interval is not None else 0.0


def gains(figures: Figures) -> list[Gain]:
    """Where another source of the same report delivers better than by chance, the most first."""
    found = []
    for operator, routes in routes_by_operator(figures).items():
        best = best_of(routes)
        if operator == UNKNOWN_LABEL or best is None:
            continue
        rate = best.totals.delivery
        for route in routes:
            own = route.totals.delivery
            if not weak(own, rate):
                continue
            expected = route.totals.submitted * rate.numerator // rate.denominator
            more = expected - _hoped(route.totals)
            if more > 0:
                found.append(Gain(operator, route, best, more))
    return sorted(found, key=lambda gain: (-gain.more, gain.operator, gain.worse.source))
