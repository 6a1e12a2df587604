"""A folder people and systems drop exports into: CSV, XLSX and NDJSON, plain, gzip or zip."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import polars as pl
from pydantic import Field, model_validator

from sms_etl.config.secrets import EnvSecret
from sms_etl.sources.base import (
    CheckResult,
    Facts,
    LandedPage,
    PageFormat,
    PullContext,
    PullKind,
    PullPlan,
    Source,
    checked,
)
from sms_etl.sources.dropped import DroppedFiles
from sms_etl.sources.files import dropped_files
from sms_etl.sources.made_ids import MADE_ID, with_made_ids
from sms_etl.sources.mapping import MappedSettings, TimeColumn, mapped_observations
from sms_etl.sources.presets import with_preset
from sms_etl.sources.records import scan_pages
from sms_etl.sources.tables import CsvReading, read_table, with_decimal_commas
from sms_etl.sources.values import ISO


class DropFolderSettings(MappedSettings, CsvReading):
    """A folder and how the tables in it are written.

    `preset` names a mapping that is known already; what is given beside it goes before it.
    `late_days`: how many days before the times in a file its messages may have been submitted;
    callbacks come later than their messages. Without a heading for `message_id` an identifier is
    made of each row, with the key in `identifier_key` (see made_ids).
    """

    kind: Literal["drop_folder"]
    folder: Path
    preset: str | None = None
    late_days: Annotated[int, Field(ge=0, le=31)] = 0
    identifier_key: EnvSecret = EnvSecret("SMS_ETL_PSEUDONYM_KEY")

    time_columns: ClassVar[tuple[TimeColumn, ...]] = ("created_at", "sent_at", "updated_at")

    @model_validator(mode="before")
    @classmethod
    def _filled(cls, given: Any) -> Any:
        return with_preset(given) if isinstance(given, dict) else given

    @property
    def needed(self) -> frozenset[str]:
        """Our columns that must be mapped; an identifier can be made of a row instead."""
        made = () if "message_id" in self.columns else ("recipient",)
        return (super().needed - {"message_id"}) | set(made)


class DropFolder(Source):
    """Picks every file up once, by its checksum. Files are read and never changed or removed.

    Write files under another ending (such as .part) and rename them when they are whole.
    """

    kind: ClassVar[PullKind] = PullKind.DROP_FOLDER
    settings_type = DropFolderSettings
    facts = Facts(
        title="Drop folder: exports (CSV, XLSX) and stored callbacks (NDJSON)",
        window_filter="none; every file is landed once",
        history="what lies in the folder",
        look_back="a later file that holds a message again brings its later status",
        rate_limit="none",
        proof="its own tests; the simulated company's exports and callbacks are read back whole",
        missing="what the file lacks. A row without an identifier gets one made of its recipient, "
        "sender and time; rows of one file alike in these are told apart by their order, so two "
        "exports must hold them in the same order",
        reports="what is not mapped is 'unknown', and the data quality section says so; callbacks "
        "tell nothing of messages that had none, so messages without an outbox row are missing "
        "until their first callback",
        documents="docs/configuration.md; presets: sms_etl/sources/presets.toml",
        to_check="the headings and status words of the preset alphasms_xlsx (the cabinet's manual "
        "shows the columns in pictures only), and whether its price is of the message or of one "
        "SMS; all of the preset smsapi_callbacks; the substatuses of GMS; a wrong heading "
        "is refused with the headings there are, an unknown word is told in every report",
    )

    def __init__(self, name: str, settings: DropFolderSettings, base: Path) -> None:
        super().__init__(name)
        self.provider = settings.provider
        self._settings = settings
        self._folder = base / settings.folder

    def plan(self, days: Sequence[date], context: PullContext) -> Iterator[PullPlan]:
        """One pull per new file; which days it covers is said by the file's own time column.

        `days` is not looked at: a file is taken when it is there, whatever it holds. A file that
        cannot be read does not stop the others; all such files are named in one error at the end.

        Raises:
            PermanentSourceError: the folder or some files cannot be read.
        """
        return self._files.new(context)

    def read(self, pages: Sequence[LandedPage]) -> pl.LazyFrame:
        """Landed files as OBSERVATIONS by the mapping of the settings."""
        reading, key = self._reading, self._key()
        if key:
            columns = {**reading.columns, "message_id": MADE_ID}
            reading = reading.model_copy(update={"columns": columns})

        def decode(page: LandedPage, body: bytes) -> pl.DataFrame:
            frame = self._decoded(page.format, body)
            return with_made_ids(frame, reading, key) if key else frame

        return mapped_observations(scan_pages(pages, reading.headings, decode), reading)

    def check(self) -> list[CheckResult]:
        """Whether the folder can be listed, and identifiers be made if they must."""

        def try_out() -> None:
            dropped_files(self._folder, self.name)
            self._key()

        return [checked(f"source {self.name}", try_out, f"{self._folder} can be listed")]

    def _key(self) -> bytes | None:
        """The key of made identifiers; None where the files have identifiers."""
        settings = self._settings
        made = "message_id" not in settings.columns
        return settings.identifier_key.get().encode() if made else None

    @property
    def _reading(self) -> DropFolderSettings:
        """Typed cells of XLSX files come as ISO times, whatever the text cells look like."""
        formats = dict.fromkeys((*self._settings.time_formats, ISO))
        return self._settings.model_copy(update={"time_formats": tuple(formats)})

    @property
    def _files(self) -> DroppedFiles:
        settings = self._settings
        return DroppedFiles(
            self.name, self._folder, self._decoded, self._reading.utc, settings.time_heading,
            settings.late_days,
        )  # fmt: skip

    def _decoded(self, form: PageFormat, body: bytes) -> pl.DataFrame:
        frame = read_table(form, body, self._settings, self._settings.headings)
        price = self._settings.columns.get("price")
        if form is PageFormat.XLSX and price and self._settings.decimal == ",":
            return with_decimal_commas(frame, price)
        return frame
