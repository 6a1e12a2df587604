"""The outbox ledger: one row per edition and reader, claimed before SMTP and closed after.

States and what the next run does with them:

- `claimed`: a run took the mail and has not handed it over. If that run is dead nothing has left;
  the next run claims it anew. If it lives, it finds its claim gone and stops.
- `sending`: the end of the message is being sent; from here the mail may have arrived. A row
  found in this state by another run becomes `unknown`.
- `sent`, `refused` (5xx): done; never sent again by itself.
- `failed_temporarily` (4xx, no connection): claimed anew by the next run.
- `unknown`: it may or may not have arrived. Never sent again by itself, only by `resend`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, select, update

from sms_etl.store.tables import MAIL_LEDGER
from sms_etl.store.warehouse import Warehouse

_LOCK = "sms_etl:mail"
_ROW = MAIL_LEDGER.c


class MailState(StrEnum):
    """Where a mail stands; see the module's text."""

    CLAIMED = "claimed"
    SENDING = "sending"
    SENT = "sent"
    REFUSED = "refused"
    FAILED_TEMPORARILY = "failed_temporarily"
    UNKNOWN = "unknown"


CLAIMABLE = frozenset({MailState.CLAIMED, MailState.FAILED_TEMPORARILY})
"""States from which a mail is sent (again): it is certain that nothing was handed over."""

NEEDS_A_PERSON = frozenset({MailState.REFUSED, MailState.UNKNOWN})
"""States that no later run leaves by itself, and that are not success."""

SETTLED = "settled by a person"
"""Kept as the server's answer of a mail whose end a person found out."""

LEFT_SENDING = "another run was handing the mail over, or died doing so"
"""Kept as the server's answer where there was none."""


@dataclass(frozen=True)
class Entry:
    """One row of the ledger."""

    edition_id: str
    reader: str
    state: MailState
    message_id: str
    claimed_at: datetime
    closed_at: datetime | None
    server_answer: str | None
    attempts: int
    owner_told_at: datetime | None


@dataclass(frozen=True)
class Claim:
    """The right to hand over one mail, valid until somebody claims it anew."""

    row_id: int
    attempt: int


class Ledger:
    """The table mail_ledger. Every call is one transaction.

    A claim locks its row while it looks at it, so that no other run can begin to send in between;
    SQLite has one writer at a time and needs no such lock.
    """

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    def claim(
        self,
        edition_id: str,
        reader: str,
        message_id: str,
        now: datetime,
        *,
        again: bool = False,
    ) -> Claim | Entry:
        """Take one mail before any SMTP.

        Args:
            edition_id: the edition.
            reader: address.
            message_id: Message-ID the mail will carry.
            now: the moment.
            again: claim it in whatever state it is (an explicit resend).

        Returns:
            A claim, or the entry that forbids sending, as it was found. One found in `sending`
            has become `unknown` in the ledger.

        Raises:
            StoreError: the warehouse cannot be written.
        """
        with self._warehouse.write(lock=_LOCK) as connection:
            row = connection.execute(_find(edition_id, reader).with_for_update()).first()
            if row is None:
                row_id = connection.scalar(
                    MAIL_LEDGER.insert()
                    .values(
                        edition_id=edition_id,
                        reader=reader,
                        state=MailState.CLAIMED.value,
                        message_id=message_id,
                        claimed_at=now,
                        attempts=1,
                    )
                    .returning(_ROW.id)
                )
                return Claim(row_id=int(row_id or 0), attempt=1)
            this_row = update(MAIL_LEDGER).where(_ROW.id == row.id)
            if again or row.state in CLAIMABLE:
                connection.execute(
                    this_row.values(
                        state=MailState.CLAIMED.value,
                        message_id=message_id,
                        claimed_at=now,
                        closed_at=None,
                        server_answer=None,
                        owner_told_at=None,
                        attempts=row.attempts + 1,
                    )
                )
                return Claim(row_id=row.id, attempt=row.attempts + 1)
            if row.state == MailState.SENDING:
                connection.execute(
                    this_row.values(
                        state=MailState.UNKNOWN.value, closed_at=now, server_answer=LEFT_SENDING
                    )
                )
            return _entry(row)

    def start_sending(self, claim: Claim) -> bool:
        """Record that the mail may arrive from now on; false if the claim is no longer ours."""
        with self._warehouse.write() as connection:
            result = connection.execute(
                update(MAIL_LEDGER)
                .where(
                    _ROW.id == claim.row_id,
                    _ROW.attempts == claim.attempt,
                    _ROW.state == MailState.CLAIMED.value,
                )
                .values(state=MailState.SENDING.value)
            )
            return result.rowcount == 1

    def close(self, claim: Claim, state: MailState, answer: str, now: datetime) -> bool:
        """Record how it ended; false if another run has claimed the mail since.

        The run that spoke with the server knows best, so this also replaces an `unknown` that
        another run wrote meanwhile.
        """
        with self._warehouse.write() as connection:
            result = connection.execute(
                update(MAIL_LEDGER)
                .where(_ROW.id == claim.row_id, _ROW.attempts == claim.attempt)
                .values(state=state.value, server_answer=answer, closed_at=now)
            )
            return result.rowcount == 1

    def untold(self, edition_id: str) -> list[Entry]:
        """Rows of an edition that need a person and of which the owner does not know yet."""
        query = (
            select(MAIL_LEDGER)
            .where(
                _ROW.edition_id == edition_id,
                _ROW.state.in_([state.value for state in NEEDS_A_PERSON]),
                _ROW.owner_told_at.is_(None),
            )
            .order_by(_ROW.reader)
        )
        with self._warehouse.read() as connection:
            return [_entry(row) for row in connection.execute(query)]

    def mark_told(self, entries: Sequence[Entry], now: datetime) -> None:
        """Record that the owner knows of these mails as they stand."""
        with self._warehouse.write() as connection:
            for entry in entries:
                connection.execute(
                    update(MAIL_LEDGER)
                    .where(
                        _ROW.edition_id == entry.edition_id,
                        _ROW.reader == entry.reader,
                        _ROW.state == entry.state.value,
                        _ROW.attempts == entry.attempts,
                    )
                    .values(owner_told_at=now)
                )

    def settle(self, edition_id: str, reader: str, state: MailState, now: datetime) -> Entry | None:
        """Close a mail whose end is unknown as a person found it; null if it is not unknown.

        `state` is `sent` (the reader has it) or `failed_temporarily` (they have not: the next run
        sends it).
        """
        with self._warehouse.write(lock=_LOCK) as connection:
            row = connection.execute(
                update(MAIL_LEDGER)
                .where(
                    _ROW.edition_id == edition_id,
                    _ROW.reader == reader,
                    _ROW.state == MailState.UNKNOWN.value,
                )
                .values(state=state.value, closed_at=now, server_answer=SETTLED)
                .returning(MAIL_LEDGER)
            ).first()
        return _entry(row) if row is not None else None

    def recent(self, limit: int, states: Sequence[MailState] = tuple(MailState)) -> list[Entry]:
        """Rows in some states, those claimed last first."""
        query = (
            select(MAIL_LEDGER)
            .where(_ROW.state.in_([state.value for state in states]))
            .order_by(_ROW.claimed_at.desc(), _ROW.id.desc())
            .limit(limit)
        )
        with self._warehouse.read() as connection:
            return [_entry(row) for row in connection.execute(query)]

    def entries(self, edition_id: str) -> list[Entry]:
        """Every row of an edition, by reader."""
        query = select(MAIL_LEDGER).where(_ROW.edition_id == edition_id).order_by(_ROW.reader)
        with self._warehouse.read() as connection:
            return [_entry(row) for row in connection.execute(query)]


def _find(edition_id: str, reader: str) -> Any:
    return select(MAIL_LEDGER).where(_ROW.edition_id == edition_id, _ROW.reader == reader)


def _entry(row: Row[Any]) -> Entry:
    return Entry(
        edition_id=row.edition_id,
        reader=row.reader,
        state=MailState(row.state),
        message_id=row.message_id,
        claimed_at=row.claimed_at,
        closed_at=row.closed_at,
        server_answer=row.server_answer,
        attempts=row.attempts,
        owner_told_at=row.owner_told_at,
    )
