"""From a provider's status word and code to our class and reason, by joins only.

Joins keep the plan streaming; `replace` and `replace_strict` run as functions over whole columns.
"""

from __future__ import annotations

import polars as pl

from sms_etl.dictionaries.dictionary import NO_STATUS, Dictionary, code_key, status_key
from sms_etl.dictionaries.tables import reasons
from sms_etl.model.vocabulary import Reason, Receipt, StatusClass

FINAL_CLASSES = (StatusClass.DELIVERED, StatusClass.FAILED, StatusClass.REJECTED)
"""Classes that are final when a code without a status word gives them."""

ADDED = {
    "status_class": pl.String,
    "final": pl.Boolean,
    "reason": pl.String,
    "permanence": pl.String,
    "mender": pl.String,
    "receipt": pl.String,
    "status_known": pl.Boolean,
    "code_known": pl.Boolean,
}
"""Columns that classify adds."""

_MINE = "_classify_"
"""Prefix of the columns that exist only within classify."""


def classify(
    observed: pl.LazyFrame, dictionary: Dictionary, *, now_column: str, silence_hours: float
) -> pl.LazyFrame:
    """Add class, reason and what follows from them to every row; no row is lost or added.

    Args:
        observed: rows with `status`, `code` (String), `submitted_at` and the column named by
            now_column (both times, microseconds UTC). Row order is not kept.
        dictionary: of the provider that wrote the words.
        now_column: when the row was seen, for example "pulled_at".
        silence_hours: a message still pending after this long has lost its receipt.

    Returns:
        The same rows with the columns ADDED. `status_known` is false where the dictionary lacks
        the word, `code_known` where it lacks a code that is there.
    """
    return (
        _looked_up(observed, dictionary)
        .with_columns(_class(), _final(), _receipt(), _status_known(), _code_known())
        .with_columns(_gave_up())
        .with_columns(_class_of_answer())
        .with_columns(_unless_silent(now_column, silence_hours))
        .with_columns(_silent_class(), pl.col("final") & ~pl.col(f"{_MINE}silent"))
        .with_columns(_reason())
        .join(_reason_defaults(), on="reason", how="left")
        .with_columns(_from_code_or_default("permanence"), _from_code_or_default("mender"))
        .select(pl.exclude(f"^{_MINE}.*$"))
    )


def _looked_up(observed: pl.LazyFrame, dictionary: Dictionary) -> pl.LazyFrame:
    """Join the dictionary's rows to the words, under names of our own."""
    codes = _own_names(
        dictionary.codes, "code", ["name", "reason", "permanence", "mender", "class_alone"]
    ).with_columns(pl.lit(value=True).alias(f"{_MINE}code_found"))
    statuses = _own_names(
        dictionary.statuses, "status", ["class", "final", "receipt", "reason"]
    ).with_columns(pl.lit(value=True).alias(f"{_MINE}status_found"))
    return (
        observed.with_columns(
            code_key(pl.col("code")).alias(f"{_MINE}code_key"),
            status_key(pl.col("status")).fill_null(NO_STATUS).alias(f"{_MINE}status_key"),
        )
        .join(codes, on=f"{_MINE}code_key", how="left")
        .join(statuses, on=f"{_MINE}status_key", how="left")
        .with_columns(_code_alone())
    )


def _code_alone() -> pl.Expr:
    """Whether the code must give the class: no status word, or only the name of the code."""
    word = pl.col(f"{_MINE}status_key")
    says_nothing_more = (word == NO_STATUS) | (word == status_key(pl.col(f"{_MINE}code_name")))
    has_class = pl.col(f"{_MINE}code_class_alone").is_not_null()
    return (has_class & says_nothing_more.fill_null(value=False)).alias(f"{_MINE}code_alone")


def _own_names(table: pl.DataFrame, kind: str, columns: list[str]) -> pl.LazyFrame:
    return table.lazy().select(
        pl.col(column).alias(f"{_MINE}{kind}_{column}") for column in ["key", *columns]
    )


def _class() -> pl.Expr:
    return (
        pl.when(pl.col(f"{_MINE}code_alone"))
        .then(pl.col(f"{_MINE}code_class_alone"))
        .otherwise(pl.col(f"{_MINE}status_class"))
        .fill_null(StatusClass.UNKNOWN.value)
        .alias("status_class")
    )


def _gave_up() -> pl.Expr:
    """Whether a failure is the provider's own: its code says that no receipt came in time."""
    failed = pl.col("status_class") == StatusClass.FAILED.value
    no_receipt = pl.col(f"{_MINE}code_reason") == Reason.NO_RECEIPT.value
    return (failed & no_receipt.fill_null(value=False)).alias(f"{_MINE}gave_up")


def _class_of_answer() -> pl.Expr:
    """A failure nobody reported is no failure: the message may have arrived."""
    return (
        pl.when(pl.col(f"{_MINE}gave_up"))
        .then(pl.lit(StatusClass.UNKNOWN.value))
        .otherwise(pl.col("status_class"))
        .alias("status_class")
    )


def _final() -> pl.Expr:
    return (
        pl.when(pl.col(f"{_MINE}code_alone"))
        .then(_is_one_of(pl.col(f"{_MINE}code_class_alone"), FINAL_CLASSES))
        .otherwise(pl.col(f"{_MINE}status_final"))
        .fill_null(value=False)
        .alias("final")
    )


def _receipt() -> pl.Expr:
    return pl.col(f"{_MINE}status_receipt").fill_null(Receipt.NONE.value).alias("receipt")


def _status_known() -> pl.Expr:
    found = pl.col(f"{_MINE}status_found").is_not_null()
    return (found | pl.col(f"{_MINE}code_alone")).alias("status_known")


def _code_known() -> pl.Expr:
    nothing_to_know = pl.col(f"{_MINE}code_key").is_null()
    return (nothing_to_know | pl.col(f"{_MINE}code_found").is_not_null()).alias("code_known")


def _unless_silent(now_column: str, silence_hours: float) -> pl.Expr:
    age = pl.col(now_column) - pl.col("submitted_at")
    pending = pl.col("status_class") == StatusClass.PENDING.value
    too_old = age > pl.duration(seconds=silence_hours * 3600)
    return (pending & too_old.fill_null(value=False)).alias(f"{_MINE}silent")


def _silent_class() -> pl.Expr:
    return (
        pl.when(pl.col(f"{_MINE}silent"))
        .then(pl.lit(StatusClass.UNKNOWN.value))
        .otherwise(pl.col("status_class"))
        .alias("status_class")
    )


def _reason() -> pl.Expr:
    """First rule that fits; delivered and pending have no reason."""
    undelivered = _is_one_of(pl.col("status_class"), (StatusClass.FAILED, StatusClass.REJECTED))
    unknown = pl.col("status_class") == StatusClass.UNKNOWN.value
    from_code = pl.col(f"{_MINE}code_reason")
    from_status = pl.col(f"{_MINE}status_reason")
    unread_code = pl.when(~pl.col("code_known")).then(pl.lit(Reason.UNKNOWN_CODE.value))
    return (
        pl.when(undelivered)
        .then(pl.coalesce(from_code, from_status, unread_code, pl.lit(Reason.NOT_STATED.value)))
        .when(pl.col(f"{_MINE}silent"))
        .then(pl.lit(Reason.NO_RECEIPT.value))
        .when(~pl.col("status_known"))
        .then(pl.lit(Reason.UNKNOWN_STATUS.value))
        .when(unknown & (pl.col(f"{_MINE}code_alone") | pl.col(f"{_MINE}gave_up")))
        .then(pl.coalesce(from_code, pl.lit(Reason.NO_RECEIPT.value)))
        .when(unknown)
        .then(pl.coalesce(from_status, pl.lit(Reason.NO_RECEIPT.value)))
        .alias("reason")
    )


def _reason_defaults() -> pl.LazyFrame:
    return (
        reasons()
        .lazy()
        .select(
            "reason",
            pl.col("permanence").alias(f"{_MINE}default_permanence"),
            pl.col("mender").alias(f"{_MINE}default_mender"),
        )
    )


def _from_code_or_default(column: str) -> pl.Expr:
    """The code's own word where the reason is the code's, else the default of the reason."""
    reason_of_code = pl.col("reason") == pl.col(f"{_MINE}code_reason")
    return (
        pl.when(reason_of_code)
        .then(pl.col(f"{_MINE}code_{column}"))
        .otherwise(pl.col(f"{_MINE}default_{column}"))
        .alias(column)
    )


def _is_one_of(column: pl.Expr, classes: tuple[StatusClass, ...]) -> pl.Expr:
    return pl.any_horizontal(column == word.value for word in classes)
