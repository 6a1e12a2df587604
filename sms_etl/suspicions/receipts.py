"""Signs of faked receipts: messages told as delivered that reached nobody.

Routes (sources) to the same operator are held beside each other: how many of those told as
delivered open the link, and how the times to deliver are shaped. A route whose people hardly click,
or whose receipts come faster than a phone can answer, is suspected; only messages sent to a phone
of your own can tell. Fakes spread thin over honest receipts show in neither.

Formulae: R. G. Newcombe (1998) for the difference of click rates, Benjamini-Hochberg over all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import polars as pl

from sms_etl.metrics.compare import discoveries
from sms_etl.metrics.exact import hypergeometric_tail
from sms_etl.metrics.rate import newcombe
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
    routes = _by_route(messages, clicked)
    rows = routes.rows(named=True)
    clicks = _few_clicks(rows)
    suspects = []
    for row, few in zip(rows, clicks, strict=True):
        others = [
            r for r in rows if r["operator"] == row["operator"] and r["source"] != row["source"]
        ]
        signs = [sign for sign in (few, _too_fast(row, others), _same_time(row)) if sign]
        if signs:
            suspects.append(FakedReceipts(row["source"], row["operator"], tuple(signs)))
    return suspects


def _by_route(messages: pl.LazyFrame, clicked: pl.LazyFrame) -> pl.DataFrame:
    """Sums of delivered messages by source and operator."""
    opened = clicked.select("source", "message_id").unique().with_columns(clicked=pl.lit(1))
    linked = (pl.col("links") > 0).fill_null(value=False)
    timed = (pl.col("done_at_origin") == TimeOrigin.PROVIDER.value) & pl.col(
        "seconds_to_deliver"
    ).is_not_null()
    seconds = pl.col("seconds_to_deliver").filter("timed")
    return (
        messages.filter(
            pl.col("status_class") == StatusClass.DELIVERED.value,
            pl.col("operator") != UNKNOWN_LABEL,
        )
        .join(opened, on=["source", "message_id"], how="left")
        .with_columns(linked=linked, timed=timed)
        .group_by("source", "operator")
        .agg(
            linked=pl.col("linked").sum().cast(pl.Int64),
            clicks=pl.col("clicked").filter("linked").count().cast(pl.Int64),
            timed=pl.col("timed").sum().cast(pl.Int64),
            fast=(seconds <= FAST_SECONDS).sum().cast(pl.Int64),
            shortest=seconds.min(),
            longest=seconds.max(),
        )
        .sort("source", "operator")
        .collect(engine="streaming")
    )


def _few_clicks(rows: list[dict[str, int]]) -> list[SignSeen | None]:
    """Routes whose people click far less than those of the other routes to their operator."""
    chances: list[float] = []
    seen: list[SignSeen | None] = []
    for row in rows:
        others = [
            r for r in rows if r["operator"] == row["operator"] and r["source"] != row["source"]
        ]
        linked, clicks = (sum(r[name] for r in others) for name in ("linked", "clicks"))
        if min(row["linked"], linked) < LEAST_DELIVERED or not clicks:
            chances.append(1.0)
            seen.append(None)
            continue
        mine, usual = row["clicks"] / row["linked"], clicks / linked
        between = newcombe(mine, row["linked"], usual, linked)
        fewer = between.high < 0 and mine < CLICK_SHARE * usual
        # As many or more of those who did not click fall on this route by luck.
        chances.append(
            hypergeometric_tail(
                row["linked"] - row["clicks"],
                row["linked"],
                linked + row["linked"] - clicks - row["clicks"],
                linked + row["linked"],
            )
            if fewer
            else 1.0
        )
        seen.append(SignSeen(Sign.NO_CLICKS, mine, usual, row["linked"]) if fewer else None)
    stand = discoveries(chances)
    return [sign if stands else None for sign, stands in zip(seen, stand, strict=True)]


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
