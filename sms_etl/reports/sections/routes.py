"""Routes: how each source delivers each operator, and where another one does it better."""

from __future__ import annotations

from dataclasses import dataclass

from sms_etl.model.vocabulary import UNKNOWN_LABEL
from sms_etl.reports.figures import Figures, Route
from sms_etl.reports.language import Words
from sms_etl.reports.routes import best_of, gains, routes_by_operator
from sms_etl.reports.sections.section import Section, Values
from sms_etl.reports.sentences import of_denominator, rate_value, scope_value
from sms_etl.reports.slices import weak

MOST_SOURCES, MOST_OPERATORS = 5, 12
"""Columns and rows printed; the data of the report holds all."""


@dataclass(frozen=True)
class Cell:
    """A route as printed: value, denominator, and what it is among the routes of its operator."""

    value: str
    of: str
    verdict: str
    word: str


def _cell(words: Words, route: Route | None, best: Route | None, *, several: bool) -> Cell:
    if route is None:
        return Cell("—", "", "plain", "")
    rate = route.totals.delivery
    value, of = rate_value(words, rate), of_denominator(words, rate)
    if not several or best is None or rate.small:
        return Cell(value, of, "plain", "")
    if route is best:
        return Cell(value, of, "better", words.text("best"))
    if weak(rate, best.totals.delivery):
        return Cell(value, of, "worse", words.text("worse"))
    return Cell(value, of, "plain", "")


def title(words: Words, figures: Figures) -> str:
    """What moving messages to the better routes would bring."""
    found = gains(figures)
    if not found:
        return words.text("Routes: no source delivers an operator worse than another")
    more = sum(gain.more for gain in found)
    return words.plural(
        "On its best route at least %(n)s more message would have arrived",
        "On their best routes at least %(n)s more messages would have arrived",
        more,
    )


def values(figures: Figures, words: Words) -> Values:
    """The table of operators and sources."""
    sources = [row.key for row in figures.by_source][:MOST_SOURCES]
    rows = []
    for operator, routes in list(routes_by_operator(figures).items())[:MOST_OPERATORS]:
        best = best_of(routes)
        several = len(routes) > 1 and operator != UNKNOWN_LABEL
        by_source = {route.source: route for route in routes}
        cells = [_cell(words, by_source.get(name), best, several=several) for name in sources]
        rows.append((scope_value(words, figures, "operator", operator), cells))
    return {
        "title": title(words, figures),
        "sources": [scope_value(words, figures, "source", name) for name in sources],
        "rows": rows,
    }


def _has_data(figures: Figures) -> bool:
    card = figures.scorecard
    return card is not None and len(figures.by_source) > 1 and bool(card.routes)


ROUTES = Section("routes", values, _has_data)
