"""Readers who do not want a report any more."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, select

from sms_etl.store.tables import UNSUBSCRIBED
from sms_etl.store.warehouse import Warehouse

_ROW = UNSUBSCRIBED.c


class Gone(NamedTuple):
    """A reader who left a subscription, and when."""

    subscription: str
    reader: str
    at: datetime


class Unsubscribed:
    """The table unsubscribed; the settings say who may get a report, this who does not want it."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    def add(self, subscription: str, reader: str, now: datetime) -> None:
        """Take a reader off; once is enough."""
        with self._warehouse.write(lock="sms_etl:unsubscribed") as connection:
            there = connection.execute(
                select(_ROW.at).where(_ROW.subscription == subscription, _ROW.reader == reader)
            ).first()
            if there is None:
                connection.execute(
                    UNSUBSCRIBED.insert().values(subscription=subscription, reader=reader, at=now)
                )

    def remove(self, subscription: str, reader: str) -> bool:
        """Put a reader on again; false if they were not off."""
        with self._warehouse.write(lock="sms_etl:unsubscribed") as connection:
            result = connection.execute(
                delete(UNSUBSCRIBED).where(_ROW.subscription == subscription, _ROW.reader == reader)
            )
        return result.rowcount == 1

    def of(self, subscription: str) -> dict[str, datetime]:
        """Who is off a subscription, and since when."""
        query = select(_ROW.reader, _ROW.at).where(_ROW.subscription == subscription)
        with self._warehouse.read() as connection:
            return {row.reader: row.at for row in connection.execute(query)}

    def everyone(self) -> list[Gone]:
        """Who is off what, the newest first."""
        query = select(_ROW.subscription, _ROW.reader, _ROW.at).order_by(_ROW.at.desc())
        with self._warehouse.read() as connection:
            return [Gone(*row) for row in connection.execute(query)]
