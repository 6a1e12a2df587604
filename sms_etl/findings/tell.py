"""From a problem to a finding: the counts, rates, reason and money behind it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import polars as pl

from sms_etl.findings.cells import DROPPED, MISSING
from sms_etl.findings.explain import Problem, start_day
from sms_etl.metrics.reasons import BLOCKING_REASONS
from sms_etl.metrics.summary import (
    AsOf,
    Counts,
    class_sums,
    costs_of,
    coverage_rate,
    delivery_rate,
    plain_rate,
)
from sms_etl.model.vocabulary import Reason
from sms_etl.reports.figures import Finding, FindingKind

TIMED = "delivered_with_time"
"""Denominator of the share of slow deliveries."""

WEIGHTS: Mapping[FindingKind, float] = {
    FindingKind.DELIVERY_DROP: 1.0,
    FindingKind.SENDER_BLOCKED: 1.0,
    FindingKind.RECEIPTS_MISSING: 0.5,  # most of them did arrive
    FindingKind.DEAD_NUMBERS: 0.5,  # nothing was lost but money
    FindingKind.SLOW_DELIVERY: 0.3,  # they arrived
    FindingKind.UNMAPPED_WORDS: 0.3,  # figures are counted, only unnamed
    FindingKind.QUARANTINED: 0.3,
}
"""How much one message of a kind weighs in the order of findings."""

_HOUR = timedelta(hours=1)
_ID_LENGTH = 16


@dataclass(frozen=True)
class Report:
    """What all findings of a report share; `submitted` scales their severity."""

    first: date
    last: date
    zone: str
    submitted: int
    as_of: AsOf

    def severity(self, kind: FindingKind, excess: int) -> float:
        """Weighted share of the report's messages that went wrong beyond the usual, 0..1."""
        share = max(0, excess) / max(1, self.submitted)
        return round(min(1.0, share) * WEIGHTS[kind], 6)


def finding_id(kind: FindingKind, scope: dict[str, str], day: date) -> str:
    """Stable identifier: the same problem keeps it when the report is made again."""
    text = json.dumps([kind, sorted(scope.items()), day.isoformat()], ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:_ID_LENGTH]


def counts_of(rows: pl.DataFrame) -> Counts:
    """Counts of hourly rows."""
    return Counts(**rows.select(*class_sums()).row(0, named=True))


def main_reason(hours: pl.DataFrame, problem: Problem, bad: pl.Expr) -> str | None:
    """The reason that grew most over its usual share in the slice."""
    mine = hours.filter(problem.mine)
    inside = problem.inside
    messages = pl.col("messages")
    now, before = (
        mine.select(now=messages.filter(inside).sum(), before=messages.filter(~inside).sum())
        .row(0)
    )  # fmt: skip
    grown = (
        mine.filter(bad, pl.col("reason").is_not_null())
        .group_by("reason")
        .agg(
            growth=messages.filter(inside).sum()
            - messages.filter(~inside).sum() * (now / max(1, before))
        )
        .sort("growth", "reason", descending=[True, False])
    )
    return grown["reason"][0] if grown.height else None


def is_block(hours: pl.DataFrame, problem: Problem) -> bool:
    """Whether a sender is kept out: told of a sender, and the main reason is a block."""
    return "sender" in problem.scope and main_reason(hours, problem, DROPPED) in BLOCKING_REASONS


def tell_drop(hours: pl.DataFrame, problem: Problem, report: Report) -> Finding:
    """DELIVERY_DROP, or SENDER_BLOCKED where a network keeps a sender out."""
    rows, usual = hours.filter(problem.inside), hours.filter(problem.mine & ~problem.inside)
    bad = rows.filter(DROPPED)
    counts = counts_of(rows)
    blocked = is_block(hours, problem)
    kind = FindingKind.SENDER_BLOCKED if blocked else FindingKind.DELIVERY_DROP
    return Finding(
        **_head(kind, problem, report),
        messages=counts.submitted,
        affected=int(bad["messages"].sum()),
        rate=delivery_rate(counts, report.as_of),
        baseline=delivery_rate(counts_of(usual), report.as_of),
        main_reason=main_reason(hours, problem, DROPPED),
        cost=costs_of(bad.lazy()),
    )


def tell_missing_receipts(
    hours: pl.DataFrame, cells: pl.DataFrame, problem: Problem, report: Report
) -> Finding:
    """RECEIPTS_MISSING. The baseline leaves out hours too young to have all their receipts."""
    judged = hours.join(cells.select("usual", "hour").unique(), on=["usual", "hour"], how="semi")
    rows, usual = judged.filter(problem.inside), judged.filter(problem.mine & ~problem.inside)
    settled = pl.lit(report.as_of.moment) - pl.col("hour") >= timedelta(
        hours=report.as_of.silence_hours
    )
    old = usual.filter(settled)
    bad = rows.filter(MISSING)
    counts = counts_of(rows)
    return Finding(
        **_head(FindingKind.RECEIPTS_MISSING, problem, report),
        messages=counts.submitted,
        affected=int(bad["messages"].sum()),
        rate=coverage_rate(counts, report.as_of),
        baseline=coverage_rate(counts_of(old if old.height else usual), report.as_of),
        main_reason=main_reason(judged, problem, MISSING) or Reason.NO_RECEIPT,
        cost=costs_of(bad.lazy()),
    )


def tell_slow(cells: pl.DataFrame, problem: Problem, report: Report) -> Finding:
    """SLOW_DELIVERY."""
    rows, usual = cells.filter(problem.inside), cells.filter(problem.mine & ~problem.inside)
    messages, affected = int(rows["n"].sum()), int(rows["bad"].sum())
    return Finding(
        **_head(FindingKind.SLOW_DELIVERY, problem, report),
        messages=messages,
        affected=affected,
        rate=plain_rate(affected, messages, TIMED, report.as_of),
        baseline=plain_rate(int(usual["bad"].sum()), int(usual["n"].sum()), TIMED, report.as_of),
        main_reason=None,
        cost=(),
    )


def _head(kind: FindingKind, problem: Problem, report: Report) -> dict[str, object]:
    start = problem.windows[0][0]
    excess = round(problem.excess)
    return {
        "id": finding_id(kind, problem.scope, start_day(start, report.zone)),
        "kind": kind,
        "scope": problem.scope,
        "start": start,
        "end": _end(problem),
        "excess": excess,
        "severity": report.severity(kind, excess),
    }


def _end(problem: Problem) -> datetime:
    return max(end for _, end in problem.windows) + _HOUR
