"""Rebuilds the rows of a stream, and their conservation account, from landed pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

import polars as pl

from sms_etl.engagement.fates import FOLDED, QUARANTINED, with_fate
from sms_etl.engagement.person import with_person
from sms_etl.engagement.rows import with_columns_of
from sms_etl.errors import ConservationError
from sms_etl.messages.days import at_days
from sms_etl.messages.phones import contact_digests, pseudonyms
from sms_etl.model.engagement import (
    CLICKS,
    CONSENTS,
    EVENT_CONSERVATION,
    EVENT_QUARANTINE,
    OPT_OUTS,
    ORDERS,
    REPLIES,
)
from sms_etl.model.schemas import Table
from sms_etl.model.vocabulary import Engagement, EventFold

TABLES: Mapping[Engagement, Table] = {
    Engagement.REPLIES: REPLIES,
    Engagement.OPT_OUTS: OPT_OUTS,
    Engagement.CLICKS: CLICKS,
    Engagement.ORDERS: ORDERS,
    Engagement.CONSENTS: CONSENTS,
}
ROW = "row"
"""Fate of a record that is a row, or one of the records that a row stands for."""

_CONTENT = (
    "at_text", "recipient", "sender", "message_id", "campaign", "link", "text", "user_agent",
    "device", "address", "contact_id", "amount_text", "withdrawn_at_text", "how", "purpose",
)  # fmt: skip
"""What identifies an event whose provider gives it no identifier. The country is not in it: a
provider may find it out later."""

_BETWEEN_CONTENTS = "\x1f"


@dataclass(frozen=True)
class EventRecipe:
    """Everything besides the landed pages that decides what the rows look like."""

    source: str
    provider: str
    kind: Engagement
    zone: ZoneInfo
    home_country: str
    pseudonym_key: bytes
    whole_list: bool = False
    opt_out_keywords: tuple[str, ...] = ()

    @property
    def stream(self) -> str:
        """Name of the stream in landing and in the accounts."""
        return stream_name(self.source, self.kind)


@dataclass(frozen=True)
class BuiltEvents:
    """The rebuilt slices of some days of one stream; `rows` has the table of its kind."""

    rows: pl.DataFrame
    quarantine: pl.DataFrame
    conservation: pl.DataFrame


def stream_name(source: str, kind: Engagement) -> str:
    """Under this name a stream lies in landing; no source can be called so."""
    return f"{source}.{kind.value}"


def build_events(
    read: pl.LazyFrame, pulls: pl.DataFrame, days: Sequence[date], recipe: EventRecipe
) -> BuiltEvents:
    """Rows of these days from the records of the pulls that may hold them.

    Args:
        read: EVENTS of all pulls read.
        pulls: `pull`, `first_day`, `last_day`, `records` of every pull read.
        days: business days to rebuild.
        recipe: stream, zone and key.

    Raises:
        ConservationError: a pull gave other records than its manifest counts, or records in
            differ from rows + folded + quarantined.
    """
    placed = at_days(
        with_fate(_with_home_day(read, recipe), recipe.kind, whole_list=recipe.whole_list),
        pulls.lazy().select("pull", "first_day", "last_day"),
        days,
        0,
    ).collect(engine="streaming")
    _check_all_read(placed, pulls, days, recipe.stream)
    usable = placed.filter(pl.col(QUARANTINED).is_null() & pl.col(FOLDED).is_null())
    rows = _latest(_identified(usable, recipe))
    built = BuiltEvents(
        rows=_enriched(rows, recipe),
        quarantine=_quarantine(placed, recipe.stream),
        conservation=_conservation(placed, rows, days, recipe.stream),
    )
    _check_conserved(placed, built, recipe.stream)
    return built


def _with_home_day(read: pl.LazyFrame, recipe: EventRecipe) -> pl.LazyFrame:
    """Add the business day of an event; an entry of a list is of the day it was pulled for."""
    local = pl.col("at").dt.convert_time_zone(recipe.zone.key).dt.date()
    return read.with_columns(home_day=pl.lit(None, pl.Date) if recipe.whole_list else local)


def _identified(usable: pl.DataFrame, recipe: EventRecipe) -> pl.DataFrame:
    """Fill `event_id`: without one of the provider's own, a keyed digest.

    Either of `event_key`, or of all that the record says. In the second case equal records of
    one pull are taken for several events, equal records of two pulls for one read again.
    """
    content = pl.concat_str(
        [pl.col(name).fill_null("") for name in _CONTENT], separator=_BETWEEN_CONTENTS
    )
    nameless = pl.col("event_id").is_null()
    told = usable.sort("pull", "page", "record").with_columns(
        _said=pl.when(nameless).then(pl.coalesce("event_key", content))
    )
    nth = pl.int_range(pl.len()).over("pull", "_said")
    return (
        told.with_columns(
            _digest=pseudonyms(told["_said"], recipe.pseudonym_key),
            _nth=pl.when(pl.col("event_key").is_null()).then(nth).otherwise(0).cast(pl.String),
        )
        .with_columns(
            event_id=pl.coalesce("event_id", pl.concat_str("_digest", "_nth", separator="-"))
        )
        .drop("_said", "_digest", "_nth")
    )


def _latest(records: pl.DataFrame) -> pl.DataFrame:
    """One row per event and day: the record that was pulled last; `records` counts them."""
    counted = records.group_by("day", "event_id").agg(records=pl.len().cast(pl.UInt32))
    return (
        records.sort("pulled_at", "pull", "page", "record")
        .unique(["day", "event_id"], keep="last", maintain_order=True)
        .join(counted, on=["day", "event_id"])
    )


def _enriched(rows: pl.DataFrame, recipe: EventRecipe) -> pl.DataFrame:
    table = TABLES[recipe.kind]
    frame = rows.rename({"country": "click_country"}).with_columns(
        source=pl.lit(recipe.source),
        provider=pl.lit(recipe.provider),
        contact=contact_digests(rows["contact_id"], recipe.pseudonym_key),
    )
    frame = with_person(frame, recipe.home_country, recipe.pseudonym_key)
    frame = with_columns_of(frame, recipe.kind, recipe.opt_out_keywords)
    return frame.select(table.names).cast(table.schema).sort("day", "event_id")


def _quarantine(placed: pl.DataFrame, stream: str) -> pl.DataFrame:
    return (
        placed.filter(pl.col(QUARANTINED).is_not_null())
        .with_columns(source=pl.lit(stream), reason=pl.col(QUARANTINED))
        .select(EVENT_QUARANTINE.names)
        .cast(EVENT_QUARANTINE.schema)
        .sort("day", "pull", "page", "record")
    )


def _conservation(
    placed: pl.DataFrame, rows: pl.DataFrame, days: Sequence[date], stream: str
) -> pl.DataFrame:
    asked = pl.DataFrame({"day": sorted(set(days))}, schema={"day": pl.Date})
    kept = asked.join(
        rows.group_by("day").agg(rows=pl.len(), records_in=pl.col("records").sum()),
        on="day",
        how="left",
    ).fill_null(0)
    repeated = kept.select(
        "day",
        records=pl.col("records_in") - pl.col("rows"),
        fate=pl.lit(FOLDED),
        reason=pl.lit(EventFold.REPEATED.value),
    )
    others = [
        placed.filter(pl.col(fate).is_not_null())
        .group_by("day", reason=fate)
        .agg(records=pl.len())
        .with_columns(fate=pl.lit(fate))
        for fate in (FOLDED, QUARANTINED)
    ]
    return (
        pl.concat(
            [
                kept.select(
                    "day", records="rows", fate=pl.lit(ROW), reason=pl.lit(None, pl.String)
                ),
                repeated.filter(pl.col("records") > 0),
                *others,
            ],
            how="diagonal_relaxed",
        )
        .with_columns(source=pl.lit(stream))
        .select(EVENT_CONSERVATION.names)
        .cast(EVENT_CONSERVATION.schema)
        .sort("day", "fate", "reason")
    )


def _check_all_read(
    placed: pl.DataFrame, pulls: pl.DataFrame, days: Sequence[date], stream: str
) -> None:
    """Reading a pull must give as many records as landing counted when it came."""
    whole = pulls.filter(
        pl.col("first_day").is_in(list(days)) & pl.col("last_day").is_in(list(days))
    )
    read = placed.group_by("pull").agg(read=pl.struct("page", "record").n_unique())
    wrong = whole.join(read, on="pull", how="left").filter(
        pl.col("read").fill_null(0) != pl.col("records")
    )
    if not wrong.is_empty():
        worst = wrong.row(0, named=True)
        raise ConservationError(
            f"{stream}: pull {worst['pull']} holds {worst['records']} records by its manifest, but "
            f"reading it gave {worst['read'] or 0}. Nothing was written. The pages are safe in "
            f"landing; report this with the manifest, the reader of this stream must be mended."
        )


def _check_conserved(placed: pl.DataFrame, built: BuiltEvents, stream: str) -> None:
    records_in = placed.group_by("day").agg(records_in=pl.len().cast(pl.Int64))
    listed = built.rows.group_by("day").agg(rows=pl.len().cast(pl.Int64))
    fates = built.conservation.group_by("day").agg(
        accounted=pl.col("records").sum(),
        told=pl.col("records").filter(pl.col("fate") == ROW).sum(),
    )
    wrong = (
        fates.join(records_in, on="day", how="full", coalesce=True)
        .join(listed, on="day", how="left")
        .fill_null(0)
        .filter((pl.col("records_in") != pl.col("accounted")) | (pl.col("rows") != pl.col("told")))
    )
    if not wrong.is_empty():
        worst = wrong.row(0, named=True)
        raise ConservationError(
            f"{stream}, {worst['day']}: {worst['records_in']} records came in but "
            f"{worst['accounted']} are accounted for, {worst['rows']} of them as rows. Nothing "
            f"was written. Please report this with the manifest of the day."
        )
