"""Texts of the simulated retailer, and how many parts each of them takes."""

from __future__ import annotations

import polars as pl

from sms_etl.sandbox.draws import Draws

FIRST_NAMES = (
    "Олена", "Іван", "Марія", "Андрій", "Наталія", "Сергій", "Оксана", "Юлія", "Тарас", "Ганна",
    "Дмитро", "Світлана", "Богдан", "Катерина", "Володимир", "Ярослава",
)  # fmt: skip

_GSM7_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM7_EXTENDED = "^{}\\[~]|€\f"
"""Characters of 3GPP TS 23.038 that cost an escape, so count as two."""

_GSM7_ALONE, _GSM7_PART = 160, 153
_UCS2_ALONE, _UCS2_PART = 70, 67


def _character_class(characters: str) -> str:
    return "".join(f"\\x{{{ord(character):X}}}" for character in characters)


_NOT_GSM7 = f"[^{_character_class(_GSM7_BASIC + _GSM7_EXTENDED)}]"
_EXTENDED = f"[{_character_class(_GSM7_EXTENDED)}]"
_BEYOND_BMP = r"[\x{10000}-\x{10FFFF}]"


def fill_in(draws: Draws, template: pl.Expr) -> pl.Expr:
    """A template with its {code}, {order}, {points} and {name} filled in, String."""
    text = template
    for field, value in (
        ("{code}", draws.digits("text:code", 6)),
        ("{order}", draws.digits("text:order", 8)),
        ("{points}", draws.whole("text:points", 50, 950).cast(pl.String)),
        ("{name}", draws.one_of("text:name", FIRST_NAMES)),
    ):
        text = text.str.replace(field, value, literal=True)
    return text


def encoding(text: pl.Expr) -> pl.Expr:
    """gsm7 if every character is in the GSM alphabet (3GPP TS 23.038), else ucs2."""
    return pl.when(text.str.contains(_NOT_GSM7)).then(pl.lit("ucs2")).otherwise(pl.lit("gsm7"))


def parts(text: pl.Expr) -> pl.Expr:
    """Parts a text is sent in: 160 / 153 septets or 70 / 67 UTF-16 units each, Int32."""
    characters = text.str.len_chars().cast(pl.Int32)
    septets = characters + text.str.count_matches(_EXTENDED).cast(pl.Int32)
    units = characters + text.str.count_matches(_BEYOND_BMP).cast(pl.Int32)
    gsm7 = encoding(text) == "gsm7"
    size = pl.when(gsm7).then(septets).otherwise(units)
    alone = pl.when(gsm7).then(_GSM7_ALONE).otherwise(_UCS2_ALONE)
    part = pl.when(gsm7).then(_GSM7_PART).otherwise(_UCS2_PART)
    several = (size + part - 1) // part
    return pl.when(size <= alone).then(1).otherwise(several).cast(pl.Int32)
