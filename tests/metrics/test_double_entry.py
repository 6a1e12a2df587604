"""A report whose counts are not those of the messages does not come to be, whichever it is."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import polars as pl
import pytest

from sms_etl.config.settings import ReportKind
from sms_etl.cube import build_asked, build_cube
from sms_etl.errors import ConservationError
from sms_etl.metrics.double_entry import cross_check
from sms_etl.model.schemas import MESSAGES, OUTBOX
from sms_etl.reports.build import build_figures
from sms_etl.reports.figures import Figures
from tests.reports.test_build import REQUEST, ZONE, inputs, message, some, table

COUNT = 500
MINUTE = timedelta(minutes=1)

EVERY_TOTALS = (
    "submitted", "delivered", "failed", "rejected", "unknown", "pending", "parts",
    "messages_with_parts", "operator_receipts", "partly_delivered", "prices.numerator",
    "prices.denominator", "latency.messages", "latency.waiting",
    "latency.slow.0.rate.numerator", "latency.slow.2.rate.denominator",
    "delivery.numerator", "delivery.denominator", "delivery_of_final.denominator",
    "coverage.numerator", "costs.0.spent_micro", "costs.0.spent_on_undelivered_micro",
    "costs.0.per_delivered_micro", "costs.0.messages_with_cost", "costs.0.messages",
)  # fmt: skip
GROUPS = (
    "previous", "days.2.totals", "previous_days.3.totals", "hours.5.totals",
    "by_campaign.0.totals", "by_source.1.totals", "by_sender.0.totals", "by_country.1.totals",
    "by_operator.2.totals", "by_campaign.1.previous", "by_sender.1.previous",
    "by_country.0.previous",
)  # fmt: skip
OTHERS = (
    "reasons.0.share.numerator", "reasons.1.share.denominator", "reasons.0.previous_messages",
    "comparisons.0.rate.numerator", "comparisons.1.rate.denominator",
    "comparisons.0.base.numerator", "comparisons.2.base.denominator",
    "change.rate.numerator", "change.base.denominator",
    "event_days.3.delivered", "event_days.0.failed", "event_days.6.rejected",
    "reach.silence_is_success.numerator", "reach.of_asked.numerator",
    "reach.per_person.numerator", "reach.messages_without_person",
    "reach_by_campaign.1.silence_is_success.denominator",
    "reach_by_campaign.0.per_person.denominator",
)  # fmt: skip


def messages() -> pl.DataFrame:
    random_ = random.Random(7)
    rows = []
    for row in some(random_, COUNT):
        name, final = row["status_class"], row["status_class"] not in ("pending", "unknown")
        took = random_.choice([0.1, 0.5, 3, 600]) * MINUTE
        row |= {
            "final": final,
            "sender": random_.choice(["SHOP", "CLINIC"]),
            "country": random_.choice(["UA", "PL"]),
            "receipt": random_.choice(["operator", "handset"]) if name == "delivered" else "none",
            "recipient": random_.choice([None, *(f"person {n}" for n in range(200))]),
            "key_id": "k",
            "partly_delivered": name == "failed" and random_.random() < 0.3,
            "done_at": row["submitted_at"] + took if final else None,
            "seconds_to_deliver": took.total_seconds() if name == "delivered" else None,
            "done_at_origin": "provider" if final else "none",
            "observed_at": row["submitted_at"] + random_.choice([0.1, 5, 900]) * MINUTE,
        }
        rows.append(row)
    return table(rows)


@pytest.fixture(scope="module")
def told() -> pl.DataFrame:
    return messages()


@pytest.fixture(scope="module")
def figures(told: pl.DataFrame) -> Figures:
    outbox = pl.DataFrame(
        [
            {"submitted_at": message(0, 24 * n)["submitted_at"], "skipped": "opt_out",
             "recipient": f"skipped {n}", "campaign": "sale"}
            for n in range(16)
        ],
        schema=OUTBOX.schema,
    )  # fmt: skip
    given = replace(
        inputs(told),
        events=build_cube(told.lazy()).events.lazy(),
        asked=build_asked(outbox.lazy(), ZONE, "turbosms").lazy(),
        messages=told.lazy(),
    )
    return build_figures(given, REQUEST)


def leaf(tree: Any, path: str) -> tuple[Any, Any]:
    """The node that holds the last step of a path, and that step."""
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    for step in steps:
        tree = tree[step]
    return tree, last


def test_a_report_of_these_messages_stands(figures, told) -> None:
    cross_check(figures, told.lazy(), ZONE)
    assert figures.reach is not None
    assert figures.reach.of_asked is not None
    assert figures.reach.per_person is not None
    assert sum(day.delivered for day in figures.event_days) != figures.totals.delivered
    assert all(rate.rate.numerator for rate in figures.totals.latency.slow)


@pytest.mark.parametrize(
    "path",
    [
        *(f"totals.{word}" for word in EVERY_TOTALS),
        *(f"{group}.{word}" for group in GROUPS for word in ("delivered", "latency.messages")),
        *OTHERS,
    ],
)
def test_a_count_that_is_one_too_many_is_refused_and_named(path, figures, told) -> None:
    tree = figures.model_dump()
    node, last = leaf(tree, path)
    node[last] += 1
    wrong = f"report {node[last]}, messages {node[last] - 1}"
    with pytest.raises(ConservationError, match=rf"1 figures differ .*: .*{wrong}"):
        cross_check(Figures.model_validate(tree), told.lazy(), ZONE)


@pytest.mark.parametrize("campaign", [None, "sale"])
@pytest.mark.parametrize("zone", ["Europe/Kyiv", "America/New_York"])
def test_a_source_that_never_tells_times_keeps_both_roads_together(told, campaign, zone) -> None:
    silent = pl.col("source") == "twilio"
    ended = silent & pl.col("final")
    rows = told.with_columns(
        pl.when(~silent).then("seconds_to_deliver").alias("seconds_to_deliver"),
        pl.when(~ended).then("done_at").alias("done_at"),
        pl.when(ended).then(pl.lit("none")).otherwise("done_at_origin").alias("done_at_origin"),
    )
    request = replace(REQUEST, campaign=campaign, zone=zone)
    if campaign is not None:
        request = replace(request, kind=ReportKind.CAMPAIGN, period=None)
    given = replace(
        inputs(rows), events=build_cube(rows.lazy()).events.lazy(), messages=rows.lazy()
    )
    figures = build_figures(given, request)
    cross_check(figures, rows.lazy(), zone)
    times = {row.key: row.totals.latency.messages for row in figures.by_source}
    assert times["twilio"] == 0 < times["turbosms"]


@pytest.mark.parametrize("group", ["days", "hours", "by_sender", "reasons", "event_days"])
def test_a_row_that_is_gone_is_refused(group, figures, told) -> None:
    fewer = figures.model_copy(update={group: getattr(figures, group)[1:]})
    with pytest.raises(ConservationError, match="report 0, messages"):
        cross_check(fewer, told.lazy(), ZONE)


@pytest.mark.parametrize(
    ("column", "value", "named"),
    [
        ("sender", "OTHER", "by_sender"),
        ("country", "DE", "by_country"),
        ("operator", "3Mob", "by_operator"),
        ("reason", "opted_out", "reasons"),
        ("seconds_to_deliver", None, "latency.messages"),
        ("recipient", None, "messages_without_person"),
        ("done_at", None, "event_days"),
    ],
)
def test_messages_that_say_another_thing_refuse_the_report(
    column, value, named, figures, told
) -> None:
    others = told.with_columns(pl.lit(value, MESSAGES.schema[column]).alias(column))
    with pytest.raises(ConservationError, match=named):
        cross_check(figures, others.lazy(), ZONE)
