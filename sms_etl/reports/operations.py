"""Figures of the operations report, from manifests, conservation, events and restatements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from sms_etl.days import day_window, days_between
from sms_etl.reports.operations_figures import (
    DayFates,
    LateCount,
    LateReceipts,
    Operations,
    Pulls,
    RestatedSource,
    SourceDays,
)
from sms_etl.restatement import Cause, Restatement
from sms_etl.sources.base import RETRIES, WAITED
from sms_etl.store.manifest import Manifest

LATE_HOURS = (0, 24, 72)
"""Hours after the end of the days of a report that late receipts are counted from."""


@dataclass(frozen=True)
class OperationsInputs:
    """What the operations report is made from; all for the business days of the report.

    `manifests` and `built` by source. `conservation` and `events` are CONSERVATION and EVENTS and
    may hold more days; so may `restatements`.
    """

    manifests: Mapping[str, Sequence[Manifest]]
    built: Mapping[str, Collection[date]]
    conservation: pl.LazyFrame
    events: pl.LazyFrame
    restatements: Sequence[Restatement]


def operations(inputs: OperationsInputs, days: tuple[date, date], zone: ZoneInfo) -> Operations:
    """Pulls, coverage, late receipts and restatements of every source, in order of name."""
    names = sorted(inputs.built)
    pulled = [(name, inputs.manifests.get(name, ())) for name in names]
    return Operations(
        pulls=tuple(_pulls(name, manifests) for name, manifests in pulled if manifests),
        days=_source_days(inputs, names, days_between(*days)),
        late=_late(inputs.events, days, zone),
        restated=_restated([one for one in inputs.restatements if days[0] <= one.day <= days[1]]),
    )


def _pulls(source: str, manifests: Sequence[Manifest]) -> Pulls:
    pages = [page for one in manifests for page in one.pages]
    seconds = [(one.finished_at - one.started_at).total_seconds() for one in manifests]
    return Pulls(
        source=source,
        count=len(manifests),
        pages=len(pages),
        records=sum(page.records for page in pages),
        seconds=round(sum(seconds), 1),
        slowest_seconds=round(max(seconds), 1),
        retries=sum(int(page.meta.get(RETRIES, 0)) for page in pages),
        waited_seconds=round(sum(float(page.meta.get(WAITED, 0)) for page in pages), 1),
        last_at=max(one.finished_at for one in manifests),
    )


def _source_days(
    inputs: OperationsInputs, names: Sequence[str], days: Sequence[date]
) -> tuple[SourceDays, ...]:
    counted = (
        inputs.conservation.filter(pl.col("day").is_between(days[0], days[-1]))
        .group_by("source", "day")
        .agg(
            messages=pl.col("records").filter(pl.col("fate") == "message").sum(),
            set_aside=pl.col("records").filter(pl.col("fate") == "quarantined").sum(),
        )
        .collect()
    )
    found = {(source, day): (n, aside) for source, day, n, aside in counted.iter_rows()}

    def fates(name: str, day: date) -> DayFates:
        messages, aside = found.get((name, day), (0, 0))
        built = day in inputs.built[name]
        return DayFates(day=day, built=built, messages=messages, set_aside=aside)

    return tuple(
        SourceDays(source=name, days=tuple(fates(name, day) for day in days)) for name in names
    )


def _late(
    events: pl.LazyFrame, days: tuple[date, date], zone: ZoneInfo
) -> tuple[LateReceipts, ...]:
    end = day_window(days[1], zone).end
    counted = (
        events.filter(pl.col("day").is_between(*days))
        .group_by("source")
        .agg(
            pl.col("messages").sum().alias("ended"),
            *(
                pl.col("messages")
                .filter(pl.col("event_hour") >= end + timedelta(hours=hours))
                .sum()
                .alias(str(hours))
                for hours in LATE_HOURS
            ),
        )
        .sort("source")
        .collect()
    )
    return tuple(
        LateReceipts(
            source=row["source"],
            ended=row["ended"],
            late=tuple(LateCount(hours=hours, messages=row[str(hours)]) for hours in LATE_HOURS),
        )
        for row in counted.iter_rows(named=True)
    )


def _restated(restatements: Sequence[Restatement]) -> tuple[RestatedSource, ...]:
    groups: defaultdict[tuple[str, str, str], list[Restatement]] = defaultdict(list)
    for one in restatements:
        groups[one.source, one.figure, one.currency].append(one)
    return tuple(
        RestatedSource(
            source=source,
            figure=figure,
            currency=currency,
            change=sum(one.now - one.then for one in group),
            days=len({one.day for one in group}),
            last_day=max(one.day for one in group),
            causes=tuple(cause for cause in Cause if any(cause in one.causes for one in group)),
        )
        for (source, figure, currency), group in sorted(groups.items())
    )
