"""Signs of pumped traffic: numbers written to only so that somebody earns from the messages.

A prefix (the first seven digits of a number) is suspected where it takes a larger share of the
messages than before, or lies in a country that was hardly written to before, and something else
speaks for it: consecutive numbers, links that nobody opens, or a day dearer than ever. Each sign
alone has innocent causes. The false discovery rate is held over all prefixes.

What to look for: Twilio, "Preventing toll fraud and SMS pumping"; Infobip, "Artificially inflated
traffic". Concentration: the sum of squared shares (A. O. Hirschman, O. C. Herfindahl).
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from sms_etl.metrics.compare import discoveries
from sms_etl.metrics.exact import hypergeometric_tail
from sms_etl.metrics.rate import SMALL_SAMPLE, tail_bound, wilson
from sms_etl.model.suspicions import Sign
from sms_etl.model.vocabulary import UNKNOWN_LABEL, StatusClass

LEAST_MESSAGES = SMALL_SAMPLE
"""A prefix with fewer messages is too small to be worth pumping."""

LEAST_GROWTH = 3.0
"""A share of the messages this many times as large as before stands out."""

NEW_COUNTRY_SHARE = 0.001
"""A country with a smaller share of the messages before counts as new."""

LEAST_RUN_SHARE = 0.2
"""A smaller share of consecutive numbers happens by itself in a dense prefix."""

CLICK_SHARE = 0.5
"""People of a prefix click less than this share of what others do: nobody is there."""

COST_SCORE = 3.5
"""Robust score beyond which a day is an outlier: B. Iglewicz, D. Hoaglin (1993), section 3."""

LEAST_COST_DAYS = 7
_MAD_TO_DEVIATION = 1.4826
"""Of a normal distribution: standard deviation over median absolute deviation."""

LEAST_CONCENTRATION = 2.0
"""All messages together are this many times as concentrated on prefixes as before."""


@dataclass(frozen=True)
class SignSeen:
    """One sign: what was seen, what is usual (same unit; null: nothing is), of how many."""

    sign: Sign
    value: float
    usual: float | None
    of: int


@dataclass(frozen=True)
class Pumped:
    """A prefix under suspicion."""

    country: str
    prefix: str
    signs: tuple[SignSeen, ...]


def pumped_prefixes(
    window: pl.LazyFrame, before: pl.LazyFrame, clicked: pl.LazyFrame
) -> list[Pumped]:
    """Prefixes under suspicion, the one with most messages first.

    Args:
        window: MESSAGES of the days looked at.
        before: MESSAGES of the days that show what is usual.
        clicked: `source` and `message_id` of messages whose link a person opened.
    """
    now = _by_prefix(window, clicked)
    usual = _by_prefix(before, clicked)
    if now.is_empty() or usual.is_empty():
        return []
    joined = now.join(
        usual.select("number_prefix", before="messages"), on="number_prefix", how="left"
    ).with_columns(pl.col("before").fill_null(0))
    large = joined.filter(pl.col("messages") >= LEAST_MESSAGES).sort(
        "messages", "number_prefix", descending=[True, False]
    )
    rows = large.rows(named=True)
    found = _Signs(now, usual, window, before)
    grown, runs = found.growth(rows), found.runs(rows)
    suspects = []
    for row, growth, run in zip(rows, grown, runs, strict=True):
        base = growth or found.new_country(row)
        more = [sign for sign in (run, found.no_clicks(row), found.dearer(row)) if sign]
        if base and more:
            signs = (base, *more, *filter(None, [found.concentration()]))
            suspects.append(Pumped(row["country"], row["number_prefix"], signs))
    return suspects


def _by_prefix(messages: pl.LazyFrame, clicked: pl.LazyFrame) -> pl.DataFrame:
    """Sums by prefix: `messages`, `in_run`, `linked` (delivered with a link), `clicks` of these."""
    linked = (pl.col("status_class") == StatusClass.DELIVERED.value) & (pl.col("links") > 0)
    opened = clicked.select("source", "message_id").unique().with_columns(clicked=pl.lit(1))
    return (
        messages.filter(pl.col("number_prefix").is_not_null())
        .join(opened, on=["source", "message_id"], how="left")
        .with_columns(linked=linked.fill_null(value=False))
        .group_by("number_prefix", "country")
        .agg(
            messages=pl.len().cast(pl.Int64),
            in_run=pl.col("in_number_run").sum().cast(pl.Int64),
            linked=pl.col("linked").sum().cast(pl.Int64),
            clicks=pl.col("clicked").filter("linked").count().cast(pl.Int64),
        )
        .collect(engine="streaming")
    )


class _Signs:
    """The signs of one prefix beside all others; sums of all are made once."""

    def __init__(
        self, now: pl.DataFrame, usual: pl.DataFrame, window: pl.LazyFrame, before: pl.LazyFrame
    ) -> None:
        self._all = {
            name: int(now[name].sum()) for name in ("messages", "in_run", "linked", "clicks")
        }
        self._before = int(usual["messages"].sum())
        self._countries = dict(usual.group_by("country").agg(pl.col("messages").sum()).iter_rows())
        self._concentrated = (_concentration(now), _concentration(usual))
        self._costs = _cost_scores(window, before)

    def growth(self, rows: list[dict[str, int]]) -> list[SignSeen | None]:
        """A larger share of the messages than before, beyond luck."""
        total, chances, shares = self._all["messages"], [], []
        for row in rows:
            # One message more and less than seen: what was never seen is not impossible.
            usual = (row["before"] + 1) / (self._before + 1)
            share = row["messages"] / total
            shares.append((share, usual))
            grown = share >= LEAST_GROWTH * usual
            chances.append(tail_bound(share, total, usual) if grown else 1.0)
        stand = discoveries(chances)
        return [
            SignSeen(Sign.GROWTH, share, usual, total) if stands and chance < 1 else None
            for (share, usual), stands, chance in zip(shares, stand, chances, strict=True)
        ]

    def runs(self, rows: list[dict[str, int]]) -> list[SignSeen | None]:
        """Consecutive numbers more often than elsewhere."""
        chances = []
        for row in rows:
            share = row["in_run"] / row["messages"]
            enough = share >= LEAST_RUN_SHARE
            chances.append(
                hypergeometric_tail(
                    row["in_run"], row["messages"], self._all["in_run"], self._all["messages"]
                )
                if enough
                else 1.0
            )
        stand = discoveries(chances)
        return [
            SignSeen(
                Sign.NUMBER_RUNS,
                row["in_run"] / row["messages"],
                self._rest(row, "in_run", "messages"),
                row["messages"],
            )
            if stands and chance < 1
            else None
            for row, stands, chance in zip(rows, stand, chances, strict=True)
        ]

    def no_clicks(self, row: dict[str, int]) -> SignSeen | None:
        """The most that people of the prefix may click is far below what others do."""
        linked, usual = row["linked"], self._rest(row, "clicks", "linked")
        bound = wilson(row["clicks"], linked)
        if linked < LEAST_MESSAGES or bound is None or not usual:
            return None
        if bound.high >= CLICK_SHARE * usual:
            return None
        return SignSeen(Sign.NO_CLICKS, row["clicks"] / linked, usual, linked)

    def new_country(self, row: dict[str, int]) -> SignSeen | None:
        """A country that was hardly written to before."""
        country = str(row["country"])
        share = self._countries.get(country, 0) / self._before
        if country == UNKNOWN_LABEL or share >= NEW_COUNTRY_SHARE:
            return None
        now = row["messages"] / self._all["messages"]
        return SignSeen(Sign.NEW_COUNTRY, now, share, self._all["messages"])

    def dearer(self, row: dict[str, int]) -> SignSeen | None:
        """A day of the country that cost far more than its days before."""
        score = self._costs.get(str(row["country"]))
        if score is None or score < COST_SCORE:
            return None
        return SignSeen(Sign.DEARER, score, COST_SCORE, row["messages"])

    def concentration(self) -> SignSeen | None:
        """All messages on fewer prefixes than before."""
        now, usual = self._concentrated
        if now < LEAST_CONCENTRATION * usual:
            return None
        return SignSeen(Sign.CONCENTRATION, now, usual, self._all["messages"])

    def _rest(self, row: dict[str, int], part: str, whole: str) -> float | None:
        others = self._all[whole] - row[whole]
        return (self._all[part] - row[part]) / others if others else None


def _concentration(sums: pl.DataFrame) -> float:
    share = sums["messages"] / sums["messages"].sum()
    return float((share**2).sum())


def _cost_scores(window: pl.LazyFrame, before: pl.LazyFrame) -> dict[str, float]:
    """Country -> robust score of its dearest day beside the days before; where these are enough."""
    keys = ["country", "currency", "day"]
    daily = [
        frame.filter(pl.col("cost_micro").is_not_null())
        .group_by(keys)
        .agg(pl.col("cost_micro").sum())
        for frame in (window, before)
    ]
    centre = (
        daily[1]
        .group_by("country", "currency")
        .agg(
            days=pl.len(),
            median=pl.col("cost_micro").median(),
            spread=(pl.col("cost_micro") - pl.col("cost_micro").median()).abs().median(),
        )
        .filter(pl.col("days") >= LEAST_COST_DAYS, pl.col("spread") > 0)
    )
    score = (pl.col("cost_micro") - pl.col("median")) / (_MAD_TO_DEVIATION * pl.col("spread"))
    scores = daily[0].join(centre, on=["country", "currency"]).group_by("country").agg(score.max())
    return dict(scores.collect().iter_rows())
