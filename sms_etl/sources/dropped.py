"""Files picked up from a folder once, by their checksum, and the days that they cover."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from sms_etl.config.clock import now
from sms_etl.errors import PermanentSourceError
from sms_etl.sources.base import Page, PageFormat, PullContext, PullPlan
from sms_etl.sources.files import Member, bytes_of, dropped_files, members
from sms_etl.sources.values import blank_to_null


@dataclass(frozen=True)
class _Table:
    member: Member
    records: int
    days: tuple[date, date] | None


@dataclass(frozen=True)
class DroppedFiles:
    """Files of a folder; they are read and never changed or removed.

    `decode` reads a table as text columns. `time_heading` is the column that decides the days a
    file covers and `utc` how it is written; None: the tables have no such column. `late_days`:
    how many days before its times a file may tell of.
    """

    owner: str
    folder: Path
    decode: Callable[[PageFormat, bytes], pl.DataFrame]
    utc: Callable[[pl.Expr], pl.Expr]
    time_heading: str | None
    late_days: int = 0

    def new(self, context: PullContext) -> Iterator[PullPlan]:
        """One pull per file that has not landed before, under the days it covers.

        A file that cannot be read does not stop the others; all such files are named in one error
        at the end.

        Raises:
            PermanentSourceError: the folder or some files cannot be read.
        """
        refused = []
        for path in dropped_files(self.folder, self.owner):
            try:
                plan = self._plan_of(path, context)
            except (PermanentSourceError, OSError) as error:
                refused.append(f"{path}: {error}")
                continue
            if plan is not None:
                yield plan
        if refused:
            raise PermanentSourceError(
                f"{self.owner}: {len(refused)} of the files cannot be read; the others were:\n"
                + "\n".join(refused)
            )

    def all_pages(self) -> Iterator[Page]:
        """Every table that lies in the folder now, whether it has landed before or not.

        Raises:
            PermanentSourceError: the folder or a file cannot be read.
        """
        for path in dropped_files(self.folder, self.owner):
            yield from self.read(path)

    def read(self, path: Path) -> list[Page]:
        """The tables of one file.

        Raises:
            PermanentSourceError: it cannot be read.
        """
        try:
            body = bytes_of(path)
            tables = [self._table(member, None) for member in members(path.name, body)]
        except (PermanentSourceError, OSError) as error:
            raise PermanentSourceError(f"{self.owner}: {path}: {error}") from None
        return _pages(path, hashlib.sha256(body).hexdigest(), tables)

    def _plan_of(self, path: Path, context: PullContext) -> PullPlan | None:
        body = bytes_of(path)
        checksum = hashlib.sha256(body).hexdigest()
        if checksum in context.landed_checksums:
            return None
        tables = [self._table(member, context.zone.key) for member in members(path.name, body)]
        covered = [day for table in tables for day in table.days or ()]
        today = context.now.astimezone(context.zone).date()
        first, last = (min(covered), max(covered)) if covered else (today, today)
        return PullPlan(first, last, f"file {path.name}", iter(_pages(path, checksum, tables)))

    def _table(self, member: Member, zone: str | None) -> _Table:
        try:
            frame = self.decode(member.format, member.body)
        except PermanentSourceError as error:
            raise PermanentSourceError(f"{member.name}: {error}") from None
        if zone is None or self.time_heading is None:
            return _Table(member, frame.height, None)
        text = blank_to_null(pl.col(self.time_heading))
        day = self.utc(text).dt.convert_time_zone(zone).dt.date()
        first, last = frame.select(day.min().alias("first"), day.max().alias("last")).row(0)
        if frame.height and first is None:
            raise PermanentSourceError(
                f"{member.name}: no time in column {self.time_heading!r} can be read; "
                f"mend 'time_formats' in the settings"
            )
        earliest = first and first - timedelta(days=self.late_days)
        return _Table(member, frame.height, None if first is None else (earliest, last))


def _pages(path: Path, checksum: str, tables: list[_Table]) -> list[Page]:
    received = now()
    return [
        Page(
            body=table.member.body,
            format=table.member.format,
            records=table.records,
            request=f"file {path.name}",
            received_at=received,
            meta={"file": path.name, "file_sha256": checksum, "member": table.member.name},
        )
        for table in tables
    ]
