"""Upkeep of Delta tables: small files made few, old versions and old days removed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from deltalake import DeltaTable

ONE_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Kept:
    """Files and bytes of a table on disk, before and after its upkeep."""

    table: str
    files_before: int
    files_after: int
    bytes_before: int
    bytes_after: int


def keep_up(path: Path, old_versions: timedelta) -> Kept | None:
    """Join small files and remove versions older than a span; null if there is no such table."""
    if not DeltaTable.is_deltatable(str(path)):
        return None
    files_before, bytes_before = _on_disk(path)
    DeltaTable(str(path)).optimize.compact()
    DeltaTable(str(path)).create_checkpoint()
    vacuum(path, old_versions)
    files_after, bytes_after = _on_disk(path)
    return Kept(path.name, files_before, files_after, bytes_before, bytes_after)


def vacuum(path: Path, old_versions: timedelta) -> None:
    """Remove files that only versions older than a span need: what was replaced is then gone."""
    if DeltaTable.is_deltatable(str(path)):
        DeltaTable(str(path)).vacuum(
            retention_hours=int(old_versions / ONE_HOUR),
            dry_run=False,
            enforce_retention_duration=False,
        )


def remove_days(path: Path, before: date) -> None:
    """Remove all rows of earlier days, in one transaction."""
    if DeltaTable.is_deltatable(str(path)):
        DeltaTable(str(path)).delete(f"day < '{before.isoformat()}'")


def _on_disk(path: Path) -> tuple[int, int]:
    sizes = [file.stat().st_size for file in path.rglob("*.parquet")]
    return len(sizes), sum(sizes)
