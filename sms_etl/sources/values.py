"""Texts of providers as times in UTC and money in millionths, as expressions that stream.

What cannot be read becomes null; the text stays beside it, so that the messages step can set
the record aside and name the value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import polars as pl

from sms_etl.model.schemas import UTC_TIME
from sms_etl.model.vocabulary import MICRO

DecimalSign = Literal[".", ","]
TimeReading = Callable[[pl.Expr], pl.Expr]
"""Texts as UTC times, null where they have another form."""

Reading = Literal["earliest", "latest"]
READINGS: tuple[Reading, Reading] = ("earliest", "latest")

ISO, UNIX_SECONDS, UNIX_MILLISECONDS = "iso", "unix_seconds", "unix_milliseconds"
"""Words that may stand in `time_formats` instead of a strptime pattern."""

_ISO_LOCAL = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f")
_ISO_WITH_OFFSET = ("%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f%#z")
_UNIX_UNITS: dict[str, Literal["ms", "us"]] = {UNIX_SECONDS: "us", UNIX_MILLISECONDS: "ms"}
_NAIVE = pl.Datetime("us")
_NO_TIME = r"^\s*$|^0000-00-00"
_MONEY_DIGITS = r"^[+-]?\d{1,12}(\.\d{1,18})?$"
_SPACES = r"[\s\u00a0\u202f]"


def blank_to_null(text: pl.Expr) -> pl.Expr:
    """Empty text and MySQL's zero date (0000-00-00) say nothing: null."""
    return pl.when(~text.str.contains(_NO_TIME)).then(text)


def rfc2822_utc(text: pl.Expr) -> pl.Expr:
    """'Wed, 05 Mar 2025 08:00:01 +0000' as UTC; any other offset or form is null.

    Cutting the weekday and the offset off and parsing without a zone is twice as fast as '%z'.
    """
    parsed = text.str.slice(5).str.head(-6).str.strptime(_NAIVE, "%d %b %Y %H:%M:%S", strict=False)
    return pl.when(text.str.ends_with(" +0000")).then(parsed).dt.replace_time_zone("UTC")


def first_reading(text: pl.Expr, readings: Sequence[TimeReading]) -> pl.Expr:
    """What the first reading that can reads; a later one only sees what those before left.

    A page has times of one form, so all but the first usually see nothing.
    """

    def read(texts: pl.Series) -> pl.Series:
        times = pl.select(readings[0](pl.lit(texts))).to_series()
        for reading in readings[1:]:
            left = times.is_null() & texts.is_not_null()
            if not left.any():
                break
            rest = pl.select(reading(pl.lit(texts.filter(left)))).to_series()
            times = times.scatter(left.arg_true(), rest)
        return times

    return text.map_batches(read, return_dtype=UTC_TIME, is_elementwise=True)


def local_to_utc(naive: pl.Expr, zone: str, reading: Reading = "earliest") -> pl.Expr:
    """Wall clock of a zone as UTC.

    In the hour that comes twice `reading` decides; a time that the spring change skips is read
    as if the clock had not been changed.
    """
    shifted = naive.dt.offset_by("1h")
    at = [
        time.dt.replace_time_zone(zone, ambiguous=reading, non_existent="null")
        for time in (naive, shifted)
    ]
    return pl.coalesce(at).dt.convert_time_zone("UTC")


def times_to_utc(
    text: pl.Expr, formats: Sequence[str], zone: str, reading: Reading = "earliest"
) -> pl.Expr:
    """Times in any of these formats as UTC; a format without an offset is wall clock of `zone`.

    `formats` holds strptime patterns or the words 'iso', 'unix_seconds', 'unix_milliseconds'.
    """
    return pl.coalesce([_time(text, form, zone, reading) for form in formats])


def later_reading(text: pl.Expr, formats: Sequence[str], zone: str) -> pl.Expr:
    """The later of the two moments a wall clock time may mean; null if it means only one."""
    earlier, later = (times_to_utc(text, formats, zone, which) for which in READINGS)
    return pl.when(later > earlier).then(later)


def _time(text: pl.Expr, form: str, zone: str, reading: Reading) -> pl.Expr:
    if form == ISO:
        local = [local_to_utc(_strptime(text, pattern), zone, reading) for pattern in _ISO_LOCAL]
        offset = [
            text.str.strptime(UTC_TIME, pattern, strict=False) for pattern in _ISO_WITH_OFFSET
        ]
        return pl.coalesce([*local, *offset])
    if form in _UNIX_UNITS:
        number = text.cast(pl.Float64, strict=False)
        factor = 1_000_000 if form == UNIX_SECONDS else 1
        whole = (number * factor).cast(pl.Int64, strict=False)
        return pl.from_epoch(whole, _UNIX_UNITS[form]).cast(_NAIVE).dt.replace_time_zone("UTC")
    if "%z" in form or "%#z" in form:
        return text.str.strptime(UTC_TIME, form.replace("%z", "%#z"), strict=False)
    return local_to_utc(_strptime(text, form), zone, reading)


def _strptime(text: pl.Expr, pattern: str) -> pl.Expr:
    return text.str.strptime(_NAIVE, pattern, strict=False)


def cost_micro(text: pl.Expr, decimal: DecimalSign = ".", *, charge_is_negative: bool) -> pl.Expr:
    """A price text as millionths of the currency unit (Int64), without going through floats.

    Spaces between digits are allowed; another decimal sign than `decimal` makes it unreadable.
    With `charge_is_negative` '-0.0075' is a cost of 7500; without it a negative price is
    unreadable. Digits beyond the sixth decimal are rounded.
    """
    plain = text.str.replace_all(_SPACES, "")
    if decimal == ",":
        plain = plain.str.replace_all(".", "x", literal=True).str.replace(",", ".", literal=True)
    number = pl.when(plain.str.contains(_MONEY_DIGITS)).then(plain)
    micro = (number.cast(pl.Decimal(38, 6), strict=False) * MICRO).cast(pl.Int64, strict=False)
    return micro.abs() if charge_is_negative else pl.when(micro >= 0).then(micro)


def count(text: pl.Expr) -> pl.Expr:
    """A count as Int32; zero means that the provider has not counted yet and is null."""
    number = text.str.strip_chars().cast(pl.Int32, strict=False)
    return pl.when(number > 0).then(number)


def with_plus(number: pl.Expr) -> pl.Expr:
    """A number in international form that is written without its plus, with it."""
    return pl.when(number.str.contains(r"^\d+$")).then("+" + number).otherwise(number)
