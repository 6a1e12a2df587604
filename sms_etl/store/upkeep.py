"""Upkeep of Delta tables: small files made few, old versions and old days removed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from deltalake import DeltaTable

ONE_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Kept:
    """Files of a table's present version, before and after its upkeep, and files removed."""

    table: str
    files_before: int
    files_after: int
    removed: int


def keep_up(name: str, table: DeltaTable, old_versions: timedelta) -> Kept:
    """Join small files and remove what only versions older than a span need."""
    before = len(table.file_uris())
    table.optimize.compact()
    table.create_checkpoint()
    removed = vacuum(table, old_versions)
    return Kept(name, before, len(table.file_uris()), removed)


def vacuum(table: DeltaTable, old_versions: timedelta) -> int:
    """Remove files that only versions older than a span need: what was replaced is then gone."""
    removed = table.vacuum(
        retention_hours=int(old_versions / ONE_HOUR),
        dry_run=False,
        enforce_retention_duration=False,
    )
    return len(removed)


def remove_days(table: DeltaTable, before: date) -> None:
    """Remove all rows of earlier days, in one transaction."""
    table.delete(f"day < '{before.isoformat()}'")
