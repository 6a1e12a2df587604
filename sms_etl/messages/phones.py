"""Recipients: from what a provider writes to E.164, country, operator, line type, pseudonym.

Every function works on distinct values. Facts of home numbers are looked up by block (a number
without its last digits), because a numbering plan gives out blocks, not single numbers.
"""

from __future__ import annotations

import csv
import hashlib
import hmac
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import phonenumbers
import polars as pl
from phonenumbers import PhoneNumberFormat, PhoneNumberType, carrier
from phonenumbers.carrierdata import CARRIER_DATA
from phonenumbers.phonemetadata import PhoneMetadata

from sms_etl.errors import ConfigError
from sms_etl.model.vocabulary import UNKNOWN_LABEL, NumberType

PREFIX_ORIGIN = "prefix"
"""Operator taken from the number range: its first holder, not today's, since numbers move."""

NO_ORIGIN = "none"

NUMBERS_SCHEMA = pl.Schema(
    {
        "raw": pl.String,
        "e164": pl.String,
        "country": pl.String,
        "operator": pl.String,
        "operator_origin": pl.String,
        "number_type": pl.String,
    }
)

BLOCK_DIGITS = 4
"""National digits that name a block, or more where operators hold smaller ranges."""

FORMER_TRUNK_PREFIX = {"UA": "8"}
"""Once dialled before the 0 of a national number, still found in old lists: 8-0XX
(support.tenet.ua)."""

PLUSLESS_DIGITS = 11
"""An international number without its plus is believed from this many digits on."""

MCC_DIGITS = 3

KEY_ID_TEXT = b"sms_etl pseudonym key"
KEY_ID_CHARACTERS = 12

CONTACT_DIGEST_TEXT = "contact "
"""Put before an identifier, so that one that looks like a number is not taken for it."""

HMAC_BLOCK, INNER_PAD, OUTER_PAD = 64, 0x36, 0x5C
"""RFC 2104, section 2; the block of SHA-256."""

_SCHEME = r"^(?i:tel|sms|whatsapp|rcs|viber):"
_SPREADSHEET_DECIMAL = r"\.0$"
_SEPARATORS = r"[\p{Z}\p{Cf}\p{Cc}\p{Pd}().]"
_DIGITS = r"^\+?[0-9]{5,17}$"

_LINE_TYPES = {
    PhoneNumberType.MOBILE: NumberType.MOBILE,
    # North America does not tell the two apart; both can take an SMS there.
    PhoneNumberType.FIXED_LINE_OR_MOBILE: NumberType.MOBILE,
    PhoneNumberType.FIXED_LINE: NumberType.FIXED_LINE,
}

_CARRIED = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE, PhoneNumberType.PAGER)
"""Kinds of numbers whose ranges have a holder (phonenumbers.carrier.name_for_number)."""


class _Facts(NamedTuple):
    e164: str | None
    country: str
    operator: str
    number_type: str


_INVALID = _Facts(None, UNKNOWN_LABEL, UNKNOWN_LABEL, NumberType.INVALID.value)


def parse_numbers(raw: pl.Series, home_country: str) -> pl.DataFrame:
    """Read recipients as people and providers write them.

    Args:
        raw: numbers in any usual form, String; repeats and nulls allowed.
        home_country: ISO 3166 alpha-2; numbers without a country code are read as its own.

    Returns:
        One row per distinct value (null included, if present), NUMBERS_SCHEMA. `e164` is null
        and `number_type` is invalid for anything that is no possible subscriber number:
        letters, masks, empty values. `operator_origin` is "prefix" or "none".

    Raises:
        ConfigError: the home country is not one that has telephone numbers.
    """
    region = home_country.upper()
    if region not in phonenumbers.SUPPORTED_REGIONS:
        raise ConfigError(
            f"home country {home_country!r} is not an ISO 3166 alpha-2 code: write for example UA"
        )
    distinct = pl.DataFrame({"raw": raw.unique().cast(pl.String)})
    plain = pl.col("raw").str.contains(_DIGITS).fill_null(value=False)
    dialled = pl.concat(
        [
            distinct.filter(plain).with_columns(_without_trunk(pl.col("raw"), region)),
            distinct.filter(~plain).with_columns(_dialled(region)),
        ]
    ).with_columns(_home_number(region).alias("home"))
    by_block = _home_facts(dialled, region)
    rest = by_block.filter(pl.col("number_type").is_null())
    one_by_one = _facts_frame(
        rest["raw"].to_list(), [_facts(text, region) for text in rest["dialled"].to_list()]
    )
    known = by_block.filter(pl.col("number_type").is_not_null()).select(one_by_one.columns)
    return pl.concat([known, one_by_one]).select(
        "raw",
        "e164",
        "country",
        "operator",
        pl.when(pl.col("operator") == UNKNOWN_LABEL)
        .then(pl.lit(NO_ORIGIN))
        .otherwise(pl.lit(PREFIX_ORIGIN))
        .alias("operator_origin"),
        "number_type",
    )


def _dialled(region: str) -> pl.Expr:
    """Digits with an optional plus, or null where the value is not a number at all."""
    text = (
        pl.col("raw")
        .str.normalize("NFKC")
        .str.strip_chars()
        .str.replace(_SPREADSHEET_DECIMAL, "")
        .str.replace_all(_SEPARATORS, "")
        .str.replace(_SCHEME, "")
    )
    text = _without_trunk(text, region)
    return pl.when(text.str.contains(_DIGITS)).then(text).alias("dialled")


def _without_trunk(text: pl.Expr, region: str) -> pl.Expr:
    trunk = FORMER_TRUNK_PREFIX.get(region)
    without = text.str.replace(f"^{trunk}(0[0-9]{{9}})$", "$1") if trunk else text
    return without.alias("dialled")


def _home_number(region: str) -> pl.Expr:
    """E.164 of a value that can only be a home number, else null.

    A form is taken only where its digits are too many to be a national number by themselves;
    anything less plain is left to the parser.
    """
    code = str(phonenumbers.country_code_for_region(region))
    metadata = PhoneMetadata.metadata_for_region(region)
    assert metadata is not None  # noqa: S101 - the caller checked the region
    assert metadata.general_desc is not None  # noqa: S101 - every region has one
    lengths = metadata.general_desc.possible_length
    openings = [rf"\+{code}"]
    for opening in (code, metadata.national_prefix):
        plain = opening in (code, metadata.national_prefix_for_parsing)
        if opening and plain and all(len(opening) + length not in lengths for length in lengths):
            openings.append(opening)
    national = "|".join(f"[1-9][0-9]{{{length - 1}}}" for length in lengths)
    pattern = f"^(?:{'|'.join(openings)})({national})$"
    return f"+{code}" + pl.col("dialled").str.extract(pattern, 1)


def _home_facts(dialled: pl.DataFrame, region: str) -> pl.DataFrame:
    """Join the facts of each number's block; null where the block does not decide."""
    numbers = dialled.with_columns(
        pl.col("home").str.head(_block_length(region)).alias("block"),
        pl.col("home").str.len_chars().alias("length"),
    )
    blocks = numbers.select("block", "length").drop_nulls().unique()
    facts = [_block_facts(block, length, region) for block, length in blocks.iter_rows()]
    table = pl.DataFrame(
        {
            "block": blocks["block"],
            "length": blocks["length"],
            "country": pl.Series([fact and fact.country for fact in facts], dtype=pl.String),
            "operator": pl.Series([fact and fact.operator for fact in facts], dtype=pl.String),
            "number_type": pl.Series(
                [fact and fact.number_type for fact in facts], dtype=pl.String
            ),
        }
    )
    return numbers.join(table, on=["block", "length"], how="left").with_columns(
        pl.when(pl.col("number_type") != NumberType.INVALID.value)
        .then(pl.col("home"))
        .alias("e164")
    )


@cache
def _block_length(region: str) -> int:
    """Characters of E.164, plus included, that decide the operator of a home number."""
    code = str(phonenumbers.country_code_for_region(region))
    ranges = (len(prefix) for prefix in CARRIER_DATA if prefix.startswith(code))
    return 1 + max(len(code) + BLOCK_DIGITS, *ranges, 0)


@cache
def _block_facts(block: str, length: int, region: str) -> _Facts | None:
    """Facts that the first and the last number of a block share; None if they differ."""
    ends = [block.ljust(length, digit) for digit in "09"]
    first, last = (_facts(end, region) for end in ends)
    whole = [first.e164, last.e164] in (ends, [None, None])
    return first if whole and first[1:] == last[1:] else None


def _facts(dialled: str | None, region: str) -> _Facts:
    """Facts of one number by the numbering plans of the phonenumbers library."""
    if dialled is None:
        return _INVALID
    number = _valid_number(dialled, region)
    if number is None and len(dialled) >= PLUSLESS_DIGITS and dialled[0] not in "+0":
        number = _valid_number("+" + dialled, region)
    if number is None:
        return _INVALID
    kind = phonenumbers.number_type(number)
    country = phonenumbers.region_code_for_number(number)
    held = carrier.name_for_valid_number(number, "en") if kind in _CARRIED else None
    return _Facts(
        phonenumbers.format_number(number, PhoneNumberFormat.E164),
        country if country and country.isalpha() else UNKNOWN_LABEL,
        normalise_operator(held),
        _LINE_TYPES.get(kind, NumberType.OTHER).value,
    )


def _valid_number(text: str, region: str) -> phonenumbers.PhoneNumber | None:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    return None if phonenumbers.number_type(number) == PhoneNumberType.UNKNOWN else number


def _facts_frame(raw: list[str | None], facts: list[_Facts]) -> pl.DataFrame:
    columns = {"raw": raw} | {
        name: [fact[position] for fact in facts] for position, name in enumerate(_Facts._fields)
    }
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))


def normalise_operator(name: str | None) -> str:
    """One spelling for an operator that providers and number plans write in several ways.

    A name without a known alias is kept as written; an empty one becomes "unknown".
    """
    text = (name or "").strip()
    return _operator_aliases().get(text.casefold(), text) or UNKNOWN_LABEL


def operator_of_network(mcc_mnc: str | None) -> str:
    """Operator of a Ukrainian mobile network code (25503, 255-03, 255003), or "unknown"."""
    digits = "".join(filter(str.isdigit, mcc_mnc or ""))
    country, network = digits[:MCC_DIGITS], digits[MCC_DIGITS:]
    if not network:
        return UNKNOWN_LABEL
    # Two-digit codes are often padded to three.
    networks = _networks()
    return networks.get((country, network)) or networks.get(
        (country, network.removeprefix("0").zfill(2)), UNKNOWN_LABEL
    )


def pseudonyms(e164: pl.Series, key: bytes) -> pl.Series:
    """Keyed HMAC-SHA-256 of every number, hex, computed once per distinct number.

    Args:
        e164: numbers, String; null stays null.
        key: secret of the deployment.

    Returns:
        String series of the same length, order and name.

    Raises:
        ConfigError: the key is empty.
    """
    _require_key(key)
    distinct = e164.drop_nulls().unique()
    table = pl.DataFrame({"number": distinct, "pseudonym": _keyed_digests(distinct, key)})
    joined = e164.to_frame("number").join(table, on="number", how="left", maintain_order="left")
    return joined["pseudonym"].alias(e164.name)


def _keyed_digests(texts: pl.Series, key: bytes) -> pl.Series:
    """HMAC-SHA-256 (RFC 2104) of every text, hex.

    The two blocks that depend on the key alone are digested once, which halves the time.
    """
    short = key if len(key) <= HMAC_BLOCK else hashlib.sha256(key).digest()
    block = short.ljust(HMAC_BLOCK, b"\0")
    inner, outer = (
        hashlib.sha256(bytes(byte ^ pad for byte in block)).copy for pad in (INNER_PAD, OUTER_PAD)
    )
    digests = []
    for text in texts.to_list():
        within, around = inner(), outer()
        within.update(text.encode())
        around.update(within.digest())
        digests.append(around.hexdigest())
    return pl.Series(digests, dtype=pl.String)


def contact_digests(contacts: pl.Series, key: bytes) -> pl.Series:
    """Keyed digest of the user's own identifiers of people; never that of a number.

    Raises:
        ConfigError: the key is empty.
    """
    return pseudonyms(CONTACT_DIGEST_TEXT + contacts.str.strip_chars(), key).alias("contact")


def key_id(key: bytes) -> str:
    """Name a pseudonym key without revealing it: a short keyed digest of a fixed text.

    Raises:
        ConfigError: the key is empty.
    """
    _require_key(key)
    return hmac.digest(key, KEY_ID_TEXT, hashlib.sha256).hex()[:KEY_ID_CHARACTERS]


def _require_key(key: bytes) -> None:
    if not key:
        raise ConfigError("the pseudonym key is empty: set a secret of at least 16 random bytes")


def _data_rows(name: str) -> list[dict[str, str]]:
    text = (files("sms_etl.dictionaries") / "data" / name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


@cache
def _operator_aliases() -> dict[str, str]:
    rows = _data_rows("operator_aliases.csv")
    return {row["alias"].casefold(): row["operator"] for row in rows} | {
        row["operator"].casefold(): row["operator"] for row in rows
    }


@cache
def _networks() -> dict[tuple[str, str], str]:
    return {(row["mcc"], row["mnc"]): row["operator"] for row in _data_rows("ua_networks.csv")}
