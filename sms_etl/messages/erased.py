"""Messages of erased people count as they did, and are nobody's."""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from sms_etl.model.erasure import COUNTED, FACTS_OF_NUMBER, FACTS_OF_OUTBOX, FACTS_OF_TEXT
from sms_etl.model.schemas import MESSAGES
from sms_etl.model.vocabulary import CostOrigin

PERSONAL = ("recipient", "key_id", "contact", "number_prefix")
BILLED_PARTS = "billed"

_FACTS = (*FACTS_OF_NUMBER, *FACTS_OF_TEXT, *FACTS_OF_OUTBOX)
_PARTS = ("parts", "parts_origin")
_COST = ("cost_micro", "currency", "cost_origin")


def without_erased(
    messages: pl.LazyFrame, facts: pl.DataFrame, people: Collection[str]
) -> pl.LazyFrame:
    """MESSAGES in which erased people are nobody and their messages count as before.

    Args:
        messages: rebuilt from landing, where number and text may be gone.
        facts: ERASED of the same source and days.
        people: pseudonyms and contacts of everybody erased; landing may have brought them again.
    """
    if facts.is_empty() and not people:
        return messages
    kept = facts.select("message_id", *(pl.col(c).alias(f"{c}_kept") for c in (*_FACTS, *COUNTED)))
    joined = messages.join(
        kept.lazy().with_columns(erased=pl.lit(value=True)),
        on="message_id",
        how="left",
        maintain_order="left",
    )
    erased = pl.col("erased").fill_null(value=False)
    again = is_one_of(people)
    computed = erased & (pl.col("parts_origin") != BILLED_PARTS)
    unbilled = erased & (pl.col("cost_origin") != CostOrigin.BILLED.value)
    return joined.with_columns(
        *_kept(_FACTS, erased),
        *_kept(_PARTS, computed),
        *_kept(_COST, unbilled),
        *(pl.when(~(erased | again)).then(pl.col(name)).alias(name) for name in PERSONAL),
    ).select(MESSAGES.names)


def is_one_of(people: Collection[str]) -> pl.Expr:
    """Rows about one of these people, by number or by the user's own identifier."""
    listed = list(people)
    by_number = pl.col("recipient").is_in(listed).fill_null(value=False)
    return by_number | pl.col("contact").is_in(listed).fill_null(value=False)


def _kept(names: tuple[str, ...], where: pl.Expr) -> list[pl.Expr]:
    return [
        pl.when(where).then(pl.col(f"{name}_kept")).otherwise(pl.col(name)).alias(name)
        for name in names
    ]
