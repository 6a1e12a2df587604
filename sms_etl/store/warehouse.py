"""The warehouse: a SQL database for roll-ups, findings, editions and the mail ledger.

SQLite by default, PostgreSQL by one setting; both are brought to the current shape by the
shipped Alembic migrations when opened.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, Table, create_engine, delete, event, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError

from sms_etl.errors import StoreError
from sms_etl.reports.figures import Finding
from sms_etl.restatement import Provenance, Restatement, restated
from sms_etl.store.restatements import (
    figures_by_day,
    provenance_by_day,
    record_build,
    restatements_of,
)
from sms_etl.store.tables import CAMPAIGNS, DAILY_COUNTS, FINDINGS

BUSY_TIMEOUT_SECONDS = 30.0
"""How long a SQLite writer waits for another one."""

CONNECT_TIMEOUT_SECONDS = 10
"""How long to wait for a PostgreSQL server to answer."""

MIGRATION_LOCK = "sms_etl:migrations"
MIGRATIONS = Path(__file__).parent / "migrations"
_WRITES = "sms_etl_writes"

_COUNT_COLUMNS = [column.name for column in DAILY_COUNTS.columns]
_COUNT_SUMS = ["messages", "parts", "cost_micro"]
_COUNT_KEYS = [name for name in _COUNT_COLUMNS if name not in _COUNT_SUMS]


@dataclass(frozen=True)
class Campaign:
    """A campaign of the catalogue; names may be missing in a language."""

    id: str
    name_uk: str | None = None
    name_en: str | None = None
    kind: str | None = None


@dataclass(frozen=True)
class FindingChanges:
    """Identifiers of the findings that opened, were seen again, or closed."""

    opened: tuple[str, ...]
    persisted: tuple[str, ...]
    closed: tuple[str, ...]


def daily_counts(cube: pl.LazyFrame) -> pl.LazyFrame:
    """Roll the cube (schema CUBE) up to the columns of the table daily_counts."""
    return cube.group_by(_COUNT_KEYS).agg(pl.col(_COUNT_SUMS).sum()).select(_COUNT_COLUMNS)


class Warehouse:
    """One database. Cheap to make; `open` must be called before the first use.

    Args:
        url: SQLAlchemy URL: `sqlite:////path/warehouse.sqlite` or `postgresql+psycopg2://...`.

    Raises:
        StoreError: the URL is of no known kind.
    """

    def __init__(self, url: str) -> None:
        self._url = _parse_url(url)
        self._engine = _make_engine(self._url)

    @property
    def name(self) -> str:
        """The URL without its password, for messages."""
        return self._url.render_as_string(hide_password=True)

    def __repr__(self) -> str:
        return f"Warehouse({self.name!r})"

    def open(self) -> Warehouse:
        """Create the database or bring it to the current shape; safe to call from many processes.

        Raises:
            StoreError: it cannot be reached or written, or is newer than this program.
        """
        if self._url.get_backend_name() == "sqlite":
            self._prepare_sqlite_file()
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        head = ScriptDirectory.from_config(config).get_current_head()
        with self.read() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
        if current != head:
            with self.write(lock=MIGRATION_LOCK) as connection:
                config.attributes["connection"] = connection
                try:
                    command.upgrade(config, "head")
                except CommandError as error:
                    raise StoreError(
                        f"The warehouse {self.name} has version {current}, which this program does "
                        f"not know. Install the release that made it, or a newer one."
                    ) from error
        return self

    def close(self) -> None:
        """Give back every connection."""
        self._engine.dispose()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads.

        Raises:
            StoreError: the database cannot be reached or read.
        """
        with self._errors_for_readers(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self, lock: str | None = None) -> Iterator[Connection]:
        """A transaction that writes; commits at the end, rolls back on an error.

        Args:
            lock: name that only one such transaction may hold at a time. SQLite has one writer
                anyway; PostgreSQL takes an advisory lock until the end of the transaction.

        Raises:
            StoreError: the database cannot be reached or written, or stays locked.
        """
        engine = self._engine.execution_options(**{_WRITES: True})
        with self._errors_for_readers(), engine.begin() as connection:
            if lock is not None and connection.dialect.name == "postgresql":
                connection.execute(
                    text("SELECT pg_advisory_xact_lock(:key)"), {"key": _lock_key(lock)}
                )
            yield connection

    def replace_daily_counts(
        self,
        days: Sequence[date],
        source: str,
        frame: pl.DataFrame,
        built: Mapping[date, Provenance],
        now: datetime,
        *,
        keep: bool = True,
    ) -> list[Restatement]:
        """Replace the counts of one source on some days, in one transaction.

        Args:
            days: every day that is replaced; a day without rows in the frame becomes empty.
            source: the configured source.
            frame: columns of daily_counts, rows of these days and this source only.
            built: what each day was built from.
            now: when.
            keep: false takes everything back at the end: a rehearsal.

        Returns:
            Figures of days built before that are others now; kept with the counts.

        Raises:
            StoreError: the frame has rows outside the slice, or the database refuses.
        """
        rows = frame.select(_COUNT_COLUMNS)
        outside = rows.filter(~pl.col("day").is_in(list(days)) | (pl.col("source") != source))
        if not outside.is_empty():
            raise StoreError(
                f"{outside.height} rows of daily counts lie outside the slice being replaced "
                f"({source}, {len(days)} days). Filter the frame to the slice first."
            )
        counts = DAILY_COUNTS.c
        with self.write(lock=f"sms_etl:daily_counts:{source}") as connection:
            then = figures_by_day(connection, source, days)
            before = provenance_by_day(connection, source, days)
            connection.execute(
                delete(DAILY_COUNTS).where(counts.day.in_(list(days)), counts.source == source)
            )
            if not rows.is_empty():
                _bulk_insert(connection, DAILY_COUNTS, rows)
            after = figures_by_day(connection, source, days)
            changes = restated(source, then, after, before, built, now)
            record_build(connection, source, built, changes, now)
            if not keep:
                connection.rollback()
        return changes

    def restatements(
        self, first: date, last: date, since: datetime | None = None
    ) -> list[Restatement]:
        """What rebuilds changed in these days (both included), after a moment if given."""
        with self.read() as connection:
            return restatements_of(connection, first, last, since)

    def put_campaigns(self, campaigns: Sequence[Campaign]) -> None:
        """Add campaigns, or bring those already known up to date."""
        if not campaigns:
            return
        with self.write() as connection:
            _upsert(connection, CAMPAIGNS, [asdict(campaign) for campaign in campaigns])

    def put_findings(
        self, findings: Sequence[Finding], start: datetime, end: datetime, now: datetime
    ) -> FindingChanges:
        """Record what a detection over [start, end) found.

        A finding not known before opens; one known is seen again (and reopens, if it was
        closed); an open one that began in [start, end) and was not found again closes.
        """
        seen = {finding.id: finding for finding in findings}
        began = (FINDINGS.c.start >= start) & (FINDINGS.c.start < end)
        with self.write(lock="sms_etl:findings") as connection:
            known = {
                row.id: row.first_seen_at
                for row in connection.execute(
                    select(FINDINGS.c.id, FINDINGS.c.first_seen_at).where(
                        FINDINGS.c.id.in_(list(seen))
                    )
                )
            }
            open_ids = connection.scalars(
                select(FINDINGS.c.id).where(began, FINDINGS.c.closed_at.is_(None))
            ).all()
            closed = sorted(set(open_ids) - set(seen))
            if closed:
                connection.execute(
                    update(FINDINGS).where(FINDINGS.c.id.in_(closed)).values(closed_at=now)
                )
            rows = [_finding_row(item, known.get(item.id, now), now) for item in seen.values()]
            if rows:
                _upsert(connection, FINDINGS, rows)
        return FindingChanges(
            opened=tuple(sorted(set(seen) - set(known))),
            persisted=tuple(sorted(known)),
            closed=tuple(closed),
        )

    def _prepare_sqlite_file(self) -> None:
        """Make the folder and switch to write-ahead logging (kept in the file once set)."""
        if self._url.database and self._url.database != ":memory:":
            try:
                Path(self._url.database).parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise StoreError(
                    f"The folder of the warehouse {self.name} cannot be made ({error.strerror})."
                ) from error
        with self._errors_for_readers():
            raw = self._engine.raw_connection()
            try:
                if raw.cursor().execute("PRAGMA journal_mode").fetchone() != ("wal",):
                    raw.cursor().execute("PRAGMA journal_mode = WAL")
            finally:
                raw.close()

    @contextmanager
    def _errors_for_readers(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError:
            raise
        except DBAPIError as error:
            raise StoreError(self._explain(error.orig)) from None
        except self._engine.dialect.loaded_dbapi.Error as error:
            raise StoreError(self._explain(error)) from None

    def _explain(self, error: object) -> str:
        cause = " ".join(str(error).split())
        if self._url.password:
            cause = cause.replace(str(self._url.password), "***")
        advice = "Check the setting project.warehouse_url, the server and its rights."
        if "locked" in cause:
            advice = "Another process writes to it; try again when it is done."
        elif self._url.get_backend_name() == "sqlite":
            advice = "Check that the file and its folder are writable and that the disk has room."
        return f"The warehouse {self.name} cannot be used: {cause}. {advice}"


def _parse_url(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise StoreError(
            "The warehouse URL cannot be read. Write sqlite:////folder/warehouse.sqlite or "
            "postgresql+psycopg2://user:password@host/database."
        ) from None
    backend = parsed.get_backend_name()
    if backend == "postgresql":
        # SQLAlchemy 2.1 takes the bare name for psycopg 3, which Dagster does not bring.
        return parsed.set(drivername="postgresql+psycopg2")
    if backend != "sqlite":
        raise StoreError(f"The warehouse can be sqlite or postgresql, not {backend!r}.")
    return parsed


def _make_engine(url: URL) -> Engine:
    is_sqlite = url.get_backend_name() == "sqlite"
    arguments: dict[str, Any] = (
        {"timeout": BUSY_TIMEOUT_SECONDS}
        if is_sqlite
        else {"connect_timeout": CONNECT_TIMEOUT_SECONDS}
    )
    try:
        engine = create_engine(
            url, connect_args=arguments, hide_parameters=True, pool_pre_ping=not is_sqlite
        )
    except (NoSuchModuleError, ImportError) as error:
        raise StoreError(f"The driver of {url.drivername} is not installed.") from error
    if is_sqlite:
        event.listen(engine, "connect", _on_sqlite_connect)
        event.listen(engine, "begin", _on_sqlite_begin)
    return engine


def _on_sqlite_connect(connection: Any, _record: object) -> None:
    # The driver's own transactions begin too late (at the first write); ours begin at BEGIN.
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = FULL")


def _on_sqlite_begin(connection: Connection) -> None:
    # A writer takes its lock at once: one that reads first and upgrades later would fail
    # with "database is locked" without waiting.
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _lock_key(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


def _bulk_insert(connection: Connection, table: Table, frame: pl.DataFrame) -> None:
    names = ", ".join(f'"{name}"' for name in frame.columns)
    if connection.dialect.name == "postgresql":
        # Polars writes an empty text as "" and a null as nothing, which is what COPY reads.
        body = io.BytesIO()
        frame.write_csv(body, include_header=False)
        body.seek(0)
        driver: Any = connection.connection.driver_connection
        with driver.cursor() as cursor:
            cursor.copy_expert(f"COPY {table.name} ({names}) FROM STDIN WITH (FORMAT csv)", body)
        return
    marks = ", ".join("?" for _ in frame.columns)
    rows = frame.with_columns(pl.col(pl.Date).dt.to_string("%Y-%m-%d")).rows()
    connection.exec_driver_sql(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", rows)  # noqa: S608


def _upsert(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Insert rows by primary key `id`, or overwrite every other column."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table)
    changed = {name: statement.excluded[name] for name in rows[0] if name != "id"}
    connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=changed), rows)


def _finding_row(finding: Finding, first_seen_at: datetime, now: datetime) -> dict[str, Any]:
    return {
        "id": finding.id,
        "kind": finding.kind.value,
        "scope": finding.scope,
        "start": finding.start,
        "end": finding.end,
        "messages": finding.messages,
        "affected": finding.affected,
        "excess": finding.excess,
        "severity": finding.severity,
        "first_seen_at": first_seen_at,
        "last_seen_at": now,
        "closed_at": None,
        "payload": finding.model_dump(mode="json"),
    }
