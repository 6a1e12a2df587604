"""Why an engagement record need not, or cannot, be a row."""

from __future__ import annotations

import polars as pl

from sms_etl.model.vocabulary import Engagement, EventFold, EventQuarantine

FOLDED, QUARANTINED = "folded", "quarantined"
"""Fates of a record that is no row, and the columns that say why."""

_NEEDS_PERSON = (Engagement.OPT_OUTS, Engagement.CONSENTS)
_WRITTEN = ("at_text", "withdrawn_at_text", "count_text", "amount_text")


def with_fate(read: pl.LazyFrame, kind: Engagement, *, whole_list: bool) -> pl.LazyFrame:
    """Add `folded`, `quarantined` and the `detail` of it to EVENTS of one kind."""
    folded = (
        pl.when(pl.col("outbound"))
        .then(pl.lit(EventFold.OUTBOUND.value))
        .when(pl.col("clicks") == 0)
        .then(pl.lit(EventFold.NO_CLICKS.value))
    )
    reason = pl.lit(None, pl.String)
    for unfit, why in reversed(_rules(kind, whole_list=whole_list)):
        reason = pl.when(unfit).then(pl.lit(why.value)).otherwise(reason)
    return read.with_columns(folded=folded, detail=_detail()).with_columns(
        quarantined=pl.when(pl.col(FOLDED).is_null()).then(reason)
    )


def _rules(kind: Engagement, *, whole_list: bool) -> list[tuple[pl.Expr, EventQuarantine]]:
    """What makes a record unfit, the first that holds first."""
    order = pl.lit(kind is Engagement.ORDERS)
    nobody = pl.col("recipient").is_null() & pl.col("contact_id").is_null()
    counted = (pl.col("period_seconds") > 0).fill_null(value=False)
    return [
        (pl.col("malformed").is_not_null(), EventQuarantine.BAD_RECORD),
        (_unreadable("at") | _unreadable("withdrawn_at"), EventQuarantine.BAD_TIME),
        (pl.col("at").is_null() & pl.lit(not whole_list), EventQuarantine.NO_TIME),
        (nobody & pl.lit(kind in _NEEDS_PERSON), EventQuarantine.NO_PERSON),
        (
            pl.col("clicks").is_null() & (pl.col("count_text").is_not_null() | counted),
            EventQuarantine.BAD_COUNT,
        ),
        (order & pl.col("amount_text").is_null(), EventQuarantine.NO_AMOUNT),
        (order & pl.col("amount_micro").is_null(), EventQuarantine.BAD_AMOUNT),
        (order & pl.col("currency").is_null(), EventQuarantine.NO_CURRENCY),
    ]


def _unreadable(time: str) -> pl.Expr:
    return pl.col(f"{time}_text").is_not_null() & pl.col(time).is_null()


def _detail() -> pl.Expr:
    """The values that may be wrong; what is blank is left out."""
    told = [
        pl.when(pl.col(name).is_not_null()).then(
            pl.format("{}={}", pl.lit(name.removesuffix("_text")), pl.col(name))
        )
        for name in _WRITTEN
    ]
    return pl.coalesce("malformed", pl.concat_str(told, separator=", ", ignore_nulls=True))
