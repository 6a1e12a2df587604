"""Notices in the warehouse: one row per problem, from its first sight to its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from sms_etl.store.tables import HEARTBEATS, NOTICES
from sms_etl.store.warehouse import Warehouse

LOCK = "sms_etl:notices"
_ROW = NOTICES.c


@dataclass(frozen=True)
class Problem:
    """Something that somebody must mend. `owner`: an address; null for the owner of [mail]."""

    key: str
    subject: str
    body: str
    owner: str | None = None


@dataclass(frozen=True)
class Notice:
    """A problem as it was told, or is to be told."""

    id: int
    problem: Problem
    opened_at: datetime
    times: int
    closed_at: datetime | None

    @property
    def over(self) -> bool:
        """Whether the problem has ended."""
        return self.closed_at is not None


class Notices:
    """The table notices. Every call is one transaction."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    def note(self, problems: Sequence[Problem], over: Sequence[str], now: datetime) -> None:
        """Open problems that are not open, count those that are, and close those that are over."""
        with self._warehouse.write(lock=LOCK) as connection:
            for problem in problems:
                seen = connection.execute(
                    update(NOTICES)
                    .where(_ROW.problem == problem.key, _ROW.closed_at.is_(None))
                    .values(seen_at=now, times=_ROW.times + 1, body=problem.body)
                )
                if not seen.rowcount:
                    connection.execute(
                        insert(NOTICES).values(
                            problem=problem.key,
                            owner=problem.owner,
                            subject=problem.subject,
                            body=problem.body,
                            opened_at=now,
                            seen_at=now,
                            times=1,
                        )
                    )
            if over:
                connection.execute(
                    update(NOTICES)
                    .where(_ROW.problem.in_(list(over)), _ROW.closed_at.is_(None))
                    .values(closed_at=now)
                )

    def untold(self) -> list[Notice]:
        """What the owners are still to be told, oldest first.

        A problem that ended before anybody could be told of it is told of neither way.
        """
        beginning = _ROW.told_at.is_(None) & _ROW.closed_at.is_(None)
        end = _ROW.told_at.is_not(None) & _ROW.closed_at.is_not(None) & _ROW.end_told_at.is_(None)
        query = select(NOTICES).where(beginning | end).order_by(_ROW.id)
        with self._warehouse.read() as connection:
            return [_notice(row) for row in connection.execute(query)]

    def mark_told(self, notice: Notice, now: datetime) -> None:
        """The owner was told of it, or that it is over."""
        told = {"end_told_at": now} if notice.over else {"told_at": now}
        with self._warehouse.write(lock=LOCK) as connection:
            connection.execute(update(NOTICES).where(_ROW.id == notice.id).values(**told))

    def beat(self, name: str, now: datetime) -> None:
        """Note that something is alive."""
        with self._warehouse.write(lock=LOCK) as connection:
            connection.execute(delete(HEARTBEATS).where(HEARTBEATS.c.name == name))
            connection.execute(insert(HEARTBEATS).values(name=name, at=now))

    def last_beat(self, name: str) -> datetime | None:
        """When something was alive last; null for never."""
        query = select(HEARTBEATS.c.at).where(HEARTBEATS.c.name == name)
        with self._warehouse.read() as connection:
            at: datetime | None = connection.execute(query).scalar()
        return at


def _notice(row: Row[Any]) -> Notice:
    return Notice(
        id=row.id,
        problem=Problem(row.problem, row.subject, row.body, row.owner),
        opened_at=row.opened_at,
        times=row.times,
        closed_at=row.closed_at,
    )
