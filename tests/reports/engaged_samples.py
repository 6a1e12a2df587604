"""A month's engagement, returns and loyalty, for the tests of drawing."""

from __future__ import annotations

from datetime import date

from sms_etl.engagement.attribution import WINDOWS
from sms_etl.metrics.rate import Interval, newcombe
from sms_etl.reports.engagement_figures import (
    Amount,
    Attributed,
    BuyerGroup,
    Engaged,
    Engagement,
    Lift,
    Loyalty,
    OptOuts,
    Returns,
    WindowReturn,
)
from sms_etl.reports.figures import Figures, Verdict
from tests.reports import samples
from tests.reports.samples import rate

READABLE = "delivered_on_channels_that_report_reading"
UNIT = 1_000_000
SHARES = {"autumn_sale": 0.041, "birthday": 0.062, "black_friday": 0.034, "win_back": 0.012}


def month() -> Figures:
    return samples.month().model_copy(
        update={"engagement": engagement(), "attributed": attributed(), "loyalty": loyalty()}
    )


def engagement() -> Engagement:
    rows = samples.month().by_campaign
    parts = [engaged(row.key, row.label, row.totals.delivered, SHARES.get(row.key)) for row in rows]
    whole = engaged(None, "", sum(one.delivered for one in parts), 0.039)
    return Engagement(
        horizon_days=7,
        whole=whole.model_copy(update={"read": rate(61_204, 88_120, READABLE)}),
        by_campaign=tuple(parts),
        read_channels=("viber",),
        untied_clicks=312,
        unjudged_clicks=0,
    )


def engaged(campaign: str | None, label: str, delivered: int, share: float | None) -> Engaged:
    opened = round(delivered * (share or 0))
    return Engaged(
        campaign=campaign,
        label=label,
        delivered=delivered,
        clicked=rate(opened, delivered, "delivered_with_link") if share else None,
        texts_unknown=1_204 if campaign is None else 0,
        clicks=round(opened * 1.18),
        robots={"user_agent": opened // 9, "too_soon": opened // 20, "data_centre": opened // 50},
        people_clicked=round(opened * 0.97),
        read=None,
        replied=rate(delivered // 900, delivered, "delivered"),
        replies={"other": delivered // 1500, "opt_out": delivered // 2500},
        opt_outs=tuple(
            OptOuts(window_hours=hours, rate=rate(delivered // part, delivered, "delivered"))
            for hours, part in ((4, 900), (24, 450), (72, 380))
        ),
    )


def window(name: str, orders: int) -> WindowReturn:
    money = Amount(currency="UAH", micro=orders * 812 * UNIT)
    return WindowReturn(
        window=name, orders=orders, messages=round(orders * 0.96), revenue=(money,), converted=money
    )


def brought(campaign: str | None, label: str, delivered: int, orders: int) -> Returns:
    spent = Amount(currency="UAH", micro=delivered * 420_000)
    return Returns(
        campaign=campaign,
        label=label,
        headline=window("headline", orders),
        windows=tuple(
            window(one.name, round(orders * share))
            for one, share in zip(WINDOWS, (0.4, 0.6, 0.7, 0.75, 0.5, 0.8), strict=True)
        ),
        by_code=window("by_code", orders // 8),
        converted_delivered=rate(round(orders * 0.96), delivered, "delivered"),
        converted_clicked=rate(round(orders * 0.66), delivered // 25, "clicked_messages"),
        revenue_per_message=Amount(currency="UAH", micro=orders * 812 * UNIT // delivered),
        revenue_per_delivered=Amount(currency="UAH", micro=orders * 812 * UNIT // delivered),
        spent=spent,
        return_on_spend=orders * 812 * UNIT / spent.micro,
    )


def attributed() -> Attributed:
    rows = [row for row in samples.month().by_campaign if row.key in SHARES]
    parts = [
        brought(row.key, row.label, row.totals.delivered, round(row.totals.delivered * 0.006))
        for row in rows
    ]
    delivered = samples.month().totals.delivered
    return Attributed(
        click_days=5,
        delivery_hours=12,
        whole=brought(None, "", delivered, sum(one.headline.orders for one in parts)),
        by_campaign=tuple(parts),
        lifts=(
            lift("autumn_sale", "Осінній розпродаж", (9_120, 180_000), (812, 20_000), "better"),
            lift("win_back", "Повернення клієнтів", (410, 36_000), (44, 4_000), "not_shown"),
            lift("webinar", "Запрошення на вебінар", (4, 260), (0, 21), "too_few"),
        ),
    )


def lift(
    key: str, label: str, treated: tuple[int, int], held: tuple[int, int], verdict: str
) -> Lift:
    one, other = rate(*treated, "people"), rate(*held, "people")
    interval: Interval = newcombe(one.value, treated[1], other.value, held[1])
    return Lift(
        campaign=key,
        label=label,
        days=7,
        treated=one,
        holdout=other,
        difference=one.value - other.value,
        interval=interval,
        verdict=Verdict(verdict).value,
        both=3,
    )


def loyalty() -> Loyalty:
    def group(measure: str, score: int) -> BuyerGroup:
        people = 21_400
        return BuyerGroup(
            measure=measure,
            score=str(score),
            people=people,
            written=people - 3_000,
            delivered=rate(round(40_000 * (0.95 + score / 200)), 40_000, "submitted"),
            clicked=rate(800 + 200 * score, 30_000, "delivered_with_link"),
            opted_out=rate(90 - 12 * score, 38_000, "delivered"),
            bought_before=rate(300 * score, people - 3_000, "people"),
            bought_after=rate(340 * score, people - 3_000, "people"),
        )

    return Loyalty(
        first_day=date(2025, 10, 1),
        last_day=date(2026, 9, 30),
        days=365,
        buyers=107_000,
        beside_days=7,
        currency="UAH",
        groups=tuple(
            group(measure, score)
            for measure in ("recency", "frequency", "money")
            for score in range(5, 0, -1)
        ),
        cells=(),
        unreachable=rate(412, 18_204, "loyal_people"),
    )
