"""Which record belongs to which day, and which records cannot be placed or read at all.

Every landed record has one fate per day it is counted in, whatever other days are rebuilt with
it: a record counts at its home day, if a pull of that day or of the few after it (`spill_days`)
brought it; a record with no home day, or whose home day lies outside the pull that brought it,
counts at the first day of that pull.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import polars as pl

from sms_etl.model.vocabulary import FoldReason, QuarantineReason, TimeOrigin

CLOCK_TOLERANCE_SECONDS = 120
"""Clocks of two systems may disagree by this much before an order of times is impossible."""

OUTBOX_TOLD = (
    "recipient", "campaign", "submitted_at", "sender", "text", "contact_id", "contact_source",
    "purpose", "template",
)  # fmt: skip
"""What the outbox may know of a message."""

_TIME_COLUMNS = ("created_at", "sent_at", "done_at")


def with_outbox(observed: pl.LazyFrame, outbox: pl.LazyFrame) -> pl.LazyFrame:
    """Add what the user's outbox knows of each message: columns `outbox_*`, null if nothing."""
    known = outbox.select(
        "message_id",
        *(pl.col(name).alias(f"outbox_{name}") for name in OUTBOX_TOLD),
    )
    return observed.join(known, on="message_id", how="left")


def with_submission(observed: pl.LazyFrame, zone: str) -> pl.LazyFrame:
    """Add `submitted_at`, its origin and `home_day`, the business day it belongs to.

    The provider's own acceptance time comes first, then the user's outbox, then the time the
    provider sent it on.
    """
    submitted = pl.coalesce("created_at", "outbox_submitted_at", "sent_at")
    origin = (
        pl.when(pl.col("created_at").is_not_null())
        .then(pl.lit(TimeOrigin.PROVIDER.value))
        .when(pl.col("outbox_submitted_at").is_not_null())
        .then(pl.lit(TimeOrigin.OUTBOX.value))
        .when(pl.col("sent_at").is_not_null())
        .then(pl.lit(TimeOrigin.PROVIDER_UPDATE.value))
        .otherwise(pl.lit(TimeOrigin.NONE.value))
    )
    return observed.with_columns(submitted_at=submitted, submitted_at_origin=origin).with_columns(
        home_day=pl.col("submitted_at").dt.convert_time_zone(zone).dt.date(),
        done_at=_done_after_submission(),
    )


def with_fate(observed: pl.LazyFrame) -> pl.LazyFrame:
    """Add `quarantined` and `folded`: why a record cannot be, or need not be, a message."""
    return observed.with_columns(
        quarantined=pl.when(~pl.col("inbound").fill_null(value=False)).then(_quarantine_reason()),
        folded=pl.when(pl.col("inbound").fill_null(value=False)).then(
            pl.lit(FoldReason.INBOUND.value)
        ),
    )


def at_days(
    observed: pl.LazyFrame, pulls: pl.LazyFrame, days: Sequence[date], spill_days: int
) -> pl.LazyFrame:
    """Keep the records that count at one of these days, with that day in `day`.

    Args:
        observed: needs `pull` and `home_day`.
        pulls: `pull`, `first_day`, `last_day` of every pull read.
        days: the days being rebuilt.
        spill_days: how many days after a message's own may have brought it.
    """
    inside = pl.col("home_day").is_between(pl.col("first_day"), pl.col("last_day"))
    placed = observed.join(pulls, on="pull", how="left")
    brought = pl.col("home_day").is_between(
        pl.col("first_day").dt.offset_by(f"-{spill_days}d"), pl.col("last_day")
    )
    at_home = placed.filter(pl.col("home_day").is_in(list(days)) & brought).with_columns(
        day=pl.col("home_day")
    )
    outside = placed.filter(
        pl.col("first_day").is_in(list(days)) & ~inside.fill_null(value=False)
    ).with_columns(
        day=pl.col("first_day"),
        folded=pl.when(pl.col("home_day").is_not_null())
        .then(pl.lit(FoldReason.OTHER_DAY.value))
        .otherwise(pl.col("folded")),
    )
    elsewhere = outside.with_columns(
        quarantined=pl.when(pl.col("folded").is_null()).then(pl.col("quarantined"))
    )
    return pl.concat([at_home, elsewhere])


def _done_after_submission() -> pl.Expr:
    """In the hour that comes twice, a status cannot be final before the message was submitted."""
    too_early = pl.col("done_at") < pl.col("submitted_at")
    return pl.when(too_early).then(pl.coalesce("done_at_later", "done_at")).otherwise("done_at")


def _quarantine_reason() -> pl.Expr:
    unreadable = pl.any_horizontal(
        pl.col(f"{name}_text").is_not_null() & pl.col(name).is_null() for name in _TIME_COLUMNS
    )
    early = (pl.col("done_at") - pl.col("submitted_at")).dt.total_seconds() < -(
        CLOCK_TOLERANCE_SECONDS
    )
    return (
        pl.when(pl.col("malformed").is_not_null())
        .then(pl.lit(QuarantineReason.BAD_RECORD.value))
        .when(pl.col("message_id").is_null() | (pl.col("message_id") == ""))
        .then(pl.lit(QuarantineReason.NO_MESSAGE_ID.value))
        .when(unreadable)
        .then(pl.lit(QuarantineReason.BAD_TIME.value))
        .when(pl.col("submitted_at").is_null())
        .then(pl.lit(QuarantineReason.NO_SUBMIT_TIME.value))
        .when(early)
        .then(pl.lit(QuarantineReason.TIMES_OUT_OF_ORDER.value))
        .when(pl.col("price_text").is_not_null() & pl.col("cost_micro").is_null())
        .then(pl.lit(QuarantineReason.BAD_PRICE.value))
    )


def quarantine_detail() -> pl.Expr:
    """The offending values of a quarantined record."""
    times = [
        pl.format("{}={}", pl.lit(n), pl.col(f"{n}_text").fill_null("")) for n in _TIME_COLUMNS
    ]
    return (
        pl.when(pl.col("malformed").is_not_null())
        .then(pl.col("malformed"))
        .when(pl.col("price_text").is_not_null() & pl.col("cost_micro").is_null())
        .then(pl.format("price={}", "price_text"))
        .otherwise(pl.concat_str(times, separator=", "))
    )
