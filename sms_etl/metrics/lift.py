"""What a campaign caused: those written to against those of the same list held out by lot.

Counted from the intention to write, delivered or not: whoever was not held out is treated, else
the two groups would not be alike. Difference: R. G. Newcombe, Statistics in Medicine 17 (1998)
873-890, method 10.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import polars as pl

from sms_etl.metrics.cohort import Cohort
from sms_etl.metrics.compare import discoveries
from sms_etl.metrics.rate import SMALL_SAMPLE, newcombe
from sms_etl.model.vocabulary import HOLDOUT
from sms_etl.reports.engagement_figures import Lift
from sms_etl.reports.figures import Verdict

PEOPLE = "people"
_HOUR = timedelta(hours=1)
_KEYS = ("campaign", "person")


def lifts_of(
    asked: pl.LazyFrame,
    messages: pl.LazyFrame,
    orders: pl.DataFrame,
    days: int,
    cohort: Cohort,
) -> tuple[Lift, ...]:
    """The lift of every campaign with people held out, in order of name.

    Args:
        asked: ASKED of the report.
        messages: MESSAGES of the report.
        orders: `recipient`, `contact`, `ordered_at` of orders that were not given back whole.
        days: how long after the message, or after the time it would have gone, an order counts.
        cohort: the report's messages.
    """
    held = cohort.of_campaigns(asked.filter(skipped=HOLDOUT), "hour").collect()
    if held.is_empty():
        return ()
    campaigns = held["campaign"].unique().to_list()
    sent = (
        cohort.of(messages)
        .filter(pl.col("campaign").is_in(campaigns))
        .select("campaign", "recipient", "contact", at=pl.col("submitted_at").dt.truncate("1h"))
        .collect(engine="streaming")
    )
    people = _people(sent, held.select("campaign", "recipient", "contact", at="hour"))
    window = timedelta(days=days)
    counted = (
        people.with_columns(bought=_bought(people, orders, window))
        .group_by("campaign")
        .agg(
            treated=(pl.col("arm") == "treated").sum(),
            treated_bought=(pl.col("bought") & (pl.col("arm") == "treated")).sum(),
            held=(pl.col("arm") == "held").sum(),
            held_bought=(pl.col("bought") & (pl.col("arm") == "held")).sum(),
            both=(pl.col("arm") == "both").sum(),
            last=pl.col("at").max(),
        )
        .filter(pl.col("treated") > 0, pl.col("held") > 0)
        .sort("campaign")
    )
    lifts = [_lift(row, days, cohort) for row in counted.iter_rows(named=True)]
    return _judged(lifts)


def _people(sent: pl.DataFrame, held: pl.DataFrame) -> pl.DataFrame:
    """One row per campaign and person: since when, and in which arm."""
    arms = pl.concat(
        [
            sent.with_columns(treated=pl.lit(value=True)),
            held.with_columns(treated=pl.lit(value=False)),
        ]
    )
    return (
        arms.with_columns(person=pl.coalesce("contact", "recipient"))
        .drop_nulls("person")
        .group_by(_KEYS)
        .agg(
            pl.col("recipient", "contact").drop_nulls().first(),
            pl.col("at").min(),
            once=pl.col("treated").any(),
            always=pl.col("treated").all(),
        )
        .with_columns(
            arm=pl.when("always").then(pl.lit("treated"))
            .when("once").then(pl.lit("both"))
            .otherwise(pl.lit("held"))
        )
        .sort(_KEYS)
    )  # fmt: skip


def _bought(people: pl.DataFrame, orders: pl.DataFrame, window: timedelta) -> pl.Series:
    """Whether each of them ordered in the window, by number or by contact."""
    rows = people.with_row_index("_row")
    found = pl.concat(
        [
            rows.drop_nulls(key)
            .join(orders.select(key, "ordered_at").drop_nulls(), on=key)
            .filter((pl.col("ordered_at") - pl.col("at")).is_between(timedelta(0), window))
            .select("_row")
            for key in ("recipient", "contact")
        ]
    ).unique()
    return rows.select(pl.col("_row").is_in(found["_row"].to_list())).to_series()


def _lift(row: dict[str, Any], days: int, cohort: Cohort) -> Lift:
    window = timedelta(days=days)
    over = row["last"] + _HOUR + window <= cohort.as_of
    treated, held = (
        cohort.rate(row[f"{arm}_bought"], row[arm], PEOPLE, window).model_copy(
            update={"mature": over}
        )
        for arm in ("treated", "held")
    )
    name = str(row["campaign"])
    return Lift(
        campaign=name,
        label=cohort.label(name),
        days=days,
        treated=treated,
        holdout=held,
        difference=(treated.value or 0.0) - (held.value or 0.0),
        interval=newcombe(
            treated.value or 0.0, treated.denominator, held.value or 0.0, held.denominator
        ),
        verdict=Verdict.NOT_SHOWN.value,
        both=row["both"],
    )


def _judged(lifts: Sequence[Lift]) -> tuple[Lift, ...]:
    """Verdicts at a shared rate of false discoveries; too few people and too early come first."""
    open_ = [one for one in lifts if _obstacle(one) is None]
    shown = dict(
        zip(
            [one.campaign for one in open_],
            discoveries([_p_value(one) for one in open_]),
            strict=True,
        )
    )
    return tuple(
        one.model_copy(update={"verdict": _verdict(one, shown.get(one.campaign, False)).value})
        for one in lifts
    )


def _obstacle(one: Lift) -> Verdict | None:
    if min(one.treated.denominator, one.holdout.denominator) < SMALL_SAMPLE:
        return Verdict.TOO_FEW
    return None if one.treated.mature else Verdict.TOO_EARLY


def _verdict(one: Lift, shown: bool) -> Verdict:
    obstacle = _obstacle(one)
    if obstacle is not None:
        return obstacle
    if shown and one.interval.low > 0:
        return Verdict.BETTER
    if shown and one.interval.high < 0:
        return Verdict.WORSE
    return Verdict.NOT_SHOWN


def _p_value(one: Lift) -> float:
    """Two-sided, of no difference: the score test with the pooled share."""
    n, m = one.treated.denominator, one.holdout.denominator
    pooled = (one.treated.numerator + one.holdout.numerator) / (n + m)
    spread = pooled * (1 - pooled) * (1 / n + 1 / m)
    if not spread:
        return 1.0
    return math.erfc(abs(one.difference) / math.sqrt(2 * spread))
