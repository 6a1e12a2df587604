"""Backfills in the warehouse: what was ordered, and how far it came, chunk by chunk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from sms_etl.store.tables import BACKFILL_CHUNKS, BACKFILLS
from sms_etl.store.warehouse import Warehouse

LOCK = "sms_etl:backfills"


class ChunkState(StrEnum):
    """How far a chunk came."""

    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"


Mark = tuple[datetime, int]
"""When a chunk ended, and its number: where a reader of chunks has come to."""


@dataclass(frozen=True)
class Order:
    """What is to be pulled and rebuilt. `recipe` is a digest of what decides the result."""

    first_day: date
    last_day: date
    places: tuple[str, ...]
    pull: bool
    recipe: str


@dataclass(frozen=True)
class Chunk:
    """Some days of one place: a source, a stream of one, or the outbox."""

    id: int
    place: str
    first_day: date
    last_day: date
    state: ChunkState
    error: str | None = None
    records: int = 0
    rows: int = 0
    restated: int = 0


@dataclass(frozen=True)
class Backfill:
    """One order and its chunks, in the order they are worked on."""

    id: int
    started_at: datetime
    chunks: tuple[Chunk, ...]

    @property
    def resumed(self) -> bool:
        """Whether an earlier run did part of it."""
        return any(chunk.state is not ChunkState.PENDING for chunk in self.chunks)


class Backfills:
    """The tables backfills and backfill_chunks. Every call is one transaction."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    def begin(
        self, order: Order, chunks: Sequence[tuple[str, date, date]], now: datetime
    ) -> Backfill:
        """The unfinished backfill of the same order, or a new one with these chunks.

        Raises:
            StoreError: the warehouse cannot be written.
        """
        columns = BACKFILLS.c
        same = (
            (columns.first_day == order.first_day)
            & (columns.last_day == order.last_day)
            & (columns.places == " ".join(order.places))
            & (columns.pull == order.pull)
            & (columns.recipe == order.recipe)
            & columns.finished_at.is_(None)
        )
        with self._warehouse.write(lock=LOCK) as connection:
            found = connection.execute(
                select(BACKFILLS).where(same).order_by(columns.id.desc()).limit(1)
            ).first()
            if found is None:
                number = _insert(connection, order, chunks, now)
                return Backfill(number, now, _chunks(connection, number))
            return Backfill(found.id, found.started_at, _chunks(connection, found.id))

    def close_chunk(self, done: Chunk, now: datetime) -> None:
        """Keep how a chunk ended."""
        with self._warehouse.write(lock=LOCK) as connection:
            connection.execute(
                update(BACKFILL_CHUNKS)
                .where(BACKFILL_CHUNKS.c.id == done.id)
                .values(
                    state=done.state.value,
                    error=done.error,
                    records=done.records,
                    rows=done.rows,
                    restated=done.restated,
                    closed_at=now,
                )
            )

    def finish(self, number: int, now: datetime) -> None:
        """Close a backfill whose every chunk is done."""
        with self._warehouse.write(lock=LOCK) as connection:
            connection.execute(
                update(BACKFILLS).where(BACKFILLS.c.id == number).values(finished_at=now)
            )

    def done_since(self, mark: Mark | None, limit: int) -> list[tuple[Chunk, bool, Mark]]:
        """Chunks done after a mark in the order they ended, whether they pulled, and their mark."""
        columns = BACKFILL_CHUNKS.c
        wanted = columns.state == ChunkState.DONE.value
        if mark is not None:
            ended, number = mark
            later = (columns.closed_at == ended) & (columns.id > number)
            wanted &= (columns.closed_at > ended) | later
        query = (
            select(BACKFILL_CHUNKS, BACKFILLS.c.pull)
            .join(BACKFILLS, BACKFILLS.c.id == columns.backfill_id)
            .where(wanted)
            .order_by(columns.closed_at, columns.id)
            .limit(limit)
        )
        with self._warehouse.read() as connection:
            rows = connection.execute(query).all()
        return [(_chunk(row), bool(row.pull), (row.closed_at, row.id)) for row in rows]


def _insert(
    connection: Connection,
    order: Order,
    chunks: Sequence[tuple[str, date, date]],
    now: datetime,
) -> int:
    number = connection.scalar(
        insert(BACKFILLS)
        .values(
            first_day=order.first_day,
            last_day=order.last_day,
            places=" ".join(order.places),
            pull=order.pull,
            recipe=order.recipe,
            started_at=now,
        )
        .returning(BACKFILLS.c.id)
    )
    rows = [
        {
            "backfill_id": number,
            "place": place,
            "first_day": first,
            "last_day": last,
            "state": ChunkState.PENDING.value,
            "records": 0,
            "rows": 0,
            "restated": 0,
        }
        for place, first, last in chunks
    ]
    connection.execute(insert(BACKFILL_CHUNKS), rows)
    return int(number or 0)


def _chunks(connection: Connection, number: int) -> tuple[Chunk, ...]:
    columns = BACKFILL_CHUNKS.c
    query = select(BACKFILL_CHUNKS).where(columns.backfill_id == number).order_by(columns.id)
    return tuple(_chunk(row) for row in connection.execute(query))


def _chunk(row: Row[Any]) -> Chunk:
    return Chunk(
        id=row.id,
        place=row.place,
        first_day=row.first_day,
        last_day=row.last_day,
        state=ChunkState(row.state),
        error=row.error,
        records=row.records,
        rows=row.rows,
        restated=row.restated,
    )
