"""Canonical tables of what messages brought: clicks judged and tied, orders and what took them."""

from __future__ import annotations

import polars as pl

from sms_etl.engagement.attribution import WINDOWS, Window
from sms_etl.model.schemas import UTC_TIME, Column, Table

JUDGED_CLICKS = Table(
    "judged_clicks",
    "Every row of clicks with the rule it fell to as a robot's, and the message it belongs to",
    (
        Column("day", pl.Date, "Business day of the click", nullable=False),
        Column("source", pl.String, "Configured source of the click", nullable=False),
        Column("event_id", pl.String, "Identifies the click within the source", nullable=False),
        Column("clicked_at", UTC_TIME, "When, or the beginning of the period", nullable=False),
        Column("period_seconds", pl.Int64, "Length of the period; 0 for one click", nullable=False),
        Column("clicks", pl.Int64, "Clicks of the row", nullable=False),
        Column("robot_rule", pl.String, "RobotRule it fell to; null: a person's"),
        Column("tie", pl.String, "Tie: how the message was found", nullable=False),
        Column("message_source", pl.String, "Source of the message; null without a message"),
        Column("message_id", pl.String, "Message it belongs to; null without one"),
        Column("campaign", pl.String, "Campaign; null where nothing tells it"),
        Column("recipient", pl.String, "Who the message was sent to, else the pseudonym told"),
        Column("contact", pl.String, "Keyed digest of the customer's identifier"),
        Column("submitted_at", UTC_TIME, "When the message was submitted"),
        Column("delivered_at", UTC_TIME, "When the message arrived; null where not told"),
    ),
)


def _of_window(window: Window) -> tuple[Column, ...]:
    name = window.name
    return (
        Column(f"{name}_campaign", pl.String, f"Campaign of the last touch inside {name}"),
        Column(f"{name}_source", pl.String, "Source of its message; null: no touch inside"),
        Column(f"{name}_message_id", pl.String, "Its message"),
        Column(f"{name}_at", UTC_TIME, "When the touch was"),
    )


ATTRIBUTION = Table(
    "attribution",
    "One row per order, with the message that took it in every window (engagement.attribution)",
    (
        Column("day", pl.Date, "Business day of the order", nullable=False),
        Column("source", pl.String, "Configured source of the order", nullable=False),
        Column("event_id", pl.String, "Identifies the order within the source", nullable=False),
        Column("ordered_at", UTC_TIME, "When it was placed", nullable=False),
        Column("recipient", pl.String, "Pseudonym of the number; null without one"),
        Column("contact", pl.String, "Keyed digest of the customer's identifier"),
        Column("amount_micro", pl.Int64, "Amount in millionths of the currency unit"),
        Column("refunded_micro", pl.Int64, "Of it given back, whenever that was"),
        Column("net_micro", pl.Int64, "Amount less what was given back"),
        Column("currency", pl.String, "ISO 4217 code"),
        Column("code_campaign", pl.String, "Campaign named by promo code or utm_campaign"),
        *(column for window in WINDOWS for column in _of_window(window)),
    ),
)

ATTRIBUTION_TABLES = (JUDGED_CLICKS, ATTRIBUTION)
"""Tables kept in the lake; each is partitioned by day and source."""
