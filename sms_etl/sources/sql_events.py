"""Clicks, replies, opt-outs, orders or consents in a table of the user's database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import ClassVar, Literal

import polars as pl

from sms_etl.days import day_window
from sms_etl.sources.base import (
    EngagementOnly,
    Facts,
    LandedPage,
    PullContext,
    PullKind,
    PullPlan,
    Stream,
)
from sms_etl.sources.database import DatabaseSettings, Rows
from sms_etl.sources.event_mapping import MappedEvents, mapped_events
from sms_etl.sources.records import scan_json


class SqlEventsSettings(MappedEvents, DatabaseSettings):
    """A database and what its columns mean. The query of a list needs no :start and :end."""

    kind: Literal["sql_events"]

    @property
    def by_time(self) -> bool:
        """A list is read whole."""
        return not self.whole_list


class SqlEvents(EngagementOnly):
    """Reads the rows of each day by their time, or the whole list as it stands."""

    kind: ClassVar[PullKind] = PullKind.SQL
    provider = "sql_events"
    settings_type = SqlEventsSettings
    facts = Facts(
        title="Any SQL table of clicks, replies, opt-outs, orders or consents (no messages)",
        window_filter="the column mapped to `at`, half open, to the second; opt-outs and consents "
        "are read whole",
        history="what the table holds",
        look_back="every day of the settling period is read again",
        rate_limit="none; one query a day",
        proof="its own suite for every stream, on SQLite; databases are read as by `sql`",
        missing="what the table lacks; an order whose time changes to another day is on both days",
        reports="events without a message are tied by person, contact, link, campaign or promo "
        "code; what can be tied by none is counted as such",
        documents="docs/configuration.md",
    )

    def __init__(self, name: str, settings: SqlEventsSettings, base: Path) -> None:
        super().__init__(name)
        self._settings = settings
        self._rows = Rows(name, settings, base, settings.headings, settings.time_heading)

    def streams(self) -> tuple[Stream, ...]:
        """The one that the settings name."""
        settings = self._settings
        return (
            Stream(
                kind=settings.stream,
                plan=self._plan,
                read=self._read,
                try_out=self._rows.try_out,
                allowed=f"{settings.table or 'the query'} can be read",
                whole_list=settings.whole_list,
            ),
        )

    def _plan(self, days: Sequence[date], context: PullContext) -> Iterator[PullPlan]:
        """One pull per day; of a list one pull for the last day."""
        settings = self._settings
        whole = settings.whole_list
        for day in [max(days)] if whole and days else sorted(days):
            window = day_window(day, context.zone)
            span = f"{settings.time_heading} from {window.start} to {window.end}"
            asked = "the whole list" if whole else span
            yield PullPlan(day, day, asked, self._rows.pages(window))

    def _read(self, pages: Sequence[LandedPage]) -> pl.LazyFrame:
        return mapped_events(scan_json(pages, self._settings.headings), self._settings)
