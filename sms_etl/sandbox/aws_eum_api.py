"""AWS End User Messaging as its events in a log group tell of it.

Fields and types: docs.aws.amazon.com/sms-voice configuration-sets-event-types, botocore's
pinpoint-sms-voice-v2. A message has an event when it is queued, sent and done.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

import polars as pl

from sms_etl.sandbox.aws_logs import LogsApi, message_of
from sms_etl.sandbox.faults import FaultSettings
from sms_etl.sandbox.provider import Told

GROUP = "/sms/events"
_EVENTS = {"submitted_at": "waiting", "sent_at": "sent", "done_at": None}
"""Times of a message to the stage whose word the event has; None: what became of it."""


class AwsEumApi(LogsApi):
    """One log group that takes all text events of a configuration set."""

    name = "aws_eum"
    id_field = "messageId"
    groups = (GROUP,)
    words: ClassVar[Mapping[str, Told]] = {
        "waiting": Told("TEXT_QUEUED"),
        "leaving": Told("TEXT_PENDING"),
        "sent": Told("TEXT_SENT"),
        "read": Told("TEXT_DELIVERED"),
        "delivered": Told("TEXT_DELIVERED"),
        "no_receipt": Told("TEXT_SENT"),
        "expired": Told("TEXT_TTL_EXPIRED"),
        "dead_number": Told("TEXT_UNREACHABLE"),
        "landline": Told("TEXT_UNREACHABLE"),
        "network_error": Told("TEXT_CARRIER_UNREACHABLE"),
        "spam_filter": Told("TEXT_SPAM"),
        "outage": Told("TEXT_CARRIER_UNREACHABLE"),
        "final_unknown": Told("TEXT_UNKNOWN"),
        "invalid_number": Told("TEXT_INVALID"),
        "opted_out": Told("TEXT_BLOCKED"),
        "cancelled": Told("TEXT_PROTECT_BLOCKED"),
    }

    def written(
        self, start: datetime, end: datetime, now: datetime, faults: FaultSettings
    ) -> list[tuple[datetime, str, str]]:
        """The events of the messages that have any between these times."""
        touched = pl.any_horizontal(pl.col(*_EVENTS).is_between(start, end))
        rows = self.messages.filter(touched & (pl.col("submitted_at") <= now))
        return [(at, GROUP, message_of(record)) for at, record in self.events(rows, now, faults)]

    def events(
        self, rows: pl.DataFrame, now: datetime, faults: FaultSettings
    ) -> list[tuple[datetime, dict[str, Any]]]:
        """The events of some messages by a time, oldest first, with when they were written."""
        found = [
            (row[name], number, record)
            for row in self.seen(rows, now, faults).iter_rows(named=True)
            for number, (name, stage) in enumerate(_EVENTS.items())
            if row[name] is not None and row[name] <= now
            for record in self.spoiled([self._event(row, name, stage, faults)], faults)
        ]
        found.sort(key=lambda event: event[:2])
        return [(at, record) for at, _, record in found]

    def _event(
        self, row: Mapping[str, Any], time: str, stage: str | None, faults: FaultSettings
    ) -> dict[str, Any]:
        odd = row["message_id"] in faults.status_words
        word = row["word"] if stage is None or odd else self.words[stage].word
        record = {
            "eventType": word,
            "eventVersion": "1.0",
            "eventTimestamp": _milliseconds(row[time]),
            "isFinal": stage is None,
            "originationPhoneNumber": row["sender"],
            "destinationPhoneNumber": row["e164"] or row["recipient"],
            "isInternationalSend": True,
            "messageId": row["message_id"],
            "messageRequestTimestamp": _milliseconds(row["submitted_at"]),
            "messageType": "PROMOTIONAL",
            "context": {"campaign": row["campaign"]},
            "totalMessageParts": row["parts"],
            "totalCarrierFee": 0.0,
        }
        if row["billed_at"] is not None:
            record["totalMessagePrice"] = row["part_micro"] * row["parts"] / 1_000_000
        return record


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
