"""What is planted against rules and lists in the simulated company is found, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from sms_etl.clean_base.proof import saved, still_sent
from sms_etl.clean_base.steps import rebuild_suppressions, suppression_spans
from sms_etl.compliance.steps import judge_days
from sms_etl.config.settings import Language, Period, ReportKind
from sms_etl.engagement.attribute import attribute_days
from sms_etl.model.schemas import MESSAGES
from sms_etl.publish import ReportOrder, figures_of
from sms_etl.sandbox.company import planted_at
from sms_etl.suspicions.steps import suspect_days
from tests.pipeline.company import (
    DAYS,
    FIRST,
    LAST,
    NOW,
    PLANTED_WORLD,
    land_and_rebuild,
    land_and_rebuild_streams,
    running_company,
)

KYIV = "Europe/Kyiv"
LARGE_WORLD = replace(PLANTED_WORLD, messages=16_000)


@pytest.fixture(scope="module")
def company(planted_company):
    attribute_days(planted_company.project, DAYS)
    rebuild_suppressions(planted_company.project, DAYS)
    return planted_company


@pytest.fixture(scope="module")
def judged(company):
    return judge_days(company.project, DAYS)


def test_every_planted_breach_is_a_row_and_nothing_else_is(company, judged):
    truth = pl.DataFrame(planted_at(company.world, NOW)["breaches"])
    assert set(truth["kind"]) == set(judged.breaches["kind"])
    told = judged.breaches.select("kind", "message_id", source="source")

    assert set(told.rows()) == set(truth.select("kind", "message_id", "way").rows())


def test_what_the_rules_said_of_adds_up_to_the_marketing_messages_of_their_countries(
    company, judged
):
    sent = company.project.lake.scan(MESSAGES).filter(
        pl.col("purpose") == "marketing", pl.col("status_class") != "rejected"
    )
    counts = dict(sent.group_by("country").len().collect().iter_rows())
    by_rule = dict(judged.judgements.group_by("rule").agg(pl.col("messages").sum()).iter_rows())

    assert by_rule["ua.consent"] == counts["UA"]
    assert by_rule["us.hours"] == counts["US"]
    assert by_rule["house.hours"] == sum(counts.values())


def report(company, kind):
    order = ReportOrder(kind, Period.MONTH, FIRST, LAST, KYIV, Language.ENGLISH)
    return figures_of(company.project, order)


@pytest.fixture(scope="module")
def figures(company, judged):
    return report(company, ReportKind.FAILURES)


def test_planted_common_factors_are_found_first(company, figures):
    scopes = [factor.scope for factor in figures.failure_study.factors]

    assert {"contact_source": "lottery"} in scopes[:2]
    assert {"operator": "Vodafone", "sender": "PROMINSALE"} in scopes[:2]
    assert {"hour": "20"} in scopes
    # Besides them only what the two incidents of every world do: an outage of an operator, and
    # texts that a spam filter stopped.
    outage = company.world.incidents["outage"].operator
    others = [scope for scope in scopes if not {"contact_source", "sender", "hour"} & set(scope)]
    assert all(scope == {"operator": outage} or set(scope) == {"template"} for scope in others)


def test_the_report_says_how_long_those_who_refused_were_written_to(company, figures):
    lag = figures.compliance.lag
    late = [b for b in planted_at(company.world, NOW)["breaches"] if b["kind"] == "after_opt_out"]

    assert lag.written_after.numerator == len(late)
    assert lag.longest_hours == pytest.approx(6 * 24, abs=0.1)


def test_the_list_used_in_the_next_half_month_saves_what_the_proof_says(company):
    """The first half makes the list; in the second nobody on it is written to."""
    half = DAYS[15]
    spans = suppression_spans(company.project, DAYS[14])
    later = company.project.lake.scan(MESSAGES, half, LAST).collect()
    wasted = still_sent(later.lazy(), spans, KYIV)
    listed = set(spans.collect()["recipient"])
    spared = later.filter(pl.col("recipient").is_in(list(listed)))
    asked = spared.select(
        "day", "source", "campaign", "recipient",
        skipped=pl.lit("suppressed"), messages=pl.lit(1, pl.Int64),
    )  # fmt: skip
    sent = later.join(spared, on=["source", "message_id"], how="anti")
    proof = saved(asked.lazy(), sent.lazy(), spans, KYIV)

    assert proof is not None
    assert proof.messages == wasted.messages > 30
    assert proof.people == wasted.people
    assert still_sent(sent.lazy(), spans, KYIV).messages == 0
    true = dict(
        spared.drop_nulls("currency").group_by("currency").agg(pl.col("cost_micro").sum()).rows()
    )
    assert set(proof.cost_micro) == set(true)
    # Rejected messages cost nothing at TurboSMS and those spared would have been rejected more
    # often; otherwise a mean price differs from the true one by parts alone.
    for currency, cost in true.items():
        assert proof.cost_micro[currency] == pytest.approx(cost, rel=0.35)


@pytest.mark.slow
def test_the_pumped_prefix_and_the_faked_route_are_suspected_and_nothing_else(tmp_path):
    with running_company(tmp_path / "large", parameters=LARGE_WORLD) as running:
        project = running.project
        land_and_rebuild(project, DAYS)
        land_and_rebuild_streams(project, DAYS)
        attribute_days(project, DAYS)
        suspect_days(project, DAYS)
        planted = planted_at(running.world, NOW)
        found = report(running, ReportKind.FAILURES).suspicions

    told = {(one.kind, tuple(one.scope.values())) for one in found}
    (prefix,) = planted["pumped_prefix"]["prefixes"]
    faked = planted["faked_route"]
    assert told == {
        ("pumped_traffic", (planted["pumped_prefix"]["country"], prefix)),
        ("faked_receipts", (faked["way"], faked["operator"])),
    }
    by_kind = {one.kind: one for one in found}
    assert by_kind["pumped_traffic"].messages == planted["pumped_prefix"]["messages"]
    assert {sign.sign for sign in by_kind["pumped_traffic"].signs} >= {"growth", "number_runs"}
    assert all(":" in sample for sample in by_kind["faked_receipts"].sample)
