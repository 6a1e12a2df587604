"""A slice of the lake too large for memory: its files are written first, then named in one commit.

Delta Lake's own writer holds about 0.8 KiB a row until it is done. Here Polars writes the Parquet
files group by group to a temporary folder; they are moved below the table, where no reader sees
them yet; one commit takes the old files of the slice out and these in.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
from deltalake import CommitProperties, DeltaTable, Schema
from deltalake.exceptions import CommitFailedError
from deltalake.transaction import AddAction

from sms_etl.errors import StoreError
from sms_etl.store.bucket import Bucket
from sms_etl.store.files import sync_folder

ROWS_A_FILE = 1_000_000
ROWS_A_GROUP = 50_000
"""Rows that are compressed together, and so are in memory together."""

COMMIT_ATTEMPTS = 15
COLUMNS_WITH_BOUNDS = 32
"""The first columns, of which the log keeps bounds; as many as Delta Lake's own writer."""

LONGEST_BOUND = 256
_ONE_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True)
class _File:
    """A written file: its name below the table, its slice, and where it lies until it is placed."""

    name: str
    partition: Mapping[str, str]
    local: Path


def replace_slice(
    table: DeltaTable,
    root: Path | Bucket,
    rows: pl.LazyFrame,
    source: str,
    days: Sequence[date],
    added: Schema,
) -> None:
    """Put rows in the place of everything a table holds for some days of a source.

    Args:
        table: the table, which exists.
        root: where its files lie.
        rows: in the types of the table, or unsigned ones; there may be none.
        source: partition value of all rows.
        days: partition values of the rows.
        added: the schema of the table after the commit; columns may only be added.

    Raises:
        StoreError: a row is outside the slice; nothing was changed.
        DeltaError: the commit was refused.
        OSError: a file cannot be written.
    """
    slice_days = {day.isoformat() for day in days}
    with _written(rows) as files:
        for file in files:
            if file.partition["source"] != source or file.partition["day"] not in slice_days:
                raise StoreError(
                    f"Rows of {file.partition} were to be written to {table.table_uri} as "
                    f"{source} of {sorted(slice_days)}. Nothing was written. Please report this."
                )
        actions = [_action(file) for file in files]
        for file in files:
            _place(file, root)
    _commit(table, actions, source, sorted(slice_days), added)


@contextmanager
def _written(rows: pl.LazyFrame) -> Iterator[list[_File]]:
    """Write rows to files of one partition each; the files last until the context is left."""
    files: list[_File] = []
    with tempfile.TemporaryDirectory(prefix="sms_etl-") as name:
        folder = Path(name)

        def next_file(asked: Any) -> str:
            keys = asked.partition_keys.row(0, named=True)
            partition = {"day": keys["day"].isoformat(), "source": str(keys["source"])}
            place = "/".join(f"{key}={value}" for key, value in partition.items())
            path = f"{place}/part-{uuid.uuid4()}.zstd.parquet"
            files.append(_File(path, partition, folder / path))
            return path

        rows.with_columns(pl.col(pl.UInt32).cast(pl.Int32)).sink_parquet(
            pl.PartitionBy(
                folder,
                key=["day", "source"],
                include_key=False,
                max_rows_per_file=ROWS_A_FILE,
                approximate_bytes_per_file=None,
                file_path_provider=next_file,
            ),
            row_group_size=ROWS_A_GROUP,
            maintain_order=False,
            mkdir=True,
            engine="streaming",
        )
        yield sorted(files, key=lambda file: file.name)


def _action(file: _File) -> AddAction:
    return AddAction(
        path=file.name,
        size=file.local.stat().st_size,
        partition_values=file.partition,
        modification_time=int(time.time() * 1000),
        data_change=True,
        stats=json.dumps(_statistics(file.local), allow_nan=False),
    )


def _statistics(path: Path) -> dict[str, Any]:
    """Rows, bounds and nulls of a file, as the Delta log names them; readers skip files by them."""
    rows = pl.scan_parquet(path, hive_partitioning=False)
    names = rows.collect_schema().names()[:COLUMNS_WITH_BOUNDS]
    columns = pl.col(names)
    found = (
        rows.select(
            pl.len().alias("rows"),
            columns.min().name.prefix("min:"),
            columns.max().name.prefix("max:"),
            columns.null_count().name.prefix("nulls:"),
        )
        .collect(engine="streaming")
        .row(0, named=True)
    )
    lowest = {name: _bound(found[f"min:{name}"], upper=False) for name in names}
    highest = {name: _bound(found[f"max:{name}"], upper=True) for name in names}
    return {
        "numRecords": found["rows"],
        "minValues": {name: value for name, value in lowest.items() if value is not None},
        "maxValues": {name: value for name, value in highest.items() if value is not None},
        "nullCount": {name: found[f"nulls:{name}"] for name in names},
    }


def _bound(value: Any, *, upper: bool) -> Any:
    """A bound as JSON; null where there is none, or where it is too long to be worth keeping.

    The log keeps times in whole milliseconds, so an upper bound is rounded up.
    """
    if isinstance(value, datetime):
        if upper and value.microsecond % 1000:
            value += _ONE_MILLISECOND
        return value.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str) and len(value) > LONGEST_BOUND:
        return None
    return value


def _place(file: _File, root: Path | Bucket) -> None:
    if isinstance(root, Bucket):
        root.put_file(file.name, file.local)
        return
    target = root / file.name
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(file.local, target)
    # The commit must not outlive the file that it names.
    with target.open("rb") as placed:
        os.fsync(placed.fileno())
    sync_folder(target.parent)


def _commit(
    table: DeltaTable,
    actions: Sequence[AddAction],
    source: str,
    days: Sequence[str],
    schema: Schema,
) -> None:
    """Take the old files of the slice out and the new ones in.

    What is taken out is told from the version the commit follows: where another writer came
    between, the commit is made anew and not merged, or two writers of one slice would both stay.
    """
    for attempt in range(1, COMMIT_ATTEMPTS + 1):
        try:
            table.create_write_transaction(
                list(actions),
                mode="overwrite",
                schema=schema,
                partition_by=["day", "source"],
                partition_filters=[("source", "=", source), ("day", "in", list(days))],
                commit_properties=CommitProperties(max_commit_retries=0),
            )
        except CommitFailedError:
            if attempt == COMMIT_ATTEMPTS:
                raise
            table.update_incremental()
            if _named(table, actions):
                return
        else:
            return


def _named(table: DeltaTable, actions: Sequence[AddAction]) -> bool:
    """Whether the table has these files: a commit may stand though its answer was lost."""
    if not actions:
        return False
    there = set(table.file_uris())
    return all(any(uri.endswith(action.path) for uri in there) for action in actions)
