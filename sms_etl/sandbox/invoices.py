"""The invoice of TurboSMS for the first half of the period, with differences planted on purpose."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

from sms_etl.model.vocabulary import ReconciliationDetail as Detail
from sms_etl.model.vocabulary import ReconciliationState as State
from sms_etl.sandbox.campaigns import Way
from sms_etl.sandbox.clock import as_utc
from sms_etl.sandbox.lifecycle import AGED_OUT, seen_at
from sms_etl.sandbox.world import World

INVOICE_FILE = "turbosms-1.csv"
INVOICE_TIME = "%d.%m.%Y %H:%M:%S"
BILLED_DAYS = 15
ISSUED_AFTER = timedelta(days=5)
"""An invoice is written once, some days after its last one, and never again."""

_PLANTED = {
    State.NOT_BILLED: 3,
    State.DOUBLED: 2,
    State.PRICED_DIFFERENTLY: 4,
    State.PARTS_DIFFER: 2,
}
"""How many of the billed messages are told wrongly, and how."""

_STRANGERS = ("ffffffff-0000-4000-8000-000000000001", "ffffffff-0000-4000-8000-000000000002")
"""Identifiers on the invoice that nobody ever sent."""

_DEARER = 1.25
_KIND = "told_wrongly"


def write_invoices(world: World, now: datetime, folder: Path) -> None:
    """Write the invoice into `folder`, once it is issued; see invoice_at."""
    folder.mkdir(exist_ok=True)
    lines = invoice_at(world, now)
    path = folder / INVOICE_FILE
    path.unlink(missing_ok=True)
    if lines is not None:
        lines.write_csv(
            path, separator=";", include_bom=True, datetime_format=INVOICE_TIME, decimal_comma=True
        )


def invoice_at(world: World, now: datetime) -> pl.DataFrame | None:
    """Lines of the invoice, or None before it is issued. The same lines at every later time.

    Columns: ID, Дата (local time without zone), Частин, Сума (in Валюта).
    """
    if as_utc(now) < _end(world) + ISSUED_AFTER:
        return None
    zone = world.parameters.zone.key
    told = _billed(world).filter(pl.col(_KIND).ne_missing(State.NOT_BILLED.value))
    wrong = pl.col(_KIND)
    lines = told.with_columns(
        parts=pl.col("parts") + (wrong == State.PARTS_DIFFER.value).fill_null(value=False),
        price=pl.when(wrong == State.PRICED_DIFFERENTLY.value)
        .then(pl.col("price") * _DEARER)
        .otherwise("price"),
    )
    again = lines.filter(wrong == State.DOUBLED.value)
    strangers = lines.head(len(_STRANGERS)).with_columns(message_id=pl.Series(_STRANGERS))
    local = pl.col("submitted_at").dt.convert_time_zone(zone).dt.replace_time_zone(None)
    return (
        pl.concat([lines, again, strangers])
        .sort("submitted_at", "message_id")
        .select(
            pl.col("message_id").alias("ID"),
            local.alias("Дата"),
            pl.col("parts").alias("Частин"),
            pl.col("price").round(4).alias("Сума"),
            pl.col("currency").alias("Валюта"),
        )
    )


def invoice_truth(world: World) -> pl.DataFrame:
    """`message_id`, `state`, `detail` of every difference that was planted in the invoice."""
    details = {State.DOUBLED.value: Detail.BILLED_TWICE.value}
    planted = _billed(world).drop_nulls(_KIND).select("message_id", state=_KIND)
    strangers = pl.DataFrame(
        {"message_id": _STRANGERS, "state": [State.UNKNOWN_TO_US.value] * len(_STRANGERS)}
    )
    details[State.UNKNOWN_TO_US.value] = Detail.ONLY_BILLED.value
    return (
        pl.concat([planted, strangers])
        .with_columns(detail=pl.col("state").replace_strict(details, default=None))
        .sort("state", "message_id")
    )


def _end(world: World) -> datetime:
    return world.parameters.start + timedelta(days=BILLED_DAYS)


def _billed(world: World) -> pl.DataFrame:
    """Messages of the days of the invoice that were charged, and which are told wrongly."""
    seen = seen_at(world.by_way[Way.TURBOSMS], world.parameters.end + AGED_OUT)
    doubles = seen["duplicate_of"].drop_nulls().implode()
    alone = pl.col("duplicate_of").is_null() & ~pl.col("message_id").is_in(doubles)
    kinds = [kind.value for kind, count in _PLANTED.items() for _ in range(count)]
    rows = (
        seen.filter(pl.col("billed_at").is_not_null() & (pl.col("submitted_at") < _end(world)))
        .sort("submitted_at", "message_id")
        .with_columns(price=pl.col("part_micro") * pl.col("parts") / 1_000_000)
    )
    candidates = rows.filter(alone)
    spread = candidates.gather_every(max(1, candidates.height // len(kinds)))
    chosen = spread.head(len(kinds)).select("message_id")
    return rows.join(
        chosen.with_columns(pl.Series(_KIND, kinds[: chosen.height], dtype=pl.String)),
        on="message_id",
        how="left",
        maintain_order="left",
    )
