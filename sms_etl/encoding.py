"""What the letters of texts cost, as sums that a report adds up."""

from __future__ import annotations

import polars as pl

from sms_etl.model.schemas import ENCODING
from sms_etl.model.vocabulary import Channel, CostOrigin

_KEYS = ("day", "hour", "source", "campaign", "odd_letters", "currency")


def build_encoding(messages: pl.LazyFrame) -> pl.DataFrame:
    """Sum the SMS of MESSAGES whose text is known into ENCODING, sorted.

    Only parts that were counted for the message can be saved: a provider that billed one part
    of two lost nothing to its letters. Their cost is that share of the message's cost, rounded
    down to a millionth.
    """
    known = messages.filter(
        pl.col("channel") == Channel.SMS.value,
        pl.col("parts_computed").is_not_null(),
        pl.col("parts") > 0,
    )
    rows = known.with_columns(
        hour=pl.col("submitted_at").dt.truncate("1h"),
        saved=parts_saved("parts_plain"),
        saved_latin=parts_saved("parts_latin"),
        difference=pl.when(pl.col("parts_origin") == CostOrigin.BILLED.value).then(
            pl.col("parts") - pl.col("parts_computed")
        ),
    ).with_columns(odd_letters=pl.when(pl.col("saved") > 0).then("odd_letters"))
    over, under = pl.col("difference").clip(lower_bound=0), -pl.col("difference").clip(None, 0)
    return (
        rows.group_by(_KEYS)
        .agg(
            messages=pl.len(),
            messages_compared=pl.col("difference").count(),
            messages_over=(pl.col("difference") > 0).sum(),
            parts_over=over.sum(),
            messages_under=(pl.col("difference") < 0).sum(),
            parts_under=under.sum(),
            parts_saved=pl.col("saved").sum(),
            cost_saved_micro=_cost_of("saved").sum(),
            parts_saved_latin=pl.col("saved_latin").sum(),
            cost_saved_latin_micro=_cost_of("saved_latin").sum(),
        )
        .select(ENCODING.names)
        .cast(ENCODING.schema)
        .collect(engine="streaming")
        .sort(_KEYS)
    )


def parts_saved(other: str) -> pl.Expr:
    """Parts of a message of MESSAGES beyond those in the column `other`, never below zero."""
    counted = pl.min_horizontal("parts", "parts_computed")
    return (counted - pl.col(other)).clip(lower_bound=0).cast(pl.Int64)


def _cost_of(parts: str) -> pl.Expr:
    return pl.col("cost_micro") * pl.col(parts) // pl.col("parts")
