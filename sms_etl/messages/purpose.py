"""What a message is for, by the words people have for it."""

from __future__ import annotations

import polars as pl

from sms_etl.model.vocabulary import Purpose

PURPOSE_WORDS = {
    Purpose.MARKETING: ("marketing", "promo", "promotion", "promotional", "advertising"),
    Purpose.TRANSACTIONAL: (
        "transactional", "service", "otp", "alert", "notification", "informational",
    ),
}  # fmt: skip
"""What people write for a purpose, in any case: the outbox's `purpose`, the catalogue's `kind`."""


def purpose_of(word: pl.Expr) -> pl.Expr:
    """Purpose by what people write for it; null for other words."""
    written = word.str.strip_chars().str.to_lowercase()
    purpose = pl.lit(None, pl.String)
    for one, words in PURPOSE_WORDS.items():
        purpose = pl.when(written.is_in(words)).then(pl.lit(one.value)).otherwise(purpose)
    return purpose
