"""What happened on a day, whichever day it was sent: counts by the day of the final status."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import polars as pl

from sms_etl.model.vocabulary import StatusClass
from sms_etl.reports.figures import EventDay

TOLD = (StatusClass.DELIVERED, StatusClass.FAILED, StatusClass.REJECTED)
"""Classes that an event brings about; silence has no moment."""


def event_days(events: pl.LazyFrame, days: Sequence[date], zone: str) -> tuple[EventDay, ...]:
    """Every day with what ended on it; empty where no end has a time.

    Args:
        events: EVENTS rows; what was sent before the first of them is not counted.
        days: Calendar days of `zone`, ascending.
        zone: Reader's time zone, at whole hours from UTC.
    """
    counted = (
        events.with_columns(local_day=pl.col("event_hour").dt.convert_time_zone(zone).dt.date())
        .filter(pl.col("local_day").is_in(list(days)))
        .group_by("local_day")
        .agg(
            pl.col("messages").filter(pl.col("status_class") == name).sum().alias(name)
            for name in TOLD
        )
        .collect(engine="streaming")
    )
    found = {row.pop("local_day"): row for row in counted.iter_rows(named=True)}
    if not found:
        return ()
    return tuple(
        EventDay(day=day, **{name.value: found.get(day, {}).get(name, 0) for name in TOLD})
        for day in days
    )
