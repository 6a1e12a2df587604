"""Days that `sms-etl backfill` did, shown as materialized: the same steps, the same partitions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import dagster as dg

from assets.attribution import ATTRIBUTION_KEY, is_attributed
from assets.clean_base import clean_base_keys
from assets.engagement import events_key, stream_landing_key
from assets.reconciliation import reconciliation_key
from assets.sources import cube_key, landing_key, messages_key
from sms_etl.backfill.run import DERIVED
from sms_etl.days import days_between
from sms_etl.engagement.build import stream_name
from sms_etl.project import OUTBOX_NAME, Project
from sms_etl.store.backfills import Backfills, Chunk, Mark

INTERVAL_SECONDS = 30
CHUNKS_AT_ONCE = 4
"""A chunk of a month is about a hundred events; a tick of the daemon may last a minute."""


def build_backfill_sensor(project: Project, status: dg.DefaultSensorStatus) -> dg.SensorDefinition:
    """Tells the UI of chunks that the command line did."""

    @dg.sensor(
        name="show_backfills",
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=status,
        description="Shows the days that `sms-etl backfill` pulled and rebuilt as materialized.",
    )
    def show(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        found = Backfills(project.warehouse).done_since(_read(context.cursor), CHUNKS_AT_ONCE)
        if not found:
            return dg.SkipReason("The command line did nothing new.")
        keys = _keys(project)
        events = [
            event
            for chunk, pulled, _ in found
            for event in _events(chunk, keys.get(chunk.place, ([], [])), pulled=pulled)
        ]
        # Dagster keeps the cursor with the events, so a tick that dies is repeated whole.
        return dg.SensorResult(asset_events=events, cursor=_written(found[-1][2]))

    return show


def _written(mark: Mark) -> str:
    ended, number = mark
    return f"{ended.isoformat()} {number}"


def _read(cursor: str | None) -> Mark | None:
    if not cursor:
        return None
    ended, _, number = cursor.partition(" ")
    return datetime.fromisoformat(ended), int(number)


Keys = tuple[list[dg.AssetKey], list[dg.AssetKey]]
"""Assets that a place lands, and assets that are rebuilt from them."""


def _keys(project: Project) -> dict[str, Keys]:
    keys: dict[str, Keys] = {OUTBOX_NAME: ([landing_key(OUTBOX_NAME)], [])}
    for name in project.source_names:
        rebuilt = [messages_key(name), cube_key(name)]
        if name in project.reconciled:
            rebuilt.append(reconciliation_key(name))
        keys[name] = ([landing_key(name)], rebuilt)
    for name in project.enabled:
        for stream in project.streams(name):
            keys[stream_name(name, stream.kind)] = (
                [stream_landing_key(name, stream.kind)],
                [events_key(name, stream.kind)],
            )
    attributed = [ATTRIBUTION_KEY] if is_attributed(project) else []
    keys[DERIVED] = ([], [*attributed, *clean_base_keys(project)])
    return keys


def _events(chunk: Chunk, keys: Keys, *, pulled: bool) -> Iterator[dg.AssetMaterialization]:
    landed, rebuilt = keys
    for key in [*(landed if pulled else []), *rebuilt]:
        for day in days_between(chunk.first_day, chunk.last_day):
            yield dg.AssetMaterialization(
                asset_key=key,
                partition=day.isoformat(),
                description="Done by sms-etl backfill.",
                metadata={"backfill_chunk": chunk.id},
            )
