"""Three silences that look alike in a report, told apart for every day of a source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import polars as pl

from sms_etl.model.schemas import RECONCILIATION_DAYS
from sms_etl.model.vocabulary import Silence, StatusClass

USUAL_DAYS = 14
"""Days before a day that say what is usual."""

ENOUGH_MESSAGES = 30
"""Fewer messages say nothing of receipts."""

HOURS_TO_ANSWER = 6
"""Messages younger than this at the last pull are not asked whether they have a final state."""

USUALLY_FINAL = 0.5
"""Where fewer messages usually get a final state, their absence is not news."""

STOPPED_SHARE = 0.2
"""Receipts stopped when the share of final states falls below this part of the usual."""

FINAL = [c.value for c in (StatusClass.DELIVERED, StatusClass.FAILED, StatusClass.REJECTED)]


@dataclass(frozen=True)
class Landed:
    """What was landed for a day: records, and how many of them were set aside."""

    records: int
    quarantined: int


@dataclass(frozen=True)
class DaySides:
    """What is known of the days of a source.

    `outbox_days`, `line_days`: a day for every outbox row that was submitted and every invoice
    line. `messages`: MESSAGES, USUAL_DAYS before the first day included. `landed`: days that were
    pulled. `last_pull`: when the source was last asked.
    """

    outbox_days: pl.Series
    line_days: pl.Series
    messages: pl.DataFrame
    landed: Mapping[date, Landed]
    outbox_covers: bool
    last_pull: datetime | None


@dataclass(frozen=True)
class _Receipts:
    messages: int
    old: int
    old_final: int
    final: int


def day_rows(source: str, days: Sequence[date], sides: DaySides) -> pl.DataFrame:
    """RECONCILIATION_DAYS of these days, each with its silence."""
    asked, billed = _counts(sides.outbox_days), _counts(sides.line_days)
    receipts = _receipts(sides)
    rows = []
    for day in sorted(days):
        mine = receipts.get(day, _Receipts(0, 0, 0, 0))
        usual = _usual(receipts, day)
        landed = sides.landed.get(day)
        rows.append(
            {
                "day": day,
                "source": source,
                "silence": _silence(asked.get(day, 0), mine, usual, landed, sides).value,
                "outbox_rows": asked.get(day, 0),
                "messages": mine.messages,
                "invoice_lines": billed.get(day, 0),
                "records": landed.records if landed else 0,
                "final": mine.final,
                "usual_final": usual,
            }
        )
    return pl.DataFrame(rows, schema=RECONCILIATION_DAYS.schema)


def _silence(
    asked: int, mine: _Receipts, usual: float | None, landed: Landed | None, sides: DaySides
) -> Silence:
    if mine.messages == 0:
        return _no_messages(asked, landed, covered=sides.outbox_covers)
    if sides.outbox_covers and asked == 0:
        return Silence.OUTBOX_EMPTY
    if usual is None or usual < USUALLY_FINAL or mine.old < ENOUGH_MESSAGES:
        return Silence.NONE
    stopped = mine.old_final / mine.old < STOPPED_SHARE * usual
    return Silence.RECEIPTS_STOPPED if stopped else Silence.NONE


def _no_messages(asked: int, landed: Landed | None, *, covered: bool) -> Silence:
    if landed is None:
        return Silence.NOT_PULLED
    if landed.quarantined:
        return Silence.RECORDS_UNREADABLE
    if asked:
        return Silence.PROVIDER_EMPTY
    return Silence.NOTHING_SENT if covered else Silence.NOTHING_KNOWN


def _counts(days: pl.Series) -> dict[date, int]:
    return dict(days.drop_nulls().value_counts().iter_rows())


def _receipts(sides: DaySides) -> dict[date, _Receipts]:
    final = pl.col("status_class").is_in(FINAL)
    old = pl.lit(value=False)
    if sides.last_pull is not None:
        old = pl.col("submitted_at") <= sides.last_pull - timedelta(hours=HOURS_TO_ANSWER)
    counted = sides.messages.group_by("day").agg(
        messages=pl.len(), old=old.sum(), old_final=(old & final).sum(), final=final.sum()
    )
    return {day: _Receipts(*counts) for day, *counts in counted.iter_rows()}


def _usual(receipts: Mapping[date, _Receipts], day: date) -> float | None:
    """Share of final states of the days before."""
    before = [
        receipts[earlier]
        for earlier in (day - timedelta(days=n) for n in range(1, USUAL_DAYS + 1))
        if earlier in receipts
    ]
    messages = sum(one.old for one in before)
    if messages < ENOUGH_MESSAGES:
        return None
    return sum(one.old_final for one in before) / messages
