"""Money of orders in the currency of the report, each at the rate of its day."""

from __future__ import annotations

import polars as pl

from sms_etl.metrics.money import RATE_SCALE, Rates, daily_rates


def with_product(orders: pl.DataFrame, rates: Rates | None) -> pl.DataFrame:
    """Add `product`: net money in the report's currency times RATE_SCALE; null without a rate."""
    if rates is None or orders.is_empty():
        return orders.with_columns(product=pl.lit(None, pl.Int128))
    days = orders["day"]
    daily = daily_rates(rates, days.min(), days.max()).select("day", "currency", "rate")  # type: ignore[arg-type]
    own = pl.col("currency") == rates.target
    rate = pl.when(own).then(pl.lit(RATE_SCALE, pl.Int64)).otherwise("rate")
    return orders.join(
        daily, on=["day", "currency"], how="left", maintain_order="left"
    ).with_columns(product=pl.col("net_micro").cast(pl.Int128) * rate.cast(pl.Int128))
