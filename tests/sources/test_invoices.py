"""Invoices as people get them: lines or totals, and lines that cannot be read."""

import zipfile
from datetime import date
from decimal import Decimal

import polars as pl
import pytest
from pydantic import ValidationError

from sms_etl.errors import PermanentSourceError
from sms_etl.sources.invoices import Invoices, InvoiceSettings, billed_days
from sms_etl.store.landing import Landing

ZONE = "Europe/Kyiv"
LINES = {
    "folder": "in",
    "time_zone": ZONE,
    "currency": "UAH",
    "columns": {"message_id": "id", "day": "date", "parts": "sms", "price": "sum"},
}
TOTALS = {
    "folder": "in",
    "time_zone": ZONE,
    "decimal": ",",
    "delimiter": ";",
    "columns": {
        "day": "from",
        "last_day": "to",
        "country": "country",
        "messages": "n",
        "price": "sum",
        "currency": "currency",
    },
}


def read(tmp_path, settings, files):
    """Land files of a folder and read them back, as dicts."""
    folder = tmp_path / "in"
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    invoices = Invoices("gate", InvoiceSettings(**settings), tmp_path)
    landing = Landing(tmp_path / "landing")
    manifests = landing.land_all("gate.invoices", invoices.plan([], ZONE))
    return invoices.read(landing.pages(manifests), ZONE).collect().to_dicts(), manifests


def test_lines_of_messages(tmp_path):
    text = "id,date,sms,sum\na,2026-10-20 23:30:00,2,1.96\nb,2026-10-21,1,0.98\n"
    rows, (manifest,) = read(tmp_path, LINES, {"october.csv": text})

    assert [(r["message_id"], r["day"], r["parts"], r["cost_micro"]) for r in rows] == [
        ("a", date(2026, 10, 20), 2, 1_960_000),
        ("b", date(2026, 10, 21), 1, 980_000),
    ]
    assert {row["currency"] for row in rows} == {"UAH"}
    assert {row["problem"] for row in rows} == {None}
    assert (manifest.first_day, manifest.last_day) == (date(2026, 10, 20), date(2026, 10, 21))
    assert manifest.records == 2


def test_a_time_is_of_the_business_day(tmp_path):
    text = "id,date,sms,sum\na,2026-10-20T22:30:00Z,1,0.98\n"
    ((row,), _) = read(tmp_path, LINES, {"october.csv": text})
    assert row["day"] == date(2026, 10, 21)


def test_totals_of_a_month_by_country(tmp_path):
    text = "from;to;country;n;sum;currency\n2026-10-01;2026-10-31;ua;1200;1 176,50;uah\n"
    ((row,), (manifest,)) = read(tmp_path, TOTALS, {"october.csv": text})

    assert (row["day"], row["last_day"]) == (date(2026, 10, 1), date(2026, 10, 31))
    assert (row["country"], row["messages"], row["currency"]) == ("UA", 1200, "UAH")
    assert row["cost_micro"] == int(Decimal("1176.50") * 1_000_000)
    assert manifest.last_day == date(2026, 10, 31)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("a,20 жовтня,1,0.98", "bad_time"),
        ("a,2026-10-20,one,0.98", "bad_count"),
        ('a,2026-10-20,1,"0,98"', "bad_price"),
        ("a,2026-10-20,1,-0.98", "bad_price"),
        ("a,2026-10-20,1,0.98,more,cells", "bad_line"),
        ("a,2026-10-20,,", None),
    ],
)
def test_a_line_that_cannot_be_read_says_why(tmp_path, line, problem):
    text = f"id,date,sms,sum\nok,2026-10-20,1,0.98\n{line}\n"
    rows, _ = read(tmp_path, LINES, {"october.csv": text})
    assert [row["problem"] for row in rows] == [None, problem]


def test_a_price_without_a_currency_is_not_compared(tmp_path):
    text = "from;to;country;n;sum;currency\n2026-10-01;;UA;1200;5;\n"
    ((row,), _) = read(tmp_path, TOTALS, {"october.csv": text})
    assert row["problem"] == "no_currency"


def test_charges_may_be_written_with_a_minus(tmp_path):
    text = "id,date,sms,sum\na,2026-10-20,1,-0.98\n"
    ((row,), _) = read(tmp_path, {**LINES, "charge_is_negative": True}, {"october.csv": text})
    assert row["cost_micro"] == 980_000


def test_a_file_that_cannot_be_read_does_not_stop_the_others(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.csv").write_text("something,else\n1,2\n")
    (folder / "b.csv").write_text("id,date,sms,sum\na,2026-10-20,1,0.98\n")
    (folder / "c.csv").write_text("id,date,sms,sum\na,someday,1,0.98\n")
    invoices = Invoices("gate", InvoiceSettings(**LINES), tmp_path)
    landing = Landing(tmp_path / "landing")

    with pytest.raises(PermanentSourceError, match=r"2 of the files.*\n.*a\.csv.*'id'.*\n.*c\.csv"):
        landing.land_all("gate.invoices", invoices.plan([], ZONE))
    assert landing.days("gate.invoices") == {date(2026, 10, 20)}


def test_a_folder_that_is_not_there_is_told_by_the_check(tmp_path):
    (result,) = Invoices("gate", InvoiceSettings(**LINES), tmp_path).check()
    assert not result.ok
    assert result.mend is not None
    assert "in cannot be listed" in result.mend


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"columns": {"message_id": "id"}}, "heading for: day"),
        ({"columns": {"day": "date"}}, "one of: messages, parts, price"),
        ({"currency": None}, "give the currency once"),
        ({"columns": {**LINES["columns"], "currency": "c"}}, "give the currency once"),
        ({"columns": {**LINES["columns"], "messages": "n"}}, "are for totals"),
        ({"colums": {}}, "Extra inputs"),
    ],
)
def test_settings_that_cannot_work_are_refused(change, complaint):
    with pytest.raises(ValidationError, match=complaint):
        InvoiceSettings(**{**LINES, **change})


def test_the_last_days_of_an_invoice_may_be_on_the_next_one():
    first, last = date(2026, 10, 1), date(2026, 10, 3)
    assert billed_days(first, last, 0) == [first, date(2026, 10, 2), last]
    assert billed_days(first, last, 2) == [first]
    assert billed_days(first, last, 3) == []


def test_typed_cells_of_a_spreadsheet_are_read_as_they_are_meant(tmp_path):
    (tmp_path / "in").mkdir()
    table = pl.DataFrame(
        {
            "id": ["a", "b"],
            "date": pl.Series(["2026-10-20 23:30", "2026-10-21 08:00"]).str.to_datetime(),
            "sms": [2, 1],
            "sum": [1.96, 0.98],
        }
    )
    table.write_excel(tmp_path / "in" / "october.xlsx")
    settings = {**LINES, "decimal": ",", "time_formats": ["%d.%m.%Y %H:%M:%S"]}
    rows, _ = read(tmp_path, settings, {})
    assert [(r["day"], r["parts"], r["cost_micro"], r["problem"]) for r in rows] == [
        (date(2026, 10, 20), 2, 1_960_000, None),
        (date(2026, 10, 21), 1, 980_000, None),
    ]


def test_a_packed_file_without_a_table_is_named(tmp_path):
    (tmp_path / "in").mkdir()
    with zipfile.ZipFile(tmp_path / "in" / "empty.zip", "w"):
        pass
    invoices = Invoices("gate", InvoiceSettings(**LINES), tmp_path)
    with pytest.raises(PermanentSourceError, match=r"empty\.zip: it holds no table"):
        list(invoices.plan([], ZONE))
