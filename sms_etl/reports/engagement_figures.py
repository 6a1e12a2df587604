"""Figures of what people did with messages, and of what the messages brought."""

from __future__ import annotations

from datetime import date

from sms_etl.metrics.rate import Interval, Rate
from sms_etl.reports.figure import Figure


class Amount(Figure):
    """A sum of money of one currency."""

    currency: str
    micro: int


class OptOuts(Figure):
    """Messages that were the last to arrive before the person refused, within a window."""

    window_hours: int
    rate: Rate


class Engaged(Figure):
    """What people did with the messages of a campaign, or (campaign null) of the whole report.

    `clicked`: delivered texts with a link that a person opened within the horizon, of all of them;
    null where no text is known to have a link or clicks name no message. `texts_unknown` are
    delivered messages whose text is not known, so that they are in no click rate. `clicks` are all
    clicks of people on its messages or on its links, `robots` (rule -> clicks) those that fell to
    a rule. `read`: of delivered messages on channels that report reading; SMS never does.
    `replied`: delivered messages answered; `replies`: Intent -> replies.
    """

    campaign: str | None
    label: str
    delivered: int
    clicked: Rate | None
    texts_unknown: int
    clicks: int
    robots: dict[str, int]
    people_clicked: int
    read: Rate | None
    replied: Rate | None
    replies: dict[str, int]
    opt_outs: tuple[OptOuts, ...]


class Engagement(Figure):
    """What stands for opens, and who refused.

    Clicks and replies count up to `horizon_days` after the message. `unjudged_clicks` came
    in or changed since their day was judged, `untied_clicks` belong to no known campaign: neither
    is in a rate. `read_channels`: channels that reported reading.
    """

    horizon_days: int
    whole: Engaged
    by_campaign: tuple[Engaged, ...]
    read_channels: tuple[str, ...]
    untied_clicks: int
    unjudged_clicks: int


class WindowReturn(Figure):
    """Orders that the messages of a campaign took inside one window (engagement.attribution).

    Orders that were given back whole count for nothing. `revenue` is net of refunds, by currency;
    `converted` in the report's currency, each order at the rate of its day, null where a rate is
    missing or no currency is set. `messages` took at least one order each.
    """

    window: str
    orders: int
    messages: int
    revenue: tuple[Amount, ...]
    converted: Amount | None


class Returns(Figure):
    """What a campaign, or (campaign null) all messages of the report brought.

    The headline counts an order in `click_days` after a click or `delivery_hours` after a delivery,
    for the later of the two touches; `windows` holds every window alone. `converted_delivered`:
    delivered messages that brought an order, of all delivered; `converted_clicked`: messages
    opened by a person that brought one after it, of all that were opened. `by_code`: orders whose
    promo code or utm_campaign names the campaign, whatever was touched. Per message: of submitted.
    `return_on_spend`: revenue over spending, both in one currency; null where they are not.
    """

    campaign: str | None
    label: str
    headline: WindowReturn
    windows: tuple[WindowReturn, ...]
    by_code: WindowReturn
    converted_delivered: Rate
    converted_clicked: Rate | None
    revenue_per_message: Amount | None
    revenue_per_delivered: Amount | None
    spent: Amount | None
    return_on_spend: float | None


class Lift(Figure):
    """People written to against people of the same list held out, by chance, from a campaign.

    Either share is of people who ordered (and did not give all of it back) within `days`.
    `interval`: of the difference, Newcombe. `verdict`: a word of figures.Verdict. `both`: people
    written to and held out in different rounds, who are in neither.
    """

    campaign: str
    label: str
    days: int
    treated: Rate
    holdout: Rate
    difference: float
    interval: Interval
    verdict: str
    both: int


class Attributed(Figure):
    """What the messages of the report brought, by the day of sending."""

    click_days: int
    delivery_hours: int
    whole: Returns
    by_campaign: tuple[Returns, ...]
    lifts: tuple[Lift, ...]


class BuyerGroup(Figure):
    """Buyers with one score (1 lowest to 5 highest) of one measure, or of one RFM cell.

    `measure` is recency, frequency, money or cell; `score` is the quintile, of a cell all three
    (`545`). `written` people got a message of the report. Rates are of messages of the report sent
    to the group; `bought_before` and `bought_after` are shares of the people written to who ordered
    in as many days before and after their first message.
    """

    measure: str
    score: str
    people: int
    written: int
    delivered: Rate
    clicked: Rate | None
    opted_out: Rate | None
    bought_before: Rate
    bought_after: Rate


class Loyalty(Figure):
    """Buyers of the `days` before the report in quintiles of recency, frequency and money.

    `beside_days`: how long before and after a message orders are looked for. `currency`: of the
    money scores; orders in others, without a rate, have no part in these. `unreachable`: people
    with one of the two highest scores of frequency and of money whose last two messages did not
    arrive, of all such people who were written to twice.
    """

    first_day: date
    last_day: date
    days: int
    buyers: int
    beside_days: int
    currency: str
    groups: tuple[BuyerGroup, ...]
    cells: tuple[BuyerGroup, ...]
    unreachable: Rate
