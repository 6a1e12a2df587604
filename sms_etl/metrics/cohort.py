"""The messages a report is about, for figures that are counted from rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from sms_etl.metrics.rate import Rate, counted_share


@dataclass(frozen=True)
class Cohort:
    """Messages submitted on some days of a zone, of one campaign or of all.

    `label` names a campaign in the language of the report; `as_of` is when the data was last
    refreshed (UTC).
    """

    days: tuple[date, date]
    zone: str
    as_of: datetime
    campaign: str | None = None
    label: Callable[[str], str] = str

    def of(self, messages: pl.LazyFrame, at: str = "submitted_at") -> pl.LazyFrame:
        """Those rows of a table with `campaign` and a time that are the cohort's."""
        local_day = pl.col(at).dt.convert_time_zone(self.zone).dt.date()
        inside = messages.filter(local_day.is_between(*self.days))
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
