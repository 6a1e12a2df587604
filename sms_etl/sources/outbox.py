"""The user's own outbox: what was asked to be sent, from a CSV file or a database.

It is landed like a source, so that the past can be rebuilt without asking for it again.
"""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

import polars as pl
from pydantic import Field, model_validator

from sms_etl.config.settings import SourceSettings
from sms_etl.days import Window, day_window
from sms_etl.errors import PermanentSourceError
from sms_etl.model.schemas import OUTBOX
from sms_etl.sources.base import (
    CheckResult,
    LandedPage,
    Page,
    PageFormat,
    PullContext,
    PullPlan,
    checked,
)
from sms_etl.sources.database import DatabaseSettings, Rows
from sms_etl.sources.mapping import TimeReading
from sms_etl.sources.records import scan_json
from sms_etl.sources.tables import CsvReading, read_table
from sms_etl.sources.values import blank_to_null

OWNER = "outbox"

OutboxColumn = Literal[
    "message_id", "source", "recipient", "campaign", "submitted_at", "sender", "text", "contact_id",
    "skipped", "contact_source", "purpose", "template",
]  # fmt: skip

NOT_SKIPPED = ("", "0", "false", "no")
"""Values of `skipped`, in any case, of a row that was submitted; any other is the reason."""


class OutboxSettings(SourceSettings, TimeReading):
    """Which column of the outbox is which of ours, and what is the same for every row."""

    columns: dict[OutboxColumn, str]
    constants: dict[OutboxColumn, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _is_enough(self) -> OutboxSettings:
        missing = {"message_id", "submitted_at"} - set(self.columns)
        if missing:
            raise ValueError(f"columns must name a heading for: {', '.join(sorted(missing))}")
        return self

    @property
    def headings(self) -> list[str]:
        """Headings the outbox must have, each once."""
        return list(dict.fromkeys(self.columns.values()))


class CsvOutboxSettings(OutboxSettings, CsvReading):
    """An outbox in one CSV file that is appended to or written anew."""

    kind: Literal["csv"]
    path: Path


class SqlOutboxSettings(OutboxSettings, DatabaseSettings):
    """An outbox in a database."""

    kind: Literal["sql"]


class Outbox(ABC):
    """Lands the rows of each day and reads them back."""

    def __init__(self, settings: OutboxSettings) -> None:
        self._settings = settings

    def plan(self, days: Sequence[date], context: PullContext) -> Iterator[PullPlan]:
        """One pull per day, by the time of submission; a day without rows has no pages.

        Raises:
            PermanentSourceError, TransientSourceError: the outbox cannot be read.
        """
        pages = self._reader()
        for day in sorted(days):
            window = day_window(day, context.zone)
            asked = f"submitted from {window.start} to {window.end}"
            yield PullPlan(day, day, asked, pages(window))

    def read(self, pages: Sequence[LandedPage]) -> pl.LazyFrame:
        """Landed rows with the schema OUTBOX; a time that cannot be read is null."""
        settings = self._settings

        def of(target: OutboxColumn) -> pl.Expr:
            if target in settings.columns:
                return blank_to_null(pl.col(settings.columns[target]))
            return pl.lit(settings.constants.get(target), pl.String)

        rows = scan_json(pages, settings.headings)
        return rows.select(
            of("message_id").str.strip_chars().alias("message_id"),
            settings.utc(of("submitted_at")).alias("submitted_at"),
            *(of(name).alias(name) for name in ("source", "recipient", "campaign", "sender")),
            *(of(name).alias(name) for name in ("text", "contact_id", "contact_source")),
            *(of(name).alias(name) for name in ("purpose", "template")),
            _reason(of("skipped")).alias("skipped"),
        ).select(OUTBOX.names)

    def check(self) -> list[CheckResult]:
        """Whether the outbox is there and has its columns."""
        return [checked(OWNER, self._try_out, "the outbox can be read")]

    @abstractmethod
    def _reader(self) -> Callable[[Window], Iterator[Page]]:
        """Pages of any window, opened once for all windows."""

    @abstractmethod
    def _try_out(self) -> None:
        """Fail if the outbox cannot be read."""


class SqlOutbox(Outbox):
    """An outbox in a database."""

    def __init__(self, settings: SqlOutboxSettings, base: Path) -> None:
        super().__init__(settings)
        time = settings.columns["submitted_at"]
        self._rows = Rows(OWNER, settings, base, settings.headings, time)

    def _reader(self) -> Callable[[Window], Iterator[Page]]:
        return self._rows.pages

    def _try_out(self) -> None:
        self._rows.try_out()


class CsvOutbox(Outbox):
    """An outbox in a CSV file.

    Only the rows of a day are landed, as text values. Rows whose time cannot be read belong to
    no day; they are landed with every day, so that they can be seen and mended.
    """

    def __init__(self, settings: CsvOutboxSettings, base: Path) -> None:
        super().__init__(settings)
        self._csv = settings
        self._path = base / settings.path

    def _reader(self) -> Callable[[Window], Iterator[Page]]:
        rows = self._read_file()
        written = blank_to_null(pl.col(self._csv.columns["submitted_at"]))
        times = rows.select(self._csv.utc(written)).to_series()
        received = datetime.now(UTC)

        def pages(window: Window) -> Iterator[Page]:
            inside = times.is_between(window.start, window.end, closed="left")
            found = rows.filter(inside | times.is_null())
            if not found.is_empty():
                out = io.BytesIO()
                found.write_ndjson(out)
                request = f"file {self._path.name} from {window.start} to {window.end}"
                yield Page(out.getvalue(), PageFormat.NDJSON, found.height, request, received)

        return pages

    def _try_out(self) -> None:
        self._read_file()

    def _read_file(self) -> pl.DataFrame:
        try:
            body = self._path.read_bytes()
            return read_table(PageFormat.CSV, body, self._csv, self._csv.headings)
        except OSError as error:
            raise PermanentSourceError(
                f"{OWNER}: {self._path} cannot be read ({error.strerror}). "
                f"Mend 'path' in the settings, or the file's rights."
            ) from None
        except PermanentSourceError as error:
            raise PermanentSourceError(f"{OWNER}: {self._path}: {error}") from None


def _reason(written: pl.Expr) -> pl.Expr:
    """Why a row was skipped; null where it was not."""
    word = written.cast(pl.String).str.strip_chars()
    return pl.when(~word.str.to_lowercase().is_in(NOT_SKIPPED)).then(word)
