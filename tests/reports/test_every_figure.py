"""No figure may be forgotten: each one, when it is another, makes other tables."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from enum import Enum
from itertools import pairwise
from typing import Any

from pydantic import BaseModel

from sms_etl.config.settings import Language
from sms_etl.metrics.rate import Rate
from sms_etl.model.vocabulary import Mender
from sms_etl.reports.data_tables import data_tables
from sms_etl.reports.figures import Figures, Totals
from sms_etl.reports.language import Words
from tests.reports.whole_sample import every_figure

NOT_IN_TABLES = {
    "attributed.by_campaign.revenue_per_delivered.currency": "that of the revenue per message",
    "attributed.whole.revenue_per_delivered.currency": "that of the revenue per message",
    "by_country.label": "countries are named in the reader's language, by their code",
    "change.key": "there is one such comparison, so it needs no key",
    "last_year_change.key": "there is one such comparison, so it needs no key",
    "totals.delivery": "its share has a column, its counts are the columns sent and delivered",
    "totals.delivery_of_final": "the same, of the columns delivered, failed and rejected",
    "totals.coverage": "the same, of the columns delivered, failed, rejected and sent",
    "totals.prices": "its share has a column; messages with a price stand by currency",
    "totals.latency.waiting": "the column of those pending",
}
"""Path of a figure -> why no table has it."""

RATE_PARTS = ("numerator", "denominator")
"""Of a rate, its counts must be in a table; the rest of it follows from them or judges them."""

OTHER_WORDS = {"Europe/Kyiv": "Europe/Warsaw"} | dict(pairwise([*Mender, Mender.SENDER]))
"""Words of which only some exist."""

ENGLISH = Words(Language.ENGLISH)


def leaves(node: Any, path: str = "") -> set[str]:
    """Paths of all figures that have data; the members of a list share one path.

    Totals have the same columns wherever they stand, so they are entered once.
    """
    if isinstance(node, Totals) and path != "totals":
        return {f"{path}.submitted"}
    if isinstance(node, Rate):
        return {path}
    if isinstance(node, BaseModel):
        return {
            leaf
            for name in type(node).model_fields
            for leaf in leaves(getattr(node, name), f"{path}.{name}".lstrip("."))
        }
    if isinstance(node, tuple) and node and isinstance(node[0], BaseModel):
        return {leaf for one in node for leaf in leaves(one, path)}
    return set() if node is None or node in ((), {}) else {path}


def changed(node: Any, steps: list[str]) -> Any:
    """The same tree with another value at a path, in all members of a list."""
    if isinstance(node, tuple) and node and isinstance(node[0], BaseModel):
        return tuple(changed(one, steps) for one in node)
    if not steps:
        return another(node)
    if node is None or node == ():
        return node
    name, *rest = steps
    return node.model_copy(update={name: changed(getattr(node, name), rest)})


STEPS_BY_TYPE = {int: 1, float: 1.0, datetime: timedelta(hours=1), date: timedelta(days=1)}


def another(value: Any) -> Any:
    """Another value of the same type; nothing stays nothing."""
    if isinstance(value, BaseModel):
        names = RATE_PARTS if isinstance(value, Rate) else type(value).model_fields
        return value.model_copy(update={name: another(getattr(value, name)) for name in names})
    if isinstance(value, tuple):
        return tuple(another(one) for one in value)
    if isinstance(value, dict):
        return {key: another(one) for key, one in value.items()}
    if isinstance(value, Enum):
        return next(one for one in type(value) if one is not value)
    if isinstance(value, bool):
        return not value
    if isinstance(value, str):
        return OTHER_WORDS.get(value, f"{value}~")
    return value if value is None else value + STEPS_BY_TYPE[type(value)]


def rows_of(figures: Figures) -> dict[str, tuple[tuple[Any, ...], ...]]:
    """What is told by table; without the advice, which is made of other figures."""
    tables = data_tables(figures, ENGLISH)
    return {table.name: table.rows for table in tables if table.name != "steps"}


def test_every_figure_with_data_stands_in_a_table():
    whole = every_figure()
    told = rows_of(whole)
    forgotten = {
        path
        for path in leaves(whole)
        if path not in NOT_IN_TABLES and rows_of(changed(whole, path.split("."))) == told
    }
    assert not forgotten, f"in no table of sms_etl/reports/tables: {sorted(forgotten)}"


def test_an_exception_is_a_figure_and_is_needed():
    whole = every_figure()
    told = rows_of(whole)
    assert set(NOT_IN_TABLES) <= leaves(whole)
    moved = [p for p in NOT_IN_TABLES if rows_of(changed(whole, p.split("."))) != told]
    assert not moved, f"these stand in a table by now: {moved}"


def test_the_sample_has_data_in_every_field():
    whole = every_figure()
    empty = sorted(
        name for name in Figures.model_fields if getattr(whole, name) in (None, (), {}, "")
    )
    assert not empty, f"give whole_sample.every_figure() some: {empty}"


def test_every_table_has_rows_and_a_name_that_a_sheet_may_have():
    whole = every_figure()
    assert [name for name, rows in rows_of(whole).items() if not rows] == []
    for language in Language:
        titles = [table.title for table in data_tables(whole, Words(language))]
        assert max(Counter(titles).values()) == 1
        assert not [title for title in titles if len(title) > 31 or set(title) & set("[]:*?/\\")]
