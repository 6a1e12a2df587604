"""A page of JSON as text columns, one row per record, nothing dropped.

A page is decoded by Polars at once. Only a page that does not fit (a field of another type, a
record that is no object) is read again record by record, so that one broken record costs a
slow page and not the day.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import polars as pl

from sms_etl.errors import LandingError
from sms_etl.sources.base import LandedPage, PageFormat

MALFORMED = "malformed"
GZIP_MAGIC = b"\x1f\x8b"

_ITEM = "*"
_EACH = "_each"
_PAGE = "_page"

Path = tuple[str, ...]


class JsonReader:
    """Reads pages of one shape; see records.scan_json for `fields`, `records` and `each`."""

    def __init__(self, fields: Sequence[str], records: str = "", each: str = "") -> None:
        self._fields = fields
        self._records = _parts(records)
        self._each = _parts(each)
        self._paths = {name: self._path(name) for name in fields}
        tree: dict[str, Any] = {}
        for path in self._paths.values():
            _plant(tree, path)
        self._record = _dtype(tree)
        whole: pl.DataType = pl.List(self._record)
        for name in reversed(self._records):
            whole = pl.Struct({name: whole})
        self._page = whole
        self._nested = pl.any_horizontal(
            pl.col(name).str.starts_with("{") | pl.col(name).str.starts_with("[") for name in fields
        ).any()

    def decode(self, page: LandedPage, body: bytes) -> pl.DataFrame:
        """Columns `fields` and `malformed`, all text; a page in gzip is unpacked."""
        return self.decode_as(page.format, unpacked(body))

    def decode_as(self, form: PageFormat, body: bytes) -> pl.DataFrame:
        """The same of bytes that are not landed yet."""
        frame = self._at_once(form, body)
        return self._one_by_one(form, body) if frame is None else frame

    def _path(self, name: str) -> Path:
        """Where a field lies in a record; an item of the list `each` is marked."""
        parts, size = _parts(name), len(self._each)
        inside = size > 0 and parts[:size] == self._each
        return (*self._each, _ITEM, *parts[size:]) if inside else parts

    def _at_once(self, form: PageFormat, body: bytes) -> pl.DataFrame | None:
        """All records of a page, or None when any of them needs a closer look."""
        try:
            text = pl.Series([body], dtype=pl.Binary).cast(pl.String)
            if form is PageFormat.NDJSON:
                lines = text.str.split("\n").explode()
                rows = lines.filter(lines != "").str.json_decode(self._record)
            else:
                listed = text.str.json_decode(self._page)
                for name in self._records:
                    listed = listed.struct.field(name)
                if listed.null_count() or not body.strip():
                    return None
                rows = listed.explode(empty_as_null=False)
            if rows.null_count():
                return None
            frame = self._columns(rows)
        except pl.exceptions.PolarsError:
            return None
        if frame.select(self._nested).item():
            return None
        return frame.with_columns(pl.lit(None, pl.String).alias(MALFORMED))

    def _columns(self, rows: pl.Series) -> pl.DataFrame:
        frame = rows.alias(_PAGE).to_frame()
        if self._each:
            frame = frame.with_columns(_value(pl.col(_PAGE), self._each).alias(_EACH))
            frame = frame.explode(_EACH, empty_as_null=True, keep_nulls=True)
        return frame.select(
            (
                _value(pl.col(_EACH), path[len(self._each) + 1 :])
                if _ITEM in path
                else _value(pl.col(_PAGE), path)
            ).alias(name)
            for name, path in self._paths.items()
        )

    def _one_by_one(self, form: PageFormat, body: bytes) -> pl.DataFrame:
        text = body.decode("utf-8", "replace")
        if form is PageFormat.NDJSON:
            rows = [row for line in _lines(text) for row in self._parsed(line)]
        else:
            rows = self._records_of(text)
        return _frame(rows, self._fields)

    def _records_of(self, text: str) -> list[dict[str, Any]]:
        try:
            listed = _found(json.loads(text), self._records)
        except (ValueError, RecursionError) as error:
            return [{MALFORMED: f"the page is not JSON: {error}"}]
        if not isinstance(listed, list):
            return [{MALFORMED: f"the page has no list {'.'.join(self._records)!r}"}]
        return [row for record in listed for row in self._rows(record)]

    def _parsed(self, line: str) -> list[dict[str, Any]]:
        try:
            return self._rows(json.loads(line))
        except (ValueError, RecursionError) as error:
            return [{MALFORMED: f"the line is not JSON: {error}"}]

    def _rows(self, record: Any) -> list[dict[str, Any]]:
        """A record as rows: one, or one per item of `each`."""
        if not self._each:
            return [_row(record, self._paths)]
        items = _found(record, self._each)
        if isinstance(items, list) and items:
            size = len(self._each) + 1
            own = {name: path for name, path in self._paths.items() if _ITEM not in path}
            inner = {name: path[size:] for name, path in self._paths.items() if _ITEM in path}
            return [_joined(_row(record, own), _row(item, inner)) for item in items]
        row = _row(record, self._paths)
        if items is not None and not isinstance(items, list):
            row[MALFORMED] = row[MALFORMED] or f"not a list: {'.'.join(self._each)}"
        return [row]


def unpacked(body: bytes) -> bytes:
    """A body out of its gzip, if it is in one.

    Raises:
        LandingError: the gzip is damaged.
    """
    if not body.startswith(GZIP_MAGIC):
        return body
    try:
        return gzip.decompress(body)
    except (OSError, EOFError, zlib.error) as error:
        raise LandingError(f"a page is not whole gzip: {error}. Pull its day again.") from error


def records_in_lines(body: bytes) -> int:
    """Records of a page of NDJSON, which may be in gzip."""
    return len(_lines(unpacked(body).decode("utf-8", "replace")))


def split_page(
    body: bytes, fields: Sequence[str], split: Callable[[Any], list[Any]]
) -> pl.DataFrame:
    """A page whose records `split` finds; one malformed row if it finds none."""
    paths = {name: _parts(name) for name in fields}
    try:
        rows = [_row(record, paths) for record in split(json.loads(body))]
    except (ValueError, RecursionError) as error:
        rows = [{MALFORMED: f"the page is not JSON: {error}"}]
    except (AttributeError, KeyError, TypeError, IndexError) as error:
        rows = [{MALFORMED: f"the page has another shape: {type(error).__name__} {error}"}]
    return _frame(rows, fields)


def _parts(path: str) -> Path:
    return tuple(path.split(".")) if path else ()


def _plant(tree: dict[str, Any], path: Path) -> None:
    for name in path:
        tree = tree.setdefault(name, {})


def _dtype(tree: dict[str, Any]) -> pl.DataType:
    """The Polars type of a tree of field names: leaves are text, numbers and `*` are in lists."""
    if not tree:
        return pl.String()
    if all(name == _ITEM or name.isdecimal() for name in tree):
        merged: dict[str, Any] = {}
        for child in tree.values():
            merged |= child
        return pl.List(_dtype(merged))
    return pl.Struct({name: _dtype(child) for name, child in tree.items()})


def _value(column: pl.Expr, path: Path) -> pl.Expr:
    for name in path:
        column = (
            column.list.get(int(name), null_on_oob=True)
            if name.isdecimal()
            else column.struct.field(name)
        )
    return column


def _found(data: Any, path: Path) -> Any:
    for name in path:
        if isinstance(data, list) and name.isdecimal():
            data = data[int(name)] if int(name) < len(data) else None
        else:
            data = data.get(name) if isinstance(data, dict) else None
    return data


def _lines(text: str) -> list[str]:
    """Lines of NDJSON; only a newline ends one (JSON texts may hold other line separators)."""
    return [line for line in text.split("\n") if line]


def _frame(rows: list[dict[str, Any]], fields: Sequence[str]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=dict.fromkeys((*fields, MALFORMED), pl.String))


def _joined(outer: dict[str, Any], inner: dict[str, Any]) -> dict[str, Any]:
    wrong = [row[MALFORMED] for row in (outer, inner) if row[MALFORMED]]
    return outer | inner | {MALFORMED: "; ".join(wrong) or None}


def _row(record: Any, paths: dict[str, Path]) -> dict[str, Any]:
    if not isinstance(record, dict) and any(paths.values()):
        return {
            **dict.fromkeys(paths),
            MALFORMED: f"the record is not an object but {type(record).__name__}",
        }
    values = {name: _found(record, path) for name, path in paths.items()}
    wrong = [name for name, value in values.items() if isinstance(value, (dict, list))]
    row = {name: None if name in wrong else _text(value) for name, value in values.items()}
    row[MALFORMED] = f"not a plain value in: {', '.join(wrong)}" if wrong else None
    return row


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)
