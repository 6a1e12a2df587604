"""Judging clicks and attributing orders: functions of a project and some days.

Both are made from rows in the lake alone, so they can be made again: with other rules, with
receipts that came late, with refunds of orders of long ago.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from sms_etl.engagement.attribution import (
    LONGEST,
    attribute,
    click_touches,
    delivery_touches,
    net_orders,
)
from sms_etl.engagement.robots import RobotRules, with_robot_rule
from sms_etl.engagement.ties import tied
from sms_etl.model.attribution import ATTRIBUTION, JUDGED_CLICKS
from sms_etl.model.engagement import CLICKS, ORDERS
from sms_etl.model.schemas import MESSAGES
from sms_etl.model.vocabulary import Engagement, OrderKind
from sms_etl.project import Project

MARGIN = timedelta(days=1)
"""A touch is of another business day than its hour in UTC."""

LONGEST_RETURN = timedelta(days=366)
"""An order given back later than this is not looked for."""

_AT = "at"


@dataclass(frozen=True)
class Attributed:
    """What was made: clicks judged and robots among them by day, orders by day."""

    clicks: dict[date, int]
    robots: dict[date, int]
    orders: dict[date, int]


def sources_with(project: Project, kind: Engagement) -> list[str]:
    """Enabled sources that a kind of events is pulled from."""
    return [
        name
        for name in project.enabled
        if any(stream.kind is kind for stream in project.streams(name))
    ]


def attribute_days(project: Project, days: Sequence[date]) -> Attributed:
    """Judge the clicks and attribute the orders of these days, and orders given back on them.

    Days that retention has sealed stay as they were.

    Raises:
        ConfigError: a network of the settings is none.
        StoreError: the lake cannot be read or written.
    """
    days = project.rebuildable(days)
    if not days:
        return Attributed({}, {}, {})
    clicks = _judge(project, days)
    orders = _attribute(project, days)
    _restate_others(project, days)
    return Attributed(
        clicks=_by_day(clicks, pl.col("clicks").sum()),
        robots=_by_day(clicks, pl.col("clicks").filter(pl.col("robot_rule").is_not_null()).sum()),
        orders=_by_day(orders, pl.len()),
    )


def judge(clicks: pl.DataFrame, messages: pl.LazyFrame, project: Project) -> pl.DataFrame:
    """JUDGED_CLICKS of some CLICKS by the settings.

    Rows of one day are judged together, whatever other days are made beside it, so a replay of
    any range gives the same.
    """
    settings = project.settings.engagement
    rules = RobotRules(
        settings.robot_seconds,
        settings.robot_links,
        settings.robot_links_seconds,
        settings.robot_networks,
    )
    events = clicks.rename({"clicked_at": _AT})
    found = tied(events, messages, timedelta(days=settings.tie_days), settings.links)
    told = found.rename({_AT: "clicked_at"}).with_columns(opened=pl.coalesce("message_id", "link"))
    judged = [
        with_robot_rule(of_day, rules) for of_day in told.partition_by("day", maintain_order=True)
    ]
    if not judged:
        return JUDGED_CLICKS.empty()
    return pl.concat(judged).select(JUDGED_CLICKS.names).cast(JUDGED_CLICKS.schema)


def _judge(project: Project, days: Sequence[date]) -> pl.DataFrame:
    names = sources_with(project, Engagement.CLICKS)
    settings = project.settings.engagement
    first, last = min(days) - timedelta(days=settings.tie_days) - MARGIN, max(days) + MARGIN
    clicks = _of_days(project.lake.scan(CLICKS, min(days), max(days), names), days).collect()
    judged = judge(clicks, project.lake.scan(MESSAGES, first, last), project)
    for name in names:
        project.lake.replace(JUDGED_CLICKS, name, days, judged.filter(source=name))
    return judged


def _attribute(project: Project, days: Sequence[date]) -> pl.DataFrame:
    names = sources_with(project, Engagement.ORDERS)
    lake, codes = project.lake, project.settings.engagement.promo_codes
    first, last = min(days), max(days)
    before = first - LONGEST - MARGIN
    orders = _of_days(_standing(project, names, first), days)
    refunds = lake.scan(ORDERS, first, None, names).filter(kind=OrderKind.REFUND.value)
    touches = pl.concat(
        [
            click_touches(lake.scan(JUDGED_CLICKS, before, last + MARGIN)),
            delivery_touches(lake.scan(MESSAGES, before, last + MARGIN)),
        ]
    )
    found = (
        attribute(orders.collect(), refunds.collect(), touches, codes)
        .select(ATTRIBUTION.names)
        .cast(ATTRIBUTION.schema)
    )
    for name in names:
        lake.replace(ATTRIBUTION, name, days, found.filter(source=name))
    return found


def _standing(project: Project, names: Sequence[str], around: date) -> pl.LazyFrame:
    """Orders, each on one day: one whose time was corrected is on both until its days are read."""
    placed = project.lake.scan(ORDERS, around - LONGEST_RETURN, None, names)
    return (
        placed.filter(kind=OrderKind.ORDER.value)
        .sort("pulled_at", "day")
        .unique(["source", "event_id"], keep="last", maintain_order=True)
    )


def _restate_others(project: Project, days: Sequence[date]) -> None:
    """Take refunds of these days off orders of other days, and orders that moved here from there.

    What took those orders stays.
    """
    names = sources_with(project, Engagement.ORDERS)
    scan, earliest = project.lake.scan, min(days) - LONGEST_RETURN
    told = _of_days(scan(ORDERS, min(days), max(days), names), days)
    about = told.select("source", event_id=pl.coalesce("refund_of", "event_id")).unique()
    known = scan(ATTRIBUTION, earliest, None, names).filter(~pl.col("day").is_in(list(days)))
    touched = known.join(about, on=["source", "event_id"], how="semi")
    others = project.rebuildable(touched.select(pl.col("day").unique()).collect()["day"].to_list())
    if not others:
        return
    refunds = scan(ORDERS, min(others), None, names).filter(kind=OrderKind.REFUND.value)
    standing = net_orders(_standing(project, names, min(days)).collect(), refunds.collect())
    money = standing.select("source", "event_id", "refunded_micro", "net_micro", stands_on="day")
    restated = (
        _of_days(known, others)
        .collect()
        .drop("refunded_micro", "net_micro")
        .join(money, on=["source", "event_id"])
        .filter(pl.col("stands_on") == pl.col("day"))
        .select(ATTRIBUTION.names)
    )
    for name in names:
        mine = restated.filter(source=name)
        project.lake.replace(ATTRIBUTION, name, others, mine)


def _of_days(frame: pl.LazyFrame, days: Sequence[date]) -> pl.LazyFrame:
    return frame.filter(pl.col("day").is_in(list(days)))


def _by_day(frame: pl.DataFrame, what: pl.Expr) -> dict[date, int]:
    return dict(frame.group_by("day").agg(what).sort("day").iter_rows())
