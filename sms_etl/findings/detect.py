"""All findings of a report, the gravest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from sms_etl.findings.cells import delivery_cells, hourly, hourly_times, receipt_cells, slot_sums
from sms_etl.findings.explain import find_separate_problems
from sms_etl.findings.tallies import dead_numbers, quarantined_records, unmapped_words
from sms_etl.findings.tell import (
    Report,
    is_block,
    tell_drop,
    tell_missing_receipts,
    tell_slow,
)
from sms_etl.findings.thresholds import THRESHOLDS, Thresholds
from sms_etl.metrics.summary import AsOf
from sms_etl.reports.figures import Finding, SourceState


@dataclass(frozen=True)
class Evidence:
    """What findings are drawn from: CUBE and LATENCY with local time, and the sources' states.

    `usual_cube` and `usual_latency` tell only what is normal; they may be empty.
    """

    cube: pl.LazyFrame
    latency: pl.LazyFrame
    usual_cube: pl.LazyFrame
    usual_latency: pl.LazyFrame
    sources: Sequence[SourceState]


def find_problems(
    evidence: Evidence,
    first: date,
    last: date,
    zone: str,
    as_of: AsOf,
    limits: Thresholds = THRESHOLDS,
) -> tuple[Finding, ...]:
    """Findings of the days `first` to `last` of `zone`, in order of severity, then identifier."""
    hours = hourly(evidence.cube, evidence.usual_cube)
    slow, speed = hourly_times(evidence.latency, evidence.usual_latency, limits)
    submitted = int(hours.filter(~pl.col("usual"))["messages"].sum())
    report = Report(first, last, zone, submitted, as_of)
    sums = slot_sums(hours)
    drops = find_separate_problems(
        delivery_cells(sums), limits.step, zone, limits, lambda problem: is_block(hours, problem)
    )
    receipts = receipt_cells(hours, sums, speed, as_of, limits)
    silent = find_separate_problems(receipts, limits.coverage_step, zone, limits)
    late = find_separate_problems(slow, limits.slow_step, zone, limits)
    found = [
        *[tell_drop(hours, problem, report) for problem in drops],
        *[tell_missing_receipts(hours, receipts, problem, report) for problem in silent],
        *[tell_slow(slow, problem, report) for problem in late],
        *dead_numbers(evidence.cube, evidence.usual_cube, report, limits),
        *unmapped_words(evidence.sources, report),
        *quarantined_records(evidence.sources, report),
    ]
    return tuple(sorted(found, key=lambda finding: (-finding.severity, finding.id)))
