"""What a reply asks for, by whole texts that are known keywords.

Keywords are read as carriers and providers do: the whole text (in the form of messages.keywords).
"""

from __future__ import annotations

from functools import cache

import polars as pl

from sms_etl.dictionaries.tables import DataColumn, data_folder, read_table, require_unique
from sms_etl.messages.keywords import keyword_key
from sms_etl.model.vocabulary import Intent

KEYWORDS_FILE = "reply_keywords.csv"
KEYWORD_COLUMNS = (
    DataColumn("keyword"),
    DataColumn("intent", tuple(intent.value for intent in Intent)),
    DataColumn("language"),
    DataColumn("source"),
)


def with_intent(replies: pl.DataFrame, opt_out_keywords: tuple[str, ...] = ()) -> pl.DataFrame:
    """Add `intent` by the column `text`; null without a text.

    `opt_out_keywords`: the user's own, beside those of the data file, and before them.
    """
    keywords = _keywords(opt_out_keywords)
    read = replies.with_columns(_key=keyword_key(pl.col("text"))).join(
        keywords, on="_key", how="left", maintain_order="left"
    )
    other = pl.when(pl.col("text").is_not_null()).then(pl.lit(Intent.OTHER.value))
    return read.with_columns(intent=pl.coalesce("intent", other)).drop("_key")


@cache
def _keywords(opt_out_keywords: tuple[str, ...]) -> pl.DataFrame:
    table = read_table(data_folder(), KEYWORDS_FILE, KEYWORD_COLUMNS)
    keyed = table.select(keyword_key(pl.col("keyword")).alias("_key"), "intent")
    require_unique(KEYWORDS_FILE, keyed["_key"])
    own = pl.DataFrame({"keyword": opt_out_keywords}, schema={"keyword": pl.String}).select(
        keyword_key(pl.col("keyword")).alias("_key"), intent=pl.lit(Intent.OPT_OUT.value)
    )
    return pl.concat([own, keyed]).unique("_key", keep="first", maintain_order=True)
