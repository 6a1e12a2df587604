"""What a reply asks for, by whole texts that are known keywords.

Keywords are read as carriers and providers do: the whole text, any case, without punctuation.
Latin and Cyrillic letters that look alike are the same letter here, because people mix them.
"""

from __future__ import annotations

from functools import cache

import polars as pl

from sms_etl.dictionaries.tables import DataColumn, data_folder, read_table, require_unique
from sms_etl.model.vocabulary import Intent

KEYWORDS_FILE = "reply_keywords.csv"
KEYWORD_COLUMNS = (
    DataColumn("keyword"),
    DataColumn("intent", tuple(intent.value for intent in Intent)),
    DataColumn("language"),
    DataColumn("source"),
)

_CYRILLIC, _LATIN = "АВЕІКМНОРСТУХ", "ABEIKMHOPCTYX"
_NO_LETTER = r"[^\p{L}\p{N}]+"


def with_intent(replies: pl.DataFrame) -> pl.DataFrame:
    """Add `intent` by the column `text`; null without a text."""
    read = replies.with_columns(_key=keyword_key(pl.col("text"))).join(
        _keywords(), on="_key", how="left", maintain_order="left"
    )
    other = pl.when(pl.col("text").is_not_null()).then(pl.lit(Intent.OTHER.value))
    return read.with_columns(intent=pl.coalesce("intent", other)).drop("_key")


def keyword_key(text: pl.Expr) -> pl.Expr:
    """A text in the form in which keywords are compared."""
    return (
        text.str.normalize("NFKC")
        .str.to_uppercase()
        .str.replace_all(_NO_LETTER, " ")
        .str.strip_chars()
        .str.replace_many(list(_CYRILLIC), list(_LATIN))
    )


@cache
def _keywords() -> pl.DataFrame:
    table = read_table(data_folder(), KEYWORDS_FILE, KEYWORD_COLUMNS)
    keyed = table.select(keyword_key(pl.col("keyword")).alias("_key"), "intent")
    require_unique(KEYWORDS_FILE, keyed["_key"])
    return keyed
