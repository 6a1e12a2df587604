"""The worst run of hours of every slice, and whether it is beyond what chance and habit explain.

The hours of a slice are scored by bad messages beyond the usual share plus half the rise that
matters; the run with the largest sum is its worst. What is usual is then told by the hours
outside that run, and the run sought again. The sum is the CUSUM of E. S. Page, Biometrika 41
(1954), with the excess itself as the score.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from statistics import NormalDist
from typing import Any

import polars as pl

from sms_etl.findings.sliced import EVERYTHING, SLOT, Sliced, seasons_of, speaks
from sms_etl.findings.thresholds import Thresholds
from sms_etl.metrics.rate import newcombe, tail_bound

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


@dataclass(frozen=True)
class _Judged:
    """Current hours with `expected`, `excess` and `score`, and what the expectation is made of."""

    hours: pl.DataFrame
    shares: pl.DataFrame
    seasons: pl.DataFrame


def find_runs(sliced: Sliced, step: float, limits: Thresholds) -> list[Run]:
    """Runs that are clear, large and lasting enough to be told, one per slice at most."""
    tests = sliced.now.height
    if tests == 0:
        return []
    chance = limits.false_alarms / tests
    habit = _habit(sliced, limits)
    if habit.is_empty():
        step = max(step, limits.step_without_habit)
    hours = _worth_a_look(sliced, limits)
    if hours.is_empty():
        return []
    hours = hours.join(habit, on="local_hour", how="left", maintain_order="left")
    judged = _judge(hours.with_columns(in_run=pl.lit(value=False)), sliced, step, limits)
    for _ in range(2):
        judged = _judge(_mark_worst_run(judged.hours), sliced, step, limits)
    rows = judged.hours.group_by("slice", maintain_order=True).agg(*_evidence())
    rows = rows.join(judged.shares, on="slice", maintain_order="left")
    large = [row for row in rows.iter_rows(named=True) if _is_large(row, step, limits)]
    spreads = _spreads([row["slice"] for row in large], judged, sliced, habit, limits)
    return [
        _run(row, sliced, judged.hours)
        for row in large
        if _is_clear(row, spreads[row["slice"]], chance)
    ]


def _run(row: dict[str, Any], sliced: Sliced, judged: pl.DataFrame) -> Run:
    return Run(
        scope=sliced.scopes[row["slice"]],
        start=row["start"],
        end=row["end"],
        messages=row["messages"],
        excess=row["excess_sum"],
        hours=judged.filter(pl.col("slice") == row["slice"]).select("hour", "n", "excess"),
    )


def _habit(sliced: Sliced, limits: Thresholds) -> pl.DataFrame:
    """Column `lift`: by how much the bad share of all messages is higher at an hour of the day.

    Nights are worse everywhere, and small slices cannot tell it themselves. Empty where not enough
    days are known.
    """
    columns = [*SLOT, "usual_n", "usual_bad"]
    everything = pl.col("slice") == EVERYTHING
    hours = pl.concat(
        frame.filter(everything).select(columns) for frame in (sliced.now, sliced.past.hours)
    )
    share = int(hours["usual_bad"].sum()) / max(1, int(hours["usual_n"].sum()))
    lift = (pl.col("season") - share).clip(lower_bound=0.0)
    return seasons_of(hours, limits).select("local_hour", lift=lift)


def _worth_a_look(sliced: Sliced, limits: Thresholds) -> pl.DataFrame:
    """Hours of the slices with enough messages and enough bad ones to ever be told."""
    worth = (
        sliced.now.group_by("slice")
        .agg(
            pl.col("n", "usual_n").sum(),
            beyond=(pl.col("bad") - pl.col("allow")).clip(0).sum(),
        )
        .join(sliced.past.sums, on="slice", how="left")
        .filter(
            pl.col("n") >= limits.min_messages,
            pl.col("beyond") >= limits.min_excess,
            pl.col("usual_n") + pl.col("before_n").fill_null(0) >= limits.min_usual,
        )
    )
    return sliced.now.filter(pl.col("slice").is_in(worth["slice"].implode()))


def _judge(hours: pl.DataFrame, sliced: Sliced, step: float, limits: Thresholds) -> _Judged:
    """Add the `expected` bad share of every hour, its `excess` and its `score`."""
    shares, seasons = _shares(hours, sliced, limits), _seasons(hours, sliced, limits)
    excess = pl.col("bad") - pl.col("allow") - pl.col("n") * pl.col("expected")
    score = pl.col("excess") - pl.col("n") * _least_effect(step) / 2
    judged = (
        _with_expected(hours.drop("expected", "excess", "score", strict=False), shares, seasons)
        .with_columns(excess=excess)
        .with_columns(score=score)
    )
    return _Judged(judged, shares, seasons)


def _with_expected(
    hours: pl.DataFrame, shares: pl.DataFrame, seasons: pl.DataFrame
) -> pl.DataFrame:
    usual = pl.col("share") + pl.col("lift").fill_null(0.0)
    return (
        hours.join(shares.select("slice", "share"), on="slice", maintain_order="left")
        .join(seasons, on=SLOT, how="left", maintain_order="left")
        .with_columns(expected=pl.max_horizontal(usual, "season").fill_nan(1.0))
        .drop("share", "season")
    )


def _shares(hours: pl.DataFrame, sliced: Sliced, limits: Thresholds) -> pl.DataFrame:
    """For every slice its usual `share`, and the messages `usual_sum` that are not in its run.

    Until a run is known the past alone tells what is usual: a long outage must not.
    """
    outside = ~pl.col("in_run")
    sums = (
        hours.group_by("slice")
        .agg(pl.col("usual_n", "usual_bad").filter(outside).sum(), has_run=pl.col("in_run").any())
        .join(sliced.past.sums, on="slice", how="left")
        .with_columns(pl.col("before_n", "before_bad").fill_null(0))
        .with_columns(usual_sum=pl.col("usual_n") + pl.col("before_n"))
    )
    past_only = ~pl.col("has_run") & (pl.col("before_n") >= limits.min_usual)
    share = (
        pl.when(past_only)
        .then(pl.col("before_bad") / pl.col("before_n"))
        .otherwise((pl.col("usual_bad") + pl.col("before_bad")) / pl.col("usual_sum"))
    )
    return sums.select("slice", "usual_sum", share=share)


def _seasons(hours: pl.DataFrame, sliced: Sliced, limits: Thresholds) -> pl.DataFrame:
    """Median share of the same hour of other days: of the past, else of all days, else none."""
    past = sliced.past
    lacking = hours.select(SLOT).unique().join(past.seasons, on=SLOT, how="anti")
    if lacking.is_empty():
        return past.seasons
    columns = [*SLOT, "usual_n", "usual_bad"]
    others = pl.concat(
        [hours.filter(~pl.col("in_run")).select(columns), past.hours.select(columns)]
    )
    found = seasons_of(others.join(lacking, on=SLOT, how="semi"), limits)
    return pl.concat([past.seasons, found])


def _least_effect(step: float) -> pl.Expr:
    """Rise that an hour must half show: the step that matters, or the rise of the run if larger.

    With the smaller one, a calm hour beside a bad run would often be taken for a part of it.
    """
    inside = pl.col("in_run")
    of_run = pl.col("excess").filter(inside).sum() / pl.col("n").filter(inside).sum()
    return pl.max_horizontal(of_run.over("slice").fill_nan(step), pl.lit(step))


def _mark_worst_run(hours: pl.DataFrame) -> pl.DataFrame:
    """Set `in_run` on the hours of each slice's run with the largest sum of scores."""
    so_far = pl.col("score").cum_sum()
    rows = (
        hours.select("slice", "hour", "score")
        .with_columns(
            so_far=so_far.over("slice"), before=so_far.shift(1, fill_value=0.0).over("slice")
        )
        .with_columns(floor=pl.col("before").cum_min().over("slice"))
        .with_columns(
            gain=pl.col("so_far") - pl.col("floor"),
            start=pl.when(pl.col("before") == pl.col("floor"))
            .then(pl.col("hour"))
            .forward_fill()
            .over("slice"),
        )
    )
    worst = (
        rows.filter(pl.col("gain") > 0)
        .sort("slice", "gain", "hour", descending=[False, True, False])
        .group_by("slice", maintain_order=True)
        .agg(pl.col("start").first(), end=pl.col("hour").first())
    )
    inside = pl.col("hour").is_between(pl.col("start"), pl.col("end"))
    return (
        hours.drop("start", "end", strict=False)
        .join(worst, on="slice", how="left", maintain_order="left")
        .with_columns(in_run=inside.fill_null(value=False))
    )


def _evidence() -> list[pl.Expr]:
    inside = pl.col("in_run")
    return [
        pl.col("start", "end").first(),
        pl.col("n").filter(inside).sum().alias("messages"),
        (pl.col("bad") - pl.col("allow")).filter(inside).sum().alias("bad_sum"),
        pl.col("excess").filter(inside).sum().alias("excess_sum"),
        (inside & (pl.col("score") > 0)).sum().alias("bad_hours"),
    ]


def _spreads(
    slices: list[int], judged: _Judged, sliced: Sliced, habit: pl.DataFrame, limits: Thresholds
) -> dict[int, float]:
    """How much the share of each slice moves by itself, in standard deviations of pure chance."""
    mine = pl.col("slice").is_in(slices)
    past = sliced.past.hours.filter(mine).join(
        habit, on="local_hour", how="left", maintain_order="left"
    )
    columns = ["slice", "usual_n", "usual_bad", "expected"]
    hours = pl.concat(
        [
            judged.hours.filter(mine, ~pl.col("in_run")).select(columns),
            _with_expected(past, judged.shares, judged.seasons).select(columns),
        ]
    ).join(judged.shares.select("slice", "usual_sum"), on="slice", maintain_order="left")
    n, bad = pl.col("usual_n"), pl.col("usual_bad")
    likely = pl.max_horizontal(pl.col("expected"), 0.5 / pl.col("usual_sum")).clip(0, 0.99)
    off = (bad - n * pl.col("expected")) / (n * likely * (1 - likely)).sqrt()
    found = (
        hours.filter(speaks(limits))
        .select("slice", off=off)
        .group_by("slice")
        .agg(
            hours=pl.len(),
            spread=pl.max_horizontal(
                pl.col("off").pow(2).mean().sqrt(), pl.col("off").abs().median() * _MEDIAN_TO_SIGMA
            ),
        )
        .filter(pl.col("hours") >= limits.hours_of_spread)
    )
    return dict.fromkeys(slices, 1.0) | dict(found.select("slice", "spread").iter_rows())


def _is_large(row: dict[str, Any], step: float, limits: Thresholds) -> bool:
    """Enough messages, a rise that matters, lasting, and something to compare it with."""
    messages, excess = row["messages"], row["excess_sum"]
    if messages < limits.min_messages or excess < limits.min_excess or excess < step * messages:
        return False
    lasting = row["bad_hours"] >= limits.min_hours or messages >= limits.single_hour_messages
    return bool(lasting and row["usual_sum"] >= limits.min_usual)


def _is_clear(row: dict[str, Any], spread: float, chance: float) -> bool:
    """Beyond chance, with as many tests as there were.

    Failures come in batches: hours that vary more than chance alone would make them count for as
    many independent messages as would vary that much.
    """
    messages, excess, usual = row["messages"], row["excess_sum"], row["usual_sum"]
    spread = max(1.0, spread)
    share = min(1.0, max(0.0, row["bad_sum"] / messages))
    expected = min(1.0, max(0.0, share - excess / messages))
    if tail_bound(share, messages / spread**2, max(expected, 0.5 / usual)) > chance:
        return False
    clear = NormalDist().inv_cdf(1 - chance) * spread
    return newcombe(share, messages, expected, usual, clear).low > 0
