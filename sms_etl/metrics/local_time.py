"""Days and hours of the reader's time zone, from the UTC hours of the cube."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from sms_etl.days import day_window
from sms_etl.errors import ConfigError

_HOUR = timedelta(hours=1)


def require_whole_hours(zone: str, first: date, last: date) -> None:
    """Refuse a zone whose offset is not whole hours in the period.

    Raises:
        ConfigError: The cube keeps UTC hours, so days of such a zone would cut them.
    """
    start = day_window(first, ZoneInfo(zone)).start
    end = day_window(last, ZoneInfo(zone)).end
    for moment in _every_day(start, end):
        offset = moment.astimezone(ZoneInfo(zone)).utcoffset()
        if offset is None or offset % _HOUR:
            raise ConfigError(
                f"Reports cannot be made in the time zone {zone}: on {moment.date()} it is"
                f" {offset} from UTC, and figures are kept by whole UTC hours."
                " Choose a zone with a whole-hour offset for this subscription."
            )


def with_local_time(frame: pl.LazyFrame, zone: str) -> pl.LazyFrame:
    """Add `local_day` (Date), `weekday` (1 = Monday) and `local_hour` of the UTC column `hour`."""
    local = pl.col("hour").dt.convert_time_zone(zone)
    return frame.with_columns(
        local_day=local.dt.date(), weekday=local.dt.weekday(), local_hour=local.dt.hour()
    )


def _every_day(start: datetime, end: datetime) -> list[datetime]:
    days = (end - start).days + 1
    return [start.astimezone(UTC) + timedelta(days=n) for n in range(days + 1)]
