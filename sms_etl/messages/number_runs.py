"""What neighbouring numbers tell: people do not sign up in the order of their numbers."""

from __future__ import annotations

import polars as pl

PREFIX_DIGITS, HIDDEN_DIGITS = 7, 4
"""Leading digits of an E.164 number that are kept, and last ones that never are: in countries with
short numbers fewer are kept, so that a prefix always stands for ten thousand numbers."""

LEAST_RUN = 3
"""This many consecutive numbers in an hour are a run."""


def number_prefix(e164: pl.Expr) -> pl.Expr:
    """The first seven digits of E.164 numbers, without the plus; fewer of short numbers."""
    return e164.str.strip_prefix("+").str.head(-HIDDEN_DIGITS).str.head(PREFIX_DIGITS)


def in_number_run(at: pl.Series, e164: pl.Series) -> pl.Series:
    """Whether each message went to a number of a run, in its UTC hour.

    Args:
        at: UTC times of the messages of one source.
        e164: their numbers; null is in no run.

    Returns:
        Boolean, as long as both and in their order.
    """
    sent = pl.DataFrame({"at": at, "e164": e164}).select(
        hour=hour_of(pl.col("at")), number=as_number(pl.col("e164"))
    )
    joined = sent.join(number_runs(sent), on=["hour", "number"], how="left", maintain_order="left")
    return joined["inside"].fill_null(value=False).alias("in_number_run")


def number_runs(sent: pl.DataFrame) -> pl.DataFrame:
    """The numbers of `sent` (`hour`, `number`) that are in a run, with `inside`, which is true.

    A run lies in one hour, so the hours of a day may be told apart.
    """
    distinct = sent.drop_nulls().unique().sort("hour", "number")
    breaks = (pl.col("number").diff() != 1) | (pl.col("hour").diff().dt.total_seconds() != 0)
    runs = distinct.with_columns(run=breaks.fill_null(value=True).cum_sum())
    return runs.filter(pl.len().over("run") >= LEAST_RUN).select("hour", "number", inside=True)


def hour_of(at: pl.Expr) -> pl.Expr:
    """The UTC hour of times."""
    return at.dt.truncate("1h")


def as_number(e164: pl.Expr) -> pl.Expr:
    """E.164 numbers as Int64."""
    return e164.str.strip_prefix("+").cast(pl.Int64, strict=False)
