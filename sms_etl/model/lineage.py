"""Which column comes from which: by name, and where the names differ, as written here."""

from __future__ import annotations

from collections.abc import Mapping

from sms_etl.model.schemas import CUBE, MESSAGES, OUTBOX, Table

Sources = Mapping[str, tuple[str, ...]]
"""Column -> the columns it is computed from, where they have other names."""

_CUBE_FROM_MESSAGES: Sources = {
    "hour": ("submitted_at",),
    "messages": ("message_id",),
    "messages_with_parts": ("parts",),
    "messages_with_cost": ("cost_micro",),
    "messages_with_time": ("seconds_to_deliver",),
}

_MESSAGES_FROM_OUTBOX: Sources = {
    "day": ("submitted_at",),
    "campaign_origin": ("campaign",),
    "submitted_at_origin": ("submitted_at",),
    "parts": ("text",),
    "parts_computed": ("text",),
    "parts_plain": ("text",),
    "parts_latin": ("text",),
    "odd_letters": ("text",),
    "encoding": ("text",),
    "text_length": ("text",),
    "country": ("recipient",),
    "number_type": ("recipient",),
    "key_id": ("recipient",),
}

_BY_HAND: Mapping[tuple[str, str], Sources] = {
    (CUBE.name, MESSAGES.name): _CUBE_FROM_MESSAGES,
    (MESSAGES.name, OUTBOX.name): _MESSAGES_FROM_OUTBOX,
}


def lineage(table: Table, upstream: Table) -> dict[str, tuple[str, ...]]:
    """Columns of a table with the columns of another one that they come from; others not."""
    written = _BY_HAND.get((table.name, upstream.name), {})
    there = set(upstream.names)
    found = {name: written.get(name, (name,)) for name in table.names}
    return {name: parts for name, parts in found.items() if set(parts) <= there}
