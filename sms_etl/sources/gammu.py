"""Gammu SMSD by its `sentitems` table: one row per part of a message."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import polars as pl

from sms_etl.sources.base import Facts, LandedPage
from sms_etl.sources.mapping import Target, mapped_observations
from sms_etl.sources.records import scan_json
from sms_etl.sources.sql import MappedDatabase, MappedSql

COLUMNS: dict[Target, str] = {
    "message_id": "ID",
    "part_of": "ID",
    "recipient": "DestinationNumber",
    "service": "SenderID",
    "text": "TextDecoded",
    "status": "Status",
    "code": "StatusError",
    "created_at": "InsertIntoDB",
    "sent_at": "SendingDateTime",
    "done_at": "DeliveryDateTime",
    "updated_at": "UpdatedInDB",
}
SEQUENCE, FIRST = "SequencePosition", "1"
PART = "part"


class GammuSettings(MappedDatabase):
    """The database of SMSD; `time_zone` is that of the database's clock."""

    kind: Literal["gammu"]
    provider: str = "gammu"
    table: str | None = "sentitems"
    columns: dict[Target, str] = COLUMNS


class Gammu(MappedSql):
    """Reads the messages inserted on each day, once SMSD has tried to send them."""

    provider: str = "gammu"
    settings_type: ClassVar[type[GammuSettings]] = GammuSettings
    more_headings = (SEQUENCE,)
    facts = Facts(
        title="Gammu SMSD, sentitems",
        window_filter="InsertIntoDB, when the message was queued, to the second",
        history="what the table holds",
        look_back="every day of the settling period is read again",
        rate_limit="none; one query a day",
        proof="contract suite on SQLite; the same rows in a real MariaDB server; a real gammu-smsd "
        "1.42 with a dummy phone",
        missing="sender, price, messages still in the outbox table",
        reports="the parts of a long message are one message, delivered if all are; StatusError "
        "(TP-Status) gives the cause; cost comes from the tariff of the settings",
        documents="gammu-doc 1.42.0 smsd/tables.html",
        to_check="that SMSD asks for delivery reports (DeliveryReport in its settings): without "
        "them the fate of every message is unknown",
    )

    def read(self, pages: Sequence[LandedPage]) -> pl.LazyFrame:
        """As every table; the first part has the identifier of the message, others their own."""
        shared, number = pl.col(self._settings.columns["part_of"]), pl.col(SEQUENCE)
        first = number.is_null() | (number == FIRST)
        part = pl.when(first).then(shared).otherwise(pl.format("{}-{}", shared, number))
        columns = {**self._settings.columns, "message_id": PART}
        return mapped_observations(
            scan_json(pages, self._headings).with_columns(part.alias(PART)),
            self._settings.model_copy(update={"columns": columns}),
        )
