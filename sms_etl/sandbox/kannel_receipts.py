"""What Kannel writes of a message: the message itself and one event for each receipt.

Seen in the access log of kannel 1.4.5 (Debian bookworm) behind an SMPP server; types of receipts
from its userguide.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sms_etl.sandbox.provider import Told
from sms_etl.sandbox.written import SMPP_WORDS

DELIVERED, UNDELIVERED, ACCEPTED, REFUSED = 1, 2, 8, 16
ASKED_FOR = 31
"""dlr_mask of a message that wants every receipt."""
REFUSALS = {
    "invalid_number": ("0x0000000b", "Invalid Destination Address"),
    "opted_out": ("0x00000045", "Submit failed"),
    "cancelled": ("0x00000062", "Invalid Scheduled Delivery Time"),
}
WORDS = {
    **SMPP_WORDS,
    **{outcome: Told("DLR 16", code) for outcome, (code, _) in REFUSALS.items()},
}
_DATE = "%y%m%d%H%M%S"


@dataclass(frozen=True)
class Receipt:
    """One receipt: when it came, its type and its text."""

    at: datetime
    type: int
    text: str


def receipts(row: Mapping[str, Any]) -> Iterator[Receipt]:
    """The receipts of a row of ProviderApi.seen that had come by then."""
    if row["sent_at"] is None:
        if row["done_at"] is not None:
            code, words = REFUSALS[row["outcome"]]
            yield Receipt(row["done_at"], REFUSED, f"NACK/{row['code'] or code}/{words}")
        return
    yield Receipt(row["sent_at"], ACCEPTED, "ACK/")
    if row["done_at"] is not None:
        delivered = row["word"] == WORDS["delivered"].word
        kind = DELIVERED if delivered else UNDELIVERED
        yield Receipt(row["done_at"], kind, _text(row))


def _text(row: Mapping[str, Any]) -> str:
    submitted, done = (row[name].strftime(_DATE) for name in ("submitted_at", "done_at"))
    return (
        f"id:{row['message_id'][:10]} sub:001 dlvrd:001 submit date:{submitted} "
        f"done date:{done} stat:{row['word']} err:{(row['code'] or '0').zfill(3)} text:"
    )
