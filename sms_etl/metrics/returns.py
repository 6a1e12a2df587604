"""What messages brought: orders and money by window, conversion, return on spend.

Counted by the day of sending: an order belongs to the report whose message took it. Formulae:
docs/figures.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import polars as pl

from sms_etl.engagement.attribution import CLICK, DELIVERY, WINDOWS, Window
from sms_etl.metrics.cohort import Cohort
from sms_etl.metrics.engaged import DELIVERED, HORIZON
from sms_etl.metrics.money import RATE_SCALE, Rates, divide_half_even
from sms_etl.metrics.order_money import with_product
from sms_etl.model.vocabulary import StatusClass
from sms_etl.reports.engagement_figures import Amount, Lift, Returns, WindowReturn
from sms_etl.reports.figures import Totals

HEADLINE, BY_CODE = "headline", "by_code"
CLICKED = "clicked_messages"

_OF_MESSAGE = ["message_source", "message_id"]
_TAKEN = (
    *_OF_MESSAGE,
    "campaign",
    "window",
    "source",
    "event_id",
    "net_micro",
    "currency",
    "product",
)


@dataclass(frozen=True)
class Headline:
    """The two windows that the conversion of a report is told by."""

    click_days: int = 5
    delivery_hours: int = 12

    @property
    def windows(self) -> tuple[Window, Window]:
        """The click's and the delivery's."""
        return (
            Window(CLICK, timedelta(days=self.click_days)),
            Window(DELIVERY, timedelta(hours=self.delivery_hours)),
        )

    @property
    def length(self) -> timedelta:
        """The longer one: after it the figures stand still."""
        return max(window.length for window in self.windows)


@dataclass(frozen=True)
class Brought:
    """Orders that messages of the report took.

    `taken`: a row per order and window, with the message and the campaign. `coded`: orders of the
    days of the report whose code names a campaign. `clicked`: messages that people opened.
    """

    taken: pl.DataFrame
    coded: pl.DataFrame
    clicked: pl.DataFrame


def brought(
    attribution: pl.LazyFrame,
    judged: pl.LazyFrame,
    messages: pl.LazyFrame,
    cohort: Cohort,
    headline: Headline,
    rates: Rates | None,
) -> Brought:
    """What the messages of a cohort took.

    Args:
        attribution: ATTRIBUTION of the report's days and what the windows reach beyond them.
        judged: JUDGED_CLICKS of the same days.
        messages: MESSAGES of the report.
        cohort: the report's messages.
        headline: windows of the conversion rates.
        rates: exchange rates; null: money is not converted.
    """
    orders = with_product(attribution.filter(pl.col("net_micro") > 0).collect(), rates)
    takers = pl.concat([_takers(orders, headline), *(_window(orders, one) for one in WINDOWS)])
    sent = cohort.of(messages).select(
        "message_id", "campaign", "status_class", message_source="source"
    )
    opened = (
        judged.filter(
            pl.col("robot_rule").is_null(),
            pl.col("period_seconds") == 0,
            pl.col("message_id").is_not_null(),
            pl.col("clicked_at") - pl.col("submitted_at") <= HORIZON,
        )
        .select(_OF_MESSAGE)
        .unique()
    )
    taken, clicked = pl.collect_all(
        [sent.join(takers.lazy(), on=_OF_MESSAGE), sent.join(opened, on=_OF_MESSAGE)],
        engine="streaming",
    )
    named = orders.lazy().with_columns(campaign="code_campaign")
    coded = cohort.of_campaigns(named, "ordered_at").collect().drop_nulls("code_campaign")
    return Brought(taken, coded, clicked)


def returns_of(
    found: Brought,
    campaign: str | None,
    totals: Totals,
    cohort: Cohort,
    headline: Headline,
    rates: Rates | None,
) -> Returns:
    """What the messages of a campaign brought, or (null) those of the whole report."""
    taken, coded, clicked = (
        frame if campaign is None else frame.filter(campaign=campaign)
        for frame in (found.taken, found.coded, found.clicked)
    )
    target = rates.target if rates else None
    main = _window_return(taken.filter(window=HEADLINE), HEADLINE, target)
    revenue, spent = _comparable(main, totals)
    arrived = taken.filter(
        pl.col("window") == HEADLINE, pl.col("status_class") == StatusClass.DELIVERED.value
    )
    by_click = taken.filter(window=headline.windows[0].name).join(
        clicked, on=_OF_MESSAGE, how="semi"
    )
    opened = clicked.select(_OF_MESSAGE).n_unique() if clicked.height else 0
    return Returns(
        campaign=campaign,
        label=cohort.label(campaign) if campaign else "",
        headline=main,
        windows=tuple(
            _window_return(taken.filter(window=one.name), one.name, target) for one in WINDOWS
        ),
        by_code=_window_return(coded, BY_CODE, target),
        converted_delivered=cohort.rate(
            _messages(arrived), totals.delivered, DELIVERED, headline.length
        ),
        converted_clicked=cohort.rate(_messages(by_click), opened, CLICKED, headline.length)
        if opened
        else None,
        revenue_per_message=_per(revenue, totals.submitted),
        revenue_per_delivered=_per(revenue, totals.delivered),
        spent=spent,
        return_on_spend=revenue.micro / spent.micro if revenue and spent and spent.micro else None,
    )


def campaigns_of(found: Brought, lifts: Iterable[Lift]) -> set[str]:
    """Campaigns that took an order, are named by a code, or have a holdout."""
    named = {*found.taken["campaign"], *found.coded["campaign"]}
    return named | {one.campaign for one in lifts}


def _window(orders: pl.DataFrame, window: Window) -> pl.DataFrame:
    name = window.name
    return orders.drop_nulls(f"{name}_message_id").select(
        window=pl.lit(name),
        message_source=f"{name}_source",
        message_id=f"{name}_message_id",
        source="source",
        event_id="event_id",
        net_micro="net_micro",
        currency="currency",
        product="product",
    )


def _takers(orders: pl.DataFrame, headline: Headline) -> pl.DataFrame:
    """The later of the last touches inside the two windows; of two at once the click."""
    click, delivery = (window.name for window in headline.windows)
    clicked = pl.col(f"{click}_at").is_not_null() & (
        pl.col(f"{delivery}_at").is_null() | (pl.col(f"{click}_at") >= pl.col(f"{delivery}_at"))
    )
    by_click = _window(orders.filter(clicked), headline.windows[0])
    by_delivery = _window(orders.filter(~clicked), headline.windows[1])
    return pl.concat([by_click, by_delivery]).with_columns(window=pl.lit(HEADLINE))


def _window_return(rows: pl.DataFrame, name: str, target: str | None) -> WindowReturn:
    money = rows.group_by("currency").agg(pl.col("net_micro").sum()).sort("currency")
    whole = target is not None and rows.height > 0 and rows["product"].null_count() == 0
    products: Sequence[Any] = rows["product"].to_list() if whole else ()
    return WindowReturn(
        window=name,
        orders=rows.height,
        messages=_messages(rows) if "message_id" in rows.columns else 0,
        revenue=tuple(Amount(currency=c, micro=m) for c, m in money.iter_rows()),
        converted=Amount(currency=target, micro=divide_half_even(sum(products), RATE_SCALE))
        if whole and target
        else None,
    )


def _messages(rows: pl.DataFrame) -> int:
    return rows.select(_OF_MESSAGE).n_unique() if rows.height else 0


def _comparable(main: WindowReturn, totals: Totals) -> tuple[Amount | None, Amount | None]:
    """Revenue and spending in one currency, where there is one for both."""
    converted = totals.converted
    spent = None
    if converted is not None and not converted.missing:
        spent = Amount(currency=converted.currency, micro=converted.spent_micro)
    elif len(totals.costs) == 1:
        spent = Amount(currency=totals.costs[0].currency, micro=totals.costs[0].spent_micro)
    revenue = main.converted
    if revenue is None and len(main.revenue) == 1:
        revenue = main.revenue[0]
    if revenue is None and not main.orders and spent is not None:
        revenue = Amount(currency=spent.currency, micro=0)
    comparable = revenue is not None and spent is not None and revenue.currency == spent.currency
    return revenue, spent if comparable or revenue is None else None


def _per(money: Amount | None, messages: int) -> Amount | None:
    if money is None or not messages:
        return None
    return Amount(currency=money.currency, micro=divide_half_even(money.micro, messages))


def by_campaign(
    found: Brought,
    totals: Mapping[str, Totals],
    lifts: Iterable[Lift],
    cohort: Cohort,
    headline: Headline,
    rates: Rates | None,
) -> tuple[Returns, ...]:
    """Every campaign that brought something, the one with most orders first."""
    names = campaigns_of(found, lifts) & set(totals)
    rows = [returns_of(found, name, totals[name], cohort, headline, rates) for name in names]
    return tuple(sorted(rows, key=lambda row: (-row.headline.orders, row.campaign or "")))
