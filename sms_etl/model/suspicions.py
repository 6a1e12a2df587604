"""Canonical table of suspicions, and the words for what raised them."""

from __future__ import annotations

from enum import StrEnum

import polars as pl

from sms_etl.model.schemas import UTC_TIME, Column, Table


class SuspicionKind(StrEnum):
    """What is suspected."""

    PUMPED_TRAFFIC = "pumped_traffic"
    FAKED_RECEIPTS = "faked_receipts"


class Sign(StrEnum):
    """What raised a suspicion.

    GROWTH: a larger share of all messages than before. NEW_COUNTRY: hardly written to before.
    NUMBER_RUNS: consecutive numbers. NO_CLICKS: hardly anybody opens the link. DEARER: a country's
    day cost far more than its days before. CONCENTRATION: all messages together went to fewer
    prefixes than before. TOO_FAST: receipts within a second. SAME_TIME: receipts after the very
    same time.
    """

    GROWTH = "growth"
    NEW_COUNTRY = "new_country"
    NUMBER_RUNS = "number_runs"
    NO_CLICKS = "no_clicks"
    DEARER = "dearer"
    CONCENTRATION = "concentration"
    TOO_FAST = "too_fast"
    SAME_TIME = "same_time"


SUSPICIONS = Table(
    "suspicions",
    "One row per sign of a suspicion over some days, with its figures and messages to test",
    (
        Column("day", pl.Date, "Last business day of the days looked at", nullable=False),
        Column("source", pl.String, "Configured source; 'all' for pumped traffic", nullable=False),
        Column("kind", pl.String, "SuspicionKind", nullable=False),
        Column("scope", pl.String, "What it is about, as dimension=value, comma between"),
        Column("sign", pl.String, "Sign", nullable=False),
        Column("value", pl.Float64, "What was seen: a share, a score, or seconds", nullable=False),
        Column("usual", pl.Float64, "What is usual, in the same unit; null where nothing is"),
        Column("of", pl.Int64, "Messages that `value` is of", nullable=False),
        Column("messages", pl.Int64, "Messages in scope", nullable=False),
        Column("first_at", UTC_TIME, "Its first message", nullable=False),
        Column("last_at", UTC_TIME, "Its last message", nullable=False),
        Column("sample", pl.List(pl.String), "Messages to test, as source:identifier"),
    ),
)
