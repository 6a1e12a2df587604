"""What a text costs to send: alphabet, length and parts. The text itself is not kept.

Alphabet and extension table: 3GPP TS 23.038, sections 6.2.1 and 6.2.1.1. Room in a part: 140
octets (3GPP TS 23.040), less the six-octet concatenation header in a long message.
"""

from __future__ import annotations

import polars as pl

from sms_etl.model.vocabulary import Encoding

GSM7_DEFAULT_ALPHABET = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""One septet each. The escape at 0x1B is not a character and so not here."""

GSM7_EXTENSION = "\f^{}\\[~]|€"
"""Two septets each: the escape and the character."""

SINGLE_PART = {Encoding.GSM7: 160, Encoding.UCS2: 70}
"""Septets or UTF-16 code units of a message that fits one part."""

LONG_PART = {Encoding.GSM7: 153, Encoding.UCS2: 67}
"""Septets or UTF-16 code units of each part of a longer message."""

TEXT_FACTS_SCHEMA = pl.Schema(
    {"text": pl.String, "encoding": pl.String, "text_length": pl.Int32, "parts": pl.Int32}
)


def _character_class(characters: str) -> str:
    return "[" + "".join(f"\\x{{{ord(character):x}}}" for character in characters) + "]"


GSM7_CHARACTER = _character_class(GSM7_DEFAULT_ALPHABET + GSM7_EXTENSION)
"""Pattern of one character that GSM-7 has."""

GSM7_TEXT = f"^{GSM7_CHARACTER}*$"
"""Pattern of a text that GSM-7 can carry."""

_EXTENSION = _character_class(GSM7_EXTENSION)
_BEYOND_BMP = r"[\x{10000}-\x{10ffff}]"


def text_facts(texts: pl.Series) -> pl.DataFrame:
    """Encoding, length and parts of every distinct text.

    Args:
        texts: bodies, String; nulls are left out.

    Returns:
        One row per distinct text, TEXT_FACTS_SCHEMA. `text_length` is in septets for GSM-7 (an
        extension character counts two) and in UTF-16 code units for UCS-2. No two-unit
        character is split between parts, so `parts` may exceed length divided by room.
        An empty text is one part. An emoji of several characters may be split between them.
    """
    gsm7 = pl.col("encoding") == Encoding.GSM7.value
    facts = (
        pl.DataFrame({"text": texts.drop_nulls().unique().cast(pl.String)})
        .with_columns(
            pl.when(pl.col("text").str.contains(GSM7_TEXT))
            .then(pl.lit(Encoding.GSM7.value))
            .otherwise(pl.lit(Encoding.UCS2.value))
            .alias("encoding")
        )
        .with_columns(
            pl.when(gsm7)
            .then(pl.col("text").str.count_matches(_EXTENSION))
            .otherwise(pl.col("text").str.count_matches(_BEYOND_BMP))
            .cast(pl.Int32)
            .alias("wide")
        )
        .with_columns(
            (pl.col("text").str.len_chars().cast(pl.Int32) + pl.col("wide")).alias("text_length")
        )
        .with_columns(_parts_unless_split().alias("parts"))
    )
    return _with_exact_parts(facts).select(TEXT_FACTS_SCHEMA.names())


def _parts_unless_split() -> pl.Expr:
    """Parts when no two-unit character straddles a boundary; exact where `wide` is zero."""
    gsm7 = pl.col("encoding") == Encoding.GSM7.value
    single, room = (
        pl.when(gsm7).then(limit[Encoding.GSM7]).otherwise(limit[Encoding.UCS2])
        for limit in (SINGLE_PART, LONG_PART)
    )
    length = pl.col("text_length")
    return pl.when(length <= single).then(1).otherwise((length + room - 1) // room).cast(pl.Int32)


def _with_exact_parts(facts: pl.DataFrame) -> pl.DataFrame:
    """Recount the long texts that hold two-unit characters, one by one."""
    doubtful = facts.filter((pl.col("wide") > 0) & (pl.col("parts") > 1))
    exact = pl.DataFrame(
        {
            "text": doubtful["text"],
            "exact": pl.Series(
                [
                    _count_parts(text, Encoding(encoding))
                    for text, encoding in doubtful.select("text", "encoding").iter_rows()
                ],
                dtype=pl.Int32,
            ),
        }
    )
    return facts.join(exact, on="text", how="left").with_columns(
        pl.coalesce("exact", "parts").alias("parts")
    )


def _count_parts(text: str, encoding: Encoding) -> int:
    """Fill parts from the left; a two-unit character that does not fit opens the next part."""
    room = LONG_PART[encoding]
    parts, used = 1, 0
    for character in text:
        wide = character in GSM7_EXTENSION if encoding is Encoding.GSM7 else ord(character) > 0xFFFF
        units = 2 if wide else 1
        if used + units > room:
            parts, used = parts + 1, 0
        used += units
    return parts
