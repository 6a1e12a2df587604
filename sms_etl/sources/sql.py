"""A table or query of a database, and what gateways with a table of their own are made of.

Where a row is a part of a message, `part_of` is the column the parts share, and `message_id` one
that tells them apart. Where a row is an attempt of an order (Viber, then SMS), `order_id` is the
column the attempts share.
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


class MappedDatabase(MappedSettings, DatabaseSettings):
    """A database and what its columns mean; a gateway's own settings say both beforehand."""


class MappedSql(Source):
    """Reads the rows of each day by the declared time column.

    `more_headings` are columns that are read and landed beside the mapped ones.
    """

    kind: ClassVar[PullKind] = PullKind.SQL
    more_headings: ClassVar[tuple[str, ...]] = ()

    def __init__(self, name: str, settings: MappedDatabase, base: Path) -> None:
        super().__init__(name)
        self.provider = settings.provider
        self._settings = settings
        self._headings = list(dict.fromkeys((*settings.headings, *self.more_headings)))
        self._rows = Rows(
            name,
            settings,
            base,
            self._headings,
            settings.time_heading,
            settings.columns.get("part_of"),
        )

    def plan(self, days: Sequence[date], context: PullContext) -> Iterator[PullPlan]:
        """One pull per day; a day without rows is a pull without pages."""
        for day in sorted(days):
            if self.forgotten(day, context):
                continue
            window = day_window(day, context.zone)
            asked = f"{self._settings.time_heading} from {window.start} to {window.end}"
            yield PullPlan(day, day, asked, self._rows.pages(window))

    def read(self, pages: Sequence[LandedPage]) -> pl.LazyFrame:
        """Landed rows as OBSERVATIONS by the mapping of the settings."""
        return mapped_observations(scan_json(pages, self._headings), self._settings)

    def check(self) -> list[CheckResult]:
        """Connect and ask for no rows."""
        found = f"{self._settings.table or 'the query'} can be read"
        return [checked(f"source {self.name}", self._rows.try_out, found)]


class SqlSettings(MappedDatabase):
    """A database and what its columns mean."""

    kind: Literal["sql"]


class Sql(MappedSql):
    """A table or query that the settings describe."""

    settings_type = SqlSettings
    facts = Facts(
        title="Any SQL table of messages",
        window_filter="the mapped time column, half open, to the second",
        history="what the table holds",
        look_back="every day of the settling period is read again",
        rate_limit="none; one query a day",
        proof="contract suite on SQLite; its own tests; real PostgreSQL and MariaDB servers",
        missing="what the table lacks",
        reports="what is not mapped is 'unknown', and the data quality section says so",
        documents="docs/configuration.md",
    )
