"""What messages brought, counted by hand: conversions, money per message, return on spend."""

from datetime import date, timedelta

import polars as pl
import pytest

from sms_etl.engagement.attribution import LONGEST, WINDOWS
from sms_etl.metrics.cohort import Cohort
from sms_etl.metrics.money import RATE_SCALE, RATES_SCHEMA, Rates
from sms_etl.metrics.returns import Headline, brought, by_campaign, returns_of
from sms_etl.model.attribution import ATTRIBUTION, JUDGED_CLICKS
from tests.engagement.clicked import START, at, messages
from tests.reports.samples import totals

DAY = date(2026, 10, 5)
COHORT = Cohort(days=(DAY, DAY), zone="Europe/Kyiv", as_of=START + timedelta(days=30))
UNIT = 1_000_000
HEADLINE = Headline(click_days=5, delivery_hours=12)


def taken(touch, message_id, hours_before=1.0, source="shop"):
    """Columns of an order's windows for one touch."""
    columns = {}
    for window in WINDOWS:
        if window.touch == touch and timedelta(hours=hours_before) <= window.length:
            columns |= {
                f"{window.name}_campaign": "sale",
                f"{window.name}_source": source,
                f"{window.name}_message_id": message_id,
                f"{window.name}_at": at(20) - timedelta(hours=hours_before),
            }
    return columns


def order(*touches, net=100, currency="UAH", **more):
    row = dict.fromkeys(ATTRIBUTION.names) | {
        "day": DAY, "source": "till", "event_id": f"o{order.made}", "ordered_at": at(20),
        "net_micro": net * UNIT, "currency": currency,
    }  # fmt: skip
    order.made += 1
    for columns in touches:
        row |= columns
    return row | more


order.made = 0


def click(message_id, **more):
    return dict.fromkeys(JUDGED_CLICKS.names) | {
        "message_id": message_id, "message_source": "shop", "clicked_at": at(1),
        "submitted_at": at(), "period_seconds": 0,
    } | more  # fmt: skip


def found(sent, orders, clicks=(), rates=None, cohort=COHORT):
    return brought(
        pl.DataFrame(orders, schema=ATTRIBUTION.schema).lazy(),
        pl.DataFrame(list(clicks), schema=JUDGED_CLICKS.schema).lazy(),
        messages(*sent).lazy(),
        cohort,
        HEADLINE,
        rates,
    )


def whole(sent, orders, clicks=(), rates=None, cohort=COHORT, spent=("UAH", 1.0, 500_000)):
    cohort_totals = totals(len(sent), 1.0, unknown_share=0.0, currencies=(spent,))
    return returns_of(
        found(sent, orders, clicks, rates, cohort), None, cohort_totals, cohort, HEADLINE, rates
    )


TWO = [{"message_id": "a"}, {"message_id": "b", "recipient": "petro"}]


def test_the_later_touch_of_the_two_windows_takes_the_order_and_every_window_stands_alone():
    result = whole(
        TWO,
        [order(taken("click", "a", 60), taken("delivery", "b", 2)),
         order(taken("click", "a", 60), taken("delivery", "b", 20))],
    )  # fmt: skip
    assert (result.headline.orders, result.headline.messages) == (2, 2)
    assert {one.window: one.orders for one in result.windows} == {
        "click_1d": 0, "click_3d": 2, "click_5d": 2, "click_7d": 2,
        "delivery_12h": 1, "delivery_24h": 2,
    }  # fmt: skip


def test_conversion_names_its_two_denominators():
    result = whole(
        [*TWO, {"message_id": "c"}, {"message_id": "d"}],
        [order(taken("click", "a")), order(taken("click", "a")), order(taken("delivery", "c"))],
        [click("a"), click("b"), click("d", robot_rule="user_agent")],
    )
    reach, landing = result.converted_delivered, result.converted_clicked
    assert (reach.numerator, reach.denominator, reach.denominator_name) == (2, 4, "delivered")
    assert (landing.numerator, landing.denominator) == (1, 2)
    assert landing.denominator_name == "clicked_messages"
    assert result.headline.orders == 3


def test_money_is_net_per_message_and_over_what_was_spent():
    result = whole(TWO, [order(taken("click", "a"), net=30), order(taken("delivery", "b"), net=70)])
    assert [(m.currency, m.micro) for m in result.headline.revenue] == [("UAH", 100 * UNIT)]
    assert result.revenue_per_message.micro == result.revenue_per_delivered.micro == 50 * UNIT
    assert result.spent.micro == 1_000_000
    assert result.return_on_spend == pytest.approx(100.0)


def test_an_order_given_back_whole_brings_nothing():
    assert whole(TWO, [order(taken("click", "a"), net=0)]).headline.orders == 0


def test_revenue_and_spending_of_two_currencies_are_not_divided():
    result = whole(TWO, [order(taken("click", "a"))], spent=("USD", 1.0, 500_000))
    assert (result.return_on_spend, result.spent) == (None, None)
    mixed = whole(TWO, [order(taken("click", "a")), order(taken("click", "a"), currency="USD")])
    assert mixed.return_on_spend is None
    assert mixed.revenue_per_message is None
    assert {m.currency for m in mixed.headline.revenue} == {"UAH", "USD"}


def test_with_rates_orders_are_converted_at_the_rate_of_their_day():
    table = pl.DataFrame([(DAY, "USD", 40 * RATE_SCALE)], schema=RATES_SCHEMA, orient="row")
    rates = Rates(table, "UAH", "UAH", 10)
    orders = [order(taken("click", "a"), net=2, currency="USD"), order(taken("click", "b"), net=20)]
    assert whole(TWO, orders, rates=rates).headline.converted.micro == 100 * UNIT
    unknown = [*orders, order(taken("click", "b"), currency="PLN")]
    assert whole(TWO, unknown, rates=rates).headline.converted is None


def test_orders_taken_by_messages_of_other_days_or_campaigns_are_not_the_reports():
    sent = [*TWO, {"message_id": "old", "submitted_at": at(-48)}]
    orders = [order(taken("click", "old")), order(taken("click", "a"))]
    assert whole(sent, orders).headline.orders == 1
    other = Cohort(COHORT.days, COHORT.zone, COHORT.as_of, campaign="news")
    assert whole(sent, orders, cohort=other).headline.orders == 0


def test_orders_with_a_code_are_the_codes_whatever_was_touched():
    result = found(
        TWO, [order(code_campaign="birthday", ordered_at=at(2)), order(taken("click", "a"))]
    )
    rows = by_campaign(
        result, {"sale": totals(2, 1.0), "birthday": totals(5, 1.0)}, (), COHORT, HEADLINE, None
    )
    assert [(row.campaign, row.headline.orders, row.by_code.orders) for row in rows] == [
        ("sale", 1, 0), ("birthday", 0, 1),
    ]  # fmt: skip


def test_figures_are_provisional_until_the_longer_window_has_passed():
    early = Cohort(COHORT.days, COHORT.zone, START + timedelta(days=3))
    assert not whole(TWO, [], cohort=early).converted_delivered.mature
    assert whole(TWO, []).converted_delivered.mature
    assert HEADLINE.length <= LONGEST
