"""What messages that did not arrive have in common, found by machine.

Every value of a dimension with enough messages is a candidate, and so is every pair of values of
two dimensions. A single value is tested against all other messages. A pair is tested against the
rest of both its parents and against what they would do together without each other's help, and
its p-value is the largest of the three: it is a candidate only for what it says beyond them. The
false discovery rate is held over all candidates (Benjamini-Hochberg).

A prefix of numbers has few people behind it, and a dead number fails every time: there each person
counts once, by what became of most of their messages.

Of what stands, the one that explains most is told first, and its messages are taken out; another
one is told only if it still stands without them. So one cause is not told under five names.

Formulae: R. A. Fisher's exact test (one-sided); D. Katz et al., Biometrics 34 (1978) 469-474
(interval of a ratio of shares); R. L. Berger, Technometrics 24 (1982) 295-300 (largest p-value of
several); the deviance of a split for the order: A. Agresti, Categorical Data Analysis, section 2.4.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import polars as pl

from sms_etl.metrics.compare import FALSE_DISCOVERIES, LEAST_BATCH, discoveries
from sms_etl.metrics.exact import hypergeometric_tail
from sms_etl.metrics.money import UNDELIVERED
from sms_etl.metrics.rate import SMALL_SAMPLE, Z_95, Interval
from sms_etl.model.vocabulary import UNKNOWN_LABEL, StatusClass

DIMENSIONS = (
    "operator", "number_prefix", "contact_source", "sender", "template", "hour", "country",
    "channel",
)  # fmt: skip
"""What messages may have in common; `hour` is the local hour of sending."""

LEAST_MESSAGES = SMALL_SAMPLE
"""Fewer messages are no candidate."""

LEAST_LIFT = 1.2
"""A factor that makes less of a difference is of no use to anybody."""

MOST_FACTORS = 10
"""More are told nowhere: the tenth already explains next to nothing."""

PREFIX = "number_prefix"
"""A dimension that has few people behind each value."""

_MOST = 0.5

LEAST_BATCHES = 20
"""With fewer batches their scatter is not estimated."""

_CHI_SQUARE_MEDIAN = 0.4549
_BATCH = ["source", "operator", "sender", "hour"]
"""What has one true rate; a batch is a day of it."""
_MESSAGES, _FAILED = "messages", "failed"


@dataclass(frozen=True)
class Split:
    """Messages and failures inside and outside of a scope."""

    messages: int
    failed: int
    other_messages: int
    other_failed: int

    @property
    def lift(self) -> float | None:
        """Share failed inside over that outside; null where nothing failed outside."""
        if not self.other_failed or not self.messages:
            return None
        return (self.failed / self.messages) / (self.other_failed / self.other_messages)

    @property
    def stands_out(self) -> bool:
        """Whether the inside fails more, by so much that it matters."""
        lift = self.lift
        return self.failed > 0 and (lift is None or lift >= LEAST_LIFT)

    def interval(self, dispersion: float) -> Interval | None:
        """95 % interval of the lift (Katz), widened by the scatter of batches."""
        lift = self.lift
        if not lift or not self.failed:
            return None
        variance = (
            1 / self.failed - 1 / self.messages + 1 / self.other_failed - 1 / self.other_messages
        )
        half = Z_95 * math.sqrt(max(0.0, variance) * dispersion)
        return Interval(low=lift * math.exp(-half), high=lift * math.exp(half))


@dataclass(frozen=True)
class Factor:
    """A common factor: dimension -> value of its scope, counts, and the p-value of its test."""

    scope: dict[str, str]
    split: Split
    p_value: float


@dataclass(frozen=True)
class Study:
    """The factors found, the strongest first, among how many candidates, and how they scatter."""

    factors: tuple[Factor, ...]
    candidates: int
    messages: int
    failed: int
    dispersion: float


def study_failures(messages: pl.LazyFrame, zone: str) -> Study:
    """Find what the undelivered of some messages have in common.

    Days of one source, operator, sender and hour scatter more than luck where messages share a
    fate. What the factors found explain is no scatter, so it is measured beside them, and they
    have to stand against it.

    Args:
        messages: MESSAGES; those that wait are not looked at.
        zone: Time zone of the hours.
    """
    keyed = _keyed(messages, zone)
    counts, people = tally(keyed), _tally_people(keyed)
    first = common_factors(counts, people)
    beside = [~_in_scope(factor.scope) for factor in first.factors]
    batches = (
        keyed.filter(*beside)
        .group_by(*_BATCH, "day")
        .agg(n=pl.len(), d=(~pl.col("failed")).sum())
        .collect(engine="streaming")
    )
    dispersion = scatter(batches, _BATCH)
    return first if dispersion == 1.0 else common_factors(counts, people, dispersion)


def _keyed(messages: pl.LazyFrame, zone: str) -> pl.LazyFrame:
    """Messages that have an end, with DIMENSIONS and `failed`.

    The value of a dimension that nothing told us is null: it is no factor.
    """
    hour = pl.col("submitted_at").dt.convert_time_zone(zone).dt.hour()
    ended = messages.filter(pl.col("status_class") != StatusClass.PENDING.value)
    return ended.with_columns(hour=hour.cast(pl.String).str.zfill(2)).select(
        "day",
        "source",
        "recipient",
        *(pl.col(name).replace(UNKNOWN_LABEL, None) for name in DIMENSIONS),
        failed=pl.col("status_class").is_in([name.value for name in UNDELIVERED]),
    )


def tally(keyed: pl.LazyFrame) -> pl.DataFrame:
    """Messages summed by all dimensions: `messages`, `failed`."""
    summed = keyed.group_by(*DIMENSIONS).agg(
        pl.len().cast(pl.Int64).alias(_MESSAGES), pl.col("failed").sum().cast(pl.Int64)
    )
    return summed.collect(engine="streaming")


def _tally_people(keyed: pl.LazyFrame) -> pl.DataFrame:
    """People by prefix: `messages` counts them, `failed` those whom little reached."""
    person = (
        keyed.drop_nulls(["recipient", PREFIX])
        .group_by("recipient", PREFIX)
        .agg(lost=pl.col("failed").mean() > _MOST)
    )
    summed = person.group_by(PREFIX).agg(
        pl.len().cast(pl.Int64).alias(_MESSAGES),
        pl.col("lost").sum().cast(pl.Int64).alias(_FAILED),
    )
    return summed.collect(engine="streaming")


def scatter(batches: pl.DataFrame, keys: Sequence[str]) -> float:
    """How much more batches scatter than independent messages would; at least 1.

    The median of the squared residuals over that of a chi-square with one degree of freedom, so
    that a few days of an outage do not hide everything else: B. Devlin, K. Roeder, Biometrics 55
    (1999) 997-1004 (genomic control).

    Args:
        batches: `keys`, `n` (messages) and `d` (delivered) of every batch.
        keys: Columns whose combinations have one true rate each.
    """
    cells = batches.filter(pl.col("n") >= LEAST_BATCH)
    share = pl.col("d").sum().over(keys) / pl.col("n").sum().over(keys)
    # A batch is a part of the share it is held against, so it lies closer to it.
    apart = 1 - pl.col("n") / pl.col("n").sum().over(keys)
    spread = pl.col("n") * share * (1 - share) * apart
    residuals = (
        cells.with_columns(share=share, spread=spread)
        .filter(pl.col("spread") > 0)
        .select((pl.col("d") - pl.col("n") * pl.col("share")) ** 2 / pl.col("spread"))
        .to_series()
    )
    if residuals.len() < LEAST_BATCHES:
        return 1.0
    return max(1.0, _median(residuals) / _CHI_SQUARE_MEDIAN)


def common_factors(
    counts: pl.DataFrame,
    people: pl.DataFrame | None = None,
    dispersion: float = 1.0,
    rate: float = FALSE_DISCOVERIES,
) -> Study:
    """Find what failures have in common.

    Args:
        counts: Dimensions (String), `messages` and `failed`, as `tally` gives them.
        people: PREFIX, and people in the place of messages: prefixes are tested by it and stand in
            no pair; null: like any dimension.
        dispersion: Variance of batches over that of independent messages, at least 1
            (`scatter`); all tests are weakened by it.
        rate: Share of false ones that is accepted among all factors told.
    """
    dimensions = [name for name in counts.columns if name not in (_MESSAGES, _FAILED)]
    if people is not None:
        dimensions.remove(PREFIX)
    total, failed = int(counts[_MESSAGES].sum()), int(counts[_FAILED].sum())
    singles = [
        factor
        for name in dimensions
        for factor in _singles(counts, name, total, failed, dispersion)
    ]
    pairs = [
        factor
        for names in combinations(dimensions, 2)
        for factor in _pairs(counts, names, total, failed, dispersion)
    ]
    prefixes = [] if people is None else _prefixes(counts, people, total, failed)
    found = [*singles, *prefixes, *pairs]
    stand = discoveries([factor.p_value for factor in found], rate)
    kept = [factor for factor, stands in zip(found, stand, strict=True) if stands]
    told = _without_echoes(counts, kept, dispersion)
    return Study(tuple(told), len(found), total, failed, dispersion)


def _median(values: pl.Series) -> float:
    return float(values.cast(pl.Float64).sort()[values.len() // 2])


def _singles(
    counts: pl.DataFrame, name: str, total: int, failed: int, dispersion: float
) -> list[Factor]:
    rows = _summed(counts, [name])
    found = []
    for value, n, k in rows.filter(pl.col(_MESSAGES) < total).iter_rows():
        split = Split(n, k, total - n, failed - k)
        chance = _excess(split, dispersion) if split.stands_out else 1.0
        found.append(Factor({name: value}, split, chance))
    return found


def _prefixes(counts: pl.DataFrame, people: pl.DataFrame, total: int, failed: int) -> list[Factor]:
    """Prefixes by their people, told by their messages."""
    messages = {value: (n, k) for value, n, k in _summed(counts, [PREFIX]).iter_rows()}
    found = []
    everybody, lost = int(people[_MESSAGES].sum()), int(people[_FAILED].sum())
    for one in _singles(people, PREFIX, everybody, lost, 1.0):
        n, k = messages[one.scope[PREFIX]]
        split = Split(n, k, total - n, failed - k)
        found.append(Factor(one.scope, split, one.p_value if split.stands_out else 1.0))
    return found


def _pairs(
    counts: pl.DataFrame, names: tuple[str, str], total: int, failed: int, dispersion: float
) -> list[Factor]:
    """Pairs that are part of both parents: one that is a whole parent says nothing more."""
    one, other = names
    rows = (
        _summed(counts, names)
        .join(_summed(counts, [one]).rename({_MESSAGES: "n1", _FAILED: "k1"}), on=one)
        .join(_summed(counts, [other]).rename({_MESSAGES: "n2", _FAILED: "k2"}), on=other)
        .filter(
            pl.col("n1") - pl.col(_MESSAGES) >= LEAST_MESSAGES,
            pl.col("n2") - pl.col(_MESSAGES) >= LEAST_MESSAGES,
        )
    )
    found = []
    for first, second, n, k, n1, k1, n2, k2 in rows.iter_rows():
        split = Split(n, k, total - n, failed - k)
        chance = _pair_p_value(split, (n1 - n, k1 - k), (n2 - n, k2 - k), dispersion)
        found.append(Factor({one: first, other: second}, split, chance))
    return found


def _summed(counts: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Known values with enough messages: names, `messages`, `failed`; in a steady order."""
    return (
        counts.lazy()
        .drop_nulls(list(names))
        .group_by(*names)
        .agg(pl.col(_MESSAGES, _FAILED).sum())
        .filter(pl.col(_MESSAGES) >= LEAST_MESSAGES)
        .sort(*names)
        .collect()
    )


def _pair_p_value(
    pair: Split, rest_of_one: tuple[int, int], rest_of_other: tuple[int, int], dispersion: float
) -> float:
    """The largest p-value of: more than either parent's rest, more than both would do together."""
    if not pair.stands_out:
        return 1.0
    inside = (pair.messages, pair.failed)
    parents = [Split(*inside, *rest) for rest in (rest_of_one, rest_of_other)]
    if not all(parent.stands_out for parent in parents):
        return 1.0
    neither = (
        pair.other_messages - rest_of_one[0] - rest_of_other[0],
        pair.other_failed - rest_of_one[1] - rest_of_other[1],
    )
    together = _more_than_together(inside, rest_of_one, rest_of_other, neither, dispersion)
    return max(together, *(_excess(parent, dispersion) for parent in parents))


def _more_than_together(
    both: tuple[int, int],
    one: tuple[int, int],
    other: tuple[int, int],
    neither: tuple[int, int],
    dispersion: float,
) -> float:
    """Chance of such a pair if each parent multiplied the odds of failing by itself.

    Log odds ratio of odds ratios with its delta-method variance, half a message added to every
    count: D. R. Cox, E. J. Snell, Analysis of Binary Data, 2nd ed. (1989), section 2.1.
    """
    if neither[0] <= 0:
        return 1.0
    logs, variance = [], 0.0
    for messages, failed in (both, one, other, neither):
        bad, good = failed + 0.5, messages - failed + 0.5
        logs.append(math.log(bad / good))
        variance += 1 / bad + 1 / good
    contrast = logs[0] - logs[1] - logs[2] + logs[3]
    return 0.5 * math.erfc(contrast / math.sqrt(2 * variance * dispersion))


def _excess(split: Split, dispersion: float) -> float:
    """Chance that so many of the failures, or more, fall inside by luck (Fisher, one-sided).

    Counts are divided by the dispersion: so many independent messages would know as much.
    """
    n, other = (round(count / dispersion) for count in (split.messages, split.other_messages))
    k, failed = (
        math.floor(count / dispersion)
        for count in (split.failed, split.failed + split.other_failed)
    )
    return hypergeometric_tail(k, n, failed, n + other)


def _without_echoes(
    counts: pl.DataFrame, found: Sequence[Factor], dispersion: float
) -> list[Factor]:
    """Factors that still stand once the messages of those told before them are taken out."""
    if not found:
        return []
    worst = max(factor.p_value for factor in found)
    told: list[Factor] = []
    waiting, rest = sorted(found, key=_order), counts
    while waiting and len(told) < MOST_FACTORS:
        best = waiting.pop(0)
        told.append(best)
        rest = rest.filter(~_in_scope(best.scope))
        total, failed = int(rest[_MESSAGES].sum()), int(rest[_FAILED].sum())
        again = []
        for factor in waiting:
            n, k = rest.filter(_in_scope(factor.scope)).select(_MESSAGES, _FAILED).sum().row(0)
            left = Split(n, k, total - n, failed - k)
            if n >= LEAST_MESSAGES and left.stands_out and _excess(left, dispersion) <= worst:
                again.append((_deviance(left), factor))
        waiting = [factor for _, factor in sorted(again, key=lambda pair: -pair[0])]
    return told


def _order(factor: Factor) -> tuple[float, str]:
    return -_deviance(factor.split), str(factor.scope)


def _in_scope(scope: dict[str, str]) -> pl.Expr:
    return pl.all_horizontal(
        (pl.col(name) == value).fill_null(value=False) for name, value in scope.items()
    )


def _deviance(split: Split) -> float:
    """How much better the split tells failures from the rest than one share for all does."""
    failed = split.failed + split.other_failed
    total = split.messages + split.other_messages
    return 2 * (
        _log_likelihood(split.failed, split.messages)
        + _log_likelihood(split.other_failed, split.other_messages)
        - _log_likelihood(failed, total)
    )


def _log_likelihood(failed: int, messages: int) -> float:
    parts = ((failed, messages), (messages - failed, messages))
    return sum(k * math.log(k / n) for k, n in parts if k)
