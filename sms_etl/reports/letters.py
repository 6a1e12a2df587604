"""What the letters of texts cost, and parts billed against parts computed: from ENCODING rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

from sms_etl.reports.figures import EncodingWaste, LatinOption, Money, PartsBilled

MOST_LETTERS = 3
"""Characters named for a campaign; all of them are in its parts and money."""


def waste_of(rows: pl.LazyFrame, label: Callable[[str], str]) -> tuple[EncodingWaste, ...]:
    """Campaigns that lost parts to odd letters, the most parts first.

    Args:
        rows: ENCODING.
        label: What a campaign is called.
    """
    found = (
        rows.filter(pl.col("odd_letters").is_not_null())
        .group_by("campaign", "odd_letters", "currency")
        .agg(pl.col("messages", "parts_saved", "cost_saved_micro").sum())
        .collect()
    )
    told = []
    for (campaign,), mine in found.group_by("campaign"):
        letters = (
            mine.group_by("odd_letters")
            .agg(pl.col("parts_saved").sum())
            .sort("parts_saved", "odd_letters", descending=[True, False])
        )
        told.append(
            EncodingWaste(
                campaign=str(campaign),
                label=label(str(campaign)),
                letters=tuple(letters["odd_letters"].head(MOST_LETTERS)),
                messages=mine["messages"].sum(),
                parts=mine["parts_saved"].sum(),
                money=_money(mine, "cost_saved_micro"),
            )
        )
    return tuple(sorted(told, key=lambda one: (-one.parts, one.campaign)))


def latin_option(rows: pl.LazyFrame) -> LatinOption | None:
    """What Latin letters would save beyond plain ones; null if nothing."""
    more = {
        "parts": pl.col("parts_saved_latin") - pl.col("parts_saved"),
        "cost": pl.col("cost_saved_latin_micro") - pl.col("cost_saved_micro"),
    }
    found = rows.group_by("currency").agg(**{name: e.sum() for name, e in more.items()}).collect()
    parts = int(found["parts"].sum())
    return LatinOption(parts=parts, money=_money(found, "cost")) if parts else None


def billed_by_source(rows: pl.LazyFrame) -> Mapping[str, PartsBilled]:
    """Parts billed against parts computed, of the sources that tell both."""
    columns = ["messages_compared", *(f"{w}_{d}" for d in _DIRECTIONS for w in _COUNTED)]
    found = rows.group_by("source").agg(pl.col(columns).sum()).collect()
    return {
        row["source"]: PartsBilled(
            messages=row["messages_compared"],
            messages_over=row["messages_over"],
            parts_over=row["parts_over"],
            messages_under=row["messages_under"],
            parts_under=row["parts_under"],
        )
        for row in found.iter_rows(named=True)
        if row["messages_compared"]
    }


_DIRECTIONS = ("over", "under")
_COUNTED = ("messages", "parts")


def _money(rows: pl.DataFrame, column: str) -> tuple[Money, ...]:
    sums = rows.drop_nulls("currency").group_by("currency").agg(pl.col(column).sum())
    return tuple(
        Money(currency=currency, micro=micro)
        for currency, micro in sums.filter(pl.col(column) > 0).sort("currency").iter_rows()
    )
