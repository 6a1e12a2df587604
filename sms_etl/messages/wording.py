"""What a text says, without keeping it: its template, its links, how to refuse further messages.

A template is what texts have in common when everything that changes from person to person is
masked: merge fields, links, digits and names. A name is a capitalised word that does not begin a
sentence, some that do and are followed by a comma, or that call at the beginning of the text.
"""

from __future__ import annotations

import string
from functools import cache

import polars as pl

from sms_etl.dictionaries.tables import DataColumn, data_folder, read_table, require_unique
from sms_etl.messages.keywords import keyword_key
from sms_etl.messages.phones import pseudonyms

WORDINGS_FILE = "opt_out_wordings.csv"
WORDING_COLUMNS = (DataColumn("wording"), DataColumn("language"), DataColumn("source"))

TEMPLATE_CHARACTERS = 16
"""Hexadecimal digits of a template's digest: enough for a company's templates."""

_USUAL_ENDINGS = "ua|com|net|org|info|biz|shop|store|online|eu|io|me|ly|link"
_DOMAIN = r"(?-u:\b)(?:[A-Za-z0-9-]+\.)+"
LINK = (
    r"(?:[hH][tT][tT][pP][sS]?://|(?-u:\b)[wW][wW][wW]\.)\S+"
    rf"|{_DOMAIN}(?:[A-Za-z]{{2,}}/\S+|(?i-u:{_USUAL_ENDINGS})(?-u:\b))"
)
"""A link as phones show it: with a scheme or www, or a domain with a path or a usual ending.

Classes of ASCII only: with those of Unicode it is forty times slower.
"""

_MERGE_FIELD = r"\{\{[^}]*\}\}|\{[^}]*\}|%[\w.]+%|\[[\w.]+\]|<[\w.]+>"
_DIGITS = r"\d+(?:[ .,:/-]?\d+)*"
_WORD = r"\p{Lu}[\p{Ll}'’ʼ-]+"
_CALL = rf"^{_WORD}(?:\s+{_WORD})*!"
_FIRST_NAME = rf"(^|[.!?]\s+){_WORD}(?:\s+{_WORD})*,"
_NAMES = rf"([^.!?\s]\s+){_WORD}(?:\s+{_WORD})*"
_SPACES = r"\s+"


def wording_facts(texts: pl.Series, wordings: tuple[str, ...], key: bytes) -> pl.DataFrame:
    """`template`, `links` and `opt_out_wording` of every distinct text, beside it in `text`.

    Args:
        texts: bodies, String; nulls are left out.
        wordings: the user's own phrases that say how to refuse, beside those of the data file.
        key: secret of the deployment; `template` is a digest keyed by it.
    """
    distinct = pl.DataFrame({"text": texts.drop_nulls().unique().cast(pl.String)})
    facts = distinct.select(
        "text",
        masked=masked(pl.col("text")),
        links=pl.col("text").str.count_matches(LINK).cast(pl.Int32),
        opt_out_wording=_says_how_to_refuse(pl.col("text"), _phrases(wordings)),
    )
    digests = pseudonyms(facts["masked"], key).str.head(TEMPLATE_CHARACTERS)
    return facts.with_columns(template=digests).drop("masked")


def without_telling_digits(text: pl.Expr, wordings: tuple[str, ...]) -> pl.Expr:
    """A text with one digit for all that no phrase about refusing holds.

    No fact of a text depends on which digits these are, and codes and order numbers are what
    makes most texts of a day different.
    """
    phrases = "".join(_phrases(wordings))
    free = [digit for digit in string.digits if digit not in phrases]
    return text.str.replace_all(f"[{''.join(free)}]", free[0]) if free else text


def masked(text: pl.Expr) -> pl.Expr:
    """A text in which everything that changes from person to person is one sign."""
    return (
        text.str.normalize("NFKC")
        .str.replace_all(_MERGE_FIELD, "@")
        .str.replace_all(LINK, "@")
        .str.replace_all(_DIGITS, "0")
        .str.replace(_CALL, "@!")
        .str.replace_all(_FIRST_NAME, "${1}@,")
        .str.replace_all(_NAMES, "${1}@")
        .str.replace_all(_SPACES, " ")
        .str.strip_chars()
    )


def _says_how_to_refuse(text: pl.Expr, phrases: list[str]) -> pl.Expr:
    return pl.format(" {} ", keyword_key(text)).str.contains_any(phrases)


@cache
def _phrases(own: tuple[str, ...]) -> list[str]:
    """All phrases as keyword keys between spaces, so that only whole words are found."""
    table = read_table(data_folder(), WORDINGS_FILE, WORDING_COLUMNS)
    known = table.select(keyword_key(pl.col("wording"))).to_series()
    require_unique(WORDINGS_FILE, known)
    more = pl.DataFrame({"wording": own}, schema={"wording": pl.String})
    keys = pl.concat([known, more.select(keyword_key(pl.col("wording"))).to_series()])
    return [f" {phrase} " for phrase in keys.unique(maintain_order=True)]
