"""A table or query of a database: gateways that log to SQL, TurboSMS's SQL gateway, own tables.

Where a row is a part of a message (Gammu SMSD's `sentitems`, one row per ID and
SequencePosition: gammu docs/manual/smsd/tables.rst), map both `message_id` and `part_of` to the
column the parts share.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import ClassVar, Literal

import polars as pl

from sms_etl.days import day_window
from sms_etl.sources.base import (
    CheckResult,
    Facts,
    LandedPage,
    PullContext,
    PullKind,
    PullPlan,
    Source,
    checked,
)
from sms_etl.sources.database import DatabaseSettings, Rows
from sms_etl.sources.mapping import MappedSettings, mapped_observations
from sms_etl.sources.records import scan_json


class SqlSettings(MappedSettings, DatabaseSettings):
    """A database and what its columns mean."""

    kind: Literal["sql"]


class Sql(Source):
    """Reads the rows of each day by the declared time column."""

    kind: ClassVar[PullKind] = PullKind.SQL
    settings_type = SqlSettings
    facts = Facts(
        title="Any SQL table of messages",
        window_filter="the mapped time column, half open, to the second",
        history="what the table holds",
        look_back="every day of the settling period is read again",
        rate_limit="none; one query a day",
        proof="its own tests; SQLite, and a real PostgreSQL server",
        missing="what the table lacks",
        reports="what is not mapped is 'unknown', and the data quality section says so",
        documents="docs/configuration.md",
    )

    def __init__(self, name: str, settings: SqlSettings, base: Path) -> None:
        super().__init__(name)
        self.provider = settings.provider
        self._settings = settings
        self._rows = Rows(
            name,
            settings,
            base,
            settings.headings,
            settings.time_heading,
            settings.columns.get("part_of"),
        )

    def plan(self, days: Sequence[date], context: PullContext) -> Iterator[PullPlan]:
        """One pull per day; a day without rows is a pull without pages."""
        for day in sorted(days):
            window = day_window(day, context.zone)
            asked = f"{self._settings.time_heading} from {window.start} to {window.end}"
            yield PullPlan(day, day, asked, self._rows.pages(window))

    def read(self, pages: Sequence[LandedPage]) -> pl.LazyFrame:
        """Landed rows as OBSERVATIONS by the mapping of the settings."""
        return mapped_observations(scan_json(pages, self._settings.headings), self._settings)

    def check(self) -> list[CheckResult]:
        """Connect and ask for no rows."""
        found = f"{self._settings.table or 'the query'} can be read"
        return [checked(f"source {self.name}", self._rows.try_out, found)]
