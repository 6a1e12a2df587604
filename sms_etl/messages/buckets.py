"""A day too large for memory, built in buckets of messages that pass through a temporary folder.

Everything but the runs of neighbouring numbers is decided message by message, so a bucket holds
all records of some messages. The folder holds numbers and texts while the build runs: it is
readable by its owner alone, and goes with the build.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from sms_etl.messages.build import (
    Recipe,
    build_placed,
    check_all_read,
    placed_records,
    records_read,
)
from sms_etl.messages.number_runs import as_number, hour_of, number_runs
from sms_etl.model.schemas import CONSERVATION, MESSAGES, QUARANTINE, UNMAPPED

RECORDS_AT_ONCE = 50_000
"""Records that are in memory as rows at one time."""

ROWS_A_SPILL = 40_000
NUMBERS_AT_ONCE = 1_000_000
_LENGTH_BYTES = 8
_BUCKET = "bucket"


@dataclass(frozen=True)
class LargeBuilt:
    """As build.Built; the messages are read from the temporary folder when they are asked for."""

    messages: pl.LazyFrame
    quarantine: pl.DataFrame
    conservation: pl.DataFrame
    unmapped: pl.DataFrame


@contextmanager
def build_in_buckets(
    observed: pl.LazyFrame,
    outbox: pl.LazyFrame,
    pulls: pl.DataFrame,
    days: Sequence[date],
    recipe: Recipe,
    at_once: int = RECORDS_AT_ONCE,
) -> Iterator[LargeBuilt]:
    """As build_messages, with `at_once` records in memory; usable until the context is left.

    Parts and attempts may lie in different buckets, so where there are any all is built at once.

    Raises:
        ConservationError: as build_messages.
    """
    placed = placed_records(observed, outbox, pulls, days, recipe)
    buckets = max(1, -(-int(pulls["records"].sum()) // at_once))
    with tempfile.TemporaryDirectory(prefix="sms_etl-") as name:
        folder = Path(name)
        tied = _spill(placed, folder, buckets)
        files = sorted(folder.glob("*.placed"))
        read, told = [], list[tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]]()
        nothing = pl.DataFrame(schema=placed.collect_schema())
        whole = tied or not files
        for number, some in enumerate([files] if whole else [[file] for file in files]):
            records = pl.concat([nothing, *(frame for file in some for frame in _spilled(file))])
            for file in some:
                file.unlink()
            read.append(records_read(records))
            built = build_placed(records, days, recipe)
            told.append((built.quarantine, built.conservation, built.unmapped))
            _keep(built.messages, folder / f"{number:05d}")
        check_all_read(_summed(read, ["pull"], "read"), pulls, days)
        quarantine, conservation, unmapped = (list(frames) for frames in zip(*told, strict=True))
        yield LargeBuilt(
            _with_runs(folder),
            pl.concat([QUARANTINE.empty(), *quarantine]).sort("day", "pull", "page", "record"),
            _summed(conservation, ["day", "source", "fate", "reason"], "records")
            .select(CONSERVATION.names)
            .sort("day", "fate", "reason"),
            _summed(unmapped, ["day", "source", "kind", "word"], "messages")
            .select(UNMAPPED.names)
            .sort("day", "kind", "word"),
        )


def _spill(placed: pl.LazyFrame, folder: Path, buckets: int) -> bool:
    """Write placed records to a file a bucket; whether any is a part or an attempt."""
    bucket = (pl.col("message_id").fill_null("").hash() % buckets).cast(pl.UInt32)
    batches = placed.with_columns(bucket.alias(_BUCKET)).collect_batches(
        chunk_size=ROWS_A_SPILL, maintain_order=False, lazy=True, engine="streaming"
    )
    tied = False
    for batch in batches:
        tied = tied or _is_tied(batch)
        for (number,), rows in batch.partition_by(_BUCKET, as_dict=True, include_key=False).items():
            packed = io.BytesIO()
            rows.write_ipc_stream(packed, compression="lz4")
            with (folder / f"{number:05d}.placed").open("ab") as file:
                file.write(packed.tell().to_bytes(_LENGTH_BYTES))
                file.write(packed.getbuffer())
    return tied


def _is_tied(batch: pl.DataFrame) -> bool:
    return any(batch[name].null_count() < batch.height for name in ("part_of", "order_id"))


def _spilled(path: Path) -> Iterator[pl.DataFrame]:
    with path.open("rb") as file:
        while length := file.read(_LENGTH_BYTES):
            yield pl.read_ipc_stream(io.BytesIO(file.read(int.from_bytes(length))))


def _keep(messages: pl.DataFrame, path: Path) -> None:
    """Write messages, with what their number run is found by."""
    messages.with_columns(
        hour=hour_of(pl.col("submitted_at")), number=as_number(pl.col("e164"))
    ).drop("e164").sort("day", "submitted_at", "message_id").write_parquet(
        path.with_suffix(".parquet"), compression="lz4"
    )


def _with_runs(folder: Path) -> pl.LazyFrame:
    kept = pl.scan_parquet(folder / "*.parquet")
    runs = [
        number_runs(
            kept.filter(pl.col("hour").is_in(hours))
            .select("hour", "number")
            .unique()
            .collect(engine="streaming")
        )
        for hours in _hours_at_once(kept)
    ]
    if not runs:
        return MESSAGES.empty().lazy()
    return (
        kept.join(pl.concat(runs).lazy(), on=["hour", "number"], how="left")
        .with_columns(in_number_run=pl.col("inside").fill_null(value=False))
        .select(MESSAGES.names)
    )


def _hours_at_once(kept: pl.LazyFrame) -> Iterator[list[object]]:
    """Hours of which no more numbers than one can hold are looked at together."""
    counted = kept.group_by("hour").agg(pl.len()).collect(engine="streaming").sort("hour")
    hours, numbers = list[object](), 0
    for hour, count in counted.iter_rows():
        if hours and numbers + count > NUMBERS_AT_ONCE:
            yield hours
            hours, numbers = [], 0
        hours.append(hour)
        numbers += count
    if hours:
        yield hours


def _summed(frames: Sequence[pl.DataFrame], keys: list[str], count: str) -> pl.DataFrame:
    return pl.concat(frames).group_by(keys).agg(pl.col(count).sum())
