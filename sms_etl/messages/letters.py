"""What single letters of a text cost: parts with every odd letter replaced by a plain one.

An odd letter is a sign that GSM-7 lacks though it has one that reads the same: a smart quote, a
long dash, a no-break space, an ellipsis, a Cyrillic or Greek letter inside a Latin text. One of
them turns a text of 160 to a part into one of 70. A Cyrillic text is no waste: only when all other
characters are GSM-7 does a replacement save anything.
"""

from __future__ import annotations

import polars as pl

from sms_etl.messages.text import GSM7_CHARACTER, GSM7_TEXT, text_facts
from sms_etl.model.vocabulary import Encoding

SIGNS = {
    "'": "\u2018\u2019\u201a\u201b\u2032\u02b9\u02bb\u02bc\u02bd\u0060\u00b4",
    '"': "\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb",
    "<": "\u2039",
    ">": "\u203a",
    "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2043",
    "...": "\u2026",
    " ": "\t\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f"
    "\u3000",
    "\n": "\u2028\u2029",
    "": "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff",
    "*": "\u2022",
    "/": "\u2044\u2215",
    "x": "\u00d7",
}
"""What stands in -> the signs it stands in for."""

LOOK_ALIKES = dict(
    zip(
        "АВЕІЈКМНОРСТУХЅаеіјорсухѕ" + "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧο",
        "ABEIJKMHOPCTYXSaeijopcyxs" + "ABEZHIKMNOPTYXo",
        strict=True,
    )
)
"""Cyrillic and Greek letters that look like a Latin one."""

UKRAINIAN_IN_LATIN = {
    "а": "a", "б": "b", "в": "v", "г": "h", "ґ": "g", "д": "d", "е": "e", "є": "ie", "ж": "zh",
    "з": "z", "и": "y", "і": "i", "ї": "i", "й": "i", "к": "k", "л": "l", "м": "m", "н": "n",
    "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f", "х": "kh", "ц": "ts",
    "ч": "ch", "ш": "sh", "щ": "shch", "ь": "", "ю": "iu", "я": "ia",
}  # fmt: skip
"""Resolution 55 of the Cabinet of Ministers of Ukraine, 27 January 2010, inside a word."""

LETTER_FACTS_SCHEMA = pl.Schema(
    {"text": pl.String, "parts_plain": pl.Int32, "parts_latin": pl.Int32, "odd_letters": pl.String}
)

_SIGNS = {sign: plain for plain, signs in SIGNS.items() for sign in signs}
_NOT_GSM7 = "[^" + GSM7_CHARACTER.removeprefix("[")
_LATIN_LETTER = "[A-Za-z]"
_FOREIGN_LETTER = r"[\p{Cyrillic}\p{Greek}]"
_UKRAINIAN = UKRAINIAN_IN_LATIN | {
    letter.upper(): latin.upper() for letter, latin in UKRAINIAN_IN_LATIN.items()
}


def letter_facts(facts: pl.DataFrame) -> pl.DataFrame:
    """What the letters of every text cost.

    Look-alikes are taken for mistakes only where Latin letters are the majority.

    Args:
        facts: `text` (distinct), `encoding`, `parts` as from `text_facts`.

    Returns:
        One row per UCS-2 text, LETTER_FACTS_SCHEMA: `parts_plain` with the odd letters replaced,
        `parts_latin` with Ukrainian letters transliterated too; each the own number of parts
        where that would not make a GSM-7 text or save nothing. `odd_letters`: the characters,
        each once, in order of code point, that cost parts; null where none did.
    """
    foreign, latin = (
        pl.col("text").str.count_matches(letter) for letter in (_FOREIGN_LETTER, _LATIN_LETTER)
    )
    ucs2 = facts.filter(pl.col("encoding") == Encoding.UCS2.value).select("text", "parts")
    replaced = ucs2.with_columns(plain=_replaced(pl.col("text"), _SIGNS)).with_columns(
        plain=pl.when(latin > foreign)
        .then(_replaced(pl.col("plain"), LOOK_ALIKES))
        .otherwise("plain")
    )
    replaced = replaced.with_columns(latin=_transliterated(pl.col("plain")))
    told = replaced.with_columns(
        parts_plain=pl.min_horizontal("parts", _parts_if_gsm7(replaced["plain"])),
    ).with_columns(
        parts_latin=pl.min_horizontal("parts_plain", _parts_if_gsm7(replaced["latin"])),
    )
    odd = pl.col("text").str.extract_all(_NOT_GSM7).list.unique().list.sort().list.join("")
    costly = pl.col("parts_plain") < pl.col("parts")
    return (
        told.with_columns(odd_letters=pl.when(costly).then(odd))
        .select(LETTER_FACTS_SCHEMA.names())
        .cast(LETTER_FACTS_SCHEMA)
    )


def _replaced(text: pl.Expr, table: dict[str, str]) -> pl.Expr:
    return text.str.replace_many(list(table), list(table.values()))


def _transliterated(text: pl.Expr) -> pl.Expr:
    """Ukrainian letters in Latin ones; only the length matters, so capitals are not cared for."""
    text = text.str.replace_all("(?i)зг", "zgh").str.replace_all(r"(?i)\bї", "yi")
    return _replaced(text, _UKRAINIAN)


def _parts_if_gsm7(texts: pl.Series) -> pl.Series:
    """Parts of each text, in their order; null where it needs UCS-2."""
    frame = pl.DataFrame({"text": texts}, schema={"text": pl.String})
    gsm7 = frame.filter(pl.col("text").str.contains(GSM7_TEXT))["text"]
    found = text_facts(gsm7).select("text", found="parts")
    return frame.join(found, on="text", how="left", maintain_order="left")["found"]
