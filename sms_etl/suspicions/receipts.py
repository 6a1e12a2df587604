"""Signs of faked receipts: messages told as delivered that reached nobody.

A route (a source to an operator) is held beside everybody else: of how many texts told as delivered
the link is opened, against other messages of the same campaigns; and how the times to deliver are
shaped, against other routes to the operator. A route whose people hardly open anything, or whose
receipts come faster than a phone can answer, is suspected; only messages sent to a phone of your
own can tell. Fakes spread thin over honest receipts show in neither.

Formulae: metrics.compare (one mix of campaigns, Mantel-Haenszel, Newcombe, Benjamini-Hochberg).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import polars as pl

from sms_etl.metrics.compare import difference, discoveries
from sms_etl.model.suspicions import Sign
from sms_etl.model.vocabulary import UNKNOWN_LABEL, StatusClass, TimeOrigin
from sms_etl.suspicions.pumping import SignSeen

LEAST_DELIVERED = 100
"""Fewer delivered messages with a link say too little about who clicks."""

CLICK_SHARE = 0.5
"""A route with more than this share of the others' click rate is not suspected."""

FAST_SECONDS = 1.0
LEAST_FAST_SHARE = 0.5
"""Half of the receipts within a second ..."""
MOST_USUAL_FAST = 0.1
"""... where on other routes to the operator hardly any is."""


@dataclass(frozen=True)
class FakedReceipts:
    """A route to an operator under suspicion."""

    source: str
    operator: str
    signs: tuple[SignSeen, ...]


def faked_receipts(messages: pl.LazyFrame, clicked: pl.LazyFrame) -> list[FakedReceipts]:
    """Routes under suspicion, in order of name.

    Args:
        messages: MESSAGES of the days looked at.
        clicked: `source` and `message_id` of messages whose link a person opened.
    """
    routes = _by_route(messages)
    rows = routes.rows(named=True)
    clicks = _few_clicks(routes, _opened(messages, clicked))
    suspects = []
    for row, few in zip(rows, clicks, strict=True):
        others = [
            r for r in rows if r["operator"] == row["operator"] and r["source"] != row["source"]
        ]
        signs = [sign for sign in (few, _too_fast(row, others), _same_time(row)) if sign]
        if signs:
            suspects.append(FakedReceipts(row["source"], row["operator"], tuple(signs)))
    return suspects


def _delivered(messages: pl.LazyFrame) -> pl.LazyFrame:
    return messages.filter(
        pl.col("status_class") == StatusClass.DELIVERED.value,
        pl.col("operator") != UNKNOWN_LABEL,
    )


def _opened(messages: pl.LazyFrame, clicked: pl.LazyFrame) -> pl.DataFrame:
    """Delivered texts with a link by route and campaign: `linked`, and `clicks`, those opened."""
    people = clicked.select("source", "message_id").unique().with_columns(clicked=pl.lit(1))
    return (
        _delivered(messages)
        .filter(pl.col("links") > 0)
        .join(people, on=["source", "message_id"], how="left")
        .group_by("source", "operator", "campaign")
        .agg(linked=pl.len().cast(pl.Int64), clicks=pl.col("clicked").count().cast(pl.Int64))
        .collect(engine="streaming")
    )


def _by_route(messages: pl.LazyFrame) -> pl.DataFrame:
    """Times to deliver of delivered messages by source and operator, in sums."""
    timed = (pl.col("done_at_origin") == TimeOrigin.PROVIDER.value) & pl.col(
        "seconds_to_deliver"
    ).is_not_null()
    seconds = pl.col("seconds_to_deliver").filter("timed")
    return (
        _delivered(messages)
        .with_columns(timed=timed)
        .group_by("source", "operator")
        .agg(
            timed=pl.col("timed").sum().cast(pl.Int64),
            fast=(seconds <= FAST_SECONDS).sum().cast(pl.Int64),
            shortest=seconds.min(),
            longest=seconds.max(),
        )
        .sort("source", "operator")
        .collect(engine="streaming")
    )


def _few_clicks(routes: pl.DataFrame, opened: pl.DataFrame) -> list[SignSeen | None]:
    """Routes whose people open far fewer links than others do of the same campaigns."""
    chances: list[float] = []
    seen: list[SignSeen | None] = []
    for source, operator in routes.select("source", "operator").iter_rows():
        strata = _beside_others(opened, source, operator)
        found = difference(strata, 1.0) if strata["n"].sum() >= LEAST_DELIVERED else None
        if found is None or strata["base_n"].sum() < LEAST_DELIVERED:
            chances.append(1.0)
            seen.append(None)
            continue
        n, d = int(strata["n"].sum()), int(strata["d"].sum())
        usual = float((strata["n"] * strata["base_d"] / strata["base_n"]).sum()) / n
        fewer = found.interval.high < 0 and d / n < CLICK_SHARE * usual
        chances.append(found.p_value if fewer else 1.0)
        seen.append(SignSeen(Sign.NO_CLICKS, d / n, usual, n) if fewer else None)
    stand = discoveries(chances)
    return [sign if stands else None for sign, stands in zip(seen, stand, strict=True)]


def _beside_others(opened: pl.DataFrame, source: str, operator: str) -> pl.DataFrame:
    """Strata of metrics.compare: campaigns that the route carried and others did too."""
    mine = (pl.col("source") == source) & (pl.col("operator") == operator)
    by_campaign = opened.group_by("campaign").agg(
        n=pl.col("linked").filter(mine).sum(),
        d=pl.col("clicks").filter(mine).sum(),
        base_n=pl.col("linked").filter(~mine).sum(),
        base_d=pl.col("clicks").filter(~mine).sum(),
    )
    return by_campaign.filter(pl.col("n") > 0, pl.col("base_n") > 0).sort("campaign")


def _too_fast(row: dict[str, int], others: list[dict[str, int]]) -> SignSeen | None:
    """Receipts within a second, where those of other routes take longer."""
    timed = sum(r["timed"] for r in others)
    if min(row["timed"], timed) < LEAST_DELIVERED:
        return None
    share, usual = row["fast"] / row["timed"], sum(r["fast"] for r in others) / timed
    if share < LEAST_FAST_SHARE or usual > MOST_USUAL_FAST:
        return None
    return SignSeen(Sign.TOO_FAST, share, usual, row["timed"])


def _same_time(row: dict[str, int]) -> SignSeen | None:
    """Receipts that all came after the very same time, whatever the phone did."""
    if row["timed"] < LEAST_DELIVERED or not math.isclose(row["shortest"], row["longest"]):
        return None
    return SignSeen(Sign.SAME_TIME, float(row["shortest"]), None, row["timed"])
