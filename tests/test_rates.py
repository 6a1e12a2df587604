"""Tables of rates as they are found: a CSV, the National Bank's JSON, a database."""

from __future__ import annotations

import sqlite3
from datetime import date
from pathlib import Path

import pytest

from sms_etl.config import load_settings
from sms_etl.errors import ConfigError, PermanentSourceError
from sms_etl.metrics.money import RATE_SCALE, Rates, daily_rates
from sms_etl.rates import read_rates

BANK = """
[
{"r030":840,"txt":"Долар США","rate":41.5123,"cc":"USD","exchangedate":"16.10.2026"},
{"r030":978,"txt":"Євро","rate":48.3,"cc":"EUR","exchangedate":"16.10.2026"},
{"r030":704,"txt":"Донг","rate":0.00163,"cc":"VND","exchangedate":"16.10.2026"}
]"""


def rates(folder: Path, money: str, currency: str | None = None, **files: str) -> Rates:
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text, "utf-8")
    path = folder / "sms_etl.toml"
    path.write_text(
        f'[project]\nname = "Shop"\nfirst_day = 2026-10-01\n[sources]\n[money]\n{money}\n', "utf-8"
    )
    found = read_rates(load_settings(path), currency)
    assert found is not None
    return found


def lines(found: Rates) -> list[tuple[date, str, float]]:
    return [(day, currency, rate / RATE_SCALE) for day, currency, rate in found.table.iter_rows()]


CSV = 'currency = "EUR"\nrates = "rates.csv"'


def test_a_csv_is_in_units_of_the_reports_currency(tmp_path):
    found = rates(tmp_path, CSV, rates_csv="date,currency,rate\n2026-10-16,USD,0.8594\n")
    assert (found.base, found.target, found.largest_age_days) == ("EUR", "EUR", 10)
    assert lines(found) == [(date(2026, 10, 16), "USD", 0.8594)]


def test_the_national_bank_is_read_as_it_publishes(tmp_path):
    found = rates(
        tmp_path, 'currency = "USD"\nrates = "nbu.json"\nlargest_age_days = 4', nbu_json=BANK
    )
    assert (found.base, found.target, found.largest_age_days) == ("UAH", "USD", 4)
    day = date(2026, 10, 16)
    assert lines(found) == [(day, "EUR", 48.3), (day, "USD", 41.5123), (day, "VND", 0.00163)]
    assert found.table["rate"].to_list()[1] == 41_512_300_000_000


def test_a_report_in_a_currency_of_its_own_keeps_the_table(tmp_path):
    text = "date,currency,rate\n2026-10-16,USD,0.8\n"
    found = rates(tmp_path, CSV, "USD", rates_csv=text)
    assert (found.base, found.target) == ("EUR", "USD")
    assert lines(found) == [(date(2026, 10, 16), "USD", 0.8)]
    day = date(2026, 10, 17)
    assert daily_rates(found, day, day).rows() == [
        (day, "EUR", RATE_SCALE * 5 // 4, date(2026, 10, 16))
    ]


@pytest.mark.parametrize(
    ("money", "currency"), [(CSV, "GBP"), (CSV.replace("EUR", "CHF"), None), (CSV, "VND")]
)
def test_a_currency_without_any_rate_is_refused(tmp_path, money, currency):
    """With rates in hryvnias the currency of [money] needs a rate, too."""
    bank = BANK.replace("VND", "PLN")
    with pytest.raises(
        ConfigError, match=r"there is no rate of (GBP|CHF|VND).*there are EUR, PLN, UAH, USD\. Add"
    ):
        rates(tmp_path, money, currency, rates_csv=bank)


def test_a_database_is_read_without_being_changed(tmp_path):
    with sqlite3.connect(tmp_path / "bank.sqlite") as database:
        database.execute("CREATE TABLE rates (date TEXT, currency TEXT, rate NUMERIC)")
        database.execute("INSERT INTO rates VALUES ('2026-10-16', 'USD', 41.5)")
    money = """currency = "UAH"
[money.sql]
url = "sqlite:///bank.sqlite"
table = "rates"
time_zone = "Europe/Kyiv"
"""
    assert lines(rates(tmp_path, money)) == [(date(2026, 10, 16), "USD", 41.5)]


def test_a_missing_database_is_named(tmp_path):
    money = 'currency = "UAH"\n[money.sql]\nurl = "sqlite:///no.sqlite"\ntable = "rates"\n'
    with pytest.raises(PermanentSourceError, match=r"\[money.sql\]: there is no database file"):
        rates(tmp_path, money + 'time_zone = "UTC"')


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("date,currency\n2026-10-16,USD\n", "lack the column rate"),
        ("date,currency,rate\n16.10.2026,USD,41\n", "rate 1: '16.10.2026'"),
        ("date,currency,rate\n2026-10-16,USD,41\n2026-10-17,USD,0\n", "rate 2: '2026-10-17'"),
        ("date,currency,rate\n2026-10-16,USD,-1\n", "above zero"),
        ("date,currency,rate\n2026-10-16,usd,41\n", "ISO 4217"),
        ("date,currency,rate\n2026-10-16,USD,\n", "above zero"),
        ("date,currency,rate\n2026-10-16,USD,NaN\n", "above zero"),
        ("date,currency,rate\n2026-10-16,USD,1e30\n", "above zero"),
        ("date,currency,rate\n2026-10-16,USD,41\n2026-10-16,USD,42\n", "a second, other rate"),
        ('[{"ccy":"USD"}]', "National Bank"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(tmp_path, text, message):
    with pytest.raises(ConfigError, match=message):
        rates(tmp_path, CSV, rates_csv=text)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"money\.rates"):
        rates(tmp_path, CSV)


def test_the_same_rate_told_twice_is_one(tmp_path):
    text = "date,currency,rate\n2026-10-16,USD,41\n2026-10-16,USD,41.0\n"
    assert len(lines(rates(tmp_path, CSV, rates_csv=text))) == 1


@pytest.mark.parametrize("money", ['currency = "UAH"', CSV + '\nsql = { table = "rates" }'])
def test_there_is_one_table_of_rates(tmp_path, money):
    with pytest.raises(ConfigError, match="give either 'rates'"):
        rates(tmp_path, money)
