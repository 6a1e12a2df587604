"""The counts of a report from MESSAGES alone, without the cube: the second road of double entry."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import polars as pl

from sms_etl.metrics.histogram import bucket_of, value_of
from sms_etl.model.vocabulary import Permanence, Reason, Receipt, StatusClass, TimeOrigin

MICROSECONDS = 1e6

UNDELIVERED = (StatusClass.FAILED, StatusClass.REJECTED, StatusClass.UNKNOWN)
OPEN = (StatusClass.PENDING, StatusClass.UNKNOWN)
BEFORE = "before"
DIMENSIONS = ("campaign", "source", "sender", "country", "operator")
ROUTE = ("source", "operator")

Tally = dict[str, int]
"""Name of a count -> its value. Money is counted as `word[currency]`."""

Key = tuple[Any, ...]
_MESSAGES = "messages"
_STATES = ("status_class", "currency")
_WHY = ("reason", "permanence")
_TIME = ("local_day", "weekday", "hour")


@dataclass(frozen=True)
class Scope:
    """What a report covers: days of `zone`, the days before it, one campaign or all.

    `series`: a dimension whose values are counted day by day.
    """

    days: tuple[date, date]
    days_before: tuple[date, date] | None
    zone: str
    campaign: str | None
    slow_seconds: tuple[float, ...]
    series: str | None = None


@dataclass(frozen=True)
class Recount:
    """MESSAGES counted along every cut of a report, in one pass.

    `by[cut]`: (belongs to the days before, *key) -> tally, for the cuts total, day, hour
    (weekday, hour), route (source, operator) and every dimension. `reasons`: (before, reason,
    permanence) -> messages.
    `ends`: (day of the final status, class) -> messages. `people`: campaign, or none for all ->
    `reached`, `named` and `nameless`. `series`: (value, day) -> messages and `delivered`.
    """

    by: Mapping[str, Mapping[Key, Tally]]
    reasons: Mapping[Key, int]
    ends: Mapping[Key, int]
    people: Mapping[str | None, Tally]
    series: Mapping[Key, Tally]


def recount(messages: pl.LazyFrame, scope: Scope) -> Recount:
    """Count MESSAGES, which hold at least the days of the scope and of what it is held against.

    One streaming pass keeps sums over time and sums over the dimensions; the cuts are made of
    these.
    """
    rows = _Rows(messages, scope)
    now = rows.all.filter(rows.asked, ~pl.col(BEFORE))
    times, groups, ends, series, *people = pl.collect_all(
        [
            _sums(rows.all.filter(rows.asked), [BEFORE, *_TIME], scope),
            _sums(rows.all, [BEFORE, *DIMENSIONS, *_WHY], scope),
            _ends(rows),
            _series(now, scope.series),
            _people(now, pl.col("campaign")),
            _people(now, pl.lit(None, pl.String)),
        ],
        engine="streaming",
    )
    mine = groups.filter(rows.asked)
    return Recount(
        by={
            "total": _tallies(times, [BEFORE]),
            "day": _tallies(times, [BEFORE, "local_day"]),
            "hour": _tallies(times.filter(~pl.col(BEFORE)), [BEFORE, "weekday", "hour"]),
            "route": _tallies(mine.filter(~pl.col(BEFORE)), [BEFORE, *ROUTE]),
            **{
                name: _tallies(groups if name == "campaign" else mine, [BEFORE, name])
                for name in DIMENSIONS
            },
        },
        reasons=_counts(_reasons(mine)),
        ends=_counts(ends),
        people={row.pop("who"): row for frame in people for row in frame.iter_rows(named=True)},
        series={
            (row.pop("key"), row.pop("local_day")): row for row in series.iter_rows(named=True)
        },
    )


def recount_whole(messages: pl.LazyFrame, scope: Scope) -> Tally:
    """Count only the whole of the days of a scope: one streaming pass."""
    rows = _Rows(messages, scope)
    sums = _sums(rows.all.filter(rows.asked), [BEFORE], scope).collect(engine="streaming")
    return _tallies(sums, [BEFORE]).get((False,), added([]))


@dataclass(frozen=True)
class _Rows:
    messages: pl.LazyFrame
    scope: Scope

    @cached_property
    def all(self) -> pl.LazyFrame:
        """Messages of the report and of the days before, with what is counted of each."""
        local = pl.col("submitted_at").dt.convert_time_zone(self.scope.zone)
        before = pl.lit(value=False)
        if self.scope.days_before is not None:
            before = pl.col("local_day").is_between(*self.scope.days_before)
        delivered = pl.col("status_class") == StatusClass.DELIVERED
        timed = delivered & (pl.col("done_at_origin") != TimeOrigin.NONE)
        return (
            self.messages.with_columns(
                local_day=local.dt.date(), weekday=local.dt.weekday(), hour=local.dt.hour()
            )
            .with_columns(before.alias(BEFORE))
            .filter(pl.col("local_day").is_between(*self.scope.days) | pl.col(BEFORE))
            .with_columns(
                delivered=delivered,
                timed=timed & pl.col("seconds_to_deliver").is_not_null(),
                waits=~pl.col("final")
                & pl.col("status_class").is_in([name.value for name in OPEN])
                & pl.col("source").is_in(self._sources_with_times),
            )
            .with_columns(bucket=bucket_of(_seconds()))
        )

    @property
    def asked(self) -> pl.Expr:
        """Rows of the campaign the report is on, or all."""
        if self.scope.campaign is None:
            return pl.lit(value=True)
        return pl.col("campaign") == self.scope.campaign

    @cached_property
    def _sources_with_times(self) -> list[str]:
        """Sources that ever tell when a message was delivered."""
        told = self.messages.filter(
            pl.col("seconds_to_deliver").is_not_null(),
            pl.col("done_at_origin") != TimeOrigin.NONE,
        )
        return (
            told.select(pl.col("source").unique()).collect(engine="streaming")["source"].to_list()
        )


def _seconds() -> pl.Expr:
    """Time to deliver, or the age when last seen."""
    age = (pl.col("observed_at") - pl.col("submitted_at")).dt.total_microseconds() / MICROSECONDS
    return pl.when("timed").then("seconds_to_deliver").otherwise(age.clip(lower_bound=0.0))


def _last_bucket(seconds: float) -> int:
    """The last bucket of the histogram whose time is not beyond a threshold."""
    last = pl.select(bucket_of(pl.lit(seconds))).item() + 1
    times = pl.select(value_of(pl.int_range(last + 1))).to_series()
    return int((times <= seconds).sum()) - 1


def _sums(rows: pl.LazyFrame, keys: Sequence[str], scope: Scope) -> pl.LazyFrame:
    late = [pl.col("bucket") > _last_bucket(threshold) for threshold in scope.slow_seconds]
    slow = [(pl.col("timed") | pl.col("waits")) & one for one in late]
    return rows.group_by([*keys, *_STATES]).agg(
        pl.len().cast(pl.Int64).alias(_MESSAGES),
        pl.col("parts").cast(pl.Int64).sum(),
        messages_with_parts=pl.col("parts").count().cast(pl.Int64),
        spent=pl.col("cost_micro").sum(),
        with_cost=pl.col("cost_micro").count().cast(pl.Int64),
        partly_delivered=pl.col("partly_delivered").sum().cast(pl.Int64),
        timed=pl.col("timed").sum().cast(pl.Int64),
        operator_receipts=(pl.col("delivered") & (pl.col("receipt") == Receipt.OPERATOR))
        .sum()
        .cast(pl.Int64),
        **{f"slow_{n}": one.sum().cast(pl.Int64) for n, one in enumerate(slow)},
        **{f"seen_{n}": (one | pl.col("timed")).sum().cast(pl.Int64) for n, one in enumerate(slow)},
    )


def _reasons(groups: pl.DataFrame) -> pl.DataFrame:
    return (
        groups.filter(pl.col("status_class").is_in([name.value for name in UNDELIVERED]))
        .group_by(
            BEFORE,
            pl.col("reason").fill_null(Reason.NOT_STATED.value),
            pl.col("permanence").fill_null(Permanence.UNKNOWN.value),
        )
        .agg(pl.col(_MESSAGES).sum())
    )


def _ends(rows: _Rows) -> pl.LazyFrame:
    """By the day of the final status, whenever they were sent."""
    day = pl.col("done_at").dt.convert_time_zone(rows.scope.zone).dt.date()
    return (
        rows.messages.filter(rows.asked, pl.col("final"), day.is_between(*rows.scope.days))
        .group_by(day.alias("day"), "status_class")
        .agg(pl.len().alias(_MESSAGES))
    )


def _people(rows: pl.LazyFrame, who: pl.Expr) -> pl.LazyFrame:
    person = pl.col("recipient").hash()
    named = pl.col("recipient").is_not_null()
    return rows.group_by(who.alias("who")).agg(
        reached=person.filter(named & pl.col("delivered")).n_unique(),
        named=person.filter(named).n_unique(),
        nameless=(~named).sum(),
    )


def _series(rows: pl.LazyFrame, dimension: str | None) -> pl.LazyFrame:
    """Messages of every value of a dimension and day; none without a dimension."""
    key = pl.col(dimension) if dimension else pl.lit(None, pl.String)
    return (
        rows.filter(pl.lit(dimension is not None))
        .group_by(key.alias("key"), "local_day")
        .agg(messages=pl.len().cast(pl.Int64), delivered=pl.col("delivered").sum().cast(pl.Int64))
    )


def _counts(frame: pl.DataFrame) -> dict[Key, int]:
    return {row[:-1]: row[-1] for row in frame.iter_rows()}


def _tallies(frame: pl.DataFrame, keys: Sequence[str]) -> dict[Key, Tally]:
    """Sums of `_sums` as one tally per key."""
    sums = frame.group_by([*keys, *_STATES]).agg(
        pl.exclude(BEFORE, *_TIME, *DIMENSIONS, *_WHY, *_STATES).sum()
    )
    found: defaultdict[Key, Tally] = defaultdict(lambda: defaultdict(int))
    for row in sums.iter_rows(named=True):
        key = tuple(row.pop(name) for name in keys)
        _add(found[key], row)
    return dict(found)


def _add(tally: Tally, row: dict[str, Any]) -> None:
    word, currency = row.pop("status_class"), row.pop("currency")
    spent, with_cost = row.pop("spent"), row.pop("with_cost")
    tally[word] += row[_MESSAGES]
    tally["priced"] += with_cost
    for name, value in row.items():
        tally[name] += value
    if currency is not None and with_cost:
        tally[f"spent[{currency}]"] += spent
        tally[f"messages_with_cost[{currency}]"] += with_cost
        if word in UNDELIVERED:
            tally[f"spent_on_undelivered[{currency}]"] += spent
        if word == StatusClass.DELIVERED:
            tally[f"delivered_with_cost[{currency}]"] += with_cost


def added(tallies: Iterable[Tally]) -> Tally:
    """Tallies of groups as one."""
    total: Tally = defaultdict(int)
    for tally in tallies:
        for name, value in tally.items():
            total[name] += value
    return total
