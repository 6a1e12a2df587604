"""Engagement, returns and loyalty as rows of the warehouse."""

from __future__ import annotations

from collections.abc import Iterator

from sms_etl.metrics.rate import Rate
from sms_etl.reports.engagement_figures import BuyerGroup, Engaged, Lift, Returns, WindowReturn
from sms_etl.reports.figures import Figures

WHOLE = ""
CAMPAIGN = "campaign"
Flat = tuple[str, str, str, float | Rate | None]
"""Dimension, key, figure and value."""


def flat_engagement(figures: Figures) -> Iterator[Flat]:
    """Every figure of these sections: `buyers_<measure>` are dimensions of their own."""
    if figures.engagement is not None:
        for one in (figures.engagement.whole, *figures.engagement.by_campaign):
            yield from _engaged(one)
    if figures.attributed is not None:
        for brought in (figures.attributed.whole, *figures.attributed.by_campaign):
            yield from _returns(brought)
        for lift in figures.attributed.lifts:
            yield from _lift(lift)
    if figures.loyalty is not None:
        yield WHOLE, WHOLE, "buyers", figures.loyalty.buyers
        yield WHOLE, WHOLE, "loyal_unreachable", figures.loyalty.unreachable
        for group in (*figures.loyalty.groups, *figures.loyalty.cells):
            yield from _group(group)


def _place(campaign: str | None) -> tuple[str, str]:
    return (WHOLE, WHOLE) if campaign is None else (CAMPAIGN, campaign)


def _engaged(one: Engaged) -> Iterator[Flat]:
    place = _place(one.campaign)
    rates = {"clicked_rate": one.clicked, "read_rate": one.read, "replied_rate": one.replied}
    for name, rate in rates.items():
        if rate is not None:
            yield *place, name, rate
    yield *place, "clicks_of_people", one.clicks
    for rule, clicks in one.robots.items():
        yield *place, f"clicks_of_robots_{rule}", clicks
    for opted in one.opt_outs:
        yield *place, f"opted_out_{opted.window_hours}h_rate", opted.rate


def _returns(one: Returns) -> Iterator[Flat]:
    place = _place(one.campaign)
    yield *place, "converted_delivered_rate", one.converted_delivered
    if one.converted_clicked is not None:
        yield *place, "converted_clicked_rate", one.converted_clicked
    for window in (one.headline, *one.windows, one.by_code):
        yield from _window(place, window)
    for name in ("revenue_per_message", "revenue_per_delivered"):
        if (money := getattr(one, name)) is not None:
            yield *place, f"{name}_micro_{money.currency}", money.micro
    if one.return_on_spend is not None:
        yield *place, "return_on_spend", one.return_on_spend


def _window(place: tuple[str, str], one: WindowReturn) -> Iterator[Flat]:
    yield *place, f"orders_{one.window}", one.orders
    for money in one.revenue:
        yield *place, f"revenue_{one.window}_micro_{money.currency}", money.micro


def _lift(one: Lift) -> Iterator[Flat]:
    place = (CAMPAIGN, one.campaign)
    yield *place, "lift", one.difference
    yield *place, "treated_bought_rate", one.treated
    yield *place, "holdout_bought_rate", one.holdout


def _group(one: BuyerGroup) -> Iterator[Flat]:
    place = (f"buyers_{one.measure}", one.score)
    yield *place, "people", one.people
    for name in ("delivered", "clicked", "opted_out", "bought_before", "bought_after"):
        if (rate := getattr(one, name)) is not None:
            yield *place, f"{name}_rate", rate
