"""What the suppression list saved, proved by the outbox; and what was sent in spite of it.

The list of a day is the one that stood when the day began: nobody can act on what was learned
later. A saved message is a row of the outbox that was skipped for the list (SUPPRESSED), for
somebody on the list of its day: what was skipped for another reason would not have been sent
without a list either. It is priced as messages of its campaign and source to its country were in
the same days, else as those of its campaign and source, of its source, of all: what was paid, never
a price list. To somebody whom the source refused free of charge the last time, it saves no money.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from sms_etl.model.vocabulary import SUPPRESSED, UNKNOWN_LABEL, StatusClass

_ROW = "row"


@dataclass(frozen=True)
class Saved:
    """What was skipped for people on the list.

    `cost_micro`: by currency, at the price paid; of `unpriced` messages no price is known.
    """

    messages: int
    people: int
    unpriced: int
    cost_micro: Mapping[str, int]


@dataclass(frozen=True)
class StillSent:
    """What was sent to people on the list. `undelivered`: of the messages."""

    messages: int
    people: int
    undelivered: int
    cost_micro: Mapping[str, int]


def saved(
    asked: pl.LazyFrame,
    messages: pl.LazyFrame,
    spans: pl.LazyFrame,
    zone: str,
    history: pl.LazyFrame | None = None,
) -> Saved | None:
    """What rows of the outbox say was not sent; null where none was skipped for the list.

    Args:
        asked: ASKED of the days.
        messages: MESSAGES of the same days; they say what was paid.
        spans: Of the list (clean_base.suppression.spans).
        zone: Business time zone.
        history: MESSAGES up to these days, of people on the list at least; without them nothing
            is known of the country of those skipped.
    """
    skipped = asked.filter(
        pl.col("skipped") == SUPPRESSED, pl.col("recipient").is_not_null()
    ).collect()
    if skipped.is_empty():
        return None
    mine = _listed(skipped, spans, zone)
    priced = _priced(_with_last(mine, messages if history is None else history), messages)
    sums = priced.drop_nulls("currency").group_by("currency").agg(pl.col("cost_micro").sum())
    return Saved(
        messages=int(mine["messages"].sum()),
        people=mine["recipient"].n_unique(),
        unpriced=int(priced.filter(pl.col("currency").is_null())["messages"].sum()),
        cost_micro=dict(sums.sort("currency").iter_rows()),
    )


def still_sent(messages: pl.LazyFrame, spans: pl.LazyFrame, zone: str) -> StillSent:
    """Messages of some days to people on the list of their day."""
    people = spans.select("recipient").unique()
    sent = (
        messages.join(people, on="recipient", how="semi")
        .select("day", "recipient", "status_class", "cost_micro", "currency")
        .collect(engine="streaming")
    )
    mine = _listed(sent, spans, zone)
    paid = mine.drop_nulls("currency").group_by("currency").agg(pl.col("cost_micro").sum())
    arrived = mine.filter(pl.col("status_class") == StatusClass.DELIVERED.value).height
    return StillSent(
        messages=mine.height,
        people=mine["recipient"].n_unique(),
        undelivered=mine.height - arrived,
        cost_micro=dict(paid.sort("currency").iter_rows()),
    )


def _listed(rows: pl.DataFrame, spans: pl.LazyFrame, zone: str) -> pl.DataFrame:
    """Rows whose person was on the list when the row's day began."""
    midnight = pl.col("day").cast(pl.Datetime("us")).dt.replace_time_zone(zone)
    numbered = rows.with_row_index(_ROW)
    begun = numbered.select(_ROW, "recipient", begin=midnight.dt.convert_time_zone("UTC"))
    held = (pl.col("since") < pl.col("begin")) & (
        pl.col("until").is_null() | (pl.col("until") > pl.col("begin"))
    )
    found = (
        begun.lazy()
        .join(spans.select("recipient", "since", "until"), on="recipient")
        .filter(held)
        .select(_ROW)
        .collect()
    )
    return numbered.join(found, on=_ROW, how="semi", maintain_order="left").drop(_ROW)


def _with_last(skipped: pl.DataFrame, history: pl.LazyFrame) -> pl.DataFrame:
    """Skipped rows with `country` of the person, and `free`: their source refused to send before.

    Both by the last message, null where there is none.
    """
    people = skipped.lazy().select("recipient").unique()
    refused = pl.col("status_class") == StatusClass.REJECTED.value
    last = (
        history.join(people, on="recipient", how="semi")
        .sort("submitted_at", "message_id")
        .group_by("recipient", "source", maintain_order=True)
        .agg(pl.col("country").last(), free=(refused & pl.col("cost_micro").is_null()).last())
        .collect()
    )
    countries = last.unique("recipient", keep="last", maintain_order=True)
    return skipped.join(countries.select("recipient", "country"), on="recipient", how="left").join(
        last.select("recipient", "source", "free"), on=["recipient", "source"], how="left"
    )


def _priced(skipped: pl.DataFrame, messages: pl.LazyFrame) -> pl.DataFrame:
    """Skipped rows with `cost_micro` and `currency`, by the narrowest group that has a price."""
    costs = (
        messages.filter(pl.col("cost_micro").is_not_null())
        .group_by("source", "campaign", "country", "currency")
        .agg(n=pl.len(), paid=pl.col("cost_micro").sum())
        .collect()
    )
    known = costs.filter(pl.col("campaign") != UNKNOWN_LABEL)
    rows = skipped.with_columns(price=pl.lit(None, pl.Float64), currency=pl.lit(None, pl.String))
    for table, keys in (
        (known, ["source", "campaign", "country"]),
        (known, ["source", "campaign"]),
        (costs, ["source"]),
        (costs, []),
    ):
        rows = _with_price(rows, table, keys)
    price = pl.when("free").then(0.0).otherwise("price")
    cost = (price * pl.col("messages")).round().cast(pl.Int64)
    return rows.with_columns(cost_micro=cost)


def _with_price(rows: pl.DataFrame, costs: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """Fill `price` and `currency` that are still open; of several currencies the commonest."""
    means = (
        costs.group_by(*keys, "currency")
        .agg(pl.col("n", "paid").sum())
        .sort("n", "currency", descending=[True, False])
        .with_columns(mean=pl.col("paid") / pl.col("n"))
    )
    best = means.unique(keys, keep="first", maintain_order=True) if keys else means.head(1)
    found = best.select(*keys, "mean", of="currency")
    joined = rows.join(found, on=keys, how="left") if keys else _beside(rows, found)
    open_ = pl.col("price").is_null()
    return joined.with_columns(
        price=pl.when(open_).then("mean").otherwise("price"),
        currency=pl.when(open_).then("of").otherwise("currency"),
    ).drop("mean", "of")


def _beside(rows: pl.DataFrame, one: pl.DataFrame) -> pl.DataFrame:
    mean, currency = one.row(0) if one.height else (None, None)
    return rows.with_columns(mean=pl.lit(mean, pl.Float64), of=pl.lit(currency, pl.String))
