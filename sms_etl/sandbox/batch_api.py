"""What providers share whose record is a batch: one text to many recipients.

Such a provider has no identifier of a message; the batch and the recipient's digits make one.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import polars as pl

from sms_etl.sandbox.faults import FaultSettings
from sms_etl.sandbox.provider import ProviderApi

SENT_TOGETHER = ("submitted_at", "campaign", "sender")
"""Messages that are the same in these are one batch, with the text of the first."""
_NO_DIGITS = "0"


class BatchApi(ProviderApi):
    """A provider of batches. `identifier` makes that of a batch."""

    def own_id(self) -> pl.Expr:
        """`batch:digits`, as an integer would be written; of no number the digits in it."""
        ids = pl.col("message_id").replace_strict(self._own_ids, return_dtype=pl.String)
        return ids.alias("message_id")

    @cached_property
    def _own_ids(self) -> dict[str, str]:
        rows = self.world.by_way[self.way]
        typed = pl.coalesce("e164", "recipient").str.replace_all(r"\D", "")
        digits = typed.str.strip_chars_start("0")
        written = pl.when(digits != "").then(digits).otherwise(pl.lit(_NO_DIGITS))
        batch = super().own_id().first().over(SENT_TOGETHER)
        return dict(rows.select("message_id", own=batch + ":" + written).iter_rows())

    def spoilt(
        self, record: dict[str, Any], kept: tuple[str, ...], message_id: str, faults: FaultSettings
    ) -> list[dict[str, Any]]:
        """A record about one recipient, spoiled as the faults say: what is `kept`, or twice."""
        if message_id in faults.blank:
            record = dict.fromkeys(record) | {name: record[name] for name in kept}
        return [record] * (2 if message_id in faults.twice else 1)


def with_batch(messages: pl.DataFrame) -> pl.DataFrame:
    """Messages of a BatchApi with `batch` and `number`, the parts of their identifier."""
    parts = pl.col("message_id").str.split(":")
    return messages.with_columns(batch=parts.list.get(0), number=parts.list.get(1))


def batches(messages: pl.DataFrame) -> pl.DataFrame:
    """One row per batch, in the order of the messages: its first message, and `numbers`."""
    first = pl.exclude("batch", "number").first()
    return messages.group_by("batch", maintain_order=True).agg(first, numbers="number")
