"""The world of the contract suite, with messages on the edges of days."""

from dataclasses import replace
from datetime import date, timedelta

import polars as pl

from sms_etl.days import day_window
from sms_etl.sandbox import World, WorldParameters, build_world

WORLD = WorldParameters(messages=8_000, first_day=date(2026, 3, 20), days=225)
ZONE = WORLD.zone
ORDINARY, SPRING, AUTUMN = date(2026, 6, 10), date(2026, 3, 29), date(2026, 10, 25)
EDGE_DAYS = (ORDINARY, SPRING, AUTUMN)
SECOND = timedelta(seconds=1)


def world_with_edges() -> World:
    """A world in which every way sent something in the first and last second of EDGE_DAYS."""
    world = build_world(WORLD)
    moments = [
        moment
        for day in EDGE_DAYS
        for edge in [day_window(day, ZONE)]
        for moment in (edge.start - SECOND, edge.start, edge.end - SECOND, edge.end)
    ]
    rows = world.messages.with_row_index("row")
    usual = (
        (pl.col("outcome") == "delivered")
        & (pl.col("done_at") - pl.col("sent_at") < timedelta(minutes=1))
        & (pl.col("billed_at") - pl.col("sent_at") < timedelta(minutes=1))
        & pl.col("read_at").is_null()
    )
    moved = pl.concat(
        of_way.filter(usual)
        .head(len(moments))
        .select("row", moved=pl.Series(moments).cast(pl.Datetime("us", "UTC")))
        for _, of_way in rows.group_by("way", maintain_order=True)
    )
    shift = pl.col("moved") - pl.col("sent_at")
    edged = (
        rows.join(moved, on="row", how="left", maintain_order="left")
        .with_columns(
            submitted_at=pl.coalesce("moved", "submitted_at"),
            **{
                name: pl.when(pl.col("moved").is_not_null())
                .then(pl.col(name) + shift)
                .otherwise(name)
                for name in ("sent_at", "done_at", "billed_at")
            },
        )
        .sort("submitted_at", "row")
        .drop("row", "moved")
    )
    return replace(world, messages=edged)
