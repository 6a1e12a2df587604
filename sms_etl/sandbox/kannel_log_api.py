"""Kannel's access log, as kannel 1.4.5 of Debian bookworm writes it behind an SMPP server.

The clock of the machine is Kyiv's. Every message carries its identifier as binfo; the message
centre gives numbers of its own (FID), none for what it refuses.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from sms_etl.sandbox.faults import FaultSettings
from sms_etl.sandbox.kannel_receipts import ASKED_FOR, WORDS, receipts
from sms_etl.sandbox.written import WrittenApi

ZONE = "Europe/Kyiv"
KEPT = timedelta(days=16)
ROTATED = timedelta(days=5)
"""How long logs are kept, and how often they are rotated."""
CODINGS = {"gsm7": 0, "ucs2": 2}


class KannelLogApi(WrittenApi):
    """access.log, access.log.1 and older ones compressed."""

    name = "kannel_log"
    words = WORDS

    def write(self, folder: Path, now: datetime, faults: FaultSettings) -> None:
        """Write all logs anew."""
        rows = self.messages.filter(pl.col("submitted_at").is_between(now - KEPT, now))
        seen = self.seen(rows, now, faults).iter_rows(named=True)
        events = sorted(
            (event for row in seen for event in self._events(row)), key=lambda event: event[0]
        )
        logs: dict[int, list[str]] = {0: []}
        for at, line in events:
            logs.setdefault((now - at) // ROTATED, []).append(f"{self._time(at)} {line}")
        for age, lines in logs.items():
            begins = self._time(now - (age + 1) * ROTATED)
            ends = [f"{self._time(now - age * ROTATED)} Log ends"] if age else []
            text = "\n".join([f"{begins} Log begins", *lines, *ends, ""]).encode()
            name = "access.log" + (f".{age}" if age else "") + (".gz" if age > 1 else "")
            (folder / name).write_bytes(gzip.compress(text) if age > 1 else text)

    def _time(self, moment: datetime) -> str:
        return f"{self.wall_clock(moment, ZONE):%Y-%m-%d %H:%M:%S}"

    def _events(self, row: Mapping[str, Any]) -> list[tuple[datetime, str]]:
        """The message once the message centre has answered, and its receipts."""
        answered = row["sent_at"] or row["done_at"]
        if answered is None:
            return []
        fid = row["message_id"][:10] if row["sent_at"] else ""
        what = "Sent SMS" if row["sent_at"] else "REJECTED Send SMS"
        coding = CODINGS[row["encoding"]]
        text = row["text"].encode("utf-16-be" if coding else "utf-8")
        shown = text.hex().upper() if coding else row["text"]
        between = f"[FID:{fid}] [META:?smpp?] [from:{row['sender']}] [to:{self.number(row)}]"
        message = (
            f"{what} [SMSC:operator] [SVC:shop] [ACT:] [BINF:{row['message_id']}] {between} "
            f"[flags:-1:{coding}:-1:-1:{ASKED_FOR}] [msg:{len(text)}:{shown}] [udh:0:]"
        )
        return [(answered, message)] + [
            (
                one.at,
                f"Receive DLR [SMSC:operator] [SVC:shop] [ACT:] [BINF:] {between} "
                f"[flags:-1:-1:-1:-1:{one.type}] [msg:{len(one.text)}:{one.text}] [udh:0:]",
            )
            for one in receipts(row)
        ]
