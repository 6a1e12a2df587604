"""Comparisons as a report tells them: who is better, by how much, and whether it is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from sms_etl.metrics.compare import (
    Difference,
    difference,
    discoveries,
    dispersion_of,
)
from sms_etl.metrics.rate import Rate, wilson
from sms_etl.metrics.summary import SUBMITTED
from sms_etl.model.vocabulary import StatusClass
from sms_etl.reports.figures import Comparison, Totals, Verdict

PERIOD_KEY = "period"
OPERATOR, _BATCH = "operator", "hour"
_COUNTS = ("n", "d")


def against_the_others(
    cube: pl.LazyFrame, dimension: str, totals: Mapping[str, Totals], stratum: str = OPERATOR
) -> tuple[Comparison, ...]:
    """Every value of a dimension against all its others, the largest first.

    Args:
        cube: CUBE rows.
        dimension: Column of the groups.
        totals: Of every group in the cube.
        stratum: Column whose mix is held equal.
    """
    batches = _batches(cube, [dimension], stratum)
    scatter = dispersion_of(batches, [dimension, stratum])
    by_stratum = batches.group_by(dimension, stratum).agg(pl.col(_COUNTS).sum())
    everyone = (
        by_stratum.group_by(stratum)
        .agg(pl.col(name).sum().alias(f"all_{name}") for name in _COUNTS)
        .sort(stratum)
    )
    found = []
    for key in sorted(totals, key=lambda key: (-totals[key].submitted, key)):
        mine = by_stratum.filter(pl.col(dimension) == key).drop(dimension)
        strata = everyone.join(mine, on=stratum, how="left", maintain_order="left").select(
            pl.col(_COUNTS).fill_null(0),
            *((pl.col(f"all_{c}") - pl.col(c).fill_null(0)).alias(f"base_{c}") for c in _COUNTS),
        )
        others = [other for name, other in totals.items() if name != key]
        told = difference(strata, scatter)
        if told is not None:
            base = _rate_of_all(others, totals[key].delivery)
            found.append(_comparison(key, totals[key].delivery, base, told))
    return judged(found)


def between_periods(
    cube: pl.LazyFrame, before: str, now: Totals, previous: Totals
) -> Comparison | None:
    """A period against the one before; null if they have no operator in common.

    Args:
        cube: CUBE rows of both.
        before: Boolean column, true for rows of the earlier one.
        now: Totals of the period.
        previous: Totals of the one before.
    """
    batches = _batches(cube, [before], OPERATOR)
    scatter = dispersion_of(batches, [before, OPERATOR])
    strata = (
        batches.group_by(OPERATOR)
        .agg(
            *(pl.col(c).filter(~pl.col(before)).sum() for c in _COUNTS),
            *(pl.col(c).filter(before).sum().alias(f"base_{c}") for c in _COUNTS),
        )
        .sort(OPERATOR)
    )
    told = difference(strata, scatter)
    if told is None:
        return None
    (found,) = judged([_comparison(PERIOD_KEY, now.delivery, previous.delivery, told)])
    return found


def judged(found: Sequence[Comparison]) -> tuple[Comparison, ...]:
    """Comparisons with verdicts; those that can be judged share one false discovery rate."""
    open_ = [one for one in found if one.verdict is Verdict.NOT_SHOWN]
    shown = dict(
        zip(
            [one.key for one in open_],
            discoveries([one.p_value for one in open_]) if open_ else [],
            strict=True,
        )
    )
    return tuple(
        one.model_copy(update={"verdict": _direction(one)}) if shown.get(one.key) else one
        for one in found
    )


def _direction(one: Comparison) -> Verdict:
    return Verdict.BETTER if one.standardised > 0 else Verdict.WORSE


def _comparison(key: str, rate: Rate, base: Rate, told: Difference) -> Comparison:
    """With the verdict that nothing is shown, or why nothing can be."""
    verdict = Verdict.NOT_SHOWN
    if rate.small or base.small:
        verdict = Verdict.TOO_FEW
    elif not (rate.mature and base.mature):
        verdict = Verdict.TOO_EARLY
    return Comparison(
        key=key,
        rate=rate,
        base=base,
        plain=told.plain,
        rate_effect=told.rate_effect,
        mix_effect=told.mix_effect,
        standardised=told.standardised,
        interval=told.interval,
        common=told.common,
        dispersion=told.dispersion,
        p_value=told.p_value,
        verdict=verdict,
    )


def _batches(cube: pl.LazyFrame, keys: Sequence[str], stratum: str) -> pl.DataFrame:
    """Messages `n` and delivered `d` of every hour, stratum and group: what goes out together."""
    delivered = pl.col("status_class") == StatusClass.DELIVERED
    return (
        cube.group_by([*keys, stratum, _BATCH])
        .agg(n=pl.col("messages").sum(), d=pl.col("messages").filter(delivered).sum())
        .sort([*keys, stratum, _BATCH])
        .collect(engine="streaming")
    )


def _rate_of_all(groups: Sequence[Totals], like: Rate) -> Rate:
    """Delivery rate of several groups together."""
    submitted = sum(t.submitted for t in groups)
    delivered = sum(t.delivered for t in groups)
    final = sum(t.delivered + t.failed + t.rejected for t in groups)
    hoped = delivered + sum(t.unknown + t.pending for t in groups)
    return Rate(
        value=delivered / submitted if submitted else None,
        numerator=delivered,
        denominator=submitted,
        denominator_name=SUBMITTED,
        low=delivered / submitted if submitted else None,
        high=hoped / submitted if submitted else None,
        interval=wilson(delivered, submitted),
        coverage=final / submitted if submitted else None,
        as_of=like.as_of,
        mature=all(t.delivery.mature for t in groups),
    )
