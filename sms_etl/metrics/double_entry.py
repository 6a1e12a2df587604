"""The same totals by another road: counted from messages, not summed from the cube."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from sms_etl.errors import ConservationError
from sms_etl.model.vocabulary import StatusClass
from sms_etl.reports.figures import Figures, GroupRow, Totals

Counted = dict[str, int]
"""Name of a figure -> its value."""

_SHOWN = 5
"""Differences named in the error; the first ones tell enough."""


def cross_check(figures: Figures, messages: pl.LazyFrame, zone: str) -> None:
    """Count the period again and compare: totals, campaigns, sources, operators, days and money.

    Args:
        figures: What is to be proved.
        messages: MESSAGES of at least the days of the report, one day more on either side where
            `zone` is not the business zone.
        zone: Time zone the days of the report are in.

    Raises:
        ConservationError: A figure is not what the messages say; it is named with both values.
    """
    local_day = pl.col("submitted_at").dt.convert_time_zone(zone).dt.date()
    counted = (
        messages.with_columns(day=local_day)
        .filter(pl.col("day").is_between(figures.first_day, figures.last_day))
        .group_by("day", "campaign", "source", "operator", "status_class", "currency")
        .agg(
            messages=pl.len().cast(pl.Int64),
            parts=pl.col("parts").cast(pl.Int64).sum(),
            cost=pl.col("cost_micro").sum(),
            with_cost=pl.col("cost_micro").count().cast(pl.Int64),
        )
        .collect(engine="streaming")
    )
    mine = counted
    if figures.campaign is not None:
        mine = counted.filter(pl.col("campaign") == figures.campaign)
    expected = _count(mine, "totals")
    expected |= _count_by(counted, "campaign") | _count_by(mine, "source")
    expected |= _count_by(mine, "operator") | _count_by(mine, "day")
    _compare(_told(figures), expected)


def _told(figures: Figures) -> Counted:
    told = _told_by("totals", figures.totals)
    groups: Mapping[str, Iterable[GroupRow]] = {
        "campaign": figures.by_campaign,
        "source": figures.by_source,
        "operator": figures.by_operator,
    }
    for dimension, rows in groups.items():
        for row in rows:
            told |= _told_by(f"by_{dimension}[{row.key}]", row.totals)
    for point in figures.days:
        told |= _told_by(f"by_day[{point.day}]", point.totals)
    return told


def _told_by(name: str, totals: Totals) -> Counted:
    told = {f"{name}.{word}": getattr(totals, word) for word in ("submitted", *StatusClass)}
    told[f"{name}.parts"] = totals.parts
    for cost in totals.costs:
        told[f"{name}.spent[{cost.currency}]"] = cost.spent_micro
        told[f"{name}.messages_with_cost[{cost.currency}]"] = cost.messages_with_cost
    return told


def _count_by(counted: pl.DataFrame, dimension: str) -> Counted:
    found: Counted = {}
    for (value,), rows in counted.group_by(dimension):
        found |= _count(rows, f"by_{dimension}[{value}]")
    return found


def _count(rows: pl.DataFrame, name: str) -> Counted:
    found = {f"{name}.submitted": _sum(rows, "messages"), f"{name}.parts": _sum(rows, "parts")}
    for word in StatusClass:
        found[f"{name}.{word}"] = _sum(rows.filter(pl.col("status_class") == word), "messages")
    paid = rows.filter(pl.col("currency").is_not_null(), pl.col("with_cost") > 0)
    for (currency,), part in paid.group_by("currency"):
        found[f"{name}.spent[{currency}]"] = _sum(part, "cost")
        found[f"{name}.messages_with_cost[{currency}]"] = _sum(part, "with_cost")
    return found


def _sum(rows: pl.DataFrame, column: str) -> int:
    return int(rows[column].sum())


def _compare(told: Counted, expected: Counted) -> None:
    wrong = [
        f"{name}: report {told.get(name, 0)}, messages {expected.get(name, 0)}"
        for name in dict.fromkeys([*told, *sorted(expected)])
        if told.get(name, 0) != expected.get(name, 0)
    ]
    if wrong:
        raise ConservationError(
            f"{len(wrong)} figures differ from a recount of the messages: "
            + "; ".join(wrong[:_SHOWN])
            + ". Rebuild the cube of these days and make the report again."
        )
