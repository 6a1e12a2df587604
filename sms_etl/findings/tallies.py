"""Problems that need no statistics: dead numbers, words no dictionary knows, broken records."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from sms_etl.days import day_window
from sms_etl.findings.cells import DEAD, with_usual
from sms_etl.findings.explain import in_scope
from sms_etl.findings.tell import Report, finding_id
from sms_etl.findings.thresholds import Thresholds
from sms_etl.metrics.rate import Rate
from sms_etl.metrics.summary import SUBMITTED, costs_of, plain_rate
from sms_etl.reports.figures import Finding, FindingKind, SourceState

RECORDS = "records"
"""Denominator of the share of quarantined records."""

_HOUR = timedelta(hours=1)


def dead_numbers(
    cube: pl.LazyFrame, usual: pl.LazyFrame, report: Report, limits: Thresholds
) -> list[Finding]:
    """One finding when lists hold many dead numbers: of all messages, or of the one campaign.

    The baseline of all messages is the usual ones, of a campaign every other message.
    """
    now, before = _by_campaign(cube, usual)
    dead, sent = _sums(now)
    lists = [row for row in now.iter_rows(named=True) if _worth_cleaning(row, limits)]
    if not lists and not _worth_cleaning({"dead": dead, "sent": sent}, limits):
        return []
    culprit = _culprit(lists, now, before, limits)
    if culprit is None:
        return [_dead(cube, {}, (dead, sent), _sums(before), report)]
    counts = (culprit["dead"], culprit["sent"])
    usual_counts = _sums(_others(culprit, now, before))
    return [_dead(cube, {"campaign": culprit["campaign"]}, counts, usual_counts, report)]


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


def _worth_cleaning(row: dict[str, Any], limits: Thresholds) -> bool:
    return bool(
        row["dead"] >= limits.dead_messages and row["dead"] >= limits.dead_share * row["sent"]
    )


def _culprit(
    lists: Sequence[dict[str, Any]], now: pl.DataFrame, before: pl.DataFrame, limits: Thresholds
) -> dict[str, Any] | None:
    """The campaign that holds nearly all the excess while the other campaigns are much cleaner."""
    dead, sent = _sums(now)
    for row in lists:
        other_dead, other_sent = dead - row["dead"], sent - row["sent"]
        if other_sent == 0:
            continue
        usual_dead, usual_sent = _sums(_others(row, now, before))
        usual = usual_dead / usual_sent
        most = row["dead"] - usual * row["sent"] >= limits.explains * (dead - usual * sent)
        if most and other_dead / other_sent <= limits.clean_rest * row["dead"] / row["sent"]:
            return row
    return None


def _others(row: dict[str, Any], now: pl.DataFrame, before: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([now, before]).filter(pl.col("campaign") != row["campaign"])


def _by_campaign(cube: pl.LazyFrame, usual: pl.LazyFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Dead and sent of every campaign, most dead first: the current rows and the usual ones."""
    messages = pl.col("messages")
    rows = (
        with_usual(cube, usual)
        .group_by("usual", "campaign")
        .agg(sent=messages.sum(), dead=messages.filter(DEAD).sum())
        .sort("dead", "campaign", descending=[True, False])
        .collect(engine="streaming")
    )
    return rows.filter(~pl.col("usual")), rows.filter(pl.col("usual"))


def _sums(rows: pl.DataFrame) -> tuple[int, int]:
    """Dead and sent of some campaigns."""
    return int(rows["dead"].sum()), int(rows["sent"].sum())


def _dead(
    cube: pl.LazyFrame,
    scope: dict[str, str],
    counts: tuple[int, int],
    usual: tuple[int, int],
    report: Report,
) -> Finding:
    rows = _dead_rows(cube, scope)
    reasons = (
        rows.group_by("reason")
        .agg(pl.col("messages").sum())
        .sort("messages", "reason", descending=[True, False])
    )
    start, last = rows.select(start=pl.col("hour").min(), last=pl.col("hour").max()).row(0)
    dead, sent = counts
    usual_dead, usual_sent = usual
    share = usual_dead / usual_sent if usual_sent else 0.0
    kind = FindingKind.DEAD_NUMBERS
    return Finding(
        id=finding_id(kind, scope, report.first),
        kind=kind,
        scope=scope,
        start=start,
        end=last + _HOUR,
        messages=sent,
        affected=dead,
        excess=round(dead - sent * share),
        rate=plain_rate(dead, sent, SUBMITTED, report.as_of),
        baseline=plain_rate(usual_dead, usual_sent, SUBMITTED, report.as_of)
        if usual_sent
        else None,
        main_reason=reasons["reason"][0],
        cost=costs_of(rows.lazy()),
        severity=report.severity(kind, dead),
    )


def _dead_rows(cube: pl.LazyFrame, scope: dict[str, str]) -> pl.DataFrame:
    """Messages to dead numbers by hour and reason, with their money."""
    return (
        cube.filter(DEAD, in_scope(scope))
        .group_by("hour", "reason", "status_class", "currency")
        .agg(pl.col("messages", "cost_micro", "messages_with_cost").sum())
        .collect(engine="streaming")
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
