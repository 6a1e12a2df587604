"""What each way calls the state of a message, and the code it gives."""

from __future__ import annotations

import polars as pl

from sms_etl.sandbox.campaigns import Way
from sms_etl.sandbox.outcomes import OUTCOMES

_BEFORE_FINAL = {
    Way.TURBOSMS: {"waiting": "Queued", "leaving": "Accepted", "sent": "Sent"},
    Way.CABINET: {"waiting": "У черзі", "leaving": "У черзі", "sent": "Надіслано"},
    Way.GATEWAY: {"waiting": "ACCEPTD", "leaving": "ACCEPTD", "sent": "ENROUTE"},
}


def with_words(seen: pl.DataFrame) -> pl.DataFrame:
    """Add `word` (String) and `code` (Int64) to the messages of lifecycle.seen_at."""
    words = seen.join(OUTCOMES.drop("class"), on="outcome", how="left", maintain_order="left")
    word = _word(Way.TWILIO, _twilio_before_final())
    for way, stages in _BEFORE_FINAL.items():
        word = (
            pl.when(pl.col("way") == way)
            .then(_word(way, pl.col("stage").replace_strict(stages, default=None)))
            .otherwise(word)
        )
    return words.with_columns(word=word, code=_code()).drop(
        column for column in OUTCOMES.columns if column not in ("outcome", "class")
    )


def _word(way: Way, before_final: pl.Expr) -> pl.Expr:
    return (
        pl.when(pl.col("stage") == "read")
        .then(pl.lit("Read"))
        .when(pl.col("stage") == "done")
        .then(pl.col(f"{way}_word"))
        .otherwise(before_final)
    )


def _twilio_before_final() -> pl.Expr:
    waiting = (
        pl.when(pl.col("outcome") == "cancelled")
        .then(pl.lit("scheduled"))
        .when(pl.col("service"))
        .then(pl.lit("accepted"))
        .otherwise(pl.lit("queued"))
    )
    return (
        pl.when(pl.col("stage") == "waiting")
        .then(waiting)
        .when(pl.col("stage") == "leaving")
        .then(pl.lit("sending"))
        .otherwise(pl.lit("sent"))
    )


def _code() -> pl.Expr:
    """The code of a final state; TurboSMS has code 0 (OK) until there is another."""
    code = pl.lit(None, dtype=pl.Int64)
    for way in (Way.TWILIO, Way.TURBOSMS, Way.GATEWAY):
        code = pl.when(pl.col("way") == way).then(pl.col(f"{way}_code")).otherwise(code)
    before = pl.when(pl.col("way") == Way.TURBOSMS).then(pl.lit(0, dtype=pl.Int64))
    return pl.when(pl.col("final")).then(code).otherwise(before)
