"""The table of TurboSMS's SQL gateway, from https://turbosms.ua/en/sql.html.

Columns and words also from github.com/mp091689/TurboSms README.md. Ukrainian time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import polars as pl
import sqlalchemy as sa

from sms_etl.sandbox.provider import Told
from sms_etl.sandbox.written import TableApi, seconds, table

ZONE = "Europe/Kyiv"
LOGIN = "promin"


class TurboSmsSqlApi(TableApi):
    """Table `promin`, named after the gateway login."""

    name = "turbosms_sql"
    kept = ("added",)
    words: ClassVar[Mapping[str, Told]] = {
        "waiting": Told(None),
        "leaving": Told("ACCEPTD", 0),
        "sent": Told("ENROUTE", 0),
        "read": Told("DELIVRD", 0),
        "delivered": Told("DELIVRD", 0),
        "no_receipt": Told("ENROUTE", 0),
        "expired": Told("EXPIRED", 0),
        "dead_number": Told("UNDELIV", 0),
        "landline": Told("UNDELIV", 0),
        "network_error": Told("UNDELIV", 0),
        "spam_filter": Told("UNDELIV", 0),
        "outage": Told("UNDELIV", 0),
        "final_unknown": Told("UNKNOWN", 0),
        "invalid_number": Told("REJECTD", 23),
        "opted_out": Told("REJECTD", 46),
        "cancelled": Told("REJECTD", 0),
    }
    table = table(
        LOGIN,
        id=sa.BigInteger(),
        msg_id=sa.String(36),
        number=sa.String(20),
        sign=sa.String(20),
        message=sa.Text(),
        wappush=sa.String(128),
        is_flash=sa.SmallInteger(),
        cost=sa.Numeric(4, 2, asdecimal=False),
        balance=sa.Numeric(10, 2, asdecimal=False),
        added=seconds(),
        send_time=seconds(),
        sended=seconds(),
        received=seconds(),
        error_code=sa.Integer(),
        status=sa.String(20),
    )

    def identifier(self, thirty_two_hex: pl.Expr) -> pl.Expr:
        """The number of the row."""
        return thirty_two_hex.str.slice(0, 12).str.to_integer(base=16).cast(pl.String)

    def record(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """One row; msg_id and what comes after it are null until it is processed."""
        processed = row["word"] is not None
        return {
            "id": int(row["message_id"]),
            "msg_id": f"{int(row['message_id']):036x}" if processed else None,
            "number": self.number(row).removeprefix("+"),
            "sign": row["sender"],
            "message": row["text"],
            "wappush": "",
            "is_flash": 0,
            "cost": row["parts"] if processed else None,
            "balance": 100 if processed else None,
            "added": self.wall_clock(row["submitted_at"], ZONE),
            "send_time": None,
            "sended": self.wall_clock(row["sent_at"], ZONE),
            "received": self.wall_clock(row["done_at"], ZONE),
            "error_code": row["code"],
            "status": row["word"],
        }
