"""A gateway of one's own that logs to a table, with the local clock of Kyiv."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from sms_etl.sandbox.written import SMPP_WORDS, TableApi, seconds, table

ZONE = "Europe/Kyiv"


class SqlApi(TableApi):
    """Table `sms_log`; states and errors as SMPP receipts have them."""

    name = "sql"
    words = SMPP_WORDS
    kept = ("created_at",)
    table = table(
        "sms_log",
        id=sa.String(40),
        phone=sa.String(32),
        sender=sa.String(32),
        body=sa.Text(),
        status=sa.String(40),
        error_code=sa.String(10),
        parts=sa.Integer(),
        cost=sa.Numeric(12, 6, asdecimal=False),
        currency=sa.String(3),
        created_at=seconds(),
        sent_at=seconds(),
        done_at=seconds(),
        updated_at=seconds(),
    )

    def record(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """One line of the log."""
        return {
            "id": row["message_id"],
            "phone": self.number(row),
            "sender": row["sender"],
            "body": row["text"],
            "status": row["word"],
            "error_code": row["code"],
            "parts": row["parts"],
            "cost": self.price(row),
            "currency": row["currency"],
            "created_at": self.wall_clock(row["submitted_at"], ZONE),
            "sent_at": self.wall_clock(row["sent_at"], ZONE),
            "done_at": self.wall_clock(row["done_at"], ZONE),
            "updated_at": self.wall_clock(row["updated_at"], ZONE),
        }
