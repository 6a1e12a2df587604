"""Identifiers for tables that have none, made of what does not change from export to export.

An identifier is the keyed hash of the recipient, the time that decides the day and the sender.
Rows of one file that are alike in all three are numbered in the order of the file. The status,
the final time and the price are left out: a later export brings them changed.
"""

from __future__ import annotations

import hashlib
import hmac

import polars as pl

from sms_etl.sources.mapping import MappedSettings

MADE_ID = "(made identifier)"
"""Heading of the made column."""

HASH_CHARACTERS = 24
_NOT_DIGITS = r"\D"
_NUMBER, _WHEN, _WHO = "_made_number", "_made_when", "_made_who"


def with_made_ids(frame: pl.DataFrame, settings: MappedSettings, key: bytes) -> pl.DataFrame:
    """Add MADE_ID to the rows of one file; null where the row has no recipient or time.

    A person's number is in it as a keyed hash only: one is made for every distinct number.
    """
    columns = settings.columns
    when = pl.col(settings.time_heading)
    sender = pl.col(columns["sender"]) if "sender" in columns else pl.lit("")
    rows = frame.with_columns(
        pl.col(columns["recipient"]).str.replace_all(_NOT_DIGITS, "").alias(_NUMBER),
        pl.coalesce(settings.utc(when).dt.strftime("%Y%m%dT%H%M%SZ"), when).alias(_WHEN),
        sender.fill_null("").alias(_WHO),
    )
    alike = (_NUMBER, _WHEN, _WHO)
    occurrence = pl.int_range(1, pl.len() + 1).over(alike).cast(pl.String)
    parts = (pl.col(_WHEN), _hashed(rows[_NUMBER], key), pl.col(_WHO), occurrence)
    made = pl.concat_str(*parts, separator="-")
    return rows.with_columns(made.alias(MADE_ID)).drop(alike)


def _hashed(numbers: pl.Series, key: bytes) -> pl.Expr:
    distinct = [number for number in numbers.unique() if number]
    hashes = [
        hmac.new(key, number.encode(), hashlib.sha256).hexdigest()[:HASH_CHARACTERS]
        for number in distinct
    ]
    return pl.col(numbers.name).replace_strict(
        distinct, hashes, default=None, return_dtype=pl.String
    )
