"""The table of Kannel's sqlbox, from pruiz/kannel-sqlbox gw/sqlbox_mysql.h."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import polars as pl
import sqlalchemy as sa

from sms_etl.sandbox.faults import FaultSettings
from sms_etl.sandbox.kannel_receipts import ASKED_FOR, WORDS, receipts
from sms_etl.sandbox.written import TableApi, table


class KannelSqlboxApi(TableApi):
    """Table `sent_sms` of a sender whose dlr_url names each message."""

    name = "kannel_sqlbox"
    id_field = "dlr_url"
    words = WORDS
    table = table(
        "sent_sms",
        sql_id=sa.BigInteger(),
        momt=sa.String(3),
        sender=sa.String(20),
        receiver=sa.String(20),
        udhdata=sa.LargeBinary(),
        msgdata=sa.Text(),
        time=sa.BigInteger(),
        smsc_id=sa.String(255),
        service=sa.String(255),
        account=sa.String(255),
        coding=sa.BigInteger(),
        dlr_mask=sa.BigInteger(),
        dlr_url=sa.String(255),
        boxc_id=sa.String(255),
        binfo=sa.String(255),
        meta_data=sa.Text(),
    )

    def records(
        self, rows: pl.DataFrame, now: datetime, faults: FaultSettings
    ) -> list[dict[str, Any]]:
        """Messages and receipts in the order in which they came."""
        seen = self.seen(rows, now, faults)
        events = [event for row in seen.iter_rows(named=True) for event in self._events(row)]
        events.sort(key=lambda event: event["time"])
        numbered = [event | {"sql_id": number} for number, event in enumerate(events, start=1)]
        return self.spoiled(numbered, faults)

    def _events(self, row: Mapping[str, Any]) -> list[dict[str, Any]]:
        message = self._row(row, row["submitted_at"], "MT", ASKED_FOR, row["text"])
        return [
            message,
            *(self._row(row, one.at, "DLR", one.type, one.text) for one in receipts(row)),
        ]

    def _row(
        self, row: Mapping[str, Any], at: datetime, momt: str, mask: int, text: str
    ) -> dict[str, Any]:
        """Sender and receiver of a receipt are those of its message."""
        return {
            "momt": momt,
            "sender": row["sender"],
            "receiver": self.number(row)[:20],
            "udhdata": None,
            "msgdata": text,
            "time": int(at.timestamp()),
            "smsc_id": "operator",
            "service": "shop",
            "account": "shop",
            "coding": 2 if row["encoding"] == "ucs2" else 0,
            "dlr_mask": mask,
            "dlr_url": row["message_id"],
            "boxc_id": "sqlbox",
            "binfo": None,
            "meta_data": "?smpp?",
        }
