"""Rebuilds replies, stop lists and clicks, and their conservation account, from landed pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

import polars as pl

from sms_etl.engagement.person import cut_link, cut_network, with_person
from sms_etl.engagement.replies import with_intent
from sms_etl.errors import ConservationError
from sms_etl.messages.days import at_days
from sms_etl.messages.phones import pseudonyms
from sms_etl.messages.text import text_facts
from sms_etl.model.engagement import (
    CLICKS,
    EVENT_CONSERVATION,
    EVENT_QUARANTINE,
    OPT_OUTS,
    REPLIES,
)
from sms_etl.model.schemas import Table
from sms_etl.model.vocabulary import (
    UNKNOWN_LABEL,
    Engagement,
    EventFold,
    EventQuarantine,
    TimeOrigin,
)

TABLES: Mapping[Engagement, Table] = {
    Engagement.REPLIES: REPLIES,
    Engagement.OPT_OUTS: OPT_OUTS,
    Engagement.CLICKS: CLICKS,
}
ROW, FOLDED, QUARANTINED = "row", "folded", "quarantined"
"""Fates of a record."""

_CONTENT = (
    "at_text", "recipient", "sender", "message_id", "campaign", "link", "text", "user_agent",
    "device", "address",
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
        _with_fate(_with_home_day(read, recipe), recipe),
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


def _with_fate(read: pl.LazyFrame, recipe: EventRecipe) -> pl.LazyFrame:
    """Add `folded` and `quarantined`: why a record need not, or cannot, be a row."""
    folded = (
        pl.when(pl.col("outbound"))
        .then(pl.lit(EventFold.OUTBOUND.value))
        .when(pl.col("clicks") == 0)
        .then(pl.lit(EventFold.NO_CLICKS.value))
    )
    timeless = pl.col("at").is_null() & pl.lit(not recipe.whole_list)
    nobody = pl.col("recipient").is_null() & pl.lit(recipe.kind is Engagement.OPT_OUTS)
    counted = (pl.col("period_seconds") > 0).fill_null(value=False)
    quarantined = (
        pl.when(pl.col("malformed").is_not_null())
        .then(pl.lit(EventQuarantine.BAD_RECORD.value))
        .when(pl.col("at_text").is_not_null() & pl.col("at").is_null())
        .then(pl.lit(EventQuarantine.BAD_TIME.value))
        .when(timeless)
        .then(pl.lit(EventQuarantine.NO_TIME.value))
        .when(nobody)
        .then(pl.lit(EventQuarantine.NO_PERSON.value))
        .when(pl.col("clicks").is_null() & (pl.col("count_text").is_not_null() | counted))
        .then(pl.lit(EventQuarantine.BAD_COUNT.value))
    )
    detail = pl.coalesce(
        "malformed",
        pl.format(
            "time={}, count={}", *(pl.col(c).fill_null("") for c in ("at_text", "count_text"))
        ),
    )
    return read.with_columns(folded=folded, detail=detail).with_columns(
        quarantined=pl.when(pl.col(FOLDED).is_null()).then(quarantined)
    )


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
    origin = (
        pl.when(pl.col("at").is_not_null())
        .then(pl.lit(TimeOrigin.PROVIDER.value))
        .otherwise(pl.lit(TimeOrigin.NONE.value))
    )
    frame = rows.rename({"country": "click_country"}).with_columns(
        source=pl.lit(recipe.source), provider=pl.lit(recipe.provider)
    )
    frame = with_person(frame, recipe.home_country, recipe.pseudonym_key)
    if recipe.kind is Engagement.REPLIES:
        facts = text_facts(frame["text"]).drop("parts")
        frame = with_intent(frame.join(facts, on="text", how="left")).with_columns(
            received_at="at",
            received_at_origin=origin,
            sender=pl.col("sender").fill_null(UNKNOWN_LABEL),
        )
    elif recipe.kind is Engagement.OPT_OUTS:
        frame = frame.with_columns(opted_out_at="at", opted_out_at_origin=origin)
    else:
        frame = frame.with_columns(
            clicked_at="at",
            clicked_at_origin=origin,
            link=cut_link(pl.col("link")),
            network=cut_network(frame["address"]),
            clicks=pl.col("clicks").fill_null(1),
            period_seconds=pl.col("period_seconds").fill_null(0),
        )
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
