"""Upkeep of Delta tables: small files made few, old versions and old days removed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from deltalake import DeltaTable

ONE_HOUR = timedelta(hours=1)

LONGEST_WRITE = timedelta(days=1)
"""Files that no version names and that are older were left by a run that died; younger ones may
be of a run that is about to name them."""


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
    """Remove files that only versions older than a span need: what was replaced is then gone.

    Files that a dead run left, which no version names, go once they are old enough.
    """
    removed = _vacuum(table, old_versions, full=False)
    return removed + _vacuum(table, max(old_versions, LONGEST_WRITE), full=True)


def _vacuum(table: DeltaTable, older_than: timedelta, *, full: bool) -> int:
    removed = table.vacuum(
        retention_hours=int(older_than / ONE_HOUR),
        dry_run=False,
        enforce_retention_duration=False,
        full=full,
    )
    return len(removed)


def remove_days(table: DeltaTable, before: date) -> None:
    """Remove all rows of earlier days, in one transaction."""
    table.delete(f"day < '{before.isoformat()}'")
