"""Landed pages as frames of text columns with their place in landing; nothing is dropped.

How a page of JSON is decoded is in json_pages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import polars as pl
import zstandard
from polars.io.plugins import register_io_source

from sms_etl.dictionaries.dictionary import load_dictionary, status_key
from sms_etl.errors import LandingError
from sms_etl.model.engagement import EVENTS
from sms_etl.model.schemas import OBSERVATIONS, UTC_TIME, Table
from sms_etl.model.vocabulary import TimeOrigin
from sms_etl.sources.base import LandedPage
from sms_etl.sources.json_pages import MALFORMED, JsonReader, split_page

PLACE = {"pull": pl.String, "page": pl.UInt32, "record": pl.UInt32, "pulled_at": UTC_TIME}
"""Columns that say where in landing a record lies."""

BATCH_ROWS = 20_000
"""Records that are handed on at once."""

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
    """Records of pages: PLACE, `fields` as text and `malformed`; few pages at a time in memory."""
    schema = {**PLACE, **dict.fromkeys(fields, pl.String), MALFORMED: pl.String}

    def read(
        columns: list[str] | None, predicate: pl.Expr | None, rows: int | None, _size: int | None
    ) -> Iterator[pl.DataFrame]:
        for frame in _in_batches(pages, decode, list(schema)):
            kept = frame if rows is None else frame.head(rows)
            rows = None if rows is None else rows - kept.height
            if predicate is not None:
                kept = kept.filter(predicate)
            yield kept if columns is None else kept.select(columns)
            if rows == 0:
                return

    return register_io_source(read, schema=schema, is_pure=True)


def _in_batches(
    pages: Sequence[LandedPage], decode: Decode, names: list[str]
) -> Iterator[pl.DataFrame]:
    """Frames of about BATCH_ROWS: what is done to each frame costs little for each page."""
    waiting, rows = list[pl.DataFrame](), 0
    for page in pages:
        waiting.append(_placed(decode(page, body_of(page)), page).select(names))
        rows += waiting[-1].height
        if rows >= BATCH_ROWS:
            yield pl.concat(waiting, rechunk=True)
            waiting, rows = [], 0
    if waiting:
        yield pl.concat(waiting, rechunk=True)


def scan_json(
    pages: Sequence[LandedPage], fields: Sequence[str], records: str = "", each: str = ""
) -> pl.LazyFrame:
    """Records of JSON or NDJSON pages, every field as text.

    Fields are dotted paths into a record ("status.name", "errors.0"), and so are the names of
    the columns. `records` is the path of the list in a JSON page, blank if the page is the list;
    NDJSON pages hold one record a line. `each` is the path of a list inside a record that becomes
    a row per item, beside the record's own fields; an empty list is still one row.
    """
    return scan_pages(pages, fields, JsonReader(fields, records, each).decode)


def scan_split(
    pages: Sequence[LandedPage], fields: Sequence[str], split: Callable[[Any], list[Any]]
) -> pl.LazyFrame:
    """Records of JSON pages of another shape: `split` makes a list of them of a page's JSON.

    For small pages only (one record, a table of identifiers): it is a loop in Python.
    """
    return scan_pages(pages, fields, lambda _page, body: split_page(body, fields, split))


def observations(frame: pl.LazyFrame, columns: Mapping[str, pl.Expr]) -> pl.LazyFrame:
    """Rows of `scan_pages` as OBSERVATIONS; a column that is not given is null."""
    return _as_table(
        OBSERVATIONS, frame, {"done_at_origin": pl.lit(TimeOrigin.NONE.value), **columns}
    )


def events(frame: pl.LazyFrame, columns: Mapping[str, pl.Expr]) -> pl.LazyFrame:
    """Rows of `scan_pages` as EVENTS; a column that is not given is null."""
    return _as_table(EVENTS, frame, columns)


def final_update(status: pl.Expr, updated: pl.Expr, provider: str) -> dict[str, pl.Expr]:
    """`done_at_text` and its origin for providers that tell only when a record last changed.

    Where the provider's dictionary calls the status final, that change stands for the moment the
    status became final.
    """
    done = pl.when(_is_final(status, provider)).then(updated)
    return {"done_at_text": done, "done_at_origin": done_origin(done, TimeOrigin.PROVIDER_UPDATE)}


def final_at_poll(status: pl.Expr, provider: str) -> dict[str, pl.Expr]:
    """`done_at` and its origin for providers that tell no times at all.

    The moment we asked stands for the moment the status became final: the latest it can have
    been. Of several polls the messages step keeps the first that saw the final status.
    """
    done = pl.when(_is_final(status, provider)).then(pl.col("pulled_at"))
    return {"done_at": done, "done_at_origin": done_origin(done, TimeOrigin.POLL)}


def done_origin(done: pl.Expr, origin: TimeOrigin) -> pl.Expr:
    """The origin of a final time, 'none' where there is no such time."""
    none = pl.lit(TimeOrigin.NONE.value)
    return pl.when(done.is_not_null()).then(pl.lit(origin.value)).otherwise(none)


def _as_table(table: Table, frame: pl.LazyFrame, columns: Mapping[str, pl.Expr]) -> pl.LazyFrame:
    given = {**{name: pl.col(name) for name in (*PLACE, MALFORMED)}, **columns}
    return frame.select(
        given.get(column.name, pl.lit(None)).cast(column.dtype).alias(column.name)
        for column in table.columns
    )


def _is_final(status: pl.Expr, provider: str) -> pl.Expr:
    words = load_dictionary(provider).statuses.filter("final")["key"].to_list()
    return status_key(status).is_in(words)


def _placed(frame: pl.DataFrame, page: LandedPage) -> pl.DataFrame:
    return frame.with_row_index("record").with_columns(
        pl.lit(page.pull).alias("pull"),
        pl.lit(page.number, pl.UInt32).alias("page"),
        pl.lit(page.received_at).cast(UTC_TIME).alias("pulled_at"),
    )
