"""Landed pages as frames of text columns with their place in landing; nothing is dropped.

A page is decoded by Polars at once. Only a page that does not fit (a field of another type, a
record that is no object) is read again record by record, so that one broken record costs a
slow page and not the day.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import polars as pl
import zstandard
from polars.io.plugins import register_io_source

from sms_etl.dictionaries.dictionary import load_dictionary, status_key
from sms_etl.errors import LandingError
from sms_etl.model.schemas import OBSERVATIONS, UTC_TIME
from sms_etl.model.vocabulary import TimeOrigin
from sms_etl.sources.base import LandedPage, PageFormat

PLACE = {"pull": pl.String, "page": pl.UInt32, "record": pl.UInt32, "pulled_at": UTC_TIME}
"""Columns that say where in landing a record lies."""

MALFORMED = "malformed"

Decode = Callable[[LandedPage, bytes], pl.DataFrame]
"""Body of one page as text columns and `malformed`, one row per record, in their order."""


def body_of(page: LandedPage) -> bytes:
    """The body of a landed page exactly as received.

    Raises:
        LandingError: the file is missing or is not zstd.
    """
    try:
        return zstandard.ZstdDecompressor().stream_reader(page.path.read_bytes()).read()
    except (OSError, zstandard.ZstdError) as error:
        raise LandingError(
            f"{page.path} cannot be read ({error}). Restore it from a backup, or move its pull "
            f"folder away and pull the day again."
        ) from error


def scan_pages(pages: Sequence[LandedPage], fields: Sequence[str], decode: Decode) -> pl.LazyFrame:
    """Records of pages: PLACE, `fields` as text and `malformed`; one page at a time in memory."""
    schema = {**PLACE, **dict.fromkeys(fields, pl.String), MALFORMED: pl.String}

    def read(
        columns: list[str] | None, predicate: pl.Expr | None, rows: int | None, _size: int | None
    ) -> Iterator[pl.DataFrame]:
        for page in pages:
            frame = _placed(decode(page, body_of(page)), page).select(list(schema))
            if rows is not None:
                frame = frame.head(rows)
                rows -= frame.height
            if predicate is not None:
                frame = frame.filter(predicate)
            yield frame if columns is None else frame.select(columns)
            if rows == 0:
                return

    return register_io_source(read, schema=schema, is_pure=True)


def scan_json(
    pages: Sequence[LandedPage], fields: Sequence[str], records: str = ""
) -> pl.LazyFrame:
    """Records of JSON or NDJSON pages, every field as text.

    `records` names the list in a JSON page's object; NDJSON pages hold one record a line.
    """
    return scan_pages(pages, fields, _JsonReader(fields, records).decode)


def observations(frame: pl.LazyFrame, columns: Mapping[str, pl.Expr]) -> pl.LazyFrame:
    """Rows of `scan_pages` as OBSERVATIONS; a column that is not given is null."""
    given = {
        "done_at_origin": pl.lit(TimeOrigin.NONE.value),
        **{name: pl.col(name) for name in (*PLACE, MALFORMED)},
        **columns,
    }
    return frame.select(
        given.get(column.name, pl.lit(None)).cast(column.dtype).alias(column.name)
        for column in OBSERVATIONS.columns
    )


def final_update(status: pl.Expr, updated: pl.Expr, provider: str) -> dict[str, pl.Expr]:
    """`done_at_text` and its origin for providers that tell only when a record last changed.

    Where the provider's dictionary calls the status final, that change stands for the moment the
    status became final.
    """
    words = load_dictionary(provider).statuses.filter("final")["key"].to_list()
    done = pl.when(status_key(status).is_in(words)).then(updated)
    return {"done_at_text": done, "done_at_origin": done_origin(done, TimeOrigin.PROVIDER_UPDATE)}


def done_origin(done: pl.Expr, origin: TimeOrigin) -> pl.Expr:
    """The origin of a final time, 'none' where there is no such time."""
    none = pl.lit(TimeOrigin.NONE.value)
    return pl.when(done.is_not_null()).then(pl.lit(origin.value)).otherwise(none)


def _placed(frame: pl.DataFrame, page: LandedPage) -> pl.DataFrame:
    return frame.with_row_index("record").with_columns(
        pl.lit(page.pull).alias("pull"),
        pl.lit(page.number, pl.UInt32).alias("page"),
        pl.lit(page.received_at).cast(UTC_TIME).alias("pulled_at"),
    )


class _JsonReader:
    def __init__(self, fields: Sequence[str], records: str) -> None:
        self._fields = fields
        self._records = records
        self._record = pl.Struct(dict.fromkeys(fields, pl.String))
        self._page = pl.Struct({records: pl.List(self._record)})
        self._nested = pl.any_horizontal(
            pl.col(name).str.starts_with("{") | pl.col(name).str.starts_with("[") for name in fields
        ).any()

    def decode(self, page: LandedPage, body: bytes) -> pl.DataFrame:
        frame = self._at_once(page, body)
        return self._one_by_one(page, body) if frame is None else frame

    def _at_once(self, page: LandedPage, body: bytes) -> pl.DataFrame | None:
        """All records of a page, or None when any of them needs a closer look."""
        try:
            text = body.decode()
            if page.format is PageFormat.NDJSON:
                rows = pl.Series(_lines(text), dtype=pl.String).str.json_decode(self._record)
            else:
                whole = pl.Series([text]).str.json_decode(self._page)
                listed = whole.struct.field(self._records)
                if listed.null_count() or not text.strip():
                    return None
                rows = listed.explode(empty_as_null=False)
        except (UnicodeDecodeError, pl.exceptions.PolarsError):
            return None
        frame = rows.struct.unnest()
        if rows.null_count() or frame.select(self._nested).item():
            return None
        return frame.with_columns(pl.lit(None, pl.String).alias(MALFORMED))

    def _one_by_one(self, page: LandedPage, body: bytes) -> pl.DataFrame:
        text = body.decode("utf-8", "replace")
        if page.format is PageFormat.NDJSON:
            rows = [_parsed(line, self._fields) for line in _lines(text)]
        else:
            rows = _records_of(text, self._fields, self._records)
        return pl.DataFrame(rows, schema=dict.fromkeys((*self._fields, MALFORMED), pl.String))


def _lines(text: str) -> list[str]:
    """Lines of NDJSON; only a newline ends one (JSON texts may hold other line separators)."""
    return [line for line in text.split("\n") if line]


def _records_of(text: str, fields: Sequence[str], records: str) -> list[dict[str, Any]]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        return [{MALFORMED: f"the page is not JSON: {error}"}]
    listed = found.get(records) if isinstance(found, dict) else None
    if not isinstance(listed, list):
        return [{MALFORMED: f"the page has no list {records!r}"}]
    return [_row(record, fields) for record in listed]


def _parsed(line: str, fields: Sequence[str]) -> dict[str, str | None]:
    try:
        return _row(json.loads(line), fields)
    except (ValueError, RecursionError) as error:
        return {MALFORMED: f"the line is not JSON: {error}"}


def _row(record: Any, fields: Sequence[str]) -> dict[str, str | None]:
    if not isinstance(record, dict):
        return {MALFORMED: f"the record is not an object but {type(record).__name__}"}
    wrong = [name for name in fields if isinstance(record.get(name), (dict, list))]
    row = {name: None if name in wrong else _text(record.get(name)) for name in fields}
    row[MALFORMED] = f"not a plain value in: {', '.join(wrong)}" if wrong else None
    return row


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)
