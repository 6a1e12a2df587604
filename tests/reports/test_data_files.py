"""The tables of a report as files: typed, complete, the same bytes, and no formulas."""

import csv
import io
import zipfile
from datetime import date
from decimal import Decimal

import fastexcel
import polars as pl
import pytest

from sms_etl.config.settings import Language
from sms_etl.reports.data_docs import PAGE, page
from sms_etl.reports.data_files import DataFormat, data_file
from sms_etl.reports.data_tables import data_tables
from sms_etl.reports.figures import Reconciled, ReconciledState, RestatedFigure
from sms_etl.reports.language import Words
from tests.reports import samples

EVIL = ('=HYPERLINK("http://example.test","win")', "@SUM(A1)", "+380", "-20 %", "\"><b>'")


def evil_month():
    figures = samples.month()
    rows = tuple(
        row.model_copy(update={"key": name, "label": name})
        for name, row in zip(EVIL, figures.by_campaign, strict=False)
    )
    return figures.model_copy(update={"by_campaign": rows})


def files_of(figures, form, language=Language.ENGLISH):
    with zipfile.ZipFile(io.BytesIO(data_file(figures, language, form))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("form", DataFormat)
def test_the_same_figures_give_the_same_bytes(form):
    figures = samples.month()
    assert data_file(figures, Language.UKRAINIAN, form) == data_file(
        figures, Language.UKRAINIAN, form
    )


def test_a_spreadsheet_has_a_typed_sheet_for_every_table_in_the_readers_language():
    figures = samples.month()
    book = fastexcel.read_excel(data_file(figures, Language.UKRAINIAN, DataFormat.XLSX))
    tables = data_tables(figures, Words(Language.UKRAINIAN))
    assert book.sheet_names == [*(table.title for table in tables if table.rows), "Стовпці"]
    days = book.load_sheet("Дні").to_polars()
    assert days["День"].dt.date().to_list()[-1] == date(2026, 10, 31)
    assert days["Надіслано"].sum() == sum(
        point.totals.submitted for point in (*figures.days, *figures.previous_days)
    )
    share = days["Доставлено з надісланих"].to_list()[-1]
    assert share == pytest.approx(figures.days[-1].totals.delivery.value)
    columns = book.load_sheet("Стовпці").to_polars()
    row = columns.filter((pl.col("Таблиця") == "days") & (pl.col("Стовпець") == "submitted"))
    assert row.select("en", "uk").row(0) == ("Sent", "Надіслано")
    listed = columns.group_by("Таблиця", maintain_order=True).agg(pl.col("Рядки").first())
    assert listed.rows() == [(table.name, len(table.rows)) for table in tables]


def test_no_name_becomes_a_formula_or_a_link():
    figures = evil_month()
    with zipfile.ZipFile(
        io.BytesIO(data_file(figures, Language.ENGLISH, DataFormat.XLSX))
    ) as archive:
        sheets = [archive.read(n) for n in archive.namelist() if n.startswith("xl/worksheets/")]
        assert not any("hyperlink" in n.lower() for n in archive.namelist())
        assert b'quotePrefix="1"' in archive.read("xl/styles.xml")
    assert not any(b"<f>" in sheet or b"<hyperlink" in sheet for sheet in sheets)
    book = fastexcel.read_excel(data_file(figures, Language.ENGLISH, DataFormat.XLSX))
    assert book.load_sheet("Campaigns").to_polars()["Identifier"].to_list() == list(EVIL)

    text = files_of(figures, DataFormat.CSV)["campaigns.csv"].decode("utf-8-sig")
    keys = [row["key"] for row in csv.DictReader(io.StringIO(text))]
    assert keys == [f"'{name}" for name in EVIL[:4]] + [EVIL[4]]
    assert pl.read_parquet(files_of(figures, DataFormat.PARQUET)["campaigns.parquet"])[
        "key"
    ].to_list() == list(EVIL)


def test_csv_has_decimal_points_in_every_language_and_exact_money():
    figures = samples.month()
    text = files_of(figures, DataFormat.CSV, Language.UKRAINIAN)["money.csv"].decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    whole = next(r for r in rows if r["dimension"] == "totals" and r["currency"] == "UAH")
    cost = next(c for c in figures.totals.costs if c.currency == "UAH")
    assert Decimal(whole["spent"]) * 1_000_000 == cost.spent_micro
    assert Decimal(whole["per_delivered"]) * 1_000_000 == cost.per_delivered_micro


def test_parquet_keeps_types():
    files = files_of(samples.month(), DataFormat.PARQUET)
    money = pl.read_parquet(files["money.parquet"])
    assert money.schema["spent"] == pl.Decimal(38, 6)
    assert pl.read_parquet(files["findings.parquet"]).schema["start"] == pl.Datetime("us", "UTC")


def test_few_messages_have_counts_and_no_percentage():
    files = files_of(samples.month(), DataFormat.PARQUET)
    campaigns = pl.read_parquet(files["campaigns.parquet"])
    assert campaigns.filter(pl.col("key") == "unknown").select("submitted", "delivery").row(0) == (
        12,
        None,
    )


@pytest.mark.parametrize("form", DataFormat)
def test_a_report_of_nothing_is_written_too(form):
    assert data_file(samples.nothing(), Language.UKRAINIAN, form)


def test_the_page_of_the_docs_names_every_column():
    assert PAGE.read_text("utf-8") == page(), "run python -m sms_etl.reports.data_docs"


def test_restated_money_is_in_units_and_counts_are_counts():
    restated = (
        RestatedFigure(figure="delivered", currency="", then=90, now=95, causes=("receipts",)),
        RestatedFigure(figure="spent", currency="UAH", then=1_500_000, now=2_000_001, causes=()),
    )
    figures = samples.month(restated=restated)
    table = pl.read_parquet(files_of(figures, DataFormat.PARQUET)["restated.parquet"])
    assert table.select("figure", "now").rows() == [
        ("delivered", Decimal("95.000000")),
        ("spent", Decimal("2.000001")),
    ]


def test_a_state_of_the_reconciliation_has_a_row_for_each_currency():
    states = (
        ReconciledState(state="billed_only", messages=3, difference_micro={"UAH": 5, "USD": -7}),
        ReconciledState(state="agreed", messages=9, difference_micro={}),
    )
    one = Reconciled(
        source="twilio",
        states=states,
        totals=0,
        totals_differ=0,
        totals_difference_micro={},
        silent_days={},
    )
    files = files_of(samples.month(reconciliation=(one,)), DataFormat.PARQUET)
    table = pl.read_parquet(files["reconciliation.parquet"])
    assert table.select("state", "messages", "currency", "difference").rows() == [
        ("billed_only", 3, "UAH", Decimal("0.000005")),
        ("billed_only", 3, "USD", Decimal("-0.000007")),
        ("agreed", 9, None, None),
    ]
