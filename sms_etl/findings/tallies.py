"""Problems that need no statistics: dead numbers, words no dictionary knows, broken records."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import polars as pl

from sms_etl.days import day_window
from sms_etl.findings.cells import DEAD
from sms_etl.findings.tell import Report, finding_id
from sms_etl.findings.thresholds import Thresholds
from sms_etl.metrics.rate import Rate
from sms_etl.metrics.summary import SUBMITTED, costs_of, plain_rate
from sms_etl.reports.figures import Finding, FindingKind, SourceState

RECORDS = "records"
"""Denominator of the share of quarantined records."""


def dead_numbers(
    cube: pl.LazyFrame, usual: pl.LazyFrame, report: Report, limits: Thresholds
) -> list[Finding]:
    """Campaigns whose list holds many dead numbers; if none stands out, all messages together.

    The baseline of a campaign is every other message, the period's and the usual ones.
    """
    now, before = _by_campaign(cube), _by_campaign(usual)
    everything = pl.concat([now, before])
    found = []
    for row in now.sort("campaign").iter_rows(named=True):
        if _worth_cleaning(row["dead"], row["sent"], limits):
            scope = {"campaign": row["campaign"]}
            rest = everything.filter(pl.col("campaign") != row["campaign"])
            found.append(_dead(cube, scope, row["dead"], row["sent"], rest, report))
    if found:
        return found
    dead, sent = int(now["dead"].sum()), int(now["sent"].sum())
    if _worth_cleaning(dead, sent, limits):
        return [_dead(cube, {}, dead, sent, before, report)]
    return []


def unmapped_words(states: Sequence[SourceState], report: Report) -> list[Finding]:
    """Sources with status words or codes that no dictionary knows, however few.

    A message may carry an unmapped status and an unmapped code, so `affected` is bounded by the
    messages of the source.
    """
    found = []
    for state in states:
        affected = min(sum(state.unmapped.values()), state.messages)
        if affected:
            rate = plain_rate(affected, state.messages, SUBMITTED, report.as_of)
            found.append(_of_source(FindingKind.UNMAPPED_WORDS, state, rate, None, report))
    return found


def quarantined_records(states: Sequence[SourceState], report: Report) -> list[Finding]:
    """Sources with records that could not become messages, however few."""
    found = []
    for state in states:
        affected = sum(state.quarantined.values())
        if affected:
            rate = plain_rate(affected, state.records, RECORDS, report.as_of)
            reason = min(state.quarantined, key=lambda name: (-state.quarantined[name], name))
            found.append(_of_source(FindingKind.QUARANTINED, state, rate, reason, report))
    return found


def _worth_cleaning(dead: int, sent: int, limits: Thresholds) -> bool:
    return dead >= limits.dead_messages and dead >= limits.dead_share * sent


def _by_campaign(cube: pl.LazyFrame) -> pl.DataFrame:
    messages = pl.col("messages")
    return (
        cube.group_by("campaign")
        .agg(sent=messages.sum(), dead=messages.filter(DEAD).sum())
        .collect(engine="streaming")
    )


def _dead(
    cube: pl.LazyFrame,
    scope: dict[str, str],
    dead: int,
    sent: int,
    usual: pl.DataFrame,
    report: Report,
) -> Finding:
    rows = cube.filter(DEAD, *[pl.col(key) == value for key, value in scope.items()])
    reasons = (
        rows.group_by("reason")
        .agg(pl.col("messages").sum())
        .sort("messages", "reason", descending=[True, False])
        .collect(engine="streaming")
    )
    start, end = (
        rows.select(start=pl.col("hour").min(), end=pl.col("hour").max().dt.offset_by("1h"))
        .collect(engine="streaming")
        .row(0)
    )
    usual_dead, usual_sent = int(usual["dead"].sum()), int(usual["sent"].sum())
    share = usual_dead / usual_sent if usual_sent else 0.0
    excess = round(dead - sent * share)
    kind = FindingKind.DEAD_NUMBERS
    return Finding(
        id=finding_id(kind, scope, report.first),
        kind=kind,
        scope=scope,
        start=start,
        end=end,
        messages=sent,
        affected=dead,
        excess=excess,
        rate=plain_rate(dead, sent, SUBMITTED, report.as_of),
        baseline=plain_rate(usual_dead, usual_sent, SUBMITTED, report.as_of)
        if usual_sent
        else None,
        main_reason=reasons["reason"][0],
        cost=costs_of(rows),
        severity=report.severity(kind, dead),
    )


def _of_source(
    kind: FindingKind, state: SourceState, rate: Rate, reason: str | None, report: Report
) -> Finding:
    scope = {"source": state.source}
    return Finding(
        id=finding_id(kind, scope, report.first),
        kind=kind,
        scope=scope,
        start=_window(report)[0],
        end=_window(report)[1],
        messages=rate.denominator,
        affected=rate.numerator,
        excess=rate.numerator,
        rate=rate,
        baseline=None,
        main_reason=reason,
        cost=(),
        severity=report.severity(kind, rate.numerator),
    )


def _window(report: Report) -> tuple[datetime, datetime]:
    zone = ZoneInfo(report.zone)
    return day_window(report.first, zone).start, day_window(report.last, zone).end
