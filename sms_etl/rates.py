"""Reads the dated table of exchange rates that the settings name: CSV, JSON or SQL."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path

import polars as pl

from sms_etl.config.clock import now
from sms_etl.config.settings import MoneySettings, Settings
from sms_etl.days import Window
from sms_etl.errors import ConfigError
from sms_etl.metrics.money import RATE_SCALE, RATES_SCHEMA, Rates
from sms_etl.sources.database import DatabaseSettings, Rows

COLUMNS = ("date", "currency", "rate")
"""Headings of a table of rates: ISO 8601 day, ISO 4217 code, price of one unit of it."""

BANK_BASE = "UAH"
BANK_COLUMNS = ("exchangedate", "cc", "rate")
"""Keys of the National Bank of Ukraine: https://bank.gov.ua/en/open-data/api-dev."""

BANK_DATE = "%d.%m.%Y"
ISO_DATE = "%Y-%m-%d"
_EARLIEST = datetime(1996, 9, 2, tzinfo=UTC)
"""The hryvnia's first day."""

Line = tuple[str, str, str]
"""Day, currency and rate as written."""


def read_rates(settings: Settings, currency: str | None = None) -> Rates | None:
    """The rates of the settings; null without a block [money].

    A CSV or SQL table is in units of the currency of [money]. Rates of the National Bank of
    Ukraine are in hryvnias, whatever that currency is.

    Args:
        settings: the settings file.
        currency: what a report converts to; without it the currency of [money].

    Raises:
        ConfigError: the file is missing, a line of it cannot be read (it is named), or nothing can
            be converted to the currency.
        PermanentSourceError, TransientSourceError: the database cannot be read.
    """
    money = settings.money
    if money is None:
        if currency is not None:
            raise ConfigError(f"A report in {currency} needs exchange rates: add [money].")
        return None
    target = currency or money.currency
    if money.sql is not None:
        owner, base = "[money.sql]", money.currency
        table = _table(_sql_lines(money.sql, settings.path.parent, owner), ISO_DATE, owner)
        return _rates(table, base, target, money, owner)
    path = settings.resolve(money.rates or Path())
    text = _text(path)
    where = f"The rates {path}"
    if text.lstrip().startswith("["):
        table = _table(_bank_lines(text, path), BANK_DATE, str(path))
        return _rates(table, BANK_BASE, target, money, where)
    table = _table(_csv_lines(text, path), ISO_DATE, str(path))
    return _rates(table, money.currency, target, money, where)


def _rates(table: pl.DataFrame, base: str, target: str, money: MoneySettings, where: str) -> Rates:
    known = sorted({base, *table["currency"]})
    if target not in known:
        raise ConfigError(
            f"{where}: there is no rate of {target}, so no money can be converted to it; there are "
            f"{', '.join(known)}. Add rates of it, or name another currency."
        )
    return Rates(table, base, target, money.largest_age_days)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"The rates {path} cannot be read: {error}. Mend money.rates in the settings."
        ) from None


def _csv_lines(text: str, path: Path) -> Iterable[Line]:
    try:
        frame = pl.read_csv(io.StringIO(text), infer_schema=False)
    except pl.exceptions.PolarsError as error:
        raise ConfigError(f"The rates {path} are not CSV: {error}") from None
    missing = [name for name in COLUMNS if name not in frame.columns]
    if missing:
        raise ConfigError(
            f"The rates {path} lack the column {', '.join(missing)}; the first line must name "
            f"{','.join(COLUMNS)}."
        )
    return frame.select(pl.col(COLUMNS).fill_null("")).iter_rows()


def _bank_lines(text: str, path: Path) -> list[Line]:
    try:
        rows = json.loads(text, parse_float=str, parse_int=str)
        return [tuple(row[name] for name in BANK_COLUMNS) for row in rows]
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"The rates {path} are not what the National Bank of Ukraine publishes (a list of "
            f"objects with {', '.join(BANK_COLUMNS)}): {error}"
        ) from None


def _sql_lines(settings: DatabaseSettings, base: Path, owner: str) -> Iterable[Line]:
    rows = Rows(owner, settings, base, COLUMNS, COLUMNS[0])
    window = Window(_EARLIEST, now() + timedelta(days=1))
    for page in rows.pages(window):
        for line in page.body.splitlines():
            row = json.loads(line)
            yield str(row["date"])[:10], str(row["currency"]), str(row["rate"])


def _table(lines: Iterable[Line], day_format: str, where: str) -> pl.DataFrame:
    """RATES_SCHEMA; the same rate told twice is one, two different ones of a day are refused."""
    found: dict[tuple[date, str], int] = {}
    for number, line in enumerate(lines, 1):
        day, currency, rate = _read(line, day_format, f"{where}, rate {number}")
        if found.setdefault((day, currency), rate) != rate:
            raise ConfigError(
                f"{where}, rate {number}: a second, other rate of {currency} for {day}. Keep one."
            )
    rows = [(day, currency, rate) for (day, currency), rate in sorted(found.items())]
    return pl.DataFrame(rows, schema=RATES_SCHEMA, orient="row")


def _read(line: Line, day_format: str, where: str) -> tuple[date, str, int]:
    day, currency, rate = (str(value).strip() for value in line)
    try:
        at = datetime.strptime(day, day_format).date()  # noqa: DTZ007 - a calendar day
        scaled = int((Decimal(rate) * RATE_SCALE).to_integral_value())
    except (ValueError, InvalidOperation, OverflowError):
        scaled = 0
    if scaled <= 0 or scaled.bit_length() > _MOST_BITS or not _is_code(currency):
        raise ConfigError(
            f"{where}: {day!r}, {currency!r}, {rate!r} is not a day, an ISO 4217 code and a rate "
            f"above zero."
        )
    return at, currency, scaled


_MOST_BITS = 63


def _is_code(text: str) -> bool:
    return len(text) == 3 and text.isascii() and text.isupper() and text.isalpha()
