"""What the pipeline says equals what really happened, counted by code that shares nothing."""

from collections import Counter
from datetime import timedelta

import polars as pl
import pytest

from sms_etl.config.settings import Language, Period, ReportKind
from sms_etl.model.schemas import CONSERVATION, MESSAGES
from sms_etl.publish import ReportOrder, figures_of
from sms_etl.reports.figures import FindingKind
from tests.pipeline.company import DAYS, FIRST, LAST


@pytest.fixture(scope="module")
def truth(company):
    local_day = pl.col("submitted_at").dt.convert_time_zone("Europe/Kyiv").dt.date()
    return company.truth.filter(local_day.is_between(FIRST, LAST))


@pytest.fixture(scope="module")
def messages(company):
    return company.project.lake.scan(MESSAGES).collect()


@pytest.fixture(scope="module")
def month(company):
    order = ReportOrder(
        ReportKind.PERIOD, Period.MONTH, FIRST, LAST, "Europe/Kyiv", Language.UKRAINIAN
    )
    return figures_of(company.project, order)


def test_every_message_is_there_once_with_its_true_class(truth, messages):
    expected = dict(truth.select("message_id", "class").iter_rows())
    found = dict(messages.select("message_id", "status_class").iter_rows())

    assert len(messages) == len(truth) == len(found)
    assert found == expected


@pytest.mark.parametrize(
    ("true_column", "our_column"),
    [
        ("campaign", "campaign"),
        ("parts", "parts"),
        ("price_micro", "cost_micro"),
        ("channel", "channel"),
        ("number_type", "number_type"),
        ("submitted_at", "submitted_at"),
        ("way", "source"),
    ],
)
def test_every_message_carries_its_true_facts(truth, messages, true_column, our_column):
    joined = truth.select("message_id", true=true_column).join(
        messages.select("message_id", ours=our_column), on="message_id"
    )
    wrong = joined.filter(pl.col("true").ne_missing(pl.col("ours")))

    assert wrong.is_empty(), wrong


def test_operators_of_home_numbers_are_the_holders_of_their_ranges(truth, messages):
    home = truth.filter(pl.col("operator").is_not_null())
    joined = home.select("message_id", true="operator").join(
        messages.select("message_id", ours="operator"), on="message_id"
    )

    assert joined.filter(pl.col("true") != pl.col("ours")).is_empty()
    assert set(home["operator"]) >= {"Kyivstar", "Vodafone", "lifecell"}


def test_a_delivered_time_is_never_before_the_true_one(truth, messages):
    delivered = truth.filter(pl.col("class") == "delivered").select("message_id", true="done_at")
    joined = delivered.join(messages.select("message_id", ours="done_at"), on="message_id")
    early = joined.filter(pl.col("ours") < pl.col("true").dt.truncate("1s"))

    assert early.is_empty()
    assert joined["ours"].null_count() == 0


def test_the_month_counts_every_class_campaign_source_and_kopiika(truth, month):
    totals = month.totals
    classes = Counter(truth["class"].to_list())
    costs = dict(
        truth.drop_nulls("price_micro").group_by("currency").agg(pl.col("price_micro").sum())
        .iter_rows()
    )  # fmt: skip

    assert totals.submitted == len(truth)
    assert {name: getattr(totals, name) for name in classes} == classes
    assert totals.parts == truth["parts"].sum()
    assert {cost.currency: cost.spent_micro for cost in totals.costs} == costs
    for dimension, rows in (("campaign", month.by_campaign), ("way", month.by_source)):
        assert {row.key: row.totals.submitted for row in rows} == Counter(truth[dimension])


def test_the_rate_of_every_day_has_its_true_numerator_and_denominator(truth, month):
    day = pl.col("submitted_at").dt.convert_time_zone("Europe/Kyiv").dt.date()
    by_day = truth.group_by(day=day).agg(
        submitted=pl.len(), delivered=(pl.col("class") == "delivered").sum()
    )
    expected = {d: (delivered, submitted) for d, submitted, delivered in by_day.iter_rows()}
    found = {
        point.day: (point.totals.delivery.numerator, point.totals.delivery.denominator)
        for point in month.days
    }

    assert {d: counts for d, counts in found.items() if counts[1]} == expected


def test_the_planted_block_of_a_sender_is_found_where_and_when_it_was(company, month):
    block = next(i for i in company.world.incidents.values() if i.sender)
    (named,) = [f for f in month.findings if f.kind is FindingKind.SENDER_BLOCKED]

    assert named.scope["sender"] == block.sender
    assert named.start < block.end
    assert named.end > block.start
    assert named.main_reason == "spam_filtered_content"


def test_a_campaign_report_counts_that_campaign_alone(company, truth):
    order = ReportOrder(
        ReportKind.CAMPAIGN, None, FIRST - timedelta(days=60), LAST, "Europe/Kyiv",
        Language.ENGLISH, "autumn-sale",
    )  # fmt: skip
    totals = figures_of(company.project, order).totals
    own = truth.filter(pl.col("campaign") == "autumn-sale")

    assert totals.submitted == len(own)
    assert totals.delivered == (own["class"] == "delivered").sum()


def test_every_landed_record_has_a_fate(company):
    account = company.project.lake.scan(CONSERVATION).collect()

    assert set(account["day"]) == set(DAYS)
    assert account.filter(pl.col("fate") == "quarantined").is_empty()
    assert account.filter(pl.col("reason") == "inbound_message")["records"].sum() > 0
