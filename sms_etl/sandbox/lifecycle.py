"""From a submitted message to its whole history: what became of it, and when each step happened.

All times are whole seconds. What anybody sees at a time T is `seen_at` of this history.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from sms_etl.sandbox.campaigns import SALE_BRAND, Way
from sms_etl.sandbox.draws import Draws
from sms_etl.sandbox.outcomes import OUTCOMES, QUALITY

UTC_TIME = pl.Datetime("us", "UTC")

AGED_OUT = timedelta(hours=72)
"""A message submitted longer ago than this without a receipt is truly unknown, not pending."""

OUTAGE_OPERATOR = "lifecell"
_OUTAGE_FAILS, _OUTAGE_DELAYS = 0.7, 0.9
_BLOCK_SHARE = 0.85
_CANCELLED_SHARE = 0.001

_EVENING_SLOWDOWN = 4.0
_LATENCY_SPREAD = 0.9
_LATE_SHARE, _VERY_LATE_SHARE = 0.02, 0.001
_OTP_SECONDS_TO_LIVE, _SECONDS_TO_LIVE = 15 * 60, 24 * 3600
_LATE_BILLING_SHARE = 0.02


@dataclass(frozen=True)
class Incident:
    """Something that went wrong on purpose: UTC window and what it hit."""

    id: str
    kind: str
    start: datetime
    end: datetime
    operator: str | None = None
    sender: str | None = None

    def hits(self) -> pl.Expr:
        """True for the messages in its window that it could harm."""
        inside = pl.col("submitted_at").is_between(self.start, self.end, closed="left")
        if self.operator is not None:
            return inside & (pl.col("operator") == self.operator)
        return inside & (pl.col("sender") == self.sender) & (pl.col("way") == Way.TWILIO)


def outage(start: datetime, end: datetime) -> Incident:
    """An operator that loses most messages for a few hours."""
    return Incident("operator-outage", "outage", start, end, operator=OUTAGE_OPERATOR)


def spam_block(start: datetime, end: datetime) -> Incident:
    """A spam filter that stops most messages of one sender for some days."""
    return Incident("sender-block", "spam_block", start, end, sender=SALE_BRAND)


def live(draws: Draws, submitted: pl.DataFrame, incidents: dict[str, Incident]) -> pl.DataFrame:
    """Add outcome, class, incident, sent_at, done_at, read_at and billed_at to messages.

    `incidents` has the keys outage and spam_block.
    """
    return (
        submitted.join(QUALITY, on="network", how="left", maintain_order="left")
        .with_columns(outcome=_outcome(draws, incidents), incident=_incident(incidents))
        .join(OUTCOMES.select("outcome", "class"), on="outcome", maintain_order="left")
        .with_columns(sent_at=_sent_at(draws))
        .with_columns(done_at=_done_at(draws, incidents["outage"]).cast(UTC_TIME))
        .with_columns(read_at=_read_at(draws), billed_at=_billed_at(draws))
        .drop("p_expired", "p_no_receipt", "p_unknown", "p_error", "typical_seconds", "dead")
    )


def _incident(incidents: dict[str, Incident]) -> pl.Expr:
    return pl.coalesce(
        pl.when(incident.hits()).then(pl.lit(incident.id)) for incident in incidents.values()
    )


def _outcome(draws: Draws, incidents: dict[str, Incident]) -> pl.Expr:
    """The first thing that decides a message's fate wins."""
    promo_by_twilio = (pl.col("kind") == "promo") & (pl.col("way") == Way.TWILIO)
    causes = [
        (pl.col("number_type") == "invalid", "invalid_number"),
        ((pl.col("opted_out_at") <= pl.col("submitted_at")).fill_null(value=False), "opted_out"),
        (promo_by_twilio & (draws.uniform("cancelled") < _CANCELLED_SHARE), "cancelled"),
        (
            incidents["spam_block"].hits() & (draws.uniform("block") < _BLOCK_SHARE),
            "spam_filter",
        ),
        (pl.col("number_type") == "fixed_line", "landline"),
        (pl.col("dead"), "dead_number"),
        (incidents["outage"].hits() & (draws.uniform("outage") < _OUTAGE_FAILS), "outage"),
    ]
    outcome = _everyday_outcome(draws.uniform("quality"))
    for happens, name in reversed(causes):
        outcome = pl.when(happens).then(pl.lit(name)).otherwise(outcome)
    return outcome


def _everyday_outcome(u: pl.Expr) -> pl.Expr:
    outcome = pl.lit("delivered")
    limit = pl.col("p_expired") + pl.col("p_no_receipt") + pl.col("p_unknown") + pl.col("p_error")
    for column, name in (
        ("p_error", "network_error"), ("p_unknown", "final_unknown"),
        ("p_no_receipt", "no_receipt"), ("p_expired", "expired"),
    ):  # fmt: skip
        outcome = pl.when(u < limit).then(pl.lit(name)).otherwise(outcome)
        limit = limit - pl.col(column)
    return outcome


def _seconds(value: pl.Expr) -> pl.Expr:
    return pl.duration(seconds=value.cast(pl.Int64))


def _sent_at(draws: Draws) -> pl.Expr:
    """When the provider passed it to the network; null if it never did. A blast queues."""
    wait = (
        pl.when(pl.col("kind") == "promo")
        .then(draws.whole("queue", 1, 180))
        .otherwise(draws.whole("queue", 1, 4))
    )
    return (
        pl.when(pl.col("class") != "rejected")
        .then(pl.col("submitted_at") + _seconds(wait))
        .cast(UTC_TIME)
    )


def _done_at(draws: Draws, outage: Incident) -> pl.Expr:
    """When the final word came; null if it never does."""
    sent, outcome = pl.col("sent_at"), pl.col("outcome")
    life = pl.when(pl.col("kind") == "otp").then(_OTP_SECONDS_TO_LIVE).otherwise(_SECONDS_TO_LIVE)
    delayed = outage.hits() & (draws.uniform("outage") < _OUTAGE_DELAYS)
    after_outage = pl.lit(outage.end) + _seconds(draws.whole("backlog", 300, 5400))
    return (
        pl.when(pl.col("class") == "rejected")
        .then(pl.col("submitted_at") + _seconds(draws.whole("refusal", 0, 3)))
        .when(outcome == "no_receipt")
        .then(None)
        .when(outcome == "expired")
        .then(sent + _seconds(life + draws.whole("expiry", 0, 300)))
        .when(outcome == "outage")
        .then(sent + _seconds(draws.whole("give-up", 3600, 4 * 3600)))
        .when(outcome == "final_unknown")
        .then(sent + timedelta(hours=48))
        .when((outcome == "delivered") & delayed)
        .then(after_outage)
        .when(outcome == "delivered")
        .then(sent + _seconds(_seconds_to_deliver(draws)))
        .otherwise(sent + _seconds(draws.whole("failure", 2, 20)))
    )


def _seconds_to_deliver(draws: Draws) -> pl.Expr:
    hour = pl.col("submitted_at").dt.convert_time_zone("Europe/Kyiv").dt.hour()
    slowdown = pl.when(hour.is_between(18, 20)).then(_EVENING_SLOWDOWN).otherwise(1.0)
    usual = pl.col("typical_seconds") * slowdown * (draws.normal("latency") * _LATENCY_SPREAD).exp()
    u = draws.uniform("late")
    late = (
        pl.when(u < _VERY_LATE_SHARE)
        .then(draws.whole("very-late-by", 73 * 3600, 120 * 3600))
        .when(u < _LATE_SHARE)
        .then(draws.whole("late-by", 6 * 3600, 60 * 3600))
        .otherwise(0)
    )
    return (usual + 1 + late).floor()


def _read_at(draws: Draws) -> pl.Expr:
    """When a delivered Viber message was read; null if never."""
    reads = (pl.col("channel") == "viber") & (pl.col("outcome") == "delivered")
    return (
        pl.when(reads & (draws.uniform("reads") < 0.6))
        .then(pl.col("done_at") + _seconds(draws.whole("read-after", 5, 6 * 3600)))
        .cast(UTC_TIME)
    )


def _billed_at(draws: Draws) -> pl.Expr:
    """When the price became known; null for a message that never left."""
    wait = (
        pl.when(draws.uniform("bill-late") < _LATE_BILLING_SHARE)
        .then(draws.whole("bill-hours", 3600, 24 * 3600))
        .otherwise(draws.whole("bill", 1, 4))
    )
    return (pl.col("sent_at") + _seconds(wait)).cast(UTC_TIME)


def seen_at(messages: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Messages that exist at a time, with what has happened to them by then.

    Times still to come are null. Adds `stage` (waiting, leaving, sent, done or read), `final`
    and `updated_at` (the last thing that happened).
    """
    happened = [
        pl.when(pl.col(column) <= now).then(pl.col(column)).alias(column)
        for column in ("sent_at", "done_at", "read_at", "billed_at")
    ]
    leaving = now >= pl.col("leaves_at") - timedelta(seconds=1)
    return (
        messages.filter(pl.col("submitted_at") <= now)
        .with_columns(*happened, leaves_at=pl.col("sent_at"))
        .with_columns(
            final=pl.col("done_at").is_not_null(),
            stage=pl.when(pl.col("read_at").is_not_null())
            .then(pl.lit("read"))
            .when(pl.col("done_at").is_not_null())
            .then(pl.lit("done"))
            .when(pl.col("sent_at").is_not_null())
            .then(pl.lit("sent"))
            .when(leaving.fill_null(value=False))
            .then(pl.lit("leaving"))
            .otherwise(pl.lit("waiting")),
            updated_at=pl.max_horizontal(
                "submitted_at", "sent_at", "done_at", "read_at", "billed_at"
            ),
        )
        .drop("leaves_at")
    )
