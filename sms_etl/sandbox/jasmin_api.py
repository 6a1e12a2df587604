"""The table of Jasmin's logger, from github.com/jookies/jasmin misc/scripts/sms_logger.py.

A row is written when the message centre has answered; a receipt changes its status.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

import polars as pl
import sqlalchemy as sa

from sms_etl.sandbox.provider import Told
from sms_etl.sandbox.written import SMPP_WORDS, TableApi, seconds, table

ZONE = "Europe/Kyiv"


class JasminApi(TableApi):
    """Table `submit_log`."""

    name = "jasmin"
    id_field = "msgid"
    kept = ("created_at",)
    words: ClassVar[Mapping[str, Told]] = {
        **{stage: Told(told.word) for stage, told in SMPP_WORDS.items()},
        "sent": Told("ESME_ROK"),
        "no_receipt": Told("ESME_ROK"),
        "invalid_number": Told("ESME_RINVDSTADR"),
        "opted_out": Told("ESME_RSYSERR"),
        "cancelled": Told("ESME_RINVEXPIRY"),
    }
    table = table(
        "submit_log",
        msgid=sa.String(45),
        source_connector=sa.String(15),
        routed_cid=sa.String(30),
        source_addr=sa.String(40),
        destination_addr=sa.String(40),
        rate=sa.Numeric(12, 7, asdecimal=False),
        charge=sa.Numeric(12, 7, asdecimal=False),
        pdu_count=sa.SmallInteger(),
        short_message=sa.LargeBinary(),
        binary_message=sa.LargeBinary(),
        status=sa.String(15),
        uid=sa.String(15),
        trials=sa.SmallInteger(),
        created_at=seconds(),
        status_at=seconds(),
    )

    def shown(self, now: datetime) -> pl.DataFrame:
        """Messages that the message centre has answered for."""
        return self.messages.filter(pl.coalesce("sent_at", "done_at") <= now)

    def record(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """One row; `rate` is for one part."""
        text = row["text"].encode()
        rate = row["part_micro"] / 1_000_000
        return {
            "msgid": row["message_id"],
            "source_connector": "smppsapi",
            "routed_cid": "operator",
            "source_addr": row["sender"],
            "destination_addr": self.number(row).removeprefix("+"),
            "rate": rate,
            "charge": rate * row["parts"],
            "pdu_count": row["parts"],
            "short_message": text,
            "binary_message": text.hex().encode(),
            "status": row["word"],
            "uid": "shop",
            "trials": 1,
            "created_at": self.wall_clock(row["submitted_at"], ZONE),
            "status_at": self.wall_clock(row["done_at"] or row["submitted_at"], ZONE),
        }
