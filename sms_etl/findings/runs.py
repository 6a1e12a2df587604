"""The worst run of hours of every slice, and whether it is beyond what chance and habit explain.

A slice is a value of a scope (an operator, a sender at an operator ...). Its hours are scored by
bad messages beyond the usual share plus half the rise that matters; the run with the largest sum
is its worst. What is usual is then told by the hours outside that run, and the run sought again.
The sum is the CUSUM of E. S. Page, Biometrika 41 (1954), with the excess itself as the score.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from statistics import NormalDist
from typing import Any

import polars as pl

from sms_etl.findings.thresholds import Thresholds
from sms_etl.metrics.rate import newcombe, tail_bound

SCOPES: tuple[tuple[str, ...], ...] = (
    (),
    ("source",),
    ("operator",),
    ("sender",),
    ("country",),
    ("operator", "source"),
    ("operator", "sender"),
)
"""Slices looked at; of two names for the same messages the earlier one is told."""

_SLICE = "slice"
_SEPARATOR = "\x1f"
"""ASCII unit separator: no name of an operator or sender holds it."""

_COUNTS = ("n", "bad", "allow", "usual_n", "usual_bad")
_MEDIAN_TO_SIGMA = 1.4826
"""Standard deviation of a normal distribution over the median of its absolute values."""


@dataclass(frozen=True)
class Run:
    """Hours `start` to `end` (UTC, both included) in which a slice went wrong."""

    scope: dict[str, str]
    start: datetime
    end: datetime
    messages: int
    excess: float
    hours: pl.DataFrame
    """The slice's hours: `hour`, `n` and `excess`."""

    def within(self, start: datetime, end: datetime) -> tuple[int, float]:
        """Messages and excess of the slice in other hours."""
        inside = self.hours.filter(pl.col("hour").is_between(start, end))
        return int(inside["n"].sum()), float(inside["excess"].sum())


def find_runs(cells: pl.DataFrame, step: float, limits: Thresholds) -> list[Run]:
    """Runs that are clear, large and lasting enough to be told, one per slice at most."""
    slices = pl.concat(_slice_hours(cells, number) for number in range(len(SCOPES)))
    tests = slices.filter(~pl.col("usual")).height
    if tests == 0:
        return []
    chance = limits.false_alarms / tests
    habit = _habit(slices, limits)
    if habit.is_empty():
        step = max(step, limits.step_without_habit)
    hours = _worth_a_look(slices.join(habit, on="local_hour", how="left"), limits)
    if hours.is_empty():
        return []
    judged = _judge(hours.with_columns(in_run=pl.lit(value=False)), step, limits)
    for _ in range(2):
        judged = _judge(_mark_worst_run(judged), step, limits)
    rows = judged.group_by(_SLICE, maintain_order=True).agg(*_evidence(limits))
    return [
        _run(row, judged) for row in rows.iter_rows(named=True) if _tells(row, step, chance, limits)
    ]


def _slice_hours(cells: pl.DataFrame, number: int) -> pl.DataFrame:
    """Hours of every slice of a scope, named by the scope's number and the slice's values."""
    name = pl.concat_str(pl.lit(str(number)), *SCOPES[number], separator=_SEPARATOR)
    return (
        cells.group_by(name.alias(_SLICE), "usual", "hour", "local_day", "local_hour")
        .agg(pl.col(*_COUNTS).sum())
        .sort(_SLICE, "usual", "hour")
    )


def _run(row: dict[str, Any], judged: pl.DataFrame) -> Run:
    number, *values = row[_SLICE].split(_SEPARATOR)
    hours = judged.filter(~pl.col("usual"), pl.col(_SLICE) == row[_SLICE])
    return Run(
        scope=dict(zip(SCOPES[int(number)], values, strict=True)),
        start=row["start"],
        end=row["end"],
        messages=row["messages"],
        excess=row["excess_sum"],
        hours=hours.select("hour", "n", "excess"),
    )


def _habit(slices: pl.DataFrame, limits: Thresholds) -> pl.DataFrame:
    """Column `lift`: by how much the bad share of all messages is higher at an hour of the day.

    Nights are worse everywhere, and small slices cannot tell it themselves. Empty where not enough
    days are known.
    """
    n, bad = pl.col("usual_n"), pl.col("usual_bad")
    hours = slices.filter(pl.col(_SLICE) == "0")
    share = int(hours["usual_bad"].sum()) / max(1, int(hours["usual_n"].sum()))
    return (
        hours.filter(n >= limits.hour_messages)
        .group_by("local_hour")
        .agg(days=pl.len(), lift=(bad / n).median() - share)
        .filter(pl.col("days") >= limits.days_of_season)
        .select("local_hour", pl.col("lift").clip(lower_bound=0.0))
    )


def _worth_a_look(hours: pl.DataFrame, limits: Thresholds) -> pl.DataFrame:
    """Slices with enough messages and enough bad ones to ever be told."""
    now = ~pl.col("usual")
    enough = (pl.col("n").filter(now).sum().over(_SLICE) >= limits.min_messages) & (
        (pl.col("bad") - pl.col("allow")).clip(0).filter(now).sum().over(_SLICE)
        >= limits.min_excess
    )
    return hours.filter(enough & (pl.col("usual_n").sum().over(_SLICE) >= limits.min_usual))


def _judge(hours: pl.DataFrame, step: float, limits: Thresholds) -> pl.DataFrame:
    """Add the `expected` bad share of every hour, its `excess` and its `score`."""
    outside = ~pl.col("in_run")
    usual = pl.col("usual")
    bad, n = pl.col("usual_bad"), pl.col("usual_n")
    before = n.filter(usual).sum().over(_SLICE)
    # Until a run is known the past alone tells what is usual: a long outage must not.
    past_only = ~pl.col("in_run").any().over(_SLICE) & (before >= limits.min_usual)
    share = (
        pl.when(past_only)
        .then(bad.filter(usual).sum().over(_SLICE) / before)
        .otherwise(bad.filter(outside).sum().over(_SLICE) / n.filter(outside).sum().over(_SLICE))
    )
    expected = pl.max_horizontal(share + pl.col("lift").fill_null(0.0), _season(limits))
    return (
        hours.with_columns(expected=expected.fill_nan(1.0))
        .with_columns(
            excess=pl.col("bad") - pl.col("allow") - pl.col("n") * pl.col("expected"),
        )
        .with_columns(score=pl.col("excess") - pl.col("n") * _least_effect(step) / 2)
    )


def _least_effect(step: float) -> pl.Expr:
    """Rise that an hour must half show: the step that matters, or the rise of the run if larger.

    With the smaller one, a calm hour beside a bad run would often be taken for a part of it.
    """
    inside = pl.col("in_run")
    of_run = pl.col("excess").filter(inside).sum() / pl.col("n").filter(inside).sum()
    return pl.max_horizontal(of_run.over(_SLICE).fill_nan(step), pl.lit(step))


def _season(limits: Thresholds) -> pl.Expr:
    """Median share of the same hour of other days, where enough days are known; else null."""
    speaks = (pl.col("usual_n") >= limits.hour_messages) & ~pl.col("in_run")
    share = pl.col("usual_bad") / pl.col("usual_n")
    slot = [_SLICE, "local_hour"]
    past = speaks & pl.col("usual")
    enough_past = past.sum().over(slot) >= limits.days_of_season
    enough = speaks.sum().over(slot) >= limits.days_of_season
    return (
        pl.when(enough_past)
        .then(share.filter(past).median().over(slot))
        .when(enough)
        .then(share.filter(speaks).median().over(slot))
    )


def _mark_worst_run(hours: pl.DataFrame) -> pl.DataFrame:
    """Set `in_run` on the current hours of each slice's run with the largest sum of scores."""
    so_far = pl.col("score").cum_sum().over(_SLICE)
    rows = (
        hours.filter(~pl.col("usual"))
        .sort(_SLICE, "hour")
        .with_columns(
            so_far=so_far, before=pl.col("score").cum_sum().shift(1, fill_value=0.0).over(_SLICE)
        )
        .with_columns(floor=pl.col("before").cum_min().over(_SLICE))
        .with_columns(
            gain=pl.col("so_far") - pl.col("floor"),
            start=pl.when(pl.col("before") == pl.col("floor"))
            .then(pl.col("hour"))
            .forward_fill()
            .over(_SLICE),
        )
    )
    worst = (
        rows.filter(pl.col("gain") > 0)
        .sort(_SLICE, "gain", "hour", descending=[False, True, False])
        .group_by(_SLICE, maintain_order=True)
        .agg(pl.col("start").first(), end=pl.col("hour").first())
    )
    inside = ~pl.col("usual") & pl.col("hour").is_between(pl.col("start"), pl.col("end"))
    return (
        hours.drop("start", "end", strict=False)
        .join(worst, on=_SLICE, how="left", maintain_order="left")
        .with_columns(in_run=inside.fill_null(value=False))
    )


def _evidence(limits: Thresholds) -> list[pl.Expr]:
    inside, outside = pl.col("in_run"), ~pl.col("in_run")
    n, bad = pl.col("usual_n"), pl.col("usual_bad")
    likely = pl.max_horizontal(pl.col("expected"), 0.5 / n.filter(outside).sum()).clip(0, 0.99)
    off = (bad - n * pl.col("expected")) / (n * likely * (1 - likely)).sqrt()
    speaks = outside & (n >= limits.hour_messages)
    off = off.filter(speaks)
    return [
        pl.col("start", "end").first(),
        pl.col("n").filter(inside).sum().alias("messages"),
        (pl.col("bad") - pl.col("allow")).filter(inside).sum().alias("bad_sum"),
        pl.col("excess").filter(inside).sum().alias("excess_sum"),
        (inside & (pl.col("score") > 0)).sum().alias("bad_hours"),
        n.filter(outside).sum().alias("usual_sum"),
        pl.when(speaks.sum() >= limits.hours_of_spread)
        .then(pl.max_horizontal((off * off).mean().sqrt(), off.abs().median() * _MEDIAN_TO_SIGMA))
        .otherwise(1.0)
        .alias("spread"),
    ]


def _tells(row: dict[str, Any], step: float, chance: float, limits: Thresholds) -> bool:
    """Large, lasting and clear: all three, or nothing is said."""
    messages, excess = row["messages"], row["excess_sum"]
    if messages < limits.min_messages or excess < limits.min_excess or excess < step * messages:
        return False
    lasting = row["bad_hours"] >= limits.min_hours
    if not lasting and messages < limits.single_hour_messages:
        return False
    if row["usual_sum"] < limits.min_usual:
        return False
    share = min(1.0, max(0.0, row["bad_sum"] / messages))
    expected = min(1.0, max(0.0, share - excess / messages))
    # Failures come in batches: hours that vary more than chance alone would make them count for
    # as many independent messages as would vary that much.
    spread = max(1.0, row["spread"])
    if tail_bound(share, messages / spread**2, max(expected, 0.5 / row["usual_sum"])) > chance:
        return False
    clear = NormalDist().inv_cdf(1 - chance) * spread
    return newcombe(share, messages, expected, row["usual_sum"], clear).low > 0
