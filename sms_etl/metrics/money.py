"""Money of several currencies in one: every day's costs at the rate of that day.

A cost keeps its own currency and amount; what is here stands beside it. Products of costs and
rates are summed exactly (128 bits) and rounded once, so groups add up to their whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl

from sms_etl.model.vocabulary import StatusClass
from sms_etl.reports.figures import Converted, Money

RATE_SCALE = 10**12
"""Rates are whole numbers of this part of a unit."""

RATES_SCHEMA = pl.Schema({"day": pl.Date, "currency": pl.String, "rate": pl.Int64})

UNDELIVERED = (StatusClass.FAILED, StatusClass.REJECTED, StatusClass.UNKNOWN)
"""Classes whose money is counted as spent for nothing; pending may still arrive."""

_PRODUCT, _RATE_DAY = "converted_product", "rate_day"
_LOST, _LOST_MESSAGES = "unconverted_micro", "unconverted_messages"
_FIRST, _LAST = "first_rate_day", "last_rate_day"


@dataclass(frozen=True)
class Rates:
    """A dated table of rates.

    `table`: RATES_SCHEMA, what one unit of `currency` was worth in units of `base` from `day` on,
    times RATE_SCALE; one row per day and currency. `target` is the currency of the report. A rate
    older than `largest_age_days` is not used.
    """

    table: pl.DataFrame
    base: str
    target: str
    largest_age_days: int


def daily_rates(rates: Rates, first: date, last: date) -> pl.DataFrame:
    """Rates of every day in units of the target: the last ones on or before it.

    Where the target is not the base, the rate is that of the currency over that of the target,
    rounded to RATE_SCALE; its date is the older one's.

    Returns:
        RATES_SCHEMA and `rate_day`, without the target and without what is not known or too old.
    """
    days = pl.date_range(first, last, eager=True).alias("day").to_frame()
    known = rates.table.with_columns(pl.col("day").alias(_RATE_DAY)).sort("day")
    wanted = days.join(known.select(pl.col("currency").unique()), how="cross").sort("day")
    found = wanted.join_asof(
        known,
        on="day",
        by="currency",
        tolerance=timedelta(days=rates.largest_age_days),
        check_sortedness=False,
    ).drop_nulls("rate")
    if rates.target != rates.base:
        found = _crossed(found, days, rates)
    return found.filter(pl.col("currency") != rates.target).select(*RATES_SCHEMA.names(), _RATE_DAY)


def _crossed(found: pl.DataFrame, days: pl.DataFrame, rates: Rates) -> pl.DataFrame:
    own = found.filter(pl.col("currency") == rates.target).select(
        "day", target_rate="rate", target_day=_RATE_DAY
    )
    base = days.select("day", currency=pl.lit(rates.base), rate=pl.lit(RATE_SCALE)).with_columns(
        pl.lit(None, pl.Date).alias(_RATE_DAY)
    )
    wide, below = pl.col("rate").cast(pl.Int128) * RATE_SCALE, pl.col("target_rate")
    return (
        pl.concat([found.filter(pl.col("currency") != rates.base).select(base.columns), base])
        .join(own, on="day")
        .with_columns(
            ((2 * wide + below) // (2 * below.cast(pl.Int128))).cast(pl.Int64).alias("rate"),
            pl.min_horizontal(_RATE_DAY, "target_day").alias(_RATE_DAY),
        )
    )


def with_converted(cube: pl.LazyFrame, rates: Rates, first: date, last: date) -> pl.LazyFrame:
    """CUBE rows with their `local_day` and money in the target's currency, as columns that add up.

    What has no rate is counted apart: there is no default rate.
    """
    daily = daily_rates(rates, first, last).lazy()
    own, paid = pl.col("currency") == rates.target, pl.col("currency").is_not_null()
    rate = pl.when(own).then(pl.lit(RATE_SCALE, pl.Int64)).otherwise("rate")
    lost = paid & rate.is_null()
    return (
        cube.join(
            daily, left_on=["local_day", "currency"], right_on=["day", "currency"], how="left"
        )
        .with_columns(
            (pl.col("cost_micro").cast(pl.Int128) * rate.cast(pl.Int128))
            .fill_null(0)
            .alias(_PRODUCT),
            pl.when(lost).then("cost_micro").otherwise(0).alias(_LOST),
            pl.when(lost).then("messages_with_cost").otherwise(0).alias(_LOST_MESSAGES),
            pl.col(_RATE_DAY).alias(_FIRST),
            pl.col(_RATE_DAY).alias(_LAST),
        )
        .drop("rate", _RATE_DAY)
    )


def money_sums(columns: Sequence[str]) -> list[pl.Expr]:
    """Aggregations that keep the columns of `with_converted`, if there are any."""
    if _PRODUCT not in columns:
        return []
    return [
        pl.col(_PRODUCT, _LOST, _LOST_MESSAGES).sum(),
        pl.col(_FIRST).min(),
        pl.col(_LAST).max(),
    ]


def converted_by(
    cube: pl.LazyFrame, keys: Sequence[str], target: str
) -> dict[tuple[Any, ...], Converted]:
    """Converted money of every combination of `keys` that has any cost."""
    columns = cube.collect_schema().names()
    if _PRODUCT not in columns:
        return {}
    undelivered = pl.col("status_class").is_in([name.value for name in UNDELIVERED])
    delivered = pl.col("status_class") == StatusClass.DELIVERED.value
    counted = pl.col("messages_with_cost") - pl.col(_LOST_MESSAGES)
    rows = (
        cube.filter(pl.col("currency").is_not_null(), pl.col("messages_with_cost") > 0)
        .group_by([*keys, "currency"])
        .agg(
            *money_sums(columns),
            wasted=pl.col(_PRODUCT).filter(undelivered).sum(),
            counted=counted.sum(),
            delivered=counted.filter(delivered).sum(),
        )
        .collect(engine="streaming")
        .sort([*keys, "currency"])
    )
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows.iter_rows(named=True):
        groups.setdefault(tuple(row[name] for name in keys), []).append(row)
    return {key: _converted(group, target) for key, group in groups.items()}


def _converted(rows: list[dict[str, Any]], target: str) -> Converted:
    """The currencies of one group as one sum."""
    product, delivered = (sum(row[name] for row in rows) for name in (_PRODUCT, "delivered"))
    days = [row[name] for row in rows for name in (_FIRST, _LAST) if row[name] is not None]
    return Converted(
        currency=target,
        spent_micro=divide_half_even(product, RATE_SCALE),
        spent_on_undelivered_micro=divide_half_even(sum(r["wasted"] for r in rows), RATE_SCALE),
        per_delivered_micro=divide_half_even(product, RATE_SCALE * delivered)
        if delivered
        else None,
        messages_with_cost=sum(row["counted"] for row in rows),
        first_rate_day=min(days, default=None),
        last_rate_day=max(days, default=None),
        missing=tuple(
            Money(currency=row["currency"], micro=row[_LOST]) for row in rows if row[_LOST_MESSAGES]
        ),
    )


def divide_half_even(numerator: int, denominator: int) -> int:
    """Integer division rounded to nearest, ties to even."""
    whole, rest = divmod(numerator, denominator)
    return whole + (2 * rest > denominator or (2 * rest == denominator and whole % 2 == 1))
