"""Simulated gateways that are read where they write: a database or files, not over HTTP."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import polars as pl
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.pool import NullPool

from sms_etl.sandbox.faults import FaultSettings
from sms_etl.sandbox.provider import ProviderApi, Told
from sms_etl.sandbox.wire import Reply, Request

DATABASE = "gateway.sqlite"

SMPP_WORDS = {
    "waiting": Told("ACCEPTD"),
    "leaving": Told("ACCEPTD"),
    "sent": Told("ENROUTE"),
    "read": Told("DELIVRD", 0),
    "delivered": Told("DELIVRD", 0),
    "no_receipt": Told("ENROUTE"),
    "expired": Told("EXPIRED", 27),
    "dead_number": Told("UNDELIV", 1),
    "landline": Told("UNDELIV", 11),
    "network_error": Told("UNDELIV", 34),
    "spam_filter": Told("UNDELIV", 13),
    "outage": Told("UNDELIV", 27),
    "final_unknown": Told("UNKNOWN", 0),
    "invalid_number": Told("REJECTD", 1),
    "opted_out": Told("REJECTD", 0),
    "cancelled": Told("REJECTD", 0),
}
"""States and errors as SMPP receipts have them; the errors are those of 3GPP TS 29.002."""


class WrittenApi(ProviderApi):
    """A gateway over a simulated world that leaves files or a database in a folder.

    A subclass sets `name`, `words` and `kept` (without its time nobody would find a record), and
    writes.
    """

    @abstractmethod
    def write(self, folder: Path, now: datetime, faults: FaultSettings) -> None:
        """Bring the folder to what it holds at a simulated time."""

    def handle(self, request: Request, now: datetime, faults: FaultSettings) -> Reply:
        """Not found: there is nothing to ask over HTTP."""
        return self.failure(404, {})

    def wall_clock(self, moment: datetime | None, zone: str) -> datetime | None:
        """A moment as the clock on the wall of a zone shows it."""
        return moment and moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)

    def number(self, row: Mapping[str, Any]) -> str:
        """The recipient in international form, or as typed where it has none."""
        return str(row["e164"] or row["recipient"])

    def price(self, row: Mapping[str, Any]) -> float | None:
        """What the message cost; None while nobody has billed it."""
        billed = row["billed_at"] is not None
        return round(row["part_micro"] * row["parts"] / 1_000_000, 6) if billed else None


class TableApi(WrittenApi):
    """A gateway that keeps a table; a subclass sets `table` and makes `record`s with its columns.

    The table has no key, so that a record can come twice.
    """

    table: ClassVar[sa.Table]

    def write(self, folder: Path, now: datetime, faults: FaultSettings) -> None:
        """Fill the table in the SQLite file DATABASE."""
        with sqlite_engine(folder / DATABASE) as engine:
            self.fill(engine, now, faults)

    def fill(self, engine: sa.Engine, now: datetime, faults: FaultSettings) -> None:
        """Bring the table of any database to a simulated time, in one transaction."""
        self.table.metadata.create_all(engine, [self.table])
        rows = self.records(self.shown(now), now, faults)
        with engine.begin() as connection:
            connection.execute(self.table.delete())
            if rows:
                connection.execute(self.table.insert(), rows)

    def shown(self, now: datetime) -> pl.DataFrame:
        """The rows of `messages` that exist at a time."""
        return self.messages.filter(pl.col("submitted_at") <= now)


@contextmanager
def sqlite_engine(path: Path) -> Iterator[sa.Engine]:
    """An SQLite file that can be written while others read it."""
    engine = sa.create_engine(f"sqlite:///{path}", poolclass=NullPool)
    sa.event.listen(engine, "connect", _write_ahead)
    try:
        yield engine
    finally:
        engine.dispose()


def seconds() -> sa.types.TypeEngine[Any]:
    """A column of times to the second; SQLite keeps them as text such as 2026-06-10 08:00:00."""
    text: sa.types.TypeEngine[Any] = sqlite.DATETIME(  # type: ignore[no-untyped-call]
        truncate_microseconds=True
    )
    return sa.DateTime().with_variant(text, "sqlite")


def _write_ahead(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA journal_mode = WAL")


def table(name: str, **columns: sa.types.TypeEngine[Any]) -> sa.Table:
    """A table that any database can hold, its columns in their order."""
    return sa.Table(name, sa.MetaData(), *(sa.Column(key, kind) for key, kind in columns.items()))
