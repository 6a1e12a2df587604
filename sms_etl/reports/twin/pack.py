"""A cube as few bytes: dictionaries, gaps between sorted keys, bytes by place, deflate, base64.

Read by `report_templates/twin/cube.js`, which does the same steps backwards.
"""

from __future__ import annotations

import base64
import sys
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import polars as pl

from sms_etl.reports.twin.cube import (
    DIMENSIONS,
    MEASURES,
    STATES,
    TwinCube,
    with_merged_buckets,
    with_merged_campaigns,
)

BUDGET_BYTES = 1_600_000
"""Most that a cube may add to a page; the page without it has about 300 kB and may have 2 MB."""

MOST_COLLAPSES = 3
"""Times to deliver are within 16 % then; beyond it they would say too little."""

LEAST_CAMPAIGNS = 20
LARGEST_EXACT = 2**53
"""JavaScript's numbers are exact up to here."""

BYTE = 256
BASE64 = 4 / 3
"""Characters for a byte."""
_UNITS = ("parts_each", "cost_each")


@dataclass(frozen=True)
class Packed:
    """What is embedded: a head that describes the columns, and their bytes as base64."""

    head: dict[str, Any]
    body: str


def pack_within(cube: TwinCube, budget: int = BUDGET_BYTES) -> tuple[TwinCube, Packed] | None:
    """The finest cube whose packed form keeps to the budget, and that form.

    First neighbouring buckets of the times are merged, then the smallest campaigns. Null when
    even that does not help, or when a sum would be beyond JavaScript's exact numbers.
    """
    if cube.counts.is_empty() or cube.counts["cost_micro"].sum() >= LARGEST_EXACT:
        return None
    campaigns = cube.counts["campaign"].n_unique()
    counted = _counted(cube)
    while (packed := _packed(cube, counted, budget)) is None:
        if cube.collapsed < MOST_COLLAPSES:
            cube = with_merged_buckets(cube)
        elif campaigns > LEAST_CAMPAIGNS:
            campaigns //= 2
            cube = with_merged_campaigns(cube, campaigns)
            counted = _counted(cube)
        else:
            return None
    return cube, packed


def pack(cube: TwinCube) -> Packed:
    """A cube as head and body, whatever its size."""
    return cast("Packed", _packed(cube, _counted(cube), sys.maxsize))


@dataclass(frozen=True)
class _Counted:
    """What is packed of the counts: it stays the same while only times are merged."""

    groups: pl.DataFrame
    head: dict[str, Any]
    planes: dict[str, list[bytes]]


def _counted(cube: TwinCube) -> _Counted:
    values = {name: cube.counts[name].unique().sort() for name in DIMENSIONS}
    groups = _groups(cube)
    states = cube.counts.select(STATES).unique().sort(STATES).with_row_index("state")
    columns = {
        name: groups.select(pl.col(name).replace_strict(values[name], range(len(values[name]))))[
            name
        ]
        for name in DIMENSIONS
    }
    columns |= {name: groups[name] for name in _UNITS}
    columns |= _count_columns(cube, groups, states)
    head = {
        "values": {name: series.to_list() for name, series in values.items()},
        "states": [dict(zip(STATES, row, strict=True)) for row in states.select(STATES).rows()],
    }
    return _Counted(groups, head, {name: _planes(series) for name, series in columns.items()})


def _packed(cube: TwinCube, counted: _Counted, budget: int) -> Packed | None:
    """A cube as head and body; null where the body would be beyond the budget."""
    times = _time_columns(cube, counted.groups)
    planes = counted.planes | {name: _planes(series) for name, series in times.items()}
    body = _deflated([plane for parts in planes.values() for plane in parts], budget)
    columns = [[name, len(parts[0]), len(parts)] for name, parts in planes.items()]
    return None if body is None else Packed(counted.head | {"columns": columns}, body)


def _deflated(planes: Sequence[bytes], budget: int) -> str | None:
    """Planes as one deflated text in base64; null as soon as it is beyond the budget."""
    deflate = zlib.compressobj(9)
    done: list[bytes] = []
    for plane in planes:
        done.append(deflate.compress(plane))
        if sum(map(len, done)) * BASE64 > budget:
            return None
    body = base64.b64encode(b"".join([*done, deflate.flush()])).decode()
    return body if len(body) <= budget else None


def _groups(cube: TwinCube) -> pl.DataFrame:
    """Combinations of the dimensions, with the usual parts of a message and price of a part."""
    counted = pl.col("messages") > 0
    each = (pl.col("parts") // pl.col("messages")).filter(counted).mode().min()
    price = (pl.col("cost_micro") // pl.col("parts")).filter(pl.col("parts") > 0).mode().min()
    return (
        cube.counts.group_by(DIMENSIONS)
        .agg(parts_each=each.fill_null(0), cost_each=price.fill_null(0))
        .sort(DIMENSIONS)
        .with_row_index("group")
    )


def _count_columns(
    cube: TwinCube, groups: pl.DataFrame, states: pl.DataFrame
) -> dict[str, pl.Series]:
    rows = (
        cube.counts.join(groups, on=DIMENSIONS)
        .join(states, on=STATES, nulls_equal=True)
        .sort("group", "day", "state")
    )
    # What is lacking, or differs from what is usual, packs better than what is there.
    usual_parts = pl.col("messages") * pl.col("parts_each")
    usual_cost = pl.col("parts") * pl.col("cost_each")
    rows = rows.with_columns(
        parts=_zigzag(pl.col("parts") - usual_parts),
        cost_micro=_zigzag(pl.col("cost_micro") - usual_cost),
        messages_with_parts=pl.col("messages") - pl.col("messages_with_parts"),
        messages_with_cost=pl.col("messages") - pl.col("messages_with_cost"),
        **_gaps(["group", "day"]),
    )
    names = ["group", "day", "state", *MEASURES]
    return {f"count_{name}": rows[name] for name in names}


def _time_columns(cube: TwinCube, groups: pl.DataFrame) -> dict[str, pl.Series]:
    rows = cube.times.join(groups, on=DIMENSIONS).sort("group", "day", "kind", "bucket")
    rows = rows.with_columns(pl.col("bucket").clip(lower_bound=0))
    rows = rows.with_columns(**_gaps(["group", "day", "kind", "bucket"]))
    names = ["group", "day", "kind", "bucket", "messages"]
    return {f"time_{name}": rows[name] for name in names}


def _gaps(keys: Sequence[str]) -> dict[str, pl.Expr]:
    """Every key as its distance from the row before, from 0 where a key before it changed."""
    told: dict[str, pl.Expr] = {}
    same = pl.lit(value=True)
    for key in keys:
        before = pl.col(key).cast(pl.Int64).shift(1).fill_null(0)
        value = pl.col(key).cast(pl.Int64)
        told[key] = pl.when(same).then(value - before).otherwise(value)
        same = same & (pl.col(key) == pl.col(key).shift(1)).fill_null(value=False)
    return told


def _zigzag(value: pl.Expr) -> pl.Expr:
    """Whole numbers of either sign as whole numbers from 0 on: 0, -1, 1, -2, 2."""
    return pl.when(value < 0).then(-2 * value - 1).otherwise(2 * value)


def _planes(series: pl.Series) -> list[bytes]:
    """A column of whole numbers from 0 on as its lowest bytes, its next ones, and so on."""
    values = series.cast(pl.Int64)
    highest = values.max() if len(values) else 0
    planes = []
    while True:
        planes.append(bytes((values % BYTE).to_list()))
        values = values // BYTE
        highest = int(highest) // BYTE  # type: ignore[arg-type]
        if not highest:
            return planes
