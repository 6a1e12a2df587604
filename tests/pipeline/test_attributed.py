"""Robots, attribution and lift of a simulated company, held against what truly happened."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import polars as pl
import pytest
from typer.testing import CliRunner

from sms_etl import cli
from sms_etl.config.settings import Filters, Language, Period, ReportKind
from sms_etl.engagement.attribute import attribute_days
from sms_etl.engagement.attribution import WINDOWS
from sms_etl.model.attribution import ATTRIBUTION, JUDGED_CLICKS
from sms_etl.model.engagement import ORDERS
from sms_etl.publish import ReportOrder, figures_of
from sms_etl.sandbox.company import planted_at
from sms_etl.sandbox.shop import ORDER, REFUND
from tests.pipeline.company import DAYS, NOW
from tests.pipeline.test_planted import KYIV, of_days

MONTH = ReportOrder(ReportKind.PERIOD, Period.MONTH, DAYS[0], DAYS[-1], KYIV, Language.ENGLISH)


@pytest.fixture(scope="module")
def company(planted_company):
    attribute_days(planted_company.project, DAYS)
    return planted_company


@pytest.fixture(scope="module")
def figures(company):
    return figures_of(company.project, MONTH)


def rows(company, table):
    return company.project.lake.scan(table).collect()


def test_robots_are_told_from_people(company):
    truth = company.world.engaged.clicks.select("event_id", "robot")
    judged = rows(company, JUDGED_CLICKS).join(truth, on="event_id")
    called = judged["robot_rule"].is_not_null()
    right = (called & judged["robot"]).sum()
    assert judged.height > 200
    assert right / called.sum() >= 0.98, "precision"
    assert right / judged["robot"].sum() >= 0.95, "recall"
    by_rule = Counter(judged["robot_rule"].drop_nulls())
    assert len(by_rule) >= 3


def touches_of(company):
    """(touch, moment, message, contact, number): clicks of people, deliveries of marketing.

    Counted from the history of the world, at the moments that providers tell: the two HTTP ones
    tell when a message last changed.
    """
    world, now = company.world, company.sandbox.clock.now()
    last_change = pl.col("way").is_in(["twilio", "turbosms"])
    told = company.truth.filter(pl.col("class") == "delivered").select(
        "message_id", "way", at=pl.when(last_change).then("updated_at").otherwise("done_at")
    )
    people = world.messages.select("message_id", "way", "kind", "contact_id", "e164")
    kept = ("at", "message_id", "contact_id", "e164")
    arrived = told.join(people.filter(kind="promo"), on=["message_id", "way"]).select(kept)
    clicks = world.engaged.clicks.filter(~pl.col("robot"), pl.col("at") <= now)
    opened = clicks.select("at", "message_id", "way").join(people, on=["message_id", "way"])
    return [("delivery", *row) for row in arrived.iter_rows()] + [
        ("click", *row) for row in opened.select(kept).iter_rows()
    ]


def last_inside(window, order, touches):
    """The message of the last touch inside a window, if any."""
    inside = [
        (moment, message)
        for touch, moment, message in touches
        if touch == window.touch and timedelta(0) <= order["at"] - moment <= window.length
    ]
    return max(inside)[1] if inside else None


def test_every_order_is_attributed_as_a_plain_search_through_the_truth_does(company):
    orders = company.world.shop.orders.filter(of_days(), kind=ORDER)
    told = {row["event_id"]: row for row in rows(company, ATTRIBUTION).iter_rows(named=True)}
    assert told.keys() == set(orders["number"])
    everything, taken = touches_of(company), Counter()
    for order in orders.iter_rows(named=True):
        mine = [
            (touch, moment, message)
            for touch, moment, message, contact, number in everything
            if (order["customer"] and contact == order["customer"])
            or (order["phone"] and number == order["phone"])
        ]
        for window in WINDOWS:
            expected = last_inside(window, order, mine)
            row = told[order["number"]]
            assert row[f"{window.name}_message_id"] == expected, (order["number"], window.name)
            taken[window.name] += expected is not None
    assert min(taken.values()) > 10


def test_what_an_order_brought_is_less_what_was_given_back_and_doubles_count_once(company):
    shop = company.world.shop.orders.filter(of_days())
    refunds = (
        shop.filter(kind=REFUND)
        .group_by(event_id="refund_of")
        .agg(back=pl.col("amount_micro").sum())
    )
    sold = shop.filter(kind=ORDER).select(event_id="number", amount="amount_micro")
    expected = sold.join(refunds, on="event_id", how="left").select(
        "event_id", net=pl.col("amount") - pl.col("back").fill_null(0)
    )
    told = rows(company, ATTRIBUTION)
    assert shop["doubled"].sum() > 3
    assert told.filter(pl.col("refunded_micro") > 0).height > 10
    assert dict(told.select("event_id", "net_micro").iter_rows()) == dict(expected.iter_rows())


def test_orders_that_name_their_campaign_are_the_codes(company):
    told = rows(company, ATTRIBUTION).drop_nulls("code_campaign")
    truth = company.world.shop.orders.filter(kind=ORDER).select(
        event_id="number", caused="caused_campaign"
    )
    both = told.join(truth, on="event_id")
    assert both.height > 10
    assert both.filter(pl.col("code_campaign") != pl.col("caused")).is_empty()


def test_a_refund_of_a_later_day_restates_its_order_and_nothing_else(company):
    """Days are made one by one in any order; the table is the same in the end."""
    before = rows(company, ATTRIBUTION).sort("event_id")
    for day in (DAYS[20], DAYS[3], DAYS[30]):
        attribute_days(company.project, [day])
    assert rows(company, ATTRIBUTION).sort("event_id").equals(before)


def test_an_order_whose_time_was_corrected_counts_on_its_new_day_alone(company):
    lake, name = company.project.lake, "shop"
    kept = lake.scan(ORDERS).collect()
    moved = (
        kept.filter(day=DAYS[4], kind="order")
        .head(1)
        .with_columns(
            day=pl.lit(DAYS[9]),
            ordered_at=pl.col("ordered_at") + timedelta(days=5),
            pulled_at=pl.col("pulled_at") + timedelta(days=1),
        )
    )
    before = rows(company, ATTRIBUTION).height
    try:
        lake.replace(ORDERS, name, [DAYS[9]], pl.concat([kept.filter(day=DAYS[9]), moved]))
        attribute_days(company.project, [DAYS[9]])
        found = rows(company, ATTRIBUTION)
        mine = found.filter(event_id=moved["event_id"][0])
        assert mine["day"].to_list() == [DAYS[9]]
        assert found.height == before
    finally:
        lake.replace(ORDERS, name, [DAYS[9]], kept.filter(day=DAYS[9]))
        attribute_days(company.project, DAYS)
    assert rows(company, ATTRIBUTION).height == before


def test_the_report_counts_the_two_groups_of_a_lot_as_the_truth_does(company, figures):
    truth = {row["campaign"]: row for row in planted_at(company.world, NOW)["lifts"]}
    found = figures.attributed.lifts
    assert {lift.campaign for lift in found} == truth.keys()
    for lift in found:
        row = truth[lift.campaign]
        assert (lift.treated.numerator, lift.treated.denominator) == (
            row["treated_bought"], row["treated"],
        )  # fmt: skip
        assert (lift.holdout.numerator, lift.holdout.denominator) == (
            row["held_bought"], row["held"],
        )  # fmt: skip
        assert lift.interval.low <= row["true_lift"] <= lift.interval.high
    assert [lift.verdict for lift in found if lift.campaign == "back-to-school"] != ["too_early"]


def test_another_window_in_the_settings_restates_a_report_of_the_past(company, figures):
    settings = company.project.settings
    shorter = settings.model_copy(
        update={"engagement": settings.engagement.model_copy(update={"click_days": 1})}
    )
    other = figures_of(replace(company.project, settings=shorter), MONTH).attributed
    told = figures.attributed
    assert (told.click_days, other.click_days) == (5, 1)
    assert told.whole.windows == other.whole.windows
    assert other.whole.headline.orders < told.whole.headline.orders


def delivered_of(company):
    """What the truth knows of delivered messages: links, clicks of people, reading."""
    messages = company.world.messages.select("message_id", "way", "text", "e164")
    told = company.truth.filter(pl.col("class") == "delivered", of_days("submitted_at"))
    return told.join(messages, on=["message_id", "way"])


def test_opened_texts_are_those_that_people_truly_opened(company, figures):
    """But for the few robots that no rule knows, which count as people."""
    now = company.sandbox.clock.now()
    linked = delivered_of(company).filter(pl.col("text").str.contains("https://"))
    judged = rows(company, JUDGED_CLICKS).filter(pl.col("robot_rule").is_null())
    missed = pl.col("event_id").is_in(judged["event_id"].to_list())
    happened = company.world.engaged.clicks.filter(pl.col("at") <= now)
    assert happened.filter(pl.col("robot") & missed).height <= 0.05 * happened["robot"].sum()
    clicks = happened.filter(~pl.col("robot") | missed)
    opened = linked.join(clicks.select("message_id", clicked_at="at"), on="message_id").filter(
        pl.col("clicked_at") - pl.col("submitted_at") <= timedelta(days=7)
    )
    tracked = {one.campaign for one in figures.engagement.by_campaign if one.clicked is not None}
    truth = dict(opened.group_by("campaign").agg(pl.col("message_id").n_unique()).iter_rows())
    found = {
        one.campaign: one.clicked.numerator
        for one in figures.engagement.by_campaign
        if one.clicked is not None
    }
    assert {name: n for name, n in found.items() if n} == {
        name: n for name, n in truth.items() if name in tracked
    }
    # The cabinet's export has no texts, so nobody knows that its survey has a link.
    assert truth.keys() - found.keys() == {"survey"}
    assert figures.engagement.whole.clicked.numerator == sum(found.values()) > 50


def test_reading_is_what_viber_truly_reported(company, figures):
    viber = delivered_of(company).filter(channel="viber")
    read = viber.filter(pl.col("word").str.to_lowercase() == "read")
    rate = figures.engagement.whole.read
    assert (rate.numerator, rate.denominator) == (read.height, viber.height)
    assert figures.engagement.read_channels == ("viber",)


def test_refusals_are_the_last_messages_before_a_person_truly_refused(company, figures):
    """Every refusal of the world: by a reply (Twilio tells them) or on the list, which has all."""
    delivered = delivered_of(company).drop_nulls("e164")
    last_change = pl.col("way").is_in(["twilio", "turbosms"])
    arrived = {}
    for number, at, message in delivered.select(
        "e164", pl.when(last_change).then("updated_at").otherwise("done_at"), "message_id"
    ).iter_rows():
        arrived.setdefault(number, []).append((at, message))
    refused = company.world.engaged.opt_outs.filter(
        pl.col("at") <= company.sandbox.clock.now()
    ).select("e164", "at")
    replies = company.world.engaged.replies.filter("opt_out", of_days(), way="twilio").select(
        "e164", "at"
    )
    first = pl.concat([refused, replies]).group_by("e164").agg(pl.col("at").min())
    counts = Counter()
    for number, at in first.iter_rows():
        before = [one for one in arrived.get(number, []) if one[0] <= at]
        if before:
            age = at - max(before)[0]
            counts.update(hours for hours in (4, 24, 72) if age <= timedelta(hours=hours))
    found = {one.window_hours: one.rate.numerator for one in figures.engagement.whole.opt_outs}
    assert found == dict(counts)
    assert found[72] > 5


def test_the_commands_attribute_again_and_list_the_loyal_without_any_number(company, tmp_path):
    runner, before = CliRunner(), rows(company, ATTRIBUTION).sort("event_id")
    days = ["--from", str(DAYS[0]), "--to", str(DAYS[-1])]
    done = runner.invoke(cli.app, ["attribute", *days])
    assert done.exit_code == 0, done.output
    assert f"{before.height:,} orders attributed" in done.output
    assert rows(company, ATTRIBUTION).sort("event_id").equals(before)
    out = tmp_path / "loyal.csv"
    # Scores are those of four weeks before: then all of October's orders make people loyal.
    listed = runner.invoke(
        cli.app,
        ["loyal-unreachable", "--to", str(DAYS[-1] + timedelta(days=28)), "--out", str(out)],
    )
    assert listed.exit_code == 0, listed.output
    people = pl.read_csv(out)
    assert people.columns == [
        "contact_id", "contact", "recipient", "recency", "frequency", "money"
    ]  # fmt: skip
    assert people.height > 0
    assert set(people["contact_id"].drop_nulls()) <= set(company.world.contacts["contact_id"])
    numbers = company.world.contacts["e164"].drop_nulls().str.strip_prefix("+").to_list()
    text = out.read_text("utf-8")
    assert not [number for number in numbers if number in text]


def test_a_report_of_one_campaign_only_says_of_it_what_the_report_of_all_says(company, figures):
    """The last message before a refusal is sought among all messages, not those of the part."""
    told = max(figures.engagement.by_campaign, key=lambda one: one.clicks)
    only = Filters.model_validate({"campaign": (told.campaign,)})

    part = figures_of(company.project, replace(MONTH, filters=only))

    unnamed = {"campaign": None, "label": ""}
    assert part.engagement.whole == told.model_copy(update=unnamed)
    brought = {one.campaign: one for one in figures.attributed.by_campaign}[told.campaign]
    assert part.attributed.whole == brought.model_copy(update=unnamed)
