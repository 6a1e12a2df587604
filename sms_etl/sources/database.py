"""Reading a declared table or query of the user's database by time, without changing anything."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import polars as pl
import sqlalchemy as sa
from pydantic import Field, model_validator
from sqlalchemy.pool import NullPool

from sms_etl.config.clock import now
from sms_etl.config.secrets import EnvSecret
from sms_etl.days import Window
from sms_etl.errors import ConfigError, PermanentSourceError, TransientSourceError
from sms_etl.sources.base import Page, PageFormat
from sms_etl.sources.mapping import TimeReading, require_headings
from sms_etl.sources.values import ISO, UNIX_MILLISECONDS, UNIX_SECONDS

SQLITE_TIME = "%Y-%m-%d %H:%M:%S"
READ_ONLY = {
    "sqlite": "PRAGMA query_only = ON",
    "postgresql": "SET default_transaction_read_only = on",
    "mysql": "SET SESSION TRANSACTION READ ONLY",
    "mariadb": "SET SESSION TRANSACTION READ ONLY",
}
SESSION_ZONE = {
    "postgresql": "SELECT set_config('TimeZone', :zone, false)",
    "mysql": "SET time_zone = :zone",
    "mariadb": "SET time_zone = :zone",
}
PERMANENT_PHRASES = (
    "no such", "does not exist", "doesn't exist", "syntax error", "unknown column",
    "password authentication", "access denied", "permission denied", "unable to open",
    "not a database", "readonly", "read-only", "unknown or incorrect time zone",
)  # fmt: skip
"""What databases say when another try will not help."""


class DatabaseSettings(TimeReading):
    """Where the rows are: a table, or a SELECT with the parameters :start and :end.

    `url` is an SQLAlchemy URL; one with a password belongs into the environment variable that
    `url_secret` names. The first of `time_formats` is how the time column is stored: 'iso' for a
    column of a time type (SQLite: text such as 2025-03-05 08:00:00), 'unix_seconds' or
    'unix_milliseconds' for a number, a pattern that begins with %Y for text. With `session_zone`
    the database is told to show times with a zone in `time_zone`.
    """

    url: str | None = None
    url_secret: EnvSecret | None = None
    table: str | None = None
    schema_name: str | None = None
    query: str | None = None
    batch_rows: Annotated[int, Field(ge=1, le=100_000)] = 10_000
    session_zone: bool = True

    @property
    def by_time(self) -> bool:
        """Whether rows are asked for by time; otherwise all of them are, whenever they are of."""
        return True

    @model_validator(mode="after")
    def _one_of_each(self) -> DatabaseSettings:
        if (self.url is None) == (self.url_secret is None):
            raise ValueError("give either 'url' or 'url_secret'")
        if (self.table is None) == (self.query is None):
            raise ValueError("give either 'table' or 'query'")
        if self.url is not None and sa.make_url(self.url).password:
            raise ValueError("a URL with a password belongs into the environment: use url_secret")
        bound = self.query is None or (":start" in self.query and ":end" in self.query)
        if self.by_time and not bound:
            raise ValueError("the query must use the parameters :start and :end")
        stored = self.time_formats[0]
        if stored not in (ISO, UNIX_SECONDS, UNIX_MILLISECONDS) and not stored.startswith("%Y"):
            raise ValueError("rows are found by comparing times, so text must begin with the year")
        return self


class Rows:
    """Rows of one declared table or query; without `time` every window holds all of them.

    `part` names a column shared by the parts of one message: all its parts are read, also those
    whose own time lies outside the window.
    """

    def __init__(
        self,
        owner: str,
        settings: DatabaseSettings,
        base: Path,
        headings: Sequence[str],
        time: str | None,
        part: str | None = None,
    ) -> None:
        self._owner = owner
        self._settings = settings
        self._base = base
        self._headings = headings
        self._time = time
        self._part = part

    def pages(self, window: Window) -> Iterator[Page]:
        """Rows with a time in the window as NDJSON pages of text values.

        Raises:
            PermanentSourceError: the table, a column or the right to read is missing.
            TransientSourceError: the database cannot be reached now.
        """
        with self._connected() as connection:
            bounds = self._bounds(window, connection.dialect.name) if self._time else ()
            result = connection.execution_options(yield_per=self._settings.batch_rows).execute(
                self._statement(), dict(zip(("start", "end"), bounds, strict=False))
            )
            require_headings(list(result.keys()), self._headings, f"{self._owner}: the result")
            span = " from {} to {}".format(*bounds) if bounds else ", all rows"
            asked = f"{self._settings.table or 'query'}{span}"
            for rows in result.partitions():
                yield Page(
                    body=_ndjson(list(result.keys()), rows),
                    format=PageFormat.NDJSON,
                    records=len(rows),
                    request=asked,
                    received_at=now(),
                )

    def try_out(self) -> None:
        """Ask for no rows at all: the same errors as `pages`, none of the cost."""
        now = datetime.now(UTC)
        next(iter(self.pages(Window(now, now))), None)

    def _statement(self) -> sa.Executable:
        settings = self._settings
        if settings.query is not None:
            return sa.text(settings.query)
        names = dict.fromkeys((*self._headings, *([self._time] if self._time else [])))
        columns: list[sa.ColumnClause[Any]] = [sa.column(name) for name in names]
        table = sa.table(settings.table or "", *columns, schema=settings.schema_name)
        if self._time is None:
            return sa.select(*(table.c[name] for name in self._headings))
        inside = self._inside(table, self._time)
        if self._part is not None:
            other = table.alias("other")
            parts = sa.select(other.c[self._part]).where(self._inside(other, self._time))
            inside = sa.or_(inside, table.c[self._part].in_(parts))
        wanted = [table.c[name] for name in self._headings]
        return sa.select(*wanted).where(inside).order_by(table.c[self._time])

    def _inside(self, table: sa.FromClause, column: str) -> sa.ColumnElement[bool]:
        time = table.c[column]
        return sa.and_(time >= sa.bindparam("start"), time < sa.bindparam("end"))

    def _bounds(self, window: Window, dialect: str) -> tuple[Any, Any]:
        """The window as the time column is stored."""
        stored = self._settings.time_formats[0]
        if stored in (UNIX_SECONDS, UNIX_MILLISECONDS):
            factor = 1 if stored == UNIX_SECONDS else 1000
            return (
                int(window.start.timestamp() * factor),
                int(window.end.timestamp() * factor),
            )
        zone = ZoneInfo(self._settings.time_zone)
        start, end = _wall_clock(window.start, zone), _wall_clock(window.end, zone)
        if window.end.astimezone(zone).fold:
            end += timedelta(hours=1)
        if stored == ISO and dialect != "sqlite":
            return start, end
        pattern = SQLITE_TIME if stored == ISO else stored
        return start.strftime(pattern), end.strftime(pattern)

    @contextmanager
    def _connected(self) -> Iterator[sa.Connection]:
        url = self._url()
        try:
            engine = sa.create_engine(url, poolclass=NullPool, hide_parameters=True)
        except ModuleNotFoundError as error:
            raise ConfigError(
                f"{self._owner}: the driver for {url.drivername} is missing "
                f"(pip install {error.name})"
            ) from None
        try:
            with engine.connect() as connection:
                self._prepare(connection)
                yield connection
        except sa.exc.SQLAlchemyError as error:
            raise self._explained(error, url) from None

    def _prepare(self, connection: sa.Connection) -> None:
        dialect = connection.dialect.name
        if dialect in READ_ONLY:
            connection.execute(sa.text(READ_ONLY[dialect]))
        if dialect in SESSION_ZONE and self._settings.session_zone:
            zone = self._settings.time_zone
            named = "+00:00" if zone == "UTC" and dialect != "postgresql" else zone
            connection.execute(sa.text(SESSION_ZONE[dialect]), {"zone": named})
        connection.commit()

    def _url(self) -> sa.URL:
        """The URL; a relative SQLite path is relative to the settings file.

        A SQLite file must exist: opening a missing one would create it.
        """
        secret = self._settings.url_secret
        try:
            url = sa.make_url(self._settings.url or (secret.get() if secret else ""))
        except sa.exc.ArgumentError:
            raise ConfigError(
                f"{self._owner}: the database URL cannot be read; it must look like "
                f"postgresql+psycopg2://user:password@host/database"
            ) from None
        if url.get_backend_name() == "sqlite" and url.database:
            path = self._base / url.database
            if not path.is_file():
                raise PermanentSourceError(
                    f"{self._owner}: there is no database file {path}. Mend the URL."
                )
            url = url.set(database=str(path))
        return url

    def _explained(
        self, error: sa.exc.SQLAlchemyError, url: sa.URL
    ) -> PermanentSourceError | TransientSourceError:
        text = str(getattr(error, "orig", None) or error).strip()
        if url.password:
            text = text.replace(str(url.password), "***")
        where = f"{self._owner}: {url.render_as_string(hide_password=True)}: {text}"
        lasting = any(phrase in text.lower() for phrase in PERMANENT_PHRASES)
        if lasting or not isinstance(error, (sa.exc.OperationalError, sa.exc.InterfaceError)):
            return PermanentSourceError(
                f"{where}. Check the URL, the user's rights, and table and columns in the settings."
            )
        return TransientSourceError(f"{where}. Check that the database runs and can be reached.")


def _wall_clock(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)


def _ndjson(names: Sequence[str], rows: Sequence[sa.Row[Any]]) -> bytes:
    columns = zip(*rows, strict=True)
    frame = pl.DataFrame(
        [_text_column(name, values) for name, values in zip(names, columns, strict=True)]
    )
    out = io.BytesIO()
    frame.write_ndjson(out)
    return out.getvalue()


def _text_column(name: str, values: Sequence[Any]) -> pl.Series:
    """A column as text; one that is text already is taken over at once."""
    try:
        return pl.Series(name, values, dtype=pl.String, strict=True)
    except (TypeError, ValueError):
        return pl.Series(name, [_text(value) for value in values], dtype=pl.String)


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, (bytes, memoryview)):
        return bytes(value).decode("utf-8", "replace")
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    return format(value, "f") if isinstance(value, Decimal) else str(value)
