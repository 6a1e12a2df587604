"""The `sentitems` table of Gammu SMSD, from gammu-doc 1.42.0 smsd/tables.html.

A row is a part of a message; there is none before SMSD has tried to send it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

import polars as pl
import sqlalchemy as sa

from sms_etl.sandbox.faults import FaultSettings
from sms_etl.sandbox.provider import Told
from sms_etl.sandbox.written import TableApi, seconds, table

ZONE = "Europe/Kyiv"
NONE = -1
CODINGS = {"gsm7": "Default_No_Compression", "ucs2": "Unicode_No_Compression"}


class GammuApi(TableApi):
    """Table `sentitems` of a phone that asks for delivery reports."""

    name = "gammu"
    id_field = "ID"
    kept = ("InsertIntoDB", "SequencePosition")
    words: ClassVar[Mapping[str, Told]] = {
        "waiting": Told("Reserved"),
        "leaving": Told("Reserved"),
        "sent": Told("SendingOK", NONE),
        "read": Told("DeliveryOK", 0),
        "delivered": Told("DeliveryOK", 0),
        "no_receipt": Told("SendingOK", NONE),
        "expired": Told("DeliveryFailed", 70),
        "dead_number": Told("DeliveryFailed", 67),
        "landline": Told("DeliveryFailed", 65),
        "network_error": Told("DeliveryFailed", 64),
        "spam_filter": Told("DeliveryFailed", 66),
        "outage": Told("DeliveryFailed", 98),
        "final_unknown": Told("DeliveryUnknown", NONE),
        "invalid_number": Told("SendingError", NONE),
        "opted_out": Told("SendingError", NONE),
        "cancelled": Told("Error", NONE),
    }
    table = table(
        "sentitems",
        UpdatedInDB=seconds(),
        InsertIntoDB=seconds(),
        SendingDateTime=seconds(),
        DeliveryDateTime=seconds(),
        DestinationNumber=sa.String(20),
        Coding=sa.String(30),
        TextDecoded=sa.Text(),
        ID=sa.BigInteger(),
        SenderID=sa.String(255),
        SequencePosition=sa.Integer(),
        Status=sa.String(30),
        StatusError=sa.Integer(),
        CreatorID=sa.String(255),
        StatusCode=sa.Integer(),
    )

    def identifier(self, thirty_two_hex: pl.Expr) -> pl.Expr:
        """The number of the message."""
        return thirty_two_hex.str.slice(0, 12).str.to_integer(base=16).cast(pl.String)

    def shown(self, now: datetime) -> pl.DataFrame:
        """Messages that SMSD has tried to send."""
        return self.messages.filter(pl.coalesce("sent_at", "done_at") <= now)

    def records(
        self, rows: pl.DataFrame, now: datetime, faults: FaultSettings
    ) -> list[dict[str, Any]]:
        """A row for every part; the first one is spoiled."""
        seen = self.seen(rows, now, faults)
        parts = [
            self.record(row | {"part": part})
            for row in seen.iter_rows(named=True)
            for part in range(1, row["parts"] + 1)
        ]
        return [
            record
            for part in parts
            for record in (
                self.spoiled([part], faults) if part["SequencePosition"] == 1 else [part]
            )
        ]

    def record(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """One part; a report sets DeliveryDateTime."""
        size = -(-len(row["text"]) // row["parts"])
        reported = row["sent_at"] is not None
        return {
            "UpdatedInDB": self.wall_clock(row["updated_at"], ZONE),
            "InsertIntoDB": self.wall_clock(row["submitted_at"], ZONE),
            "SendingDateTime": self.wall_clock(row["sent_at"] or row["done_at"], ZONE),
            "DeliveryDateTime": self.wall_clock(row["done_at"], ZONE) if reported else None,
            "DestinationNumber": self.number(row),
            "Coding": CODINGS[row["encoding"]],
            "TextDecoded": row["text"][(row["part"] - 1) * size : row["part"] * size],
            "ID": int(row["message_id"]),
            "SenderID": "phone",
            "SequencePosition": row["part"],
            "Status": row["word"],
            "StatusError": None if row["code"] is None else int(row["code"]),
            "CreatorID": "shop",
            "StatusCode": NONE,
        }
