"""Alphabet, length and parts of a text, against hand counts and a search over all splits."""

from __future__ import annotations

from functools import cache

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sms_etl.messages.text import TEXT_FACTS_SCHEMA, text_facts

# 3GPP TS 23.038 section 6.2.1 by code point, row by row of the printed table.
DEFAULT_ALPHABET = {
    *(0x40, 0xA3, 0x24, 0xA5, 0xE8, 0xE9, 0xF9, 0xEC, 0xF2, 0xC7, 0x0A, 0xD8, 0xF8, 0x0D, 0xC5),
    *(0xE5, 0x394, 0x5F, 0x3A6, 0x393, 0x39B, 0x3A9, 0x3A0, 0x3A8, 0x3A3, 0x398, 0x39E),
    *(0xC6, 0xE6, 0xDF, 0xC9, 0xA4, 0xA1, 0xC4, 0xD6, 0xD1, 0xDC, 0xA7),
    *(0xBF, 0xE4, 0xF6, 0xF1, 0xFC, 0xE0),
    *(set(range(0x20, 0x40)) - {0x24}),
    *range(0x41, 0x5B),
    *range(0x61, 0x7B),
}
EXTENSION = {0x0C, 0x5E, 0x7B, 0x7D, 0x5C, 0x5B, 0x7E, 0x5D, 0x7C, 0x20AC}


def facts_of(text: str) -> tuple[str, int, int]:
    [row] = text_facts(pl.Series([text])).rows()
    assert row[0] == text
    return row[1:]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ("gsm7", 0, 1)),
        ("Hello", ("gsm7", 5, 1)),
        ("a" * 160, ("gsm7", 160, 1)),
        ("a" * 161, ("gsm7", 161, 2)),
        ("a" * 306, ("gsm7", 306, 2)),
        ("a" * 307, ("gsm7", 307, 3)),
        ("€" * 80, ("gsm7", 160, 1)),
        ("€" * 81, ("gsm7", 162, 2)),
        # 76 euro signs fill 152 of 153 septets, so 153 of them need three parts and not two.
        ("€" * 153, ("gsm7", 306, 3)),
        ("a" + "€" * 152 + "a", ("gsm7", 306, 2)),
        ("Привіт", ("ucs2", 6, 1)),
        ("і" * 70, ("ucs2", 70, 1)),
        ("і" * 71, ("ucs2", 71, 2)),
        ("і" * 99, ("ucs2", 99, 2)),
        ("і" * 134, ("ucs2", 134, 2)),
        ("і" * 135, ("ucs2", 135, 3)),
        ("😀" * 35, ("ucs2", 70, 1)),
        ("😀" * 36, ("ucs2", 72, 2)),
        # 33 emoji fill 66 of 67 units: 67 of them need three parts and not two.
        ("😀" * 67, ("ucs2", 134, 3)),
        ("Latin with one Cyrillic і", ("ucs2", 25, 1)),
        ("smart ’ quote", ("ucs2", 13, 1)),
        ("100 ₴", ("ucs2", 5, 1)),
        ("[a]", ("gsm7", 5, 1)),
        ("ç", ("ucs2", 1, 1)),
        ("`", ("ucs2", 1, 1)),
        ("\t", ("ucs2", 1, 1)),
        ("\x1b", ("ucs2", 1, 1)),
        ("line\r\nbreak", ("gsm7", 11, 1)),
        ("\n", ("gsm7", 1, 1)),
    ],
)
def test_hand_counted_texts(text, expected):
    assert facts_of(text) == expected


def test_every_character_below_the_surrogates_has_the_alphabet_of_the_standard():
    characters = pl.Series([chr(point) for point in range(0xD800)])
    facts = text_facts(characters)
    gsm7 = facts.filter(pl.col("encoding") == "gsm7")
    single = gsm7.filter(pl.col("text_length") == 1)["text"]
    double = gsm7.filter(pl.col("text_length") == 2)["text"]
    assert {ord(character) for character in single} == DEFAULT_ALPHABET
    assert {ord(character) for character in double} == EXTENSION
    assert len(DEFAULT_ALPHABET) == 127


def test_one_row_for_each_distinct_text_and_none_for_null():
    facts = text_facts(pl.Series(["a", "b", "a", None]))
    assert facts.schema == TEXT_FACTS_SCHEMA
    assert sorted(facts["text"]) == ["a", "b"]


def test_no_texts_make_an_empty_table():
    facts = text_facts(pl.Series([], dtype=pl.String))
    assert facts.schema == TEXT_FACTS_SCHEMA
    assert facts.is_empty()


def fewest_parts(widths: list[int], single: int, room: int) -> int:
    """The best of all ways to cut, found by trying every length of the first part."""
    if sum(widths) <= single:
        return 1

    @cache
    def best(start: int) -> int:
        if start == len(widths):
            return 0
        used, choices = 0, []
        for end in range(start, len(widths)):
            used += widths[end]
            if used > room:
                break
            choices.append(1 + best(end + 1))
        return min(choices)

    # Fill the cache from the end, so that the recursion stays shallow.
    for start in range(len(widths), -1, -1):
        best(start)
    return best(0)


GSM7_TEXT = st.lists(st.sampled_from(["a", "é", "€", "{", "|"]), min_size=140, max_size=330)
UCS2_TEXT = st.lists(st.sampled_from(["і", "Ї", "😀", "a", "€"]), min_size=60, max_size=220)


@given(GSM7_TEXT)
@settings(deadline=None, max_examples=60)
def test_gsm7_parts_are_the_fewest_possible(characters):
    widths = [2 if character in "€{|" else 1 for character in characters]
    assert facts_of("".join(characters)) == ("gsm7", sum(widths), fewest_parts(widths, 160, 153))


@given(UCS2_TEXT)
@settings(deadline=None, max_examples=60)
def test_ucs2_parts_are_the_fewest_possible(characters):
    text = "і" + "".join(characters)
    widths = [len(character.encode("utf-16-le")) // 2 for character in text]
    assert facts_of(text) == ("ucs2", sum(widths), fewest_parts(widths, 70, 67))


@given(st.text(max_size=400))
@settings(deadline=None)
def test_more_text_never_needs_fewer_parts(text):
    _, length, parts = facts_of(text)
    assert facts_of(text + "і")[2] >= parts
    assert length >= len(text)
