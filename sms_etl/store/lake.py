"""The lake: canonical tables as Delta Lake, partitioned by day and source.

A slice (some days of one source) is replaced whole, in one transaction; readers see the old
slice or the new one, never half. No row is ever updated in place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from sms_etl.errors import StoreError
from sms_etl.model.schemas import Table

PARTITION_COLUMNS = ["day", "source"]


@dataclass(frozen=True)
class Lake:
    """The lake on a folder."""

    root: Path

    def path(self, table: Table) -> Path:
        """Where a table lies."""
        return self.root / table.name

    def replace(self, table: Table, source: str, days: Sequence[date], frame: pl.DataFrame) -> None:
        """Put `frame` in the place of everything the table holds for these days of a source.

        Rows of `frame` outside the slice are an error of the caller and are refused by Delta.

        Raises:
            StoreError: the lake cannot be written.
        """
        if not days:
            return
        path = self.path(table)
        ordered = frame.select(table.names).cast(table.schema)
        with _readable(path, "written"):
            if not DeltaTable.is_deltatable(str(path)):
                table.empty().write_delta(
                    str(path),
                    mode="ignore",
                    delta_write_options={"partition_by": PARTITION_COLUMNS},
                )
            _require_columns(table, path)
            if ordered.is_empty():
                DeltaTable(str(path)).delete(_slice(source, days))
                return
            ordered.write_delta(
                str(path),
                mode="overwrite",
                delta_write_options={
                    "predicate": _slice(source, days),
                    "partition_by": PARTITION_COLUMNS,
                },
            )

    def scan(
        self,
        table: Table,
        first: date | None = None,
        last: date | None = None,
        sources: Sequence[str] | None = None,
    ) -> pl.LazyFrame:
        """A table, cut to days (both included) and sources; empty if never written."""
        path = self.path(table)
        if not DeltaTable.is_deltatable(str(path)):
            return table.empty().lazy()
        with _readable(path, "read"):
            _require_columns(table, path)
            frame = pl.scan_delta(str(path))
        if first is not None:
            frame = frame.filter(pl.col("day") >= first)
        if last is not None:
            frame = frame.filter(pl.col("day") <= last)
        if sources is not None:
            frame = frame.filter(pl.col("source").is_in(list(sources)))
        return frame.select(table.names)

    def version(self, table: Table) -> int | None:
        """Version number of a table; null if never written."""
        path = self.path(table)
        return DeltaTable(str(path)).version() if DeltaTable.is_deltatable(str(path)) else None


def _require_columns(table: Table, path: Path) -> None:
    """Refuse a table that an earlier release wrote with other columns."""
    there = {field.name for field in DeltaTable(str(path)).schema().fields}
    missing = [name for name in table.names if name not in there]
    if missing:
        raise StoreError(
            f"The lake table {path} was written by an earlier release: it has no column "
            f"{', '.join(missing)}. Move the folder {path.parent} away and run the job "
            f"rebuild_from_landing over all days; nothing is pulled again."
        )


def _slice(source: str, days: Sequence[date]) -> str:
    listed = ", ".join(f"'{day.isoformat()}'" for day in sorted(set(days)))
    return f"source = '{source}' AND day IN ({listed})"


@contextmanager
def _readable(path: Path, deed: str) -> Iterator[None]:
    try:
        yield
    except (DeltaError, OSError) as error:
        raise StoreError(
            f"The lake table {path} cannot be {deed}: {error}. "
            f"Check that the folder exists, is writable and has room."
        ) from error
