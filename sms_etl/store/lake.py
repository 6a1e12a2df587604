"""The lake: canonical tables as Delta Lake, partitioned by day and source.

A slice (some days of one source) is replaced whole, in one transaction; readers see the old
slice or the new one, never half. No row is ever updated in place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import polars as pl
from deltalake import DeltaTable, Schema
from deltalake.exceptions import DeltaError

from sms_etl.errors import StoreError
from sms_etl.model.schemas import Table
from sms_etl.store import upkeep
from sms_etl.store.bucket import Bucket
from sms_etl.store.large_slices import replace_slice
from sms_etl.store.upkeep import Kept

PARTITION_COLUMNS = ["day", "source"]
BUCKET_SCHEME = "s3://"


@dataclass(frozen=True)
class Lake:
    """The lake on a folder, or below an `s3://` address with the options to reach it."""

    root: Path | str
    options: Mapping[str, str] = field(default_factory=dict, repr=False)

    def path(self, table: Table) -> str:
        """Where a table lies."""
        return f"{self.root}/{table.name}"

    def table(self, table: Table) -> DeltaTable | None:
        """A table as Delta Lake knows it; null if it was never written."""
        path, options = self.path(table), dict(self.options)
        with _readable(path, "read"):
            if not DeltaTable.is_deltatable(path, options):
                return None
            return DeltaTable(path, storage_options=options)

    def vacuum(self, table: Table, old_versions: timedelta) -> None:
        """Remove files that only versions older than a span need."""
        found = self.table(table)
        if found is not None:
            upkeep.vacuum(found, old_versions)

    def remove_days(self, table: Table, before: date) -> None:
        """Remove all rows of earlier days."""
        found = self.table(table)
        if found is not None:
            upkeep.remove_days(found, before)

    def keep_up(self, table: Table, old_versions: timedelta) -> Kept | None:
        """Join small files and remove old versions; null for a table never written."""
        found = self.table(table)
        return None if found is None else upkeep.keep_up(table.name, found, old_versions)

    def replace(
        self, table: Table, source: str, days: Sequence[date], frame: pl.DataFrame | pl.LazyFrame
    ) -> None:
        """Put `frame` in the place of everything the table holds for these days of a source.

        A lazy frame is written batch by batch, never held as a whole. Rows of `frame` outside
        the slice are an error of the caller and are refused.

        Raises:
            StoreError: the lake cannot be written.
        """
        if not days:
            return
        path = self.path(table)
        ordered = frame.select(table.names).cast(table.schema)
        with _readable(path, "written"):
            there = self.table(table)
            if there is None:
                table.empty().write_delta(
                    path,
                    mode="ignore",
                    storage_options=dict(self.options),
                    delta_write_options={"partition_by": PARTITION_COLUMNS},
                )
                there = DeltaTable(path, storage_options=dict(self.options))
            missing = _missing(table, there)
            if isinstance(ordered, pl.LazyFrame):
                schema = _evolved(table, there, missing)
                replace_slice(there, self._place(table), ordered, source, days, schema)
            elif ordered.is_empty():
                there.delete(_slice(source, days))
            else:
                evolved = {"schema_mode": "merge"} if missing else {}
                ordered.write_delta(
                    path,
                    mode="overwrite",
                    storage_options=dict(self.options),
                    delta_write_options={
                        "predicate": _slice(source, days),
                        "partition_by": PARTITION_COLUMNS,
                        **evolved,
                    },
                )

    def _place(self, table: Table) -> Path | Bucket:
        path = self.path(table)
        return Bucket(path, self.options) if path.startswith(BUCKET_SCHEME) else Path(path)

    def scan(
        self,
        table: Table,
        first: date | None = None,
        last: date | None = None,
        sources: Sequence[str] | None = None,
    ) -> pl.LazyFrame:
        """A table, cut to days (both included) and sources; empty if never written.

        Rows written before a column existed have its default, or null.
        """
        there = self.table(table)
        if there is None:
            return table.empty().lazy()
        with _readable(self.path(table), "read"):
            frame = pl.scan_delta(self.path(table), storage_options=dict(self.options))
        frame = frame.with_columns(_defaults(table, _missing(table, there)))
        if first is not None:
            frame = frame.filter(pl.col("day") >= first)
        if last is not None:
            frame = frame.filter(pl.col("day") <= last)
        if sources is not None:
            frame = frame.filter(pl.col("source").is_in(list(sources)))
        return frame.select(table.names)

    def version(self, table: Table) -> int | None:
        """Version number of a table; null if never written."""
        there = self.table(table)
        return there.version() if there is not None else None


def _missing(table: Table, there: DeltaTable) -> set[str]:
    """Columns that an earlier release did not write and that rows may lack.

    Raises:
        StoreError: a column that every row must have, such as a count, is missing.
    """
    written = {field.name for field in there.schema().fields}
    missing = [column for column in table.columns if column.name not in written]
    needed = [c.name for c in missing if not c.nullable and c.default is None]
    if needed:
        path = there.table_uri.rstrip("/")
        raise StoreError(
            f"The lake table {path} was written by an earlier release: it has no column "
            f"{', '.join(needed)}. Move {path.rpartition('/')[0]} away and run the job "
            f"rebuild_from_landing over all days; nothing is pulled again."
        )
    return {column.name for column in missing}


def _evolved(table: Table, there: DeltaTable, missing: set[str]) -> Schema:
    """The schema of a table with the columns it lacks."""
    ours = Schema.from_arrow(table.schema)
    return Schema([*there.schema().fields, *(one for one in ours.fields if one.name in missing)])


def _defaults(table: Table, missing: set[str]) -> list[pl.Expr]:
    """Columns that are missing, and those that rows of an earlier release lack."""
    return [
        (pl.lit(column.default, column.dtype) if column.name in missing
         else pl.col(column.name).fill_null(pl.lit(column.default, column.dtype)))
        .alias(column.name)
        for column in table.columns
        if column.name in missing or column.default is not None
    ]  # fmt: skip


def _slice(source: str, days: Sequence[date]) -> str:
    listed = ", ".join(f"'{day.isoformat()}'" for day in sorted(set(days)))
    return f"source = '{source}' AND day IN ({listed})"


@contextmanager
def _readable(path: str, deed: str) -> Iterator[None]:
    try:
        yield
    except (DeltaError, OSError) as error:
        raise StoreError(
            f"The lake table {path} cannot be {deed}: {error}. "
            f"Check that the folder exists, is writable and has room."
        ) from error
