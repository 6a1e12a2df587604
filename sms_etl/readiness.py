"""Whether the data of a report is there: every source, every day, whole."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from sms_etl.days import days_between
from sms_etl.model.schemas import CONSERVATION, RECONCILIATION_DAYS
from sms_etl.model.vocabulary import Silence
from sms_etl.project import Project

BROKEN_SILENCES = (Silence.PROVIDER_EMPTY, Silence.RECORDS_UNREADABLE)
"""An answer without messages that is known to be wrong: there were some."""

_DAY = timedelta(days=1)
_INSTANT = timedelta(microseconds=1)
_LISTED_DAYS = 10


@dataclass(frozen=True)
class Missing:
    """Days of one source that a report cannot do without, and why they do not count."""

    source: str
    why: str
    days: tuple[date, ...]

    def text(self) -> str:
        """One line for the owner."""
        listed = ", ".join(map(str, self.days[:_LISTED_DAYS]))
        more = len(self.days) - _LISTED_DAYS
        return f"{self.source}: {self.why}: {listed}{f' and {more} more' if more > 0 else ''}"


def missing_data(
    project: Project,
    first_day: date,
    last_day: date,
    zone: ZoneInfo,
    sources: Collection[str] = (),
) -> tuple[Missing, ...]:
    """What is missing of some days, by source; nothing if a report may go out.

    A business day is there once it was pulled after it was over (or after the last of the days
    was), and built, and the outbox does not contradict an answer without messages.

    Args:
        project: the deployment.
        first_day: first day in `zone`; business days before the project's first are left out.
        last_day: last day in `zone`.
        zone: of the reader.
        sources: only of these; all if empty.
    """
    business = project.settings.project.zone
    start = datetime.combine(first_day, time.min, zone)
    end = datetime.combine(last_day + _DAY, time.min, zone).astimezone(UTC)
    first = max(start.astimezone(business).date(), project.settings.project.first_day)
    last = (end - _INSTANT).astimezone(business).date()
    over = {
        day: min(end, datetime.combine(day + _DAY, time.min, business).astimezone(UTC))
        for day in days_between(first, last)
    }
    if not over:
        return ()
    names = [name for name in project.source_names if not sources or name in sources]
    return tuple(one for name in names for one in _of_source(project, name, over))


def _of_source(project: Project, name: str, over: Mapping[date, datetime]) -> list[Missing]:
    span = (min(over), max(over))
    pulled = _last_pulls(project, name, list(over))
    built = _days(project.lake.scan(CONSERVATION, *span, [name]))
    contradicted = _days(
        project.lake.scan(RECONCILIATION_DAYS, *span, [name]).filter(
            pl.col("silence").is_in([silence.value for silence in BROKEN_SILENCES])
        )
    )
    reasons: dict[str, list[date]] = {}
    for day, end in over.items():
        if day not in pulled:
            reasons.setdefault("not pulled", []).append(day)
        elif pulled[day] < end:
            reasons.setdefault("pulled before it was over", []).append(day)
        elif day not in built:
            reasons.setdefault("pulled, not built", []).append(day)
        elif day in contradicted:
            reasons.setdefault("no messages, though the outbox has some", []).append(day)
    return [Missing(name, why, tuple(held)) for why, held in reasons.items()]


def _days(rows: pl.LazyFrame) -> set[date]:
    return set(rows.select(pl.col("day").unique()).collect()["day"])


def _last_pulls(project: Project, name: str, days: Sequence[date]) -> dict[date, datetime]:
    """When each day was pulled last; days never pulled are left out."""
    wanted = set(days)
    found: dict[date, datetime] = {}
    for manifest in project.landing.manifests(name, days):
        for day in wanted.intersection(days_between(manifest.first_day, manifest.last_day)):
            found[day] = max(found.get(day, manifest.started_at), manifest.started_at)
    return found
