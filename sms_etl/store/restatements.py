"""Builds and restatements in the warehouse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime

from sqlalchemy import Connection, case, delete, func, insert, select

from sms_etl.model.vocabulary import StatusClass
from sms_etl.restatement import (
    PARTS,
    SPENT,
    SUBMITTED,
    Cause,
    Cell,
    Provenance,
    Restatement,
)
from sms_etl.store.tables import BUILDS, DAILY_COUNTS, RESTATEMENTS


def figures_by_day(connection: Connection, source: str, days: Sequence[date]) -> dict[Cell, int]:
    """The watched figures of some days of a source, as the daily counts have them."""
    counts = DAILY_COUNTS.c
    mine = (counts.source == source) & counts.day.in_(list(days))
    sums = [func.sum(counts.messages).label(SUBMITTED), func.sum(counts.parts).label(PARTS)]
    sums += [
        func.sum(case((counts.status_class == name.value, counts.messages), else_=0)).label(name)
        for name in StatusClass
    ]
    found: dict[Cell, int] = {}
    rows = connection.execute(select(counts.day, *sums).where(mine).group_by(counts.day))
    for row in rows.mappings():
        for figure in (SUBMITTED, PARTS, *StatusClass):
            found[(row["day"], str(figure), "")] = int(row[figure])
    spent = connection.execute(
        select(counts.day, counts.currency, func.sum(counts.cost_micro))
        .where(mine, counts.currency.is_not(None))
        .group_by(counts.day, counts.currency)
    )
    for day, currency, cost in spent:
        found[(day, SPENT, currency)] = int(cost)
    return found


def provenance_by_day(
    connection: Connection, source: str, days: Sequence[date]
) -> dict[date, Provenance]:
    """What some days of a source were last built from; days never built are not in it."""
    rows = connection.execute(
        select(BUILDS).where(BUILDS.c.source == source, BUILDS.c.day.in_(list(days)))
    )
    return {
        row.day: Provenance(row.landing, row.dictionary, row.code, row.settings) for row in rows
    }


def record_build(
    connection: Connection,
    source: str,
    built: Mapping[date, Provenance],
    restatements: Sequence[Restatement],
    now: datetime,
) -> None:
    """Keep what days were built from now, and what that changed."""
    if built:
        connection.execute(
            delete(BUILDS).where(BUILDS.c.source == source, BUILDS.c.day.in_(list(built)))
        )
        connection.execute(
            insert(BUILDS),
            [
                {"day": day, "source": source, "built_at": now, **asdict(provenance)}
                for day, provenance in built.items()
            ],
        )
    if restatements:
        connection.execute(
            insert(RESTATEMENTS),
            [asdict(one) | {"causes": list(one.causes)} for one in restatements],
        )


def restatements_of(
    connection: Connection, first: date, last: date, since: datetime | None = None
) -> list[Restatement]:
    """Restatements of days (both included), those recorded after a moment if given, in order."""
    columns = RESTATEMENTS.c
    wanted = select(RESTATEMENTS).where(columns.day >= first, columns.day <= last)
    if since is not None:
        wanted = wanted.where(columns.at > since)
    return [
        Restatement(
            at=row.at,
            day=row.day,
            source=row.source,
            figure=row.figure,
            currency=row.currency,
            then=row.then,
            now=row.now,
            causes=tuple(Cause(name) for name in row.causes),
        )
        for row in connection.execute(wanted.order_by(columns.at, columns.id))
    ]
