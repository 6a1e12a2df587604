"""Jasmin SMS gateway by the table of its own logger (misc/scripts/sms_logger.py)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import polars as pl

from sms_etl.sources.base import Facts, LandedPage
from sms_etl.sources.mapping import Target, mapped_observations
from sms_etl.sources.records import scan_json
from sms_etl.sources.sql import MappedDatabase, MappedSql

ENUM = "CommandStatus."
"""Drivers that write the logger's constant as text put this before its name."""

COLUMNS: dict[Target, str] = {
    "message_id": "msgid",
    "recipient": "destination_addr",
    "sender": "source_addr",
    "service": "uid",
    "text": "short_message",
    "status": "status",
    "created_at": "created_at",
    "updated_at": "status_at",
    "parts_billed": "pdu_count",
}


class JasminSettings(MappedDatabase):
    """The database of the logger; `time_zone` is that of the machines of gateway and logger."""

    kind: Literal["jasmin"]
    table: str | None = "submit_log"
    session_zone: bool = False
    columns: dict[Target, str] = COLUMNS


class Jasmin(MappedSql):
    """Reads the messages that Jasmin submitted on each day."""

    settings_type: ClassVar[type[JasminSettings]] = JasminSettings
    facts = Facts(
        title="Jasmin SMS gateway, submit_log",
        window_filter="created_at, when the gateway took the message, to the second",
        history="what the table holds",
        look_back="every day of the settling period is read again",
        rate_limit="none; one query a day",
        proof="contract suite on SQLite; the same rows in a real MariaDB server",
        missing="error codes, time of sending, currency; messages are logged only when the "
        "message centre has answered, and receipts that come after a restart of the logger are "
        "not written",
        reports="ESME_ROK means accepted and not delivered: such messages stay on their way and "
        "end as unknown; the change to a final status stands for the delivered time; cost comes "
        "from the tariff of the settings",
        documents="github.com/jookies/jasmin misc/scripts/sms_logger.py @0aac58e",
        to_check="that receipts are asked for (dlr-level 2 or 3); that the table is named "
        "submit_log, because the logger writes receipts to that name only; that the column status "
        "is wide enough: its 15 characters cut names such as ESME_RSUBMITFAIL; that both clocks, "
        "created_at and status_at, are of one zone",
    )

    def read(self, pages: Sequence[LandedPage]) -> pl.LazyFrame:
        """As every table; a status is the name of the constant."""
        status = pl.col(self._settings.columns["status"]).str.strip_prefix(ENUM)
        return mapped_observations(
            scan_json(pages, self._headings).with_columns(status), self._settings
        )
