"""Double entry of engagement and returns: the same counts by another road, or no report.

The first road groups events by message and joins the messages to them; this one goes from the
messages to the events, and from the orders of the lake to the sums.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from sms_etl.engagement.attribution import WINDOWS
from sms_etl.errors import ConservationError
from sms_etl.metrics.cohort import Cohort
from sms_etl.metrics.engaged import HORIZON, EngagementTables
from sms_etl.model.vocabulary import StatusClass
from sms_etl.reports.engagement_figures import Attributed, Engagement
from sms_etl.reports.figures import Figures


def check_engagement(
    found: Engagement, tables: EngagementTables, cohort: Cohort, figures: Figures
) -> None:
    """Deliveries against the cube, opened texts and clicks from the messages' side.

    Raises:
        ConservationError: naming the figure, with both values.
    """
    delivered = {row.key: row.totals.delivered for row in figures.by_campaign}
    for one in found.by_campaign:
        _same(f"delivered of {one.campaign}", one.delivered, delivered.get(one.campaign or "", 0))
    _same("delivered", found.whole.delivered, figures.totals.delivered)
    opened, clicks = _opened(tables, cohort)
    tracked = {one.campaign for one in found.by_campaign if one.clicked is not None}
    for one in found.by_campaign:
        if one.clicked is not None:
            told = one.clicked.numerator
            _same(f"opened texts of {one.campaign}", told, opened.get(one.campaign or "", 0))
    if found.whole.clicked is not None:
        every = sum(n for name, n in opened.items() if not tracked or name in tracked)
        _same("opened texts", found.whole.clicked.numerator, every)
    _same("clicks", found.whole.clicks + sum(found.whole.robots.values()), clicks)


def check_returns(
    found: Attributed, attribution: pl.LazyFrame, messages: pl.LazyFrame, cohort: Cohort
) -> None:
    """Orders and money of every window against the orders of the lake.

    Raises:
        ConservationError: naming the figure, with both values.
    """
    rows = attribution.filter(pl.col("net_micro") > 0)
    sent = cohort.of(messages).select("source", "message_id")
    counted = pl.collect_all(
        [
            rows.join(
                sent,
                left_on=[f"{one.name}_source", f"{one.name}_message_id"],
                right_on=["source", "message_id"],
                how="semi",
            )
            .group_by("currency")
            .agg(orders=pl.len(), micro=pl.col("net_micro").sum())
            for one in WINDOWS
        ],
        engine="streaming",
    )
    for window, frame in zip(found.whole.windows, counted, strict=True):
        _same(f"orders of {window.window}", window.orders, int(frame["orders"].sum()))
        money = dict(frame.select("currency", "micro").iter_rows())
        for amount in window.revenue:
            _same(
                f"revenue of {window.window} in {amount.currency}",
                amount.micro,
                money.get(amount.currency, 0),
            )


def _opened(tables: EngagementTables, cohort: Cohort) -> tuple[Mapping[str, int], int]:
    """Delivered texts with a link that a person opened, by campaign; and all clicks counted."""
    judged = tables.judged.with_columns(source="message_source")
    timely = judged.filter(pl.col("clicked_at") - pl.col("submitted_at") <= HORIZON)
    sent = cohort.of(tables.messages).select(
        "source", "message_id", "campaign", "status_class", "links"
    )
    keys = ["source", "message_id"]
    people = timely.filter(pl.col("robot_rule").is_null(), pl.col("clicks") > 0)
    opened = (
        sent.filter(pl.col("status_class") == StatusClass.DELIVERED.value, pl.col("links") > 0)
        .join(people.select(keys).unique(), on=keys, how="semi")
        .group_by("campaign")
        .len()
    )
    on_messages = timely.join(sent, on=keys, how="semi").select(pl.col("clicks").sum())
    aside = cohort.of_campaigns(
        judged.filter(pl.col("message_id").is_null(), pl.col("campaign").is_not_null()),
        "clicked_at",
    ).select(pl.col("clicks").sum())
    by_campaign, one, other = pl.collect_all([opened, on_messages, aside], engine="streaming")
    return dict(by_campaign.iter_rows()), int(one.item()) + int(other.item())


def _same(name: str, report: int, other: int) -> None:
    if report != other:
        raise ConservationError(
            f"{name}: {report} in the report, {other} counted from the rows. No report was made. "
            f"Materialize engagement/attribution for these days; if it persists, report this."
        )
