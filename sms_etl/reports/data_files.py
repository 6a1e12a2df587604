"""The tables of a report as files: one spreadsheet, or a zip of CSV or Parquet files.

The same figures give the same bytes: files carry the moment of the data, never that of writing.
Names come from outside, so no cell is ever left for a spreadsheet program to take for a formula.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import xlsxwriter

from sms_etl.config.settings import Language
from sms_etl.reports.data_tables import data_tables
from sms_etl.reports.figures import Figures
from sms_etl.reports.language import Words
from sms_etl.reports.style import BLUE_LIGHT, NAVY
from sms_etl.reports.tables.table import Cell, Column, Table
from sms_etl.spreadsheets import BYTE_ORDER_MARK, FORMULA_STARTS, without_formulas

ZIP_MOMENT = (1980, 1, 1, 0, 0, 0)
CELL_FORMATS = {
    Cell.COUNT: "#,##0",
    Cell.SHARE: "0.0%",
    Cell.SECONDS: "#,##0.0",
    Cell.MONEY: "#,##0.00####",
    Cell.DAY: "yyyy-mm-dd",
    Cell.MOMENT: "yyyy-mm-dd hh:mm:ss",
}
LEAST_WIDTH, MOST_WIDTH = 9, 48
WIDTHS = {Cell.DAY: 12, Cell.MOMENT: 20, Cell.MONEY: 15, Cell.COUNT: 12}


class DataFormat(StrEnum):
    """What the tables of a report are written as."""

    XLSX = "xlsx"
    CSV = "csv"
    PARQUET = "parquet"

    @property
    def file_name(self) -> str:
        """Name of the file in the folder of an edition."""
        return "report.xlsx" if self is DataFormat.XLSX else f"report-{self.value}.zip"

    @property
    def media_type(self) -> str:
        """Its media type, for a mail or a web server."""
        if self is DataFormat.XLSX:
            return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        return "application/zip"


def data_file(figures: Figures, language: Language, form: DataFormat) -> bytes:
    """All tables of a report as one file."""
    tables = data_tables(figures, Words(language))
    match form:
        case DataFormat.XLSX:
            return _workbook(figures, tables, language)
        case DataFormat.CSV:
            return _zipped({f"{table.name}.csv": _csv(table) for table in tables})
        case DataFormat.PARQUET:
            return _zipped({f"{table.name}.parquet": _parquet(table) for table in tables})


def data_files(figures: Figures, language: Language) -> dict[str, bytes]:
    """All tables of a report as a file of every format, by its name."""
    return {form.file_name: data_file(figures, language, form) for form in DataFormat}


def _csv(table: Table) -> bytes:
    """UTF-8 with a byte order mark, commas, decimal points, days and times as in ISO 8601.

    A text that would be taken for a formula gets an apostrophe before it.
    """
    safe = table.frame.with_columns(without_formulas())
    body = safe.write_csv(datetime_format="%Y-%m-%dT%H:%M:%SZ", line_terminator="\r\n")
    return (BYTE_ORDER_MARK + body).encode()


def _parquet(table: Table) -> bytes:
    target = io.BytesIO()
    table.frame.write_parquet(target, compression="zstd", statistics=True)
    return target.getvalue()


def _zipped(files: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in files.items():
            archive.writestr(zipfile.ZipInfo(name, ZIP_MOMENT), body, zipfile.ZIP_DEFLATED)
    return target.getvalue()


def _workbook(figures: Figures, tables: Sequence[Table], language: Language) -> bytes:
    target = io.BytesIO()
    plain = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(target, {"in_memory": True, "remove_timezone": True, **plain}) as book:
        as_of = figures.data_as_of.astimezone(UTC)
        book.set_properties({"title": figures.project, "author": figures.project, "created": as_of})
        head = book.add_format(
            {"bold": True, "text_wrap": True, "valign": "bottom", "bg_color": BLUE_LIGHT,
             "bottom": 1, "bottom_color": NAVY}
        )  # fmt: skip
        formats = {cell: book.add_format({"num_format": f}) for cell, f in CELL_FORMATS.items()}
        quoted = book.add_format({"quote_prefix": True})
        # A table of nothing has no sheet: it would hide those that have rows.
        for table in tables:
            if table.rows:
                _write_sheet(book.add_worksheet(table.title), table, head, formats, quoted)
        legend = _columns_table(figures, tables, Words(language))
        _write_sheet(book.add_worksheet(legend.title), legend, head, formats, quoted)
    return target.getvalue()


def _write_sheet(
    sheet: Any, table: Table, head: Any, formats: dict[Cell, Any], quoted: Any
) -> None:
    """One table: typed cells under a head that stays in sight."""
    writers: dict[Cell, Callable[..., Any]] = {
        Cell.TEXT: sheet.write_string,
        Cell.FLAG: sheet.write_boolean,
        Cell.DAY: sheet.write_datetime,
        Cell.MOMENT: sheet.write_datetime,
    }
    for at, column in enumerate(table.columns):
        sheet.write_string(0, at, column.heading, head)
        texts = [len(str(row[at])) for row in table.rows] if column.cell is Cell.TEXT else []
        width = max([WIDTHS.get(column.cell, LEAST_WIDTH), *texts])
        sheet.set_column(at, at, min(width + 1, MOST_WIDTH))
        write = writers.get(column.cell, sheet.write_number)
        for line, row in enumerate(table.rows, start=1):
            value = row[at]
            if value is None:
                continue
            if isinstance(value, datetime):
                value = value.astimezone(UTC)
            risky = column.cell is Cell.TEXT and value.startswith(FORMULA_STARTS)
            write(line, at, value, quoted if risky else formats.get(column.cell))
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, len(table.rows), len(table.columns) - 1)


def _columns_table(figures: Figures, tables: Sequence[Table], words: Words) -> Table:
    """The last sheet: every column with its lasting name and its headings in all languages."""
    spoken = {one: data_tables(figures, Words(one)) for one in Language}
    rows = tuple(
        (table.name, table.title, len(table.rows), column.name, *headings)
        for at, table in enumerate(tables)
        for place, column in enumerate(table.columns)
        for headings in [[spoken[one][at].columns[place].heading for one in Language]]
    )
    columns = (
        Column("table", Cell.TEXT, words.text("Table"), "Lasting name of the table"),
        Column("sheet", Cell.TEXT, words.text("Sheet"), "Name of the sheet"),
        Column("rows", Cell.COUNT, words.text("Rows"), "0: the table has no sheet"),
        Column("column", Cell.TEXT, words.text("Column"), "Lasting name of the column"),
        *(Column(one.value, Cell.TEXT, one.value, "Heading in the language") for one in Language),
    )
    return Table("columns", words.text("Columns"), "Every column of the sheets", columns, rows)
