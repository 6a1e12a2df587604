"""Clicks, replies, opt-outs, orders or consents in files that people and systems drop."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import ClassVar, Literal

import polars as pl

from sms_etl.sources.base import (
    EngagementOnly,
    Facts,
    LandedPage,
    PageFormat,
    PullContext,
    PullKind,
    PullPlan,
    Stream,
)
from sms_etl.sources.dropped import DroppedFiles
from sms_etl.sources.event_mapping import MappedEvents, mapped_events
from sms_etl.sources.files import dropped_files
from sms_etl.sources.records import scan_pages
from sms_etl.sources.tables import CsvReading, read_table, with_decimal_commas
from sms_etl.sources.values import ISO


class FileEventsSettings(MappedEvents, CsvReading):
    """A folder and how the tables in it are written."""

    kind: Literal["file_events"]
    folder: Path


class FileEvents(EngagementOnly):
    """Picks files of events up once, by their checksum; of a list reads all that lie there.

    Files are never changed or removed. Write them under another ending (such as .part) and rename
    them when they are whole.
    """

    kind: ClassVar[PullKind] = PullKind.DROP_FOLDER
    provider = "file_events"
    settings_type = FileEventsSettings
    facts = Facts(
        title="Files of clicks, replies, opt-outs, orders or consents (no messages)",
        window_filter="none; every file of events is landed once. Opt-outs and consents are lists: "
        "what lies in the folder at a pull is the list, so remove an old file to lift its entries",
        history="what lies in the folder",
        look_back="a later file that holds an event again brings its later state",
        rate_limit="none",
        proof="its own suite for every stream (CSV, XLSX, NDJSON)",
        missing="what the file lacks. Rows of one file without an identifier that are alike are "
        "several events, of two files the same ones",
        reports="events without a message are tied by person, contact, link, campaign or promo "
        "code; what can be tied by none is counted as such",
        documents="docs/configuration.md",
    )

    def __init__(self, name: str, settings: FileEventsSettings, base: Path) -> None:
        super().__init__(name)
        self._settings = settings
        self._folder = base / settings.folder

    def streams(self) -> tuple[Stream, ...]:
        """The one that the settings name."""
        return (
            Stream(
                kind=self._settings.stream,
                plan=self._plan,
                read=self._read,
                try_out=self._try_out,
                allowed=f"{self._folder} can be listed, and its newest file read",
                whole_list=self._settings.whole_list,
            ),
        )

    def _try_out(self) -> None:
        """List the folder, and read the newest file in it."""
        files = dropped_files(self._folder, self.name)
        if files:
            self._files.read(max(files, key=lambda path: path.stat().st_mtime))

    def _plan(self, days: Sequence[date], context: PullContext) -> Iterator[PullPlan]:
        """One pull per new file, whatever days are asked for; of a list one for the last day."""
        if not self._settings.whole_list:
            yield from self._files.new(context)
        elif days:
            yield PullPlan(max(days), max(days), "the whole list", self._files.all_pages())

    def _read(self, pages: Sequence[LandedPage]) -> pl.LazyFrame:
        settings = self._reading
        scanned = scan_pages(
            pages, settings.headings, lambda page, body: self._decoded(page.format, body)
        )
        return mapped_events(scanned, settings)

    @property
    def _files(self) -> DroppedFiles:
        settings = self._reading
        return DroppedFiles(
            self.name, self._folder, self._decoded, settings.utc, settings.time_heading
        )

    @property
    def _reading(self) -> FileEventsSettings:
        """Typed cells of XLSX files come as ISO times, whatever the text cells look like."""
        formats = dict.fromkeys((*self._settings.time_formats, ISO))
        return self._settings.model_copy(update={"time_formats": tuple(formats)})

    def _decoded(self, form: PageFormat, body: bytes) -> pl.DataFrame:
        settings = self._settings
        frame = read_table(form, body, settings, settings.headings)
        amount = settings.columns.get("amount")
        if form is PageFormat.XLSX and amount and settings.decimal == ",":
            return with_decimal_commas(frame, amount)
        return frame
