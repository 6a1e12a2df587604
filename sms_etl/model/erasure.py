"""What stays of the messages of an erased person: how they count, not whose they were."""

from __future__ import annotations

from sms_etl.model.schemas import MESSAGES, Table

FACTS_OF_NUMBER = ("country", "operator", "operator_origin", "number_type")
FACTS_OF_TEXT = (
    "parts_computed", "parts_plain", "parts_latin", "odd_letters", "encoding", "text_length",
    "template", "links", "opt_out_wording",
)  # fmt: skip
FACTS_OF_OUTBOX = ("contact_source",)
COUNTED = ("parts", "parts_origin", "cost_micro", "currency", "cost_origin")
"""Kept where they were computed from the text or the number, not billed."""

_KEPT = (
    "day",
    "source",
    "message_id",
    *FACTS_OF_NUMBER,
    *FACTS_OF_TEXT,
    *FACTS_OF_OUTBOX,
    *COUNTED,
)

ERASED = Table(
    "erased",
    "What an erased person's messages counted as, so that rebuilding them from landing, where "
    "number and text are gone, gives the same sums",
    tuple(column for column in MESSAGES.columns if column.name in _KEPT),
)
