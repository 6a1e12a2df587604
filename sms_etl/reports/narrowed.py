"""The lake as a report of some messages sees it: every table cut in one place.

A table that has the dimensions asked for is cut by them. One that lacks some is counted again
from the messages, or is told of whole sources, or is empty: a figure that cannot be cut is left
out, never told of more messages than the report is of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from sms_etl.cube import count_events
from sms_etl.encoding import build_encoding
from sms_etl.metrics.cohort import CAMPAIGN, Asked, only
from sms_etl.model.schemas import (
    ASKED,
    CONSERVATION,
    ENCODING,
    EVENTS,
    MESSAGES,
    UNMAPPED,
    Table,
)
from sms_etl.store.lake import Lake

SOURCE = "source"

OF_WHOLE_SOURCES = (CONSERVATION.name, UNMAPPED.name)
"""Accounts of what was landed: they know no dimension but the source."""

COUNTED_AGAIN: Mapping[str, Callable[[pl.LazyFrame], pl.LazyFrame]] = {
    EVENTS.name: count_events,
    ENCODING.name: lambda messages: build_encoding(messages).lazy(),
}
"""Sums of messages that lack dimensions, and how they are made of messages."""

KNOWN: Mapping[str, frozenset[str]] = {ASKED.name: frozenset({CAMPAIGN})}
"""Dimensions that a table knows, where it has a column that does not always tell the truth: what
was skipped went through no source."""


@dataclass(frozen=True)
class NarrowedLake:
    """Reads the lake for a report of the messages that were asked for.

    `rows`: whether retention has left the messages; without them what must be counted again is
    empty.
    """

    lake: Lake
    asked: Asked
    rows: bool = True

    def knows(self, table: Table) -> bool:
        """Whether a table can be cut by all that was asked for."""
        return set(self.asked) <= KNOWN.get(table.name, frozenset(table.names))

    def scan(
        self, table: Table, first: date | None = None, last: date | None = None
    ) -> pl.LazyFrame:
        """A table of some days (both included), cut to what was asked for."""
        found = self.lake.scan(table, first, last)
        if self.knows(table):
            return only(found, self.asked)
        if table.name in OF_WHOLE_SOURCES:
            return only(found, {k: v for k, v in self.asked.items() if k == SOURCE})
        if table.name in COUNTED_AGAIN and self.rows:
            return COUNTED_AGAIN[table.name](
                only(self.lake.scan(MESSAGES, first, last), self.asked)
            )
        return table.empty().lazy()
