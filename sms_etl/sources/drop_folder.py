"""A folder people and systems drop exports into: CSV, XLSX and NDJSON, plain, gzip or zip."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import polars as pl
from pydantic import Field, model_validator

from sms_etl.config.clock import now
from sms_etl.config.secrets import EnvSecret
from sms_etl.errors import PermanentSourceError
from sms_etl.sources.base import (
    CheckResult,
    Facts,
    LandedPage,
    Page,
    PageFormat,
    PullContext,
    PullKind,
    PullPlan,
    Source,
    checked,
)
from sms_etl.sources.files import Member, bytes_of, dropped_files, members
from sms_etl.sources.made_ids import MADE_ID, with_made_ids
from sms_etl.sources.mapping import MappedSettings, TimeColumn, mapped_observations
from sms_etl.sources.presets import with_preset
from sms_etl.sources.records import scan_pages
from sms_etl.sources.tables import CsvReading, read_table
from sms_etl.sources.values import ISO, blank_to_null

_PRICE_WITH_DOT = r"^[+-]?\d+\.\d+$"


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


@dataclass(frozen=True)
class _Table:
    member: Member
    records: int
    days: tuple[date, date] | None


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
        refused = []
        for path in dropped_files(self._folder, self.name):
            try:
                plan = self._plan_of(path, context)
            except (PermanentSourceError, OSError) as error:
                refused.append(f"{path}: {error}")
                continue
            if plan is not None:
                yield plan
        if refused:
            raise PermanentSourceError(
                f"{self.name}: {len(refused)} of the files cannot be read; the others were:\n"
                + "\n".join(refused)
            )

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

    def _plan_of(self, path: Path, context: PullContext) -> PullPlan | None:
        body = bytes_of(path)
        checksum = hashlib.sha256(body).hexdigest()
        if checksum in context.landed_checksums:
            return None
        tables = [self._table(member, context.zone.key) for member in members(path.name, body)]
        covered = [day for table in tables for day in table.days or ()]
        today = context.now.astimezone(context.zone).date()
        received = now()
        pages = [
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
        first, last = (min(covered), max(covered)) if covered else (today, today)
        return PullPlan(first, last, f"file {path.name}", iter(pages))

    def _table(self, member: Member, zone: str) -> _Table:
        try:
            frame = self._decoded(member.format, member.body)
        except PermanentSourceError as error:
            raise PermanentSourceError(f"{member.name}: {error}") from None
        text = blank_to_null(pl.col(self._settings.time_heading))
        day = self._reading.utc(text).dt.convert_time_zone(zone).dt.date()
        first, last = frame.select(day.min().alias("first"), day.max().alias("last")).row(0)
        if frame.height and first is None:
            raise PermanentSourceError(
                f"{member.name}: no time in column {self._settings.time_heading!r} can be read; "
                f"mend 'time_formats' in the settings"
            )
        earliest = first and first - timedelta(days=self._settings.late_days)
        return _Table(member, frame.height, None if first is None else (earliest, last))

    def _decoded(self, form: PageFormat, body: bytes) -> pl.DataFrame:
        frame = read_table(form, body, self._settings, self._settings.headings)
        price = self._settings.columns.get("price")
        if form is PageFormat.XLSX and price and self._settings.decimal == ",":
            cell = pl.col(price)
            with_comma = cell.str.replace(".", ",", literal=True)
            frame = frame.with_columns(
                pl.when(cell.str.contains(_PRICE_WITH_DOT)).then(with_comma).otherwise(cell)
            )
        return frame
