"""Totals of any group of messages, as sums over the cube.

Every group of a dimension is summed in one pass. A cohort is mature when nothing in it is pending
or when its last message is at least `silence_hours` old: later receipts are not expected then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from sms_etl.metrics.completion import COMPLETE, MILLI
from sms_etl.metrics.histogram import quantiles
from sms_etl.metrics.money import UNDELIVERED, converted_by, divide_half_even, money_sums
from sms_etl.metrics.prices import EXPECTED, price_rate
from sms_etl.metrics.rate import Rate, counted_share, wilson
from sms_etl.metrics.survival import delivered_with_time, quantiles_of_submitted, slower_than
from sms_etl.model.vocabulary import Receipt, StatusClass, TimeOrigin
from sms_etl.reports.figures import Cost, Latency, SlowShare, TimeQuality, Totals

Key = tuple[Any, ...]

SUBMITTED = "submitted"
FINAL = "final"
DELIVERED_OR_WAITING = "delivered_or_waiting"

SLOW_SECONDS = (10.0, 60.0, 600.0)
"""A one-time code is stale after the first, a reminder after the last."""

COMPLETE_DIGITS = 4

_MEASURES = ("messages", "parts", "messages_with_parts", "partly_delivered")
_MONEY = ("cost_micro", "messages_with_cost")
_HOUR = timedelta(hours=1)
_EVERYTHING = "everything"
_KNOWN = "known_milli"


@dataclass(frozen=True)
class AsOf:
    """When the data was last refreshed (UTC), and after how many hours silence is final.

    `slow_seconds`: thresholds that the shares of slow deliveries are counted for. `currency`: what
    money of several currencies is converted to.
    """

    moment: datetime
    silence_hours: float
    slow_seconds: tuple[float, ...] = SLOW_SECONDS
    currency: str | None = None

    def mature(
        self, pending: int, last_hour: datetime | None, complete: float | None = None
    ) -> bool:
        """Whether no more receipts are expected of messages up to the UTC hour `last_hour`.

        `complete` is the share of receipts that usually is there at their age.
        """
        if pending == 0 or last_hour is None or (complete is not None and complete >= COMPLETE):
            return True
        return self.moment - (last_hour + _HOUR) >= timedelta(hours=self.silence_hours)


@dataclass(frozen=True)
class Counts:
    """Messages of a group by class, and the UTC hour of its last message."""

    delivered: int = 0
    failed: int = 0
    rejected: int = 0
    unknown: int = 0
    pending: int = 0
    last_hour: datetime | None = None
    complete: float | None = None

    @property
    def submitted(self) -> int:
        """All of them."""
        return self.final + self.unknown + self.pending

    @property
    def final(self) -> int:
        """Those with a receipt that says how it ended."""
        return self.delivered + self.failed + self.rejected


def class_sums() -> list[pl.Expr]:
    """Aggregations of CUBE rows that `Counts` is made of."""
    sums = [
        pl.col("messages").filter(pl.col("status_class") == name).sum().alias(name)
        for name in StatusClass
    ]
    return [*sums, pl.col("hour").max().alias("last_hour")]


def delivery_rate(counts: Counts, as_of: AsOf) -> Rate:
    """Delivered of submitted, with the bounds it can still move in."""
    low, high = _bounds(counts)
    return _rate(counts.delivered, counts.submitted, SUBMITTED, counts, as_of, (low, high))


def final_rate(counts: Counts, as_of: AsOf) -> Rate:
    """Delivered of those whose end is known; looks perfect when receipts stop."""
    return _rate(counts.delivered, counts.final, FINAL, counts, as_of, _bounds(counts))


def coverage_rate(counts: Counts, as_of: AsOf) -> Rate:
    """Known ends of submitted."""
    return _rate(counts.final, counts.submitted, SUBMITTED, counts, as_of, (None, None))


def plain_rate(numerator: int, denominator: int, name: str, as_of: AsOf) -> Rate:
    """A share of counts that no late receipt can change."""
    return counted_share(numerator, denominator, name, as_of.moment)


def totals_by(
    cube: pl.LazyFrame, latency: pl.LazyFrame, keys: Sequence[str], as_of: AsOf
) -> dict[Key, Totals]:
    """Totals of every combination of `keys` found in the cube, sorted by key.

    Args:
        cube: Columns of CUBE plus `keys`, and `known_milli` (metrics.completion) if the maturity
            clock is to be heard, those of metrics.prices and metrics.money for theirs.
        latency: Columns of LATENCY plus `keys`.
        keys: At least one column name.
        as_of: Moment and silence that decide maturity.
    """
    sums = cube.group_by(keys).agg(
        *class_sums(),
        pl.col("parts", "messages_with_parts", "partly_delivered", "messages_with_cost").sum(),
        pl.col("messages")
        .filter(
            pl.col("status_class") == StatusClass.DELIVERED,
            pl.col("receipt") == Receipt.OPERATOR,
        )
        .sum()
        .alias("operator_receipts"),
        _complete(cube),
        _expected_prices(cube),
    )
    rows = sums.collect(engine="streaming").sort(keys)
    times = _latencies(latency, keys, as_of)
    costs = _costs(cube, keys)
    converted = converted_by(cube, keys, as_of.currency) if as_of.currency else {}
    found = {}
    for row in rows.iter_rows(named=True):
        key = tuple(row[name] for name in keys)
        totals = _totals(row, times.get(key), costs.get(key, []), as_of)
        found[key] = totals.model_copy(update={"converted": converted.get(key)})
    return found


def totals_of(cube: pl.LazyFrame, latency: pl.LazyFrame, as_of: AsOf) -> Totals:
    """Totals of all rows; zeros for an empty cube."""
    everything = pl.lit(_EVERYTHING).alias(_EVERYTHING)
    found = totals_by(
        cube.with_columns(everything), latency.with_columns(everything), [_EVERYTHING], as_of
    )
    return found.get((_EVERYTHING,)) or no_totals(as_of)


def no_totals(as_of: AsOf) -> Totals:
    """Totals of no messages."""
    counted = [*StatusClass, *_MEASURES, *_MONEY, "operator_receipts", EXPECTED]
    row = dict.fromkeys(counted, 0) | {"last_hour": None, "complete": None}
    return _totals(row, None, [], as_of)


def compact(cube: pl.LazyFrame, keys: Sequence[str]) -> pl.LazyFrame:
    """The cube with only `keys` left of its dimensions; `hour` becomes the last hour of a row."""
    states = ["status_class", "reason", "permanence", "receipt", "currency"]
    return cube.group_by([*keys, *states]).agg(pl.col("hour").max(), *_sums(cube))


def compact_hours(cube: pl.LazyFrame, keys: Sequence[str]) -> pl.LazyFrame:
    """The cube with only `hour` and `keys` left of its dimensions, without reasons."""
    states = ["status_class", "receipt", "currency"]
    return cube.group_by(["hour", *keys, *states]).agg(*_sums(cube))


def _sums(cube: pl.LazyFrame) -> list[pl.Expr]:
    sums = [pl.col(*_MEASURES, *_MONEY).sum()]
    columns = cube.collect_schema().names()
    sums += [_whole_or_null(pl.col(name)) for name in (_KNOWN, EXPECTED) if name in columns]
    return [*sums, *money_sums(columns)]


def _whole_or_null(column: pl.Expr) -> pl.Expr:
    """A sum that is null where a part of it is not known."""
    return pl.when(column.is_not_null().all()).then(column.sum())


def _complete(cube: pl.LazyFrame) -> pl.Expr:
    """Share of the receipts of a group that usually is there at its age."""
    if _KNOWN not in cube.collect_schema():
        return pl.lit(None, pl.Float64).alias("complete")
    known = _whole_or_null(pl.col(_KNOWN)) / (MILLI * pl.col("messages").sum())
    return known.round(COMPLETE_DIGITS).alias("complete")


def _expected_prices(cube: pl.LazyFrame) -> pl.Expr:
    if EXPECTED not in cube.collect_schema():
        return pl.lit(None, pl.Int64).alias(EXPECTED)
    return _whole_or_null(pl.col(EXPECTED)).alias(EXPECTED)


def compact_latency(latency: pl.LazyFrame, keys: Sequence[str]) -> pl.LazyFrame:
    """The histogram with only `keys` left of its dimensions."""
    return latency.group_by([*keys, "status_class", "origin", "bucket"]).agg(
        pl.col("messages").sum()
    )


def costs_of(rows: pl.LazyFrame) -> tuple[Cost, ...]:
    """Money of all given CUBE rows, one entry per currency."""
    everything = rows.with_columns(pl.lit(_EVERYTHING).alias(_EVERYTHING))
    found = _costs(everything, [_EVERYTHING]).get((_EVERYTHING,), [])
    messages = rows.select(pl.col("messages").sum()).collect().item()
    return tuple(_cost(row, messages) for row in found)


def _rate(
    numerator: int,
    denominator: int,
    name: str,
    counts: Counts,
    as_of: AsOf,
    bounds: tuple[float | None, float | None],
) -> Rate:
    return Rate(
        value=numerator / denominator if denominator else None,
        numerator=numerator,
        denominator=denominator,
        denominator_name=name,
        low=bounds[0],
        high=bounds[1],
        interval=wilson(numerator, denominator),
        coverage=counts.final / counts.submitted if counts.submitted else None,
        as_of=as_of.moment,
        mature=as_of.mature(counts.pending, counts.last_hour, counts.complete),
    )


def _bounds(counts: Counts) -> tuple[float | None, float | None]:
    if not counts.submitted:
        return None, None
    hoped = counts.delivered + counts.unknown + counts.pending
    return counts.delivered / counts.submitted, hoped / counts.submitted


def _totals(
    row: dict[str, Any], latency: dict[str, Any] | None, costs: list[dict[str, Any]], as_of: AsOf
) -> Totals:
    counts = Counts(
        **{name.value: row[name] for name in StatusClass},
        last_hour=row["last_hour"],
        complete=row["complete"],
    )
    return Totals(
        submitted=counts.submitted,
        delivered=counts.delivered,
        failed=counts.failed,
        rejected=counts.rejected,
        unknown=counts.unknown,
        pending=counts.pending,
        parts=row["parts"],
        messages_with_parts=row["messages_with_parts"],
        delivery=delivery_rate(counts, as_of),
        delivery_of_final=final_rate(counts, as_of),
        coverage=coverage_rate(counts, as_of),
        operator_receipts=row["operator_receipts"],
        latency=_latency(latency, counts.pending),
        costs=tuple(_cost(cost, counts.submitted) for cost in costs),
        completeness=counts.complete,
        partly_delivered=row["partly_delivered"],
        prices=price_rate(
            row["messages_with_cost"], counts.submitted, row[EXPECTED], SUBMITTED, as_of.moment
        ),
    )


def _latencies(
    latency: pl.LazyFrame, keys: Sequence[str], as_of: AsOf
) -> dict[Key, dict[str, Any]]:
    timed = latency.filter(delivered_with_time())
    buckets = (
        timed.group_by([*keys, "bucket"])
        .agg(
            pl.col("messages").sum(),
            estimated=(pl.col("origin") != TimeOrigin.PROVIDER).any(),
        )
        .collect(engine="streaming")
    )
    quality = buckets.group_by(keys).agg(pl.col("estimated").any())
    told = quantiles(buckets.lazy(), keys).join(quality, on=keys, nulls_equal=True)
    rows = compact_latency(latency, keys).collect(engine="streaming").lazy()
    told = told.join(quantiles_of_submitted(rows, keys), on=keys, nulls_equal=True)
    slow: dict[Key, list[SlowShare]] = {}
    for row in slower_than(rows, keys, as_of.slow_seconds).iter_rows(named=True):
        rate = plain_rate(row["slow"], row["messages"], DELIVERED_OR_WAITING, as_of)
        share = SlowShare(threshold_seconds=row["threshold"], rate=rate)
        slow.setdefault(tuple(row[name] for name in keys), []).append(share)
    return {
        key: row | {"slow": tuple(slow.get(key, ()))}
        for row in told.iter_rows(named=True)
        for key in [tuple(row[name] for name in keys)]
    }


def _latency(row: dict[str, Any] | None, waiting: int) -> Latency:
    if row is None:
        return Latency(
            quality=TimeQuality.NOT_AVAILABLE,
            messages=0,
            waiting=waiting,
            median=None,
            p90=None,
            p95=None,
            p99=None,
        )
    return Latency(
        quality=TimeQuality.UPPER_ESTIMATE if row["estimated"] else TimeQuality.MEASURED,
        messages=row["messages"],
        waiting=waiting,
        median=row["p50"],
        p90=row["p90"],
        p95=row["p95"],
        p99=row["p99"],
        all_median=row["all_p50"],
        all_p90=row["all_p90"],
        all_p95=row["all_p95"],
        all_p99=row["all_p99"],
        slow=row["slow"],
    )


def _costs(cube: pl.LazyFrame, keys: Sequence[str]) -> dict[Key, list[dict[str, Any]]]:
    undelivered = pl.col("status_class").is_in([name.value for name in UNDELIVERED])
    delivered = pl.col("status_class") == StatusClass.DELIVERED
    sums = (
        cube.filter(pl.col("currency").is_not_null())
        .group_by([*keys, "currency"])
        .agg(
            pl.col(*_MONEY).sum(),
            wasted=pl.col("cost_micro").filter(undelivered).sum(),
            delivered_with_cost=pl.col("messages_with_cost").filter(delivered).sum(),
        )
        .filter(pl.col("messages_with_cost") > 0)
        .collect(engine="streaming")
        .sort([*keys, "currency"])
    )
    found: dict[Key, list[dict[str, Any]]] = {}
    for row in sums.iter_rows(named=True):
        found.setdefault(tuple(row[name] for name in keys), []).append(row)
    return found


def _cost(row: dict[str, Any], messages: int) -> Cost:
    """Per delivered: all money of the currency over the delivered messages whose cost is known."""
    delivered = row["delivered_with_cost"]
    return Cost(
        currency=row["currency"],
        spent_micro=row["cost_micro"],
        spent_on_undelivered_micro=row["wasted"],
        per_delivered_micro=divide_half_even(row["cost_micro"], delivered) if delivered else None,
        messages_with_cost=row["messages_with_cost"],
        messages=messages,
    )
