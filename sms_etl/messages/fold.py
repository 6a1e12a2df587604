"""Many records, one message: repeated observations and the parts of one long message."""

from __future__ import annotations

import polars as pl

from sms_etl.model.vocabulary import StatusClass

_CLASS_RANK = {
    StatusClass.DELIVERED: 4,
    StatusClass.FAILED: 3,
    StatusClass.REJECTED: 2,
    StatusClass.UNKNOWN: 1,
    StatusClass.PENDING: 0,
}
"""Between two records of equal finality and time, the better proven one wins."""


def _rank(column: str = "status_class") -> pl.Expr:
    ranks = pl.lit(0)
    for status_class, rank in _CLASS_RANK.items():
        ranks = pl.when(pl.col(column) == status_class.value).then(rank).otherwise(ranks)
    return ranks.cast(pl.Int8)


def latest_observation(records: pl.DataFrame) -> pl.DataFrame:
    """One row per (day, message_id): the record that stands, whatever order records came in.

    A final state never goes back to an open one. Between final states the provider's own last
    change decides, then the later pull. Price and billed parts may mature after the state: the
    latest known ones are kept. `observations` counts the records of each message.
    """
    ordered = records.sort(
        pl.col("final"),
        pl.col("updated_at"),
        pl.col("pulled_at"),
        _rank(),
        pl.col("pull"),
        pl.col("page"),
        pl.col("record"),
        nulls_last=False,
    )
    by_pull = ("cost_micro", "currency", "parts_billed")
    kept = [
        name
        for name in records.columns
        if name not in {"day", "message_id", "done_at", "observations", *by_pull}
    ]
    same_state = pl.col("status_class") == pl.col("status_class").last()
    return ordered.group_by("day", "message_id", maintain_order=True).agg(
        *(pl.col(name).last() for name in kept),
        *(
            pl.col(name)
            .sort_by("pulled_at", "updated_at", "pull", "page", "record")
            .drop_nulls()
            .last()
            for name in by_pull
        ),
        # A provider's update time also moves on billing; the first sight of the state is nearer.
        done_at=pl.col("done_at").filter(same_state & pl.col("final")).min(),
        observations=pl.len().cast(pl.UInt32),
    )


def join_parts(messages: pl.DataFrame) -> pl.DataFrame:
    """Fold the rows of one long message (same `part_of`) into one message.

    Delivered only if every part was; pending while any part is; otherwise the state and reason
    of the worst part. Parts and costs add up. The identifier is that of the first part.
    """
    single = messages.filter(pl.col("part_of").is_null()).with_columns(
        part_rows=pl.lit(1, pl.UInt32)
    )
    parts = messages.filter(pl.col("part_of").is_not_null())
    if parts.is_empty():
        return single
    summed = {"cost_micro", "parts_billed", "observations"}
    kept = [c for c in messages.columns if c not in {"day", "part_of", "done_at", *summed}]
    severity = (
        pl.when(pl.col("status_class") == StatusClass.PENDING.value)
        .then(0)
        .when(pl.col("status_class") == StatusClass.DELIVERED.value)
        .then(2)
        .otherwise(1)
    )
    folded = (
        parts.sort(severity, "message_id")
        .group_by("day", "part_of", maintain_order=True)
        .agg(
            *(pl.col(name).first() for name in kept if name not in {"message_id", "text"}),
            message_id=pl.col("message_id").min(),
            text=pl.col("text").sort_by("message_id").str.join(""),
            done_at=pl.when(pl.col("final").all()).then(pl.col("done_at").max()).first(),
            cost_micro=pl.when(pl.col("cost_micro").is_not_null().any())
            .then(pl.col("cost_micro").sum())
            .first(),
            parts_billed=pl.len().cast(pl.Int32),
            observations=pl.col("observations").sum(),
            part_rows=pl.len().cast(pl.UInt32),
        )
    )
    return pl.concat([single, folded.select(single.columns)])
