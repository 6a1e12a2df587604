"""Groups of messages: totals of every value of a dimension, and their money."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sms_etl.reports.figures import Converted, Cost, Figures, GroupRow, Totals
from sms_etl.reports.language import Words
from sms_etl.reports.tables.measures import cohort_measures, values
from sms_etl.reports.tables.table import Cell, Column, Table, units


def groups(words: Words, name: str, title: str, rows: Sequence[GroupRow]) -> Table:
    """Every value of a dimension, the largest first."""
    measures = cohort_measures(words)
    columns = (
        Column("key", Cell.TEXT, words.text("Identifier"), "As in the data"),
        Column("label", Cell.TEXT, words.text("Name"), "As the report prints it"),
        *(column for column, _ in measures),
        Column(
            "submitted_before", Cell.COUNT, words.text("Sent before"), "Sent in the period before"
        ),
        Column(
            "delivered_before",
            Cell.COUNT,
            words.text("Delivered before"),
            "Of those, delivered by now",
        ),
    )
    filled = tuple(
        (
            row.key,
            words.country(row.key) if name == "countries" else words.label(row.label),
            *values(measures, row.totals),
            row.previous.submitted if row.previous else None,
            row.previous.delivered if row.previous else None,
        )
        for row in rows
    )
    return Table(name, title, f"Totals of {name}, the largest first", columns, filled)


Cohort = tuple[str, str, Totals]
"""The table that has a cohort, its key there, and its totals."""


def cohorts(
    figures: Figures, dimensions: Iterable[tuple[str, str, Sequence[GroupRow]]]
) -> list[Cohort]:
    """The whole, the periods before, days, groups and routes."""
    owners: list[Cohort] = [("totals", "", figures.totals)]
    earlier = (("before", figures.previous), ("last_year", figures.last_year))
    owners += [("totals", part, totals) for part, totals in earlier if totals is not None]
    points = (*figures.previous_days, *figures.days)
    owners += [("days", point.day.isoformat(), point.totals) for point in points]
    owners += [(name, row.key, row.totals) for name, _, rows in dimensions for row in rows]
    routes = figures.scorecard.routes if figures.scorecard else ()
    owners += [("routes", f"{one.source}; {one.operator}", one.totals) for one in routes]
    return owners


def money(words: Words, figures: Figures, cohorts: Iterable[Cohort]) -> Table:
    """Money of every cohort and finding, a row for each currency."""
    columns = (
        Column("dimension", Cell.TEXT, words.text("Table"), "Table that has the key"),
        Column(
            "key",
            Cell.TEXT,
            words.text("Identifier"),
            "As in that table; empty for the whole, before or last_year in totals",
        ),
        Column(
            "converted",
            Cell.FLAG,
            words.text("Converted"),
            "True: all currencies in the report's own",
        ),
        Column("currency", Cell.TEXT, words.text("Currency"), "ISO 4217"),
        Column("spent", Cell.MONEY, words.text("Spent"), "Money in currency units"),
        Column("on_undelivered", Cell.MONEY, words.text("On undelivered"), "Of it, for nothing"),
        Column(
            "per_delivered",
            Cell.MONEY,
            words.text("Cost of delivered"),
            "Spent per delivered message",
        ),
        Column(
            "messages_with_cost", Cell.COUNT, words.text("Messages with a price"), "In these sums"
        ),
        Column("messages", Cell.COUNT, words.text("Messages"), "All; empty where converted"),
        Column("first_rate_day", Cell.DAY, words.text("Rates from"), "Oldest rate used"),
        Column("last_rate_day", Cell.DAY, words.text("Rates to"), "Newest rate used"),
    )
    sums = [(name, key, cost) for name, key, totals in cohorts for cost in _all_money(totals)]
    sums += [("findings", one.id, cost) for one in figures.findings for cost in one.cost]
    rows = [(name, key, isinstance(cost, Converted), *_cost(cost)) for name, key, cost in sums]
    return Table("money", words.text("Money"), "Money by currency", columns, tuple(rows))


def _all_money(totals: Totals) -> list[Cost | Converted]:
    return [*totals.costs, *([totals.converted] if totals.converted else [])]


def _cost(cost: Cost | Converted) -> tuple[Any, ...]:
    each = cost.per_delivered_micro
    return (
        cost.currency,
        units(cost.spent_micro),
        units(cost.spent_on_undelivered_micro),
        None if each is None else units(each),
        cost.messages_with_cost,
        *_apart(cost),
    )


def _apart(cost: Cost | Converted) -> tuple[Any, ...]:
    """What only one of the two has."""
    if isinstance(cost, Converted):
        return None, cost.first_rate_day, cost.last_rate_day
    return cost.messages, None, None


def not_converted(words: Words, cohorts: Iterable[Cohort]) -> Table:
    """Money for which there is no rate, and which is in no converted sum."""
    columns = (
        Column("dimension", Cell.TEXT, words.text("Table"), "Table that has the key"),
        Column("key", Cell.TEXT, words.text("Identifier"), "As in that table"),
        Column("currency", Cell.TEXT, words.text("Currency"), "ISO 4217"),
        Column("money", Cell.MONEY, words.text("Money"), "In no converted sum"),
    )
    rows = tuple(
        (name, key, one.currency, units(one.micro))
        for name, key, totals in cohorts
        if totals.converted is not None
        for one in totals.converted.missing
    )
    meaning = "Money for which no rate was found"
    return Table("not_converted", words.text("Money without a rate"), meaning, columns, rows)
