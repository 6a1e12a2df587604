"""How many prices are known, and how many usually come: prices come late, as receipts do."""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl

from sms_etl.metrics.completion import COMPLETE, MILLI
from sms_etl.metrics.rate import Rate, wilson

LEAST_SETTLED = 200
"""With fewer old messages the share of prices that ever come is guesswork."""

EXPECTED = "expected_prices_milli"
"""Column: thousandths of a message whose price ever comes."""

_HOUR = timedelta(hours=1)


def with_expected_prices(cube: pl.LazyFrame, as_of: datetime, silence_hours: float) -> pl.LazyFrame:
    """CUBE rows with the prices that ever come, as EXPECTED (Int64); it adds up as messages do.

    Of a single row it may be less than what is known already; a cohort's sum counts.

    Of messages older than `silence_hours` no more prices are expected. Younger ones will be
    priced as the old ones of their source and class were; where these were too few (those that
    wait have none), as the old ones of the source; else it is null: not known.
    """
    old = pl.lit(as_of) - (pl.col("hour") + _HOUR) >= timedelta(hours=silence_hours)
    known = pl.col("messages_with_cost")
    settled = (
        cube.filter(old)
        .group_by("source", "status_class")
        .agg(pl.col("messages", "messages_with_cost").sum())
        .collect(engine="streaming")
    )
    share = pl.coalesce("share_of_class", "share_of_source")
    hoped = (share * pl.col("messages") * MILLI).round()
    by_class = _shares(settled, "share_of_class", ["source", "status_class"]).lazy()
    by_source = _shares(settled, "share_of_source", ["source"]).lazy()
    return (
        cube.join(by_class, on=["source", "status_class"], how="left")
        .join(by_source, on="source", how="left")
        .with_columns(
            pl.when(old)
            .then(known * MILLI)
            .when(share.is_not_null())
            .then(hoped.cast(pl.Int64))
            .when(known == pl.col("messages"))
            .then(known * MILLI)
            .alias(EXPECTED)
        )
        .drop("share_of_class", "share_of_source")
    )


def price_rate(
    known: int, messages: int, expected_milli: int | None, name: str, as_of: datetime
) -> Rate:
    """Messages whose price is known, of all.

    Its upper bound and coverage are by the prices that ever come; null where that is not known.
    """
    expected = None if expected_milli is None else max(known, expected_milli / MILLI)
    whole = known == messages or (expected is not None and known >= COMPLETE * expected)
    return Rate(
        value=known / messages if messages else None,
        numerator=known,
        denominator=messages,
        denominator_name=name,
        low=known / messages if messages else None,
        high=min(1.0, expected / messages) if messages and expected is not None else None,
        interval=wilson(known, messages),
        coverage=known / expected if expected else None,
        as_of=as_of,
        mature=whole,
    )


def _shares(settled: pl.DataFrame, name: str, keys: list[str]) -> pl.DataFrame:
    messages = pl.col("messages").sum()
    share = pl.col("messages_with_cost").sum() / messages
    return settled.group_by(keys).agg(pl.when(messages >= LEAST_SETTLED).then(share).alias(name))
