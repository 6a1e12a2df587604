"""Suspicions as rows: every sign with its figures, and messages whose numbers may be tested."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from sms_etl.model.attribution import JUDGED_CLICKS
from sms_etl.model.suspicions import SUSPICIONS, SuspicionKind
from sms_etl.model.vocabulary import StatusClass
from sms_etl.suspicions.pumping import SignSeen, pumped_prefixes
from sms_etl.suspicions.receipts import faked_receipts

SAMPLE = 10
"""Messages named for a test; enough to call, too few to leak a list."""

ALL_SOURCES = "all"
"""Source of what is not about one source."""


@dataclass(frozen=True)
class Traffic:
    """What is looked at: messages of some days, those before them, and what people opened.

    window, before: MESSAGES. judged: JUDGED_CLICKS of both.
    """

    window: pl.LazyFrame
    before: pl.LazyFrame
    judged: pl.LazyFrame = field(default_factory=lambda: JUDGED_CLICKS.empty().lazy())

    @property
    def clicked(self) -> pl.LazyFrame:
        """`source` and `message_id` of messages whose link a person opened."""
        people = pl.col("robot_rule").is_null() & pl.col("message_id").is_not_null()
        return self.judged.filter(people).select("message_id", source="message_source")


def suspicions(traffic: Traffic, last_day: date) -> pl.DataFrame:
    """SUSPICIONS of some days that end with `last_day`."""
    pumped = pumped_prefixes(traffic.window, traffic.before, traffic.clicked)
    found = [
        _rows(
            traffic,
            last_day,
            (ALL_SOURCES, SuspicionKind.PUMPED_TRAFFIC),
            {"country": one.country, "number_prefix": one.prefix},
            one.signs,
        )
        for one in pumped
    ]
    # That nobody opens the links of pumped numbers says nothing of their route.
    aside = pl.col("number_prefix").is_in([one.prefix for one in pumped]).fill_null(value=False)
    found += [
        _rows(
            traffic,
            last_day,
            (one.source, SuspicionKind.FAKED_RECEIPTS),
            {"source": one.source, "operator": one.operator},
            one.signs,
        )
        for one in faked_receipts(traffic.window.filter(~aside), traffic.clicked)
    ]
    return pl.concat([SUSPICIONS.empty(), *found])


def _rows(
    traffic: Traffic,
    last_day: date,
    what: tuple[str, SuspicionKind],
    scope: Mapping[str, str],
    signs: tuple[SignSeen, ...],
) -> pl.DataFrame:
    source, kind = what
    inside = traffic.window.filter(*(pl.col(name) == value for name, value in scope.items()))
    if kind is SuspicionKind.FAKED_RECEIPTS:
        inside = inside.filter(pl.col("status_class") == StatusClass.DELIVERED.value)
    count, first, last, sample = (
        inside.sort("submitted_at", "source", "message_id")
        .select(
            count=pl.len(),
            first=pl.col("submitted_at").first(),
            last=pl.col("submitted_at").last(),
            sample=pl.format("{}:{}", "source", "message_id").tail(SAMPLE).implode(),
        )
        .collect()
        .row(0)
    )
    told = ",".join(f"{name}={value}" for name, value in scope.items())
    rows = [
        {
            "day": last_day, "source": source, "kind": kind.value, "scope": told,
            "sign": sign.sign.value, "value": sign.value, "usual": sign.usual, "of": sign.of,
            "messages": count, "first_at": first, "last_at": last, "sample": sample,
        }
        for sign in signs
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=SUSPICIONS.schema)
