"""The table of outgoing messages of playSMS, from github.com/playsms/playsms db/playsms.sql."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

import polars as pl
import sqlalchemy as sa

from sms_etl.sandbox.provider import Told
from sms_etl.sandbox.written import TableApi, table

ZONE = "UTC"
NO_TIME = "0000-00-00 00:00:00"
PENDING, SENT, FAILED, DELIVERED = (Told(word) for word in "0123")


class PlaySmsApi(TableApi):
    """Table `playsms_tblSMSOutgoing`; times are text in GMT."""

    name = "playsms"
    id_field = "smslog_id"
    kept = ("p_datetime",)
    words: ClassVar[Mapping[str, Told]] = {
        "waiting": PENDING,
        "leaving": PENDING,
        "sent": SENT,
        "read": DELIVERED,
        "delivered": DELIVERED,
        "no_receipt": SENT,
        "final_unknown": SENT,
        **dict.fromkeys(
            (
                "expired", "dead_number", "landline", "network_error", "spam_filter", "outage",
                "invalid_number", "opted_out", "cancelled",
            ),
            FAILED,
        ),
    }  # fmt: skip
    table = table(
        "playsms_tblSMSOutgoing",
        c_timestamp=sa.BigInteger(),
        smslog_id=sa.BigInteger(),
        flag_deleted=sa.Integer(),
        uid=sa.Integer(),
        p_gateway=sa.String(255),
        p_smsc=sa.String(255),
        p_src=sa.String(100),
        p_dst=sa.String(100),
        p_footer=sa.String(30),
        p_msg=sa.Text(),
        p_datetime=sa.String(20),
        p_update=sa.String(20),
        p_status=sa.String(20),
        p_credit=sa.Numeric(13, 3, asdecimal=False),
        unicode=sa.Integer(),
    )

    def identifier(self, thirty_two_hex: pl.Expr) -> pl.Expr:
        """The number of the row."""
        return thirty_two_hex.str.slice(0, 12).str.to_integer(base=16).cast(pl.String)

    def record(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """One row; p_update is a time of zeros until something happens."""
        changed = row["done_at"] or row["sent_at"]
        return {
            "c_timestamp": int((changed or row["submitted_at"]).timestamp()),
            "smslog_id": int(row["message_id"]),
            "flag_deleted": 0,
            "uid": 1,
            "p_gateway": "smpp",
            "p_smsc": "operator",
            "p_src": row["sender"],
            "p_dst": self.number(row),
            "p_footer": "",
            "p_msg": row["text"],
            "p_datetime": self._text(row["submitted_at"]),
            "p_update": NO_TIME if changed is None else self._text(changed),
            "p_status": row["word"],
            "p_credit": row["parts"],
            "unicode": int(row["encoding"] == "ucs2"),
        }

    def _text(self, moment: datetime) -> str:
        return moment.strftime("%Y-%m-%d %H:%M:%S")
