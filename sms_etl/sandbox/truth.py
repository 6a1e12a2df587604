"""What really happened to every message, as far as it has happened at a time.

Derived from the world's own history, not from any provider's words.
"""

from __future__ import annotations

from datetime import datetime

import polars as pl

from sms_etl.sandbox.clock import as_utc
from sms_etl.sandbox.lifecycle import AGED_OUT, seen_at
from sms_etl.sandbox.words import with_words
from sms_etl.sandbox.world import World


def truth_at(world: World, now: datetime) -> pl.DataFrame:
    """One row per outbound message submitted by then, all ways.

    Columns: message_id, way, campaign, sender, channel, contact_id, recipient (E.164, null if
    invalid), operator (holder of the Ukrainian mobile range, else null), country, number_type,
    submitted_at, sent_at, class, outcome (final or still null), word, code, done_at, updated_at,
    parts, encoding, price_micro (null while nobody has billed it), currency, duplicate_of,
    incident; in a world with plants also contact_source and planted.
    """
    now = as_utc(now)
    more = ["contact_source", "planted"] if world.parameters.plants else []
    old = pl.col("submitted_at") < now - AGED_OUT
    billed = pl.col("billed_at").is_not_null()
    return with_words(seen_at(world.messages, now)).select(
        "message_id", "way", "campaign", "sender", "channel", "contact_id",
        pl.col("e164").alias("recipient"),
        "operator", "country", "number_type", "submitted_at", "sent_at",
        pl.when(pl.col("final")).then(pl.col("class")).when(old).then(pl.lit("unknown"))
        .otherwise(pl.lit("pending")).alias("class"),
        pl.when(pl.col("final")).then(pl.col("outcome")).alias("outcome"),
        "word", "code", "done_at", "updated_at", "parts", "encoding",
        pl.when(billed).then(pl.col("part_micro") * pl.col("parts")).alias("price_micro"),
        "currency", "duplicate_of", "incident", *more,
    )  # fmt: skip


def incidents_at(world: World, now: datetime) -> list[dict[str, object]]:
    """The planted incidents that have begun, with how many messages each could and did harm."""
    truth = truth_at(world, now)
    rows: list[dict[str, object]] = []
    for incident in world.incidents.values():
        if incident.start > now:
            continue
        touched = truth.filter(pl.col("incident") == incident.id)
        harmed = touched.filter(pl.col("outcome").is_in(["outage", "spam_filter"]))
        rows.append(
            {
                "id": incident.id,
                "kind": incident.kind,
                "start": incident.start.isoformat(),
                "end": incident.end.isoformat(),
                "operator": incident.operator,
                "sender": incident.sender,
                "messages": touched.height,
                "failed_by_it": harmed.height,
            }
        )
    return rows
