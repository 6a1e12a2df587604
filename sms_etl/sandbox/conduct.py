"""How a tidy company behaves: a holdout by lot, a cap, silence after a refusal or by a list.

Whatever it does not send is a row of its outbox that says why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from zoneinfo import ZoneInfo

import polars as pl

from sms_etl.model.vocabulary import HOLDOUT, SUPPRESSED
from sms_etl.sandbox.draws import Draws
from sms_etl.sandbox.engaged import Engaged
from sms_etl.sandbox.plants import (
    BREACH_KINDS,
    CAP_DAYS,
    HOLDOUT_CAMPAIGNS,
    MOST_IN_DAYS,
    PLANTED,
    lot_of_person,
)

OVER_CAP, REFUSED, QUIET_HOURS = "over_cap", "opt_out", "quiet_hours"
_WAKING_HOURS, _WAKING_HOURS_ABROAD = (8, 21), (10, 21)
"""Hours of Kyiv, the last one included, in which marketing goes out; abroad it is earlier."""

SKIPPED_COLUMNS = (
    "way", "campaign", "kind", "sender", "contact_id", "contact_source", "recipient", "e164",
    "submitted_at", "skipped",
)  # fmt: skip


@dataclass(frozen=True)
class ListInUse:
    """A suppression list that the company acts on from the first moment of a day.

    `contacts`: contact_id of the people whom its outbox skips.
    """

    contacts: frozenset[str]
    since: date


@dataclass(frozen=True)
class Kept:
    """What is sent, and what is not and why (SKIPPED_COLUMNS)."""

    sent: pl.DataFrame
    skipped: pl.DataFrame


def before_sending(
    draws: Draws, drafts: pl.DataFrame, holdout_share: float, zone: ZoneInfo
) -> Kept:
    """Leave out people held out of a campaign, sleepers, and messages beyond a person's cap."""
    held = pl.lit(value=False)
    for campaign in HOLDOUT_CAMPAIGNS:
        lot = pl.lit(lot_of_person(draws, drafts, f"plants:holdout:{campaign}"))
        held = held | ((pl.col("campaign") == campaign) & (lot < holdout_share))
    first = _split(drafts, held, HOLDOUT)
    second = _split(first.sent, _asleep(zone), QUIET_HOURS)
    third = _split(second.sent, _over_cap(second.sent), OVER_CAP)
    return Kept(third.sent, pl.concat([one.skipped for one in (first, second, third)]))


def _asleep(zone: ZoneInfo) -> pl.Expr:
    """Marketing at an hour of the recipient's at which the house is silent."""
    hour = pl.col("submitted_at").dt.convert_time_zone(zone.key).dt.hour()
    abroad = (pl.col("country") != "UA").fill_null(value=False)
    awake = (
        pl.when(abroad)
        .then(hour.is_between(*_WAKING_HOURS_ABROAD))
        .otherwise(hour.is_between(*_WAKING_HOURS))
    )
    return (pl.col("kind") == "promo") & ~awake


def _over_cap(drafts: pl.DataFrame) -> pl.Expr:
    """Marketing messages to whoever got MOST_IN_DAYS in the days before; planted ones go out."""
    promo = (
        drafts.with_row_index("_row")
        .filter((pl.col("kind") == "promo") & pl.col("contact_id").is_not_null())
        .sort("submitted_at")
    )
    counted = promo.rolling(
        "submitted_at", period=f"{CAP_DAYS}d", closed="both", group_by="contact_id"
    ).agg(pl.col("_row").last(), sent=pl.len())
    over = counted.filter(pl.col("sent") > MOST_IN_DAYS)["_row"]
    rows = pl.int_range(pl.len(), dtype=pl.UInt32)
    return rows.is_in(over.implode()) & pl.col(PLANTED).is_null()


def after_refusals(messages: pl.DataFrame, engaged: Engaged) -> tuple[Kept, Engaged]:
    """Leave out marketing to whoever refused before, and what would have come of it.

    Who refused is told by `engaged.opt_outs`; planted breaches go out all the same.
    """
    refused = engaged.opt_outs.select("e164", refused_at="at").unique("e164", keep="first")
    replied = engaged.replies.filter("opt_out").group_by("e164").agg(replied_at=pl.col("at").min())
    told = messages.join(refused, on="e164", how="left", maintain_order="left").join(
        replied, on="e164", how="left", maintain_order="left"
    )
    since = pl.min_horizontal("refused_at", "replied_at")
    late = (
        (pl.col("kind") == "promo")
        & (pl.col("submitted_at") > since).fill_null(value=False)
        & ~pl.col(PLANTED).is_in(BREACH_KINDS).fill_null(value=False)
    )
    kept = _split(told, late, REFUSED)
    return (
        Kept(kept.sent.drop("refused_at", "replied_at"), kept.skipped),
        _to_sent(engaged, messages, kept.sent),
    )


def without_listed(
    messages: pl.DataFrame, engaged: Engaged, used: ListInUse, zone: ZoneInfo, ways: Sequence[str]
) -> tuple[Kept, Engaged]:
    """Leave out everything that the outbox of these ways has for people on the list."""
    day = pl.col("submitted_at").dt.convert_time_zone(zone.key).dt.date()
    listed = pl.col("contact_id").is_in(sorted(used.contacts)) & pl.col("way").is_in(list(ways))
    kept = _split(messages, (listed & (day >= used.since)).fill_null(value=False), SUPPRESSED)
    return kept, _to_sent(engaged, messages, kept.sent)


def _to_sent(engaged: Engaged, messages: pl.DataFrame, sent: pl.DataFrame) -> Engaged:
    """Without what would have come of messages that were not sent."""
    gone = messages.join(sent, on="message_id", how="anti")["message_id"].implode()
    stays = ~pl.col("message_id").is_in(gone).fill_null(value=False)
    return replace(
        engaged, replies=engaged.replies.filter(stays), clicks=engaged.clicks.filter(stays)
    )


def _split(rows: pl.DataFrame, out: pl.Expr, why: str) -> Kept:
    mask = rows.select(out.alias("out"))["out"]
    skipped = rows.filter(mask).with_columns(skipped=pl.lit(why))
    skipped = skipped.select(name for name in SKIPPED_COLUMNS if name in skipped.columns)
    return Kept(rows.filter(~mask), skipped)
