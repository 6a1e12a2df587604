"""The form in which words of people are compared with words of a list.

Any case, without punctuation. Latin and Cyrillic letters that look alike are the same letter
here, because people mix them.
"""

from __future__ import annotations

import polars as pl

_CYRILLIC, _LATIN = "АВЕІКМНОРСТУХ", "ABEIKMHOPCTYX"
_NO_LETTER = r"[^\p{L}\p{N}]+"


def keyword_key(text: pl.Expr) -> pl.Expr:
    """A text in the form in which keywords are compared."""
    return (
        text.str.normalize("NFKC")
        .str.to_uppercase()
        .str.replace_all(_NO_LETTER, " ")
        .str.strip_chars()
        .str.replace_many(list(_CYRILLIC), list(_LATIN))
    )
