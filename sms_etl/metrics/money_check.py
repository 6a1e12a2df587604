"""Converted money and waste by another road: from messages and written-out rates, not the cube."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from fractions import Fraction

import polars as pl

from sms_etl.errors import ConservationError
from sms_etl.metrics.money import RATE_SCALE, Rates
from sms_etl.model.vocabulary import Channel
from sms_etl.reports.figures import Figures, Totals

Sums = dict[str, int]
"""Name of a figure -> its value."""

_SHOWN = 5


def check_money(figures: Figures, messages: pl.LazyFrame, rates: Rates | None) -> None:
    """Count converted money and waste again, and compare.

    Args:
        figures: What is to be proved.
        messages: MESSAGES of at least the days of the report.
        rates: What the money was converted with, if it was.

    Raises:
        ConservationError: A figure is not what messages and rates say.
    """
    local_day = pl.col("submitted_at").dt.convert_time_zone(figures.zone).dt.date()
    mine = messages.with_columns(local_day=local_day).filter(
        pl.col("local_day").is_between(figures.first_day, figures.last_day)
    )
    if figures.campaign is not None:
        mine = mine.filter(pl.col("campaign") == figures.campaign)
    told = {f"waste[{one.campaign}].parts": one.parts for one in figures.waste}
    told |= {
        f"waste[{one.campaign}].money[{money.currency}]": money.micro
        for one in figures.waste
        for money in one.money
    }
    expected = _waste(mine)
    if rates is not None:
        told |= _told("totals", figures.totals)
        for point in figures.days:
            told |= _told(f"by_day[{point.day}]", point.totals)
        for row in figures.by_source:
            told |= _told(f"by_source[{row.key}]", row.totals)
        expected |= _converted(mine, rates)
    _compare(told, expected)


def _told(name: str, totals: Totals) -> Sums:
    converted = totals.converted
    if converted is None:
        return {}
    missing = {f"{name}.missing[{m.currency}]": m.micro for m in converted.missing}
    return missing | {
        f"{name}.converted": converted.spent_micro,
        f"{name}.converted_messages": converted.messages_with_cost,
    }


def _converted(messages: pl.LazyFrame, rates: Rates) -> Sums:
    """Sums per day and currency times the rate, as fractions, rounded once."""
    rows = (
        messages.filter(pl.col("currency").is_not_null(), pl.col("cost_micro").is_not_null())
        .group_by("local_day", "source", "currency")
        .agg(cost=pl.col("cost_micro").sum(), messages=pl.len())
        .collect(engine="streaming")
    )
    found = _Rate(rates)
    exact: dict[str, Fraction] = defaultdict(Fraction)
    sums: dict[str, int] = defaultdict(int)
    for day, source, currency, cost, count in rows.iter_rows():
        rate = found.on(day, currency)
        for name in ("totals", f"by_day[{day}]", f"by_source[{source}]"):
            exact[f"{name}.converted"] += cost * (rate or 0)
            if rate is None:
                sums[f"{name}.missing[{currency}]"] += cost
            else:
                sums[f"{name}.converted_messages"] += count
    return dict(sums) | {name: round(value) for name, value in exact.items()}


class _Rate:
    """Looks a rate up as a person would: the last one on or before the day."""

    def __init__(self, rates: Rates) -> None:
        self._rates = rates
        self._by_currency: dict[str, dict[date, int]] = defaultdict(dict)
        for day, currency, rate in rates.table.iter_rows():
            self._by_currency[currency][day] = rate

    def on(self, day: date, currency: str) -> Fraction | None:
        rates = self._rates
        if currency == rates.target:
            return Fraction(1)
        own, target = self._in_base(day, currency), self._in_base(day, rates.target)
        if own is None or target is None:
            return None
        if target == RATE_SCALE and rates.target == rates.base:
            return Fraction(own, RATE_SCALE)
        # Cross rates are rounded to the scale, half up.
        return Fraction((2 * own * RATE_SCALE + target) // (2 * target), RATE_SCALE)

    def _in_base(self, day: date, currency: str) -> int | None:
        if currency == self._rates.base:
            return RATE_SCALE
        days = self._by_currency[currency]
        for age in range(self._rates.largest_age_days + 1):
            if (at := day - timedelta(days=age)) in days:
                return days[at]
        return None


def _waste(messages: pl.LazyFrame) -> Sums:
    """Parts beyond those with plain letters, of SMS with a text."""
    counted = pl.min_horizontal("parts", "parts_computed").cast(pl.Int64)
    beyond = counted - pl.col("parts_plain")
    rows = (
        messages.filter(
            pl.col("channel") == Channel.SMS.value, pl.col("odd_letters").is_not_null(), beyond > 0
        )
        .select("campaign", "currency", "parts", "cost_micro", beyond=beyond)
        .group_by("campaign", "currency", "parts", "cost_micro", "beyond")
        .len()
        .collect(engine="streaming")
    )
    sums: dict[str, int] = defaultdict(int)
    for campaign, currency, parts, cost, more, count in rows.iter_rows():
        sums[f"waste[{campaign}].parts"] += more * count
        if currency is not None:
            sums[f"waste[{campaign}].money[{currency}]"] += cost * more // parts * count
    return dict(sums)


def _compare(told: Sums, expected: Sums) -> None:
    names: Iterable[str] = dict.fromkeys([*told, *sorted(expected)])
    wrong = [
        f"{name}: report {told.get(name, 0)}, messages {expected.get(name, 0)}"
        for name in names
        if told.get(name, 0) != expected.get(name, 0)
    ]
    if wrong:
        raise ConservationError(
            f"{len(wrong)} sums of money differ from a recount of the messages: "
            + "; ".join(wrong[:_SHOWN])
            + ". Rebuild the cube of these days and make the report again."
        )
