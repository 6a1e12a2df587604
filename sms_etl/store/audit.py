"""Append-only records of the warehouse: lifted suppressions, numbers asked for, erasures."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import insert, select

from sms_etl.store.tables import ERASURES, REVEALS, SUPPRESSION_LIFTS
from sms_etl.store.warehouse import Warehouse


@dataclass(frozen=True)
class Lift:
    """Who took a person off the suppression list, and why. `recipient` is the pseudonym."""

    recipient: str
    rule: str
    lifted_at: datetime
    lifted_by: str
    who: str
    why: str


class RevealOutcome(StrEnum):
    """What came of a question for a number. ASKED is written before anything is looked up."""

    ASKED = "asked"
    SHOWN = "shown"
    NOT_FOUND = "not_found"


@dataclass(frozen=True)
class Reveal:
    """Who asked for the number behind a pseudonym, when, why, and what came of it."""

    at: datetime
    who: str
    why: str
    recipient: str
    outcome: RevealOutcome


def record_lift(warehouse: Warehouse, lift: Lift) -> None:
    """Add a lift."""
    with warehouse.write() as connection:
        connection.execute(insert(SUPPRESSION_LIFTS).values(asdict(lift)))


def lifts(warehouse: Warehouse) -> list[Lift]:
    """Every lift, oldest first."""
    table = SUPPRESSION_LIFTS.c
    wanted = (table.recipient, table.rule, table.lifted_at, table.lifted_by, table.who, table.why)
    with warehouse.read() as connection:
        rows = connection.execute(select(*wanted).order_by(table.id)).all()
    return [Lift(*row) for row in rows]


def record_reveal(warehouse: Warehouse, reveal: Reveal) -> None:
    """Add a question for a number, or what came of it."""
    with warehouse.write() as connection:
        connection.execute(insert(REVEALS).values(asdict(reveal)))


def reveals(warehouse: Warehouse) -> list[Reveal]:
    """Every question for a number and what came of it, oldest first."""
    table = REVEALS.c
    wanted = (table.at, table.who, table.why, table.recipient, table.outcome)
    with warehouse.read() as connection:
        rows = connection.execute(select(*wanted).order_by(table.id)).all()
    return [Reveal(at, who, why, person, RevealOutcome(out)) for at, who, why, person, out in rows]


@dataclass(frozen=True)
class Erasure:
    """Who asked for somebody's erasure, when, why, and how far it came. `person`: pseudonym.

    outcome: asked, done or incomplete.
    """

    at: datetime
    who: str
    why: str
    person: str
    outcome: str


def record_erasure(warehouse: Warehouse, erasure: Erasure) -> None:
    """Add an erasure, or how it ended."""
    with warehouse.write() as connection:
        connection.execute(insert(ERASURES).values(asdict(erasure)))


def erased_people(warehouse: Warehouse) -> frozenset[str]:
    """Pseudonyms and contacts of everybody whose erasure was asked for."""
    with warehouse.read() as connection:
        return frozenset(connection.scalars(select(ERASURES.c.person).distinct()))
