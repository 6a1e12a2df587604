"""The messages a report is about, for figures that are counted from rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from sms_etl.metrics.rate import Rate, counted_share

CAMPAIGN = "campaign"

Asked = Mapping[str, Sequence[str]]
"""Dimension -> values, of which a message must have one each."""


def only(rows: pl.LazyFrame, asked: Asked) -> pl.LazyFrame:
    """Rows that have one of the values asked for in every dimension asked for."""
    for name, values in asked.items():
        rows = rows.filter(pl.col(name).is_in(list(values)))
    return rows


@dataclass(frozen=True)
class Cohort:
    """Messages submitted on some days of a zone, of one campaign or of all.

    `label` names a campaign in the language of the report; `as_of` is when the data was last
    refreshed (UTC); `asked` is what else the messages must have.
    """

    days: tuple[date, date]
    zone: str
    as_of: datetime
    campaign: str | None = None
    label: Callable[[str], str] = str
    asked: Asked = field(default_factory=dict)

    def of(self, messages: pl.LazyFrame) -> pl.LazyFrame:
        """Those rows of MESSAGES that are the cohort's."""
        return only(self._inside(messages, "submitted_at"), self.asked)

    def of_campaigns(self, rows: pl.LazyFrame, at: str) -> pl.LazyFrame:
        """Those rows of a table that knows a campaign and a time only; `at` names its time.

        None of them is surely the cohort's if more than a campaign was asked for.
        """
        if set(self.asked) - {CAMPAIGN}:
            return rows.clear()
        return only(self._inside(rows, at), self.asked)

    def _inside(self, rows: pl.LazyFrame, at: str) -> pl.LazyFrame:
        local_day = pl.col(at).dt.convert_time_zone(self.zone).dt.date()
        inside = rows.filter(local_day.is_between(*self.days))
        return inside if self.campaign is None else inside.filter(campaign=self.campaign)

    @property
    def end(self) -> datetime:
        """The moment its last day is over."""
        following = self.days[1] + timedelta(days=1)
        return datetime.combine(following, time.min, ZoneInfo(self.zone))

    def rate(self, numerator: int, denominator: int, name: str, horizon: timedelta) -> Rate:
        """A share that may rise until `horizon` after the last message."""
        return counted_share(
            numerator, denominator, name, self.as_of, mature=self.as_of >= self.end + horizon
        )
