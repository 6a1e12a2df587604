"""One message from the records that told of it to the row that counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl

from sms_etl.dictionaries import Explanation, explain
from sms_etl.errors import StoreError
from sms_etl.model.schemas import MESSAGES, QUARANTINE
from sms_etl.pipeline import read_observations
from sms_etl.project import Project

_SHARED = ("part_of", "order_id")
"""What the parts of one message, or the attempts of one order, have in common."""


@dataclass(frozen=True)
class Record:
    """What one landed record said of the message, and where it is.

    `meaning` is the dictionary's word on its code, else on its status. `set_aside` is why the
    record could not become a message.
    """

    pull: str
    page: int
    number: int
    pulled_at: datetime
    message_id: str | None
    status: str | None
    code: str | None
    done_at: datetime | None
    meaning: Explanation | None
    set_aside: str | None


@dataclass(frozen=True)
class Trace:
    """The records of a message, oldest first, and its rows in MESSAGES, which is one, or none."""

    records: tuple[Record, ...]
    messages: tuple[dict[str, Any], ...]


def trace(project: Project, source: str, message_id: str, day: date | None = None) -> Trace:
    """Every landed record of a message, of its parts and of other attempts of its order.

    Args:
        project: Where it is.
        source: Configured source.
        message_id: The provider's identifier.
        day: Day it was submitted on, which spares looking through all days.

    Raises:
        ConfigError: no such source.
        StoreError: nothing that was rebuilt has the message.
    """
    provider = project.source(source).provider
    here = pl.col("message_id") == message_id
    messages = project.lake.scan(MESSAGES, day, day, [source]).filter(here).collect()
    aside = project.lake.scan(QUARANTINE, day, day, [source]).filter(here).collect()
    days = sorted({*messages["day"], *aside["day"]})
    if not days:
        when = f"on {day}" if day else "on any day"
        raise StoreError(
            f"'{source}' has no message {message_id!r} {when}, and none set aside. Is it written "
            f"as the provider writes it, and were its days landed and rebuilt?"
        )
    reasons = {(r["pull"], r["page"], r["record"]): r["reason"] for r in aside.to_dicts()}
    found = _related(read_observations(project, source, days), here)
    return Trace(tuple(_records(found, provider, reasons)), tuple(messages.to_dicts()))


def _related(observations: pl.LazyFrame, here: pl.Expr) -> pl.DataFrame:
    """Records of the message, and those that share a part or an order with them."""
    own = observations.filter(here).collect()
    same = here
    for name in _SHARED:
        same = same | pl.col(name).is_in(own[name].drop_nulls().unique().to_list())
    shares = any(own[name].drop_nulls().len() for name in _SHARED)
    found = observations.filter(same).collect() if shares else own
    return found.unique(["pull", "page", "record"]).sort("pulled_at", "pull", "page", "record")


def _records(
    found: pl.DataFrame, provider: str, reasons: dict[tuple[str, int, int], str]
) -> Iterator[Record]:
    for row in found.iter_rows(named=True):
        place = (row["pull"], row["page"], row["record"])
        words = [word for word in (row["code"], row["status"]) if word]
        meanings = (explain(provider, word) for word in words)
        yield Record(
            pull=row["pull"],
            page=row["page"],
            number=row["record"],
            pulled_at=row["pulled_at"],
            message_id=row["message_id"],
            status=row["status"],
            code=row["code"],
            done_at=row["done_at"],
            meaning=next(filter(None, meanings), None),
            set_aside=reasons.get(place),
        )
