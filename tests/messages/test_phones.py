"""Recipients in the forms that people, spreadsheets and providers write them."""

from __future__ import annotations

import hashlib
import hmac
import random

import phonenumbers
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat

from sms_etl.errors import ConfigError
from sms_etl.messages.phones import (
    NUMBERS_SCHEMA,
    key_id,
    normalise_operator,
    operator_of_network,
    parse_numbers,
    pseudonyms,
)

KEY = b"0123456789abcdef0123456789abcdef"


def facts_of(raw: str | None, home_country: str = "UA") -> dict[str, str | None]:
    [row] = parse_numbers(pl.Series([raw], dtype=pl.String), home_country).to_dicts()
    return row


@pytest.mark.parametrize(
    "written",
    [
        "+380501234567",
        "380501234567",
        "0501234567",
        "501234567",
        "00380501234567",
        "+3800501234567",
        "+38 (050) 123-45-67",
        "+38\u00a0050\u00a0123\u201345\u201367",
        "\u202a+380501234567\u202c",
        "０５０１２３４５６７",
        "80501234567",
        "8 (050) 123 45 67",
        "8-050-123-45-67",
        "380501234567.0",
        "tel:+380501234567",
        "whatsapp:+380501234567",
        "  0501234567\t",
    ],
)
def test_every_form_of_one_number_is_the_same_subscriber(written):
    assert facts_of(written) == {
        "raw": written,
        "e164": "+380501234567",
        "country": "UA",
        "operator": "Vodafone",
        "operator_origin": "prefix",
        "number_type": "mobile",
    }


@pytest.mark.parametrize(
    "written",
    [
        None,
        "",
        "   ",
        "Kyivstar",
        "1-800-FLOWERS",
        "+38050****567",
        "38050XXX4567",
        "3.80501E+11",
        "0501234567, 0671234567",
        "0501234567 0671234567",
        "050123456",
        "+3805012345678",
        "101",
        "99999999999",
        "12345678901234567890",
        "+",
    ],
)
def test_what_is_no_number_is_invalid_and_says_so(written):
    row = facts_of(written)
    assert row["e164"] is None
    assert row["number_type"] == "invalid"
    assert (row["country"], row["operator"], row["operator_origin"]) == (
        "unknown",
        "unknown",
        "none",
    )


@pytest.mark.parametrize(
    ("written", "operator"),
    [
        ("0391234567", "Kyivstar"),
        ("0671234567", "Kyivstar"),
        ("0771234567", "Kyivstar"),
        ("0751234567", "Vodafone"),
        ("0991234567", "Vodafone"),
        ("0631234567", "lifecell"),
        ("0931234567", "lifecell"),
        ("0911234567", "TriMob"),
        ("0921234567", "PEOPLEnet"),
        ("0941234567", "Intertelecom"),
    ],
)
def test_ukrainian_prefix_names_the_holder_of_the_range(written, operator):
    row = facts_of(written)
    assert (row["operator"], row["operator_origin"]) == (operator, "prefix")


def test_a_landline_is_a_valid_number_but_not_a_mobile_one():
    row = facts_of("044 123 45 67")
    assert row["e164"] == "+380441234567"
    assert row["number_type"] == "fixed_line"
    assert (row["operator"], row["operator_origin"]) == ("unknown", "none")


@pytest.mark.parametrize(
    ("written", "e164", "country"),
    [
        ("48501234567", "+48501234567", "PL"),
        ("+48 501 234 567", "+48501234567", "PL"),
        ("14155552671", "+14155552671", "US"),
    ],
)
def test_a_foreign_number_keeps_its_country_even_without_a_plus(written, e164, country):
    row = facts_of(written)
    assert (row["e164"], row["country"], row["number_type"]) == (e164, country, "mobile")


def test_the_home_country_decides_what_a_bare_number_is():
    assert facts_of("501 234 567", "PL")["e164"] == "+48501234567"
    assert facts_of("501 234 567", "ua")["e164"] == "+380501234567"


def test_the_former_ukrainian_prefix_means_nothing_elsewhere():
    assert facts_of("80501234567", "PL")["e164"] is None


def test_one_row_for_each_distinct_value():
    raw = pl.Series(["0501234567", "0501234567", "+380501234567", None, "x"])
    numbers = parse_numbers(raw, "UA")
    assert numbers.schema == NUMBERS_SCHEMA
    assert numbers["raw"].null_count() == 1
    assert sorted(numbers["raw"].drop_nulls()) == ["+380501234567", "0501234567", "x"]


def test_no_numbers_make_an_empty_table():
    numbers = parse_numbers(pl.Series([], dtype=pl.String), "UA")
    assert numbers.schema == NUMBERS_SCHEMA
    assert numbers.is_empty()


def test_a_home_country_that_is_none_is_refused():
    with pytest.raises(ConfigError, match="Ukraine"):
        parse_numbers(pl.Series(["1"]), "Ukraine")


@pytest.mark.parametrize("country", ["UA", "PL", "US", "GB", "DE", "KZ", "MD", "IT"])
def test_the_block_table_agrees_with_the_number_plan_library(country):
    code = phonenumbers.country_code_for_region(country)
    random_number = random.Random(country)
    raw = [
        f"{opening}{random_number.randrange(10**8, 10**10)}"
        for opening in ("", "0", str(code), f"+{code}")
        for _ in range(300)
    ]
    for row in parse_numbers(pl.Series(raw), country).iter_rows(named=True):
        expected = e164_by_the_library(row["raw"], country)
        if expected is None and len(row["raw"]) >= 11:
            continue  # read as international or as 8-0XX, which the library alone does not try
        assert row["e164"] == expected, row


def e164_by_the_library(raw: str, country: str) -> str | None:
    try:
        number = phonenumbers.parse(raw, country)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


@given(st.lists(st.one_of(st.none(), st.text(max_size=20)), max_size=20))
@settings(deadline=None)
def test_any_text_gives_one_row_and_a_number_only_in_e164_form(raw):
    numbers = parse_numbers(pl.Series(raw, dtype=pl.String), "UA")
    assert set(numbers["raw"].to_list()) == set(raw)
    assert numbers.height == len(set(raw))
    assert numbers.filter(~pl.col("e164").str.contains(r"^\+[1-9][0-9]{6,14}$")).is_empty()
    assert (numbers["e164"].is_null() == (numbers["number_type"] == "invalid")).all()


@given(st.from_regex(r"(39|50|63|67|91|98)[0-9]{7}", fullmatch=True))
@settings(deadline=None)
def test_reading_a_number_again_changes_nothing(national):
    e164 = facts_of("0" + national)["e164"]
    assert e164 == "+380" + national
    assert facts_of(e164)["e164"] == e164


@pytest.mark.parametrize(
    ("mcc_mnc", "operator"),
    [
        ("25501", "Vodafone"),
        ("25502", "Kyivstar"),
        ("25503", "Kyivstar"),
        ("255-06", "lifecell"),
        ("255 07", "TriMob"),
        ("255006", "lifecell"),
        ("255701", "Ukrainian Special Systems"),
        ("26001", "unknown"),
        ("255", "unknown"),
        ("", "unknown"),
        (None, "unknown"),
    ],
)
def test_operator_of_a_network_code(mcc_mnc, operator):
    assert operator_of_network(mcc_mnc) == operator


@pytest.mark.parametrize(
    ("written", "operator"),
    [
        ("KYIVSTAR", "Kyivstar"),
        (" Київстар ", "Kyivstar"),
        ("Vodafone Ukraine", "Vodafone"),
        ("life:)", "lifecell"),
        ("3mob", "TriMob"),
        ("T-Mobile", "T-Mobile"),
        ("", "unknown"),
        (None, "unknown"),
    ],
)
def test_operator_names_have_one_spelling(written, operator):
    assert normalise_operator(written) == operator


@pytest.mark.parametrize("network", ["25501", "25503", "25504", "25506", "25507", "25521"])
def test_networks_and_prefixes_spell_an_operator_alike(network):
    operator = operator_of_network(network)
    assert normalise_operator(operator) == operator
    prefixes = ["050", "067", "094", "063", "091", "092"]
    assert operator in {facts_of(f"{prefix}1234567")["operator"] for prefix in prefixes}


def test_a_pseudonym_is_the_keyed_digest_in_the_order_given():
    numbers = pl.Series("recipient", ["+380671234567", None, "+380501234567", "+380671234567"])
    expected = [
        number and hmac.new(KEY, number.encode(), hashlib.sha256).hexdigest() for number in numbers
    ]
    result = pseudonyms(numbers, KEY)
    assert result.to_list() == expected
    assert result.name == "recipient"


def test_hmac_matches_a_published_vector():
    # RFC 4231, test case 2.
    [digest] = pseudonyms(pl.Series(["what do ya want for nothing?"]), b"Jefe")
    assert digest == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"


def test_another_key_gives_other_pseudonyms_and_another_name():
    numbers = pl.Series(["+380671234567"])
    assert pseudonyms(numbers, KEY)[0] != pseudonyms(numbers, KEY + b"!")[0]
    assert key_id(KEY) == key_id(KEY)
    assert key_id(KEY) != key_id(KEY + b"!")


def test_a_key_name_shows_nothing_of_the_key():
    assert len(key_id(KEY)) == 12
    assert key_id(KEY) not in {KEY.hex()[:12], hashlib.sha256(KEY).hexdigest()[:12]}


def test_an_empty_key_is_refused():
    with pytest.raises(ConfigError, match="key is empty"):
        pseudonyms(pl.Series(["+380671234567"]), b"")
    with pytest.raises(ConfigError, match="key is empty"):
        key_id(b"")


@pytest.mark.parametrize("length", [1, 63, 64, 65, 200])
def test_a_pseudonym_is_an_hmac_whatever_the_length_of_the_key(length):
    key = bytes(range(length))
    [made] = pseudonyms(pl.Series(["+380501234567"]), key)
    assert made == hmac.new(key, b"+380501234567", hashlib.sha256).hexdigest()
