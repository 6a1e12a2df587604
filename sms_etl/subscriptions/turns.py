"""Turns: each time a subscription was due, and what became of it.

An open turn is looked at again and again; a closed one never is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, select, update

from sms_etl.store.tables import REPORT_TURNS
from sms_etl.store.warehouse import Warehouse

_LOCK = "sms_etl:turns"
_ROW = REPORT_TURNS.c


class TurnState(StrEnum):
    """How a turn stands. WAITING is open: data, or a reader, is still waited for."""

    WAITING = "waiting"
    SENT = "sent"
    EMPTY = "empty"
    NOT_MET = "condition_not_met"
    WITHHELD = "withheld"
    GIVEN_UP = "given_up"
    MISSED = "missed"
    BEFORE_TIME = "before_time"


@dataclass(frozen=True)
class Turn:
    """One time that a subscription was due. `detail` is for a person."""

    subscription: str
    due_at: datetime
    state: TurnState
    detail: str
    edition_id: str | None
    attempts: int
    attempted_at: datetime | None
    owner_told_at: datetime | None
    closed_at: datetime | None

    @property
    def open(self) -> bool:
        """Whether anything is still to be done."""
        return self.closed_at is None


class Turns:
    """The table report_turns. Every call is one transaction."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    def open(self, subscription: str, due_at: datetime, now: datetime) -> Turn:
        """The turn, opened if nobody has looked at it yet.

        The first turn of a subscription that was never looked at before is closed at once: it was
        due before the subscription was there.
        """
        with self._warehouse.write(lock=_LOCK) as connection:
            row = connection.execute(_find(subscription, due_at)).first()
            if row is None:
                known = connection.execute(
                    select(_ROW.subscription).where(_ROW.subscription == subscription).limit(1)
                ).first()
                state = TurnState.WAITING if known else TurnState.BEFORE_TIME
                row = connection.execute(
                    REPORT_TURNS.insert()
                    .values(
                        subscription=subscription,
                        due_at=due_at,
                        state=state.value,
                        detail="" if known else "due before the subscription was looked at",
                        attempts=0,
                        closed_at=None if known else now,
                    )
                    .returning(REPORT_TURNS)
                ).one()
        return _turn(row)

    def get(self, subscription: str, due_at: datetime) -> Turn | None:
        """A turn, if it was ever opened."""
        with self._warehouse.read() as connection:
            row = connection.execute(_find(subscription, due_at)).first()
        return _turn(row) if row is not None else None

    def left_open(self, subscription: str) -> list[Turn]:
        """Turns of a subscription of which something is still to be done, the oldest first."""
        query = (
            select(REPORT_TURNS)
            .where(_ROW.subscription == subscription, _ROW.closed_at.is_(None))
            .order_by(_ROW.due_at)
        )
        with self._warehouse.read() as connection:
            return [_turn(row) for row in connection.execute(query)]

    def recent(self, limit: int) -> list[Turn]:
        """Turns, those due last first."""
        query = select(REPORT_TURNS).order_by(_ROW.due_at.desc(), _ROW.subscription).limit(limit)
        with self._warehouse.read() as connection:
            return [_turn(row) for row in connection.execute(query)]

    def note(self, turn: Turn, **values: Any) -> None:
        """Write something about an open turn; a closed one stays as it is."""
        with self._warehouse.write(lock=_LOCK) as connection:
            connection.execute(
                update(REPORT_TURNS)
                .where(
                    _ROW.subscription == turn.subscription,
                    _ROW.due_at == turn.due_at,
                    _ROW.closed_at.is_(None),
                )
                .values(**values)
            )

    def attempt(self, turn: Turn, now: datetime) -> int:
        """Count one more try; the number of it."""
        self.note(turn, attempts=_ROW.attempts + 1, attempted_at=now)
        return turn.attempts + 1

    def close(
        self,
        turn: Turn,
        state: TurnState,
        detail: str,
        now: datetime,
        edition_id: str | None = None,
    ) -> None:
        """End a turn."""
        self.note(turn, state=state.value, detail=detail, closed_at=now, edition_id=edition_id)


def _find(subscription: str, due_at: datetime) -> Any:
    return select(REPORT_TURNS).where(_ROW.subscription == subscription, _ROW.due_at == due_at)


def _turn(row: Row[Any]) -> Turn:
    return Turn(
        subscription=row.subscription,
        due_at=row.due_at,
        state=TurnState(row.state),
        detail=row.detail,
        edition_id=row.edition_id,
        attempts=row.attempts,
        attempted_at=row.attempted_at,
        owner_told_at=row.owner_told_at,
        closed_at=row.closed_at,
    )
