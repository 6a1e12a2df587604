"""CSV, XLSX and NDJSON bytes as frames of text columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Annotated

import fastexcel
import polars as pl
from pydantic import AfterValidator, Field

from sms_etl.config.settings import Strict
from sms_etl.errors import PermanentSourceError
from sms_etl.sources.base import PageFormat
from sms_etl.sources.json_pages import MALFORMED, JsonReader
from sms_etl.sources.mapping import require_headings

_NUMBER_WITH_DOT = r"^[+-]?\d+\.\d+$"


def _known_encoding(name: str) -> str:
    try:
        "".encode(name)
    except LookupError:
        raise ValueError(f"{name!r} is not an encoding such as 'utf-8' or 'cp1251'") from None
    return name


class CsvReading(Strict):
    """How a CSV file is written. 'utf-8-sig' is UTF-8 with or without a byte order mark."""

    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    encoding: Annotated[str, AfterValidator(_known_encoding)] = "utf-8-sig"


def read_table(
    form: PageFormat, body: bytes, reading: CsvReading, headings: Sequence[str]
) -> pl.DataFrame:
    """The columns `headings` of a file, as text, and `malformed`; one row per line.

    A line with more cells than the heading line is a row with `malformed`. Headings of NDJSON are
    dotted paths into its objects; a field that an object lacks is null.

    Raises:
        PermanentSourceError: it is no such file, or a column is missing.
    """
    if form is PageFormat.NDJSON:
        return JsonReader(headings).decode_as(form, body)
    frame = read_whole_csv(body, reading) if form is PageFormat.CSV else _marked(_xlsx(body))
    require_headings(frame.columns, headings, "it")
    return frame.select(*headings, MALFORMED)


def read_whole_csv(body: bytes, reading: CsvReading) -> pl.DataFrame:
    """Every column of a CSV file, as text, and `malformed`.

    Raises:
        PermanentSourceError: it is no such file.
    """
    return _marked(_csv(body, reading))


def _marked(frame: pl.DataFrame) -> pl.DataFrame:
    if MALFORMED in frame.columns:
        return frame
    return frame.with_columns(pl.lit(None, pl.String).alias(MALFORMED))


def with_decimal_commas(frame: pl.DataFrame, heading: str) -> pl.DataFrame:
    """Numbers of typed cells of XLSX as its text cells write them where the sign is a comma."""
    cell = pl.col(heading)
    with_comma = cell.str.replace(".", ",", literal=True)
    return frame.with_columns(
        pl.when(cell.str.contains(_NUMBER_WITH_DOT)).then(with_comma).otherwise(cell)
    )


def _csv(body: bytes, reading: CsvReading) -> pl.DataFrame:
    try:
        text = body.decode(reading.encoding)
    except UnicodeDecodeError as error:
        raise PermanentSourceError(
            f"it is not {reading.encoding} (byte {error.start}); mend 'encoding' in the settings"
        ) from None
    try:
        return pl.read_csv(text.encode(), separator=reading.delimiter, infer_schema=False)
    except pl.exceptions.NoDataError:
        raise PermanentSourceError("it is empty, without even a heading line") from None
    except pl.exceptions.PolarsError:
        return _csv_line_by_line(text, reading)


def _csv_line_by_line(text: str, reading: CsvReading) -> pl.DataFrame:
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=reading.delimiter)
    try:
        headings = next(lines)
        rows = [_cells(line, len(headings)) for line in lines if line]
    except (csv.Error, StopIteration) as error:
        raise PermanentSourceError(f"it is not CSV ({error}); export it again") from None
    schema = dict.fromkeys((*headings, MALFORMED), pl.String)
    return pl.DataFrame(rows, schema=schema, orient="row")


def _cells(line: Sequence[str], width: int) -> list[str | None]:
    if len(line) > width:
        return [*[None] * width, f"the line has {len(line)} cells, the heading line {width}"]
    return [*[cell or None for cell in line], *[None] * (width - len(line) + 1)]


def _xlsx(body: bytes) -> pl.DataFrame:
    try:
        sheet = fastexcel.read_excel(body).load_sheet(0, dtypes="string")
    except fastexcel.FastExcelError as error:
        raise PermanentSourceError(f"it is not a readable XLSX file ({error})") from None
    frame = sheet.to_polars()
    return frame.filter(~pl.all_horizontal(pl.all().is_null()))
