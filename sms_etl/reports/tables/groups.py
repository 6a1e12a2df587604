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


def money(
    words: Words, figures: Figures, dimensions: Iterable[tuple[str, str, Sequence[GroupRow]]]
) -> Table:
    """Money of the whole and of every group, a row for each currency."""
    columns = (
        Column(
            "dimension", Cell.TEXT, words.text("Table"), "totals, or the table that has the key"
        ),
        Column("key", Cell.TEXT, words.text("Identifier"), "As in that table; empty for the whole"),
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
    )
    owners = [("totals", "", figures.totals)]
    owners += [(name, row.key, row.totals) for name, _, rows in dimensions for row in rows]
    rows = [
        (name, key, isinstance(cost, Converted), *_cost(cost))
        for name, key, totals in owners
        for cost in _all_money(totals)
    ]
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
    )
