"""Rebuilds messages, quarantine and their conservation account from landed pages alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from zoneinfo import ZoneInfo

import polars as pl

from sms_etl.config.settings import SenderRule, TariffRow
from sms_etl.dictionaries import Dictionary, classify
from sms_etl.errors import ConservationError
from sms_etl.messages.days import (
    at_days,
    quarantine_detail,
    with_fate,
    with_outbox,
    with_submission,
)
from sms_etl.messages.enrich import (
    with_campaign,
    with_contact,
    with_cost,
    with_number_run,
    with_parts,
    with_purpose,
    with_recipient,
    with_sender,
    with_text,
    with_time_to_deliver,
    with_wording,
)
from sms_etl.messages.fold import (
    join_attempts,
    join_parts,
    latest_observation,
    with_partly_delivered,
)
from sms_etl.model.schemas import CONSERVATION, MESSAGES, QUARANTINE, UNMAPPED
from sms_etl.model.vocabulary import FoldReason


@dataclass(frozen=True)
class Recipe:
    """Everything besides the landed pages that decides what the messages look like."""

    source: str
    provider: str
    dictionary: Dictionary
    rules: Sequence[SenderRule]
    tariff: Sequence[TariffRow]
    zone: ZoneInfo
    home_country: str
    silence_hours: float
    pseudonym_key: bytes
    spill_days: int = 0
    purposes: Mapping[str, str] = field(default_factory=dict)
    opt_out_wordings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Built:
    """The rebuilt slices of some days of one source; schemas as in model.schemas."""

    messages: pl.DataFrame
    quarantine: pl.DataFrame
    conservation: pl.DataFrame
    unmapped: pl.DataFrame


def build_messages(
    observed: pl.LazyFrame,
    outbox: pl.LazyFrame,
    pulls: pl.DataFrame,
    days: Sequence[date],
    recipe: Recipe,
) -> Built:
    """Messages of these days from the records of the pulls that may hold them.

    Args:
        observed: OBSERVATIONS of all pulls read.
        outbox: OUTBOX rows around these days, one per message_id.
        pulls: `pull`, `first_day`, `last_day`, `records` of every pull read.
        days: business days to rebuild.
        recipe: classes, campaigns, prices and the key.

    Raises:
        ConservationError: a pull gave other records than its manifest counts, or records in
            differ from messages + folded + quarantined.
    """
    placed = placed_records(observed, outbox, pulls, days, recipe).collect(engine="streaming")
    check_all_read(records_read(placed), pulls, days)
    built = build_placed(placed, days, recipe)
    messages = with_number_run(built.messages).select(MESSAGES.names)
    return replace(built, messages=messages.sort("day", "submitted_at", "message_id"))


def placed_records(
    observed: pl.LazyFrame,
    outbox: pl.LazyFrame,
    pulls: pl.DataFrame,
    days: Sequence[date],
    recipe: Recipe,
) -> pl.LazyFrame:
    """Every record that counts at one of these days, with that day and its fate so far."""
    return at_days(
        with_fate(with_submission(with_outbox(observed, outbox), recipe.zone.key)),
        pulls.lazy().select("pull", "first_day", "last_day"),
        days,
        recipe.spill_days,
    )


def build_placed(placed: pl.DataFrame, days: Sequence[date], recipe: Recipe) -> Built:
    """What becomes of placed records; all records of a message, and of its order, are there.

    Its messages lack `in_number_run`, which needs the whole hour, and have `e164` beside it.
    """
    usable = placed.filter(pl.col("quarantined").is_null() & pl.col("folded").is_null())
    classified = classify(
        usable.lazy(),
        recipe.dictionary,
        now_column="pulled_at",
        silence_hours=recipe.silence_hours,
    ).collect()
    latest = latest_observation(classified)
    messages = join_attempts(join_parts(latest))
    built = Built(
        messages=_enriched(messages, recipe),
        quarantine=_quarantine(placed, recipe.source),
        conservation=_conservation(placed, messages, days, recipe.source),
        unmapped=_unmapped(latest, recipe.source),
    )
    _check_conserved(placed, built)
    return built


def _enriched(messages: pl.DataFrame, recipe: Recipe) -> pl.DataFrame:
    key = recipe.pseudonym_key
    frame = with_campaign(with_partly_delivered(messages), recipe.rules, recipe.source)
    frame = with_purpose(with_contact(frame, key), recipe.purposes)
    frame = with_sender(with_recipient(frame, recipe.home_country, key))
    frame = with_text(frame, recipe.opt_out_wordings)
    frame = with_wording(frame, recipe.opt_out_wordings, key)
    frame = with_cost(with_parts(frame), recipe.tariff)
    return (
        with_time_to_deliver(frame)
        .with_columns(
            source=pl.lit(recipe.source),
            provider=pl.lit(recipe.provider),
            observed_at=pl.col("pulled_at"),
        )
        .select(column for column in [*MESSAGES.names, "e164"] if column != "in_number_run")
        .cast({name: MESSAGES.schema[name] for name in MESSAGES.names if name != "in_number_run"})
    )


def _quarantine(placed: pl.DataFrame, source: str) -> pl.DataFrame:
    return (
        placed.filter(pl.col("quarantined").is_not_null())
        .with_columns(
            source=pl.lit(source), reason=pl.col("quarantined"), detail=quarantine_detail()
        )
        .select(QUARANTINE.names)
        .cast(QUARANTINE.schema)
        .sort("day", "pull", "page", "record")
    )


def _conservation(
    placed: pl.DataFrame, messages: pl.DataFrame, days: Sequence[date], source: str
) -> pl.DataFrame:
    kept = messages.group_by("day").agg(
        records=pl.len(),
        repeated=_sum("observations") - _sum("part_rows"),
        parts=_sum("part_rows") - _sum("attempts"),
        attempts=_sum("attempts") - pl.len().cast(pl.Int64),
    )
    quarantined = placed.filter(pl.col("quarantined").is_not_null())
    folded = placed.filter(pl.col("folded").is_not_null())
    account = pl.concat(
        [
            kept.select("day", "records", fate=pl.lit("message"), reason=pl.lit(None, pl.String)),
            _account(kept.select("day", records="repeated"), "folded", FoldReason.REPEATED),
            _account(kept.select("day", records="parts"), "folded", FoldReason.PART),
            _account(kept.select("day", records="attempts"), "folded", FoldReason.ATTEMPT),
            folded.group_by("day", reason="folded")
            .agg(records=pl.len())
            .select("day", "records", "reason", fate=pl.lit("folded")),
            quarantined.group_by("day", reason="quarantined")
            .agg(records=pl.len())
            .select("day", "records", "reason", fate=pl.lit("quarantined")),
        ],
        how="diagonal_relaxed",
    ).filter((pl.col("records") > 0) | (pl.col("fate") == "message"))
    empty_days = pl.DataFrame({"day": sorted(days)}, schema={"day": pl.Date}).join(
        account.filter(pl.col("fate") == "message"), on="day", how="anti"
    )
    nothing = empty_days.with_columns(records=pl.lit(0), fate=pl.lit("message"))
    return (
        pl.concat([account, nothing], how="diagonal_relaxed")
        .with_columns(source=pl.lit(source))
        .select(CONSERVATION.names)
        .cast(CONSERVATION.schema)
        .sort("day", "fate", "reason")
    )


def _sum(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.Int64).sum()


def _account(frame: pl.DataFrame, fate: str, reason: FoldReason) -> pl.DataFrame:
    return frame.with_columns(fate=pl.lit(fate), reason=pl.lit(reason.value))


def _unmapped(latest: pl.DataFrame, source: str) -> pl.DataFrame:
    """Words nobody knows, of parts and attempts too; a message that has one twice counts once."""
    message = pl.coalesce("order_id", "part_of", "message_id")
    found = [
        latest.filter(~pl.col(f"{kind}_known") & pl.col(kind).is_not_null())
        .group_by("day", word=kind)
        .agg(messages=message.n_unique())
        .with_columns(kind=pl.lit(kind), source=pl.lit(source))
        for kind in ("status", "code")
    ]
    return (
        pl.concat([frame.select(UNMAPPED.names) for frame in found])
        .cast(UNMAPPED.schema)
        .sort("day", "kind", "word")
    )


def records_read(placed: pl.DataFrame) -> pl.DataFrame:
    """How many records of each pull there are: `pull`, `read`."""
    place = pl.col("page").cast(pl.UInt64) * 2**32 + pl.col("record")
    return placed.group_by("pull").agg(read=place.n_unique())


def check_all_read(read: pl.DataFrame, pulls: pl.DataFrame, days: Sequence[date]) -> None:
    """Reading a pull must give as many records as landing counted when it came.

    Raises:
        ConservationError: it gave others.
    """
    whole = pulls.filter(
        pl.col("first_day").is_in(list(days)) & pl.col("last_day").is_in(list(days))
    )
    wrong = (
        whole.join(read, on="pull", how="left")
        .with_columns(pl.col("read").fill_null(0))
        .filter(pl.col("read") != pl.col("records"))
    )
    if not wrong.is_empty():
        worst = wrong.row(0, named=True)
        raise ConservationError(
            f"Pull {worst['pull']} holds {worst['records']} records by its manifest, but reading "
            f"it gave {worst['read']}. Nothing was written. The pages are safe in landing; report "
            f"this with the manifest, the reader of this source must be mended."
        )


def _check_conserved(placed: pl.DataFrame, built: Built) -> None:
    records_in = placed.group_by("day").agg(records_in=pl.len().cast(pl.Int64))
    accounted = built.conservation.group_by("day").agg(accounted=pl.col("records").sum())
    listed = built.messages.group_by("day").agg(rows=pl.len().cast(pl.Int64))
    counted = built.conservation.filter(pl.col("fate") == "message").select("day", "records")
    wrong = (
        accounted.join(records_in, on="day", how="full", coalesce=True)
        .join(listed, on="day", how="left")
        .join(counted, on="day", how="left")
        .fill_null(0)
        .filter(
            (pl.col("records_in") != pl.col("accounted")) | (pl.col("rows") != pl.col("records"))
        )
    )
    if not wrong.is_empty():
        worst = wrong.row(0, named=True)
        raise ConservationError(
            f"{worst['day']}: {worst['records_in']} records came in but {worst['accounted']} are "
            f"accounted for, {worst['rows']} of them as messages. Nothing was written. "
            f"Please report this with the manifest of the day."
        )
