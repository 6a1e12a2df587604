"""What one odd letter costs: by hand, by trying every replacement, and as laws."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sms_etl.encoding import build_encoding
from sms_etl.messages.letters import LETTER_FACTS_SCHEMA, LOOK_ALIKES, SIGNS, letter_facts
from sms_etl.messages.text import text_facts
from sms_etl.model.schemas import ENCODING, MESSAGES
from tests.messages.observations import build, observation


def letters_of(text: str) -> tuple[int, int, int, str | None]:
    """Parts as sent, with plain letters, with Latin letters only; and the odd letters."""
    facts = text_facts(pl.Series([text]))
    own = facts["parts"].item()
    found = letter_facts(facts)
    if found.is_empty():
        return own, own, own, None
    [(_, plain, latin, odd)] = found.rows()
    return own, plain, latin, odd


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # 90 characters with a long dash: two parts of 67 instead of one of 160.
        ("a" * 45 + "–" + "a" * 44, (2, 1, 1, "–")),
        # 70 characters fit one part either way: nothing is lost.
        ("a" * 69 + "–", (1, 1, 1, None)),
        ("a" * 160 + "’", (3, 2, 2, "’")),
        ("“Sale”" + " now" * 20, (2, 1, 1, "“”")),
        ("Price:\u00a0100 UAH" + "." * 60, (2, 1, 1, "\u00a0")),
        # An ellipsis becomes three characters: 159 + 3 no longer fit one part.
        ("a" * 157 + "…", (3, 1, 1, "…")),
        ("a" * 158 + "…", (3, 2, 2, "…")),
        # A Cyrillic a in a Latin word.
        ("Sаle " + "b" * 80, (2, 1, 1, "а")),
        # Cyrillic texts are no waste, whatever else is in them.
        ("Знижки – “лише” сьогодні " * 4, (2, 2, 1, None)),
        ("Привіт " * 10, (1, 1, 1, None)),
        # Letters that all look Latin, but are the majority: a Cyrillic text.
        ("СОР " * 20 + "ok", (2, 2, 1, None)),
        # A Cyrillic word that no letter looks like is no slip: an option only.
        ("Sale at Промінь " + "b" * 70, (2, 2, 1, None)),
        # An emoji has no plain letter.
        ("Sale – 😀 " + "b" * 80, (2, 2, 2, None)),
        ("plain " * 40, (2, 2, 2, None)),
        ("", (1, 1, 1, None)),
    ],
)
def test_texts_counted_by_hand(text, expected):
    assert letters_of(text) == expected


def test_what_stands_in_is_gsm7_and_what_it_stands_in_for_is_not():
    stand_ins = pl.Series([*SIGNS, *LOOK_ALIKES.values()])
    odd = pl.Series(["".join(SIGNS.values()), *"".join(SIGNS.values()), *LOOK_ALIKES])
    assert set(text_facts(stand_ins)["encoding"]) == {"gsm7"}
    greek_capitals_of_gsm7 = set("ΔΦΓΛΩΠΨΣΘΞ")
    assert not greek_capitals_of_gsm7 & set(LOOK_ALIKES)
    assert set(text_facts(odd)["encoding"]) == {"ucs2"}


def test_no_texts_make_an_empty_table():
    nothing = letter_facts(text_facts(pl.Series([], dtype=pl.String)))
    assert nothing.schema == LETTER_FACTS_SCHEMA
    assert nothing.is_empty()


BASIC = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = set("\f^{}\\[~]|€")


def brute_parts(text: str) -> int:
    """Parts by filling them character by character."""
    gsm7 = set(text) <= BASIC | EXTENDED
    single, room = (160, 153) if gsm7 else (70, 67)
    widths = [
        (2 if c in EXTENDED else 1) if gsm7 else len(c.encode("utf-16-le")) // 2 for c in text
    ]
    if sum(widths) <= single:
        return 1
    parts, used = 1, 0
    for width in widths:
        parts, used = (parts + 1, width) if used + width > room else (parts, used + width)
    return parts


def brute_plain(text: str) -> tuple[int, str | None]:
    """Parts with every odd letter replaced, one character after another."""
    latin = sum("a" <= c.lower() <= "z" for c in text)
    foreign = sum("\u0370" <= c <= "\u052f" for c in text)
    table = {sign: plain for plain, signs in SIGNS.items() for sign in signs}
    table |= LOOK_ALIKES if latin > foreign else {}
    plain = "".join(table.get(c, c) for c in text)
    own = brute_parts(text)
    if not set(plain) <= BASIC | EXTENDED or brute_parts(plain) >= own:
        return own, None
    return brute_parts(plain), "".join(sorted(set(text) - BASIC - EXTENDED))


LETTERS = st.sampled_from(
    ["a", "B", " ", "€", "–", "’", "…", "\u00a0", "\u200b", "і", "Х", "ж", "😀"]
)
TEXTS = st.lists(LETTERS, min_size=1, max_size=12).flatmap(
    lambda seed: st.integers(0, 200).map(lambda n: "".join(seed) + "ab" * n)
)


@given(TEXTS)
@settings(deadline=None, max_examples=60)
def test_parts_and_letters_are_those_found_by_brute_force(text):
    own, plain, latin, odd = letters_of(text)
    assert own == brute_parts(text)
    assert (plain, odd) == brute_plain(text)
    assert 1 <= latin <= plain <= own
    assert (odd is None) == (plain == own)


def summed(*observations: dict) -> dict:
    messages = build(*observations).messages
    [row] = build_encoding(messages.lazy()).rows(named=True)
    return row


DASH = "a" * 89 + "–"


def test_a_letter_costs_its_share_of_the_price():
    price = {"cost_micro": 1_000_001, "price_text": "1.000001", "currency": "UAH"}
    row = summed(observation("m1", text=DASH, parts_billed=2, **price))
    assert row["odd_letters"] == "–"
    assert (row["parts_saved"], row["cost_saved_micro"]) == (1, 500_000)
    assert (row["messages"], row["messages_compared"], row["messages_over"]) == (1, 1, 0)


def test_a_provider_that_billed_one_part_lost_nothing_to_the_letter():
    row = summed(observation("m1", text=DASH, parts_billed=1))
    assert (row["odd_letters"], row["parts_saved"], row["cost_saved_micro"]) == (None, 0, 0)
    assert (row["messages_under"], row["parts_under"]) == (1, 1)


def test_parts_beyond_the_computed_are_no_waste_of_letters():
    row = summed(observation("m1", text=DASH, parts_billed=5))
    assert row["parts_saved"] == 1
    assert (row["messages_over"], row["parts_over"]) == (1, 3)


def test_unbilled_parts_are_not_compared_with_themselves():
    row = summed(observation("m1", text=DASH, parts_billed=None))
    assert (row["messages"], row["messages_compared"], row["parts_saved"]) == (1, 0, 1)


def test_only_sms_with_a_text_are_counted():
    messages = build(
        observation("m1", text=DASH, channel="viber"), observation("m2", text=None)
    ).messages
    nothing = build_encoding(messages.lazy())
    assert nothing.is_empty()
    assert nothing.schema == ENCODING.schema


def test_the_text_itself_does_not_leave_the_step():
    messages = build(observation("m1", text=DASH)).messages
    assert messages.schema == MESSAGES.schema
    assert DASH not in str(messages.row(0))
    assert messages.select("odd_letters", "parts_computed", "parts_plain").row(0) == ("–", 2, 1)
