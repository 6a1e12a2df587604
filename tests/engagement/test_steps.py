"""From the providers to the tables, through the library and through Dagster."""

import dagster as dg
import polars as pl
import pytest

from assets.build import build_defs
from assets.jobs import DAILY_JOB, REBUILD_JOB
from assets.partitions import RANGE_END, RANGE_START
from sms_etl.config.load import load_settings
from sms_etl.engagement.steps import land_stream, rebuild_stream
from sms_etl.errors import ConfigError
from sms_etl.model.engagement import CLICKS, ENGAGEMENT_TABLES, OPT_OUTS, REPLIES
from sms_etl.model.schemas import MESSAGES
from sms_etl.model.vocabulary import Engagement
from sms_etl.pipeline import land_source, rebuild_messages
from tests.engagement.conftest import DAYS, FIRST, LAST

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def all_streams(project):
    return [(name, stream) for name in project.enabled for stream in project.streams(name)]


def land_and_rebuild(project, days):
    return [
        account
        for name, stream in all_streams(project)
        for account in (
            land_stream(project, name, stream, days) and rebuild_stream(project, name, stream, days)
        )
    ]


def tables(project):
    return {
        table.name: project.lake.scan(table).collect().sort(pl.all()) for table in ENGAGEMENT_TABLES
    }


def test_only_the_streams_that_are_wanted_are_pulled(deployment):
    pulled = [(name, stream.kind.value) for name, stream in all_streams(deployment.project)]
    assert pulled == [
        ("shop", "replies"), ("polish", "clicks"), ("polish", "opt_outs"), ("links", "clicks"),
    ]  # fmt: skip
    assert deployment.project.source_names == ["shop", "plain"]


def test_the_tables_hold_what_happened(deployment):
    project, sandbox = deployment.project, deployment.sandbox
    accounts = land_and_rebuild(project, DAYS)
    assert (
        sum(account.quarantined.values() != {} for account in accounts if account.quarantined) == 0
    )
    found = tables(project)
    happened = sandbox.events_truth("twilio", Engagement.REPLIES)
    in_days = pl.col("at").dt.convert_time_zone("Europe/Kyiv").dt.date().is_between(FIRST, LAST)
    replies = happened.filter(in_days)
    assert found["replies"].height == replies.height > 10
    assert (found["replies"]["intent"] == "opt_out").sum() == replies["opt_out"].sum() > 3
    by_source = dict(found["clicks"].group_by("source").agg(pl.col("clicks").sum()).iter_rows())
    assert by_source == {
        name: sandbox.events_truth(kind, Engagement.CLICKS).filter(in_days).height
        for name, kind in (("polish", "smsapi"), ("links", "shlink"))
    }
    assert found["opt_outs"]["day"].unique().to_list() == [LAST]


def test_a_person_is_the_same_in_messages_replies_and_stop_lists(deployment):
    project = deployment.project
    land_and_rebuild(project, DAYS)
    land_source(project, "shop", DAYS)
    rebuild_messages(project, "shop", DAYS)
    lake = project.lake
    from_messages = lake.scan(MESSAGES)
    people = set(from_messages.select("recipient").collect().to_series().drop_nulls())
    replied = lake.scan(REPLIES).filter(pl.col("intent") == "opt_out").collect()
    refused = lake.scan(OPT_OUTS).collect()
    both = replied.join(refused, on="recipient", suffix="_list")
    assert both.height == replied.height > 3
    assert (both["opted_out_at"] - both["received_at"]).dt.total_minutes().max() <= 3
    assert len(people & set(replied["recipient"])) > 3


def test_clicks_tell_people_and_robots_only_as_far_as_the_provider_does(deployment):
    land_and_rebuild(deployment.project, DAYS)
    clicks = deployment.project.lake.scan(CLICKS).collect()
    opinion = clicks.group_by("source", "robot").len()
    assert opinion.filter(pl.col("source") == "polish")["robot"].to_list() == [None]
    seen = clicks.filter(pl.col("source") == "links", "robot")["user_agent"].unique().to_list()
    assert all("bot" in agent.lower() or "facebook" in agent for agent in seen)
    robots = deployment.sandbox.events_truth("shlink", Engagement.CLICKS)["robot"].sum()
    assert 0 < clicks["robot"].sum() < robots


def test_messages_and_engagement_never_mix_in_landing(deployment):
    project = deployment.project
    land_source(project, "shop", DAYS[:1])
    land_and_rebuild(project, DAYS[:1])
    assert {folder.name for folder in project.landing.root.iterdir()} == {
        "shop", "shop.replies", "polish.clicks", "polish.opt_outs", "links.clicks",
    }  # fmt: skip
    asked = [m.asked for m in project.landing.manifests("shop", DAYS[:1])]
    assert not [text for text in asked if "replies" in text]


def test_rebuilding_twice_changes_nothing_and_asks_nobody(deployment):
    project = deployment.project
    land_and_rebuild(project, DAYS)
    once = tables(project)
    asked = len(deployment.sandbox.requests_log)
    for name, stream in all_streams(project):
        rebuild_stream(project, name, stream, DAYS)
        rebuild_stream(project, name, stream, DAYS[3:5])
    assert all(once[name].equals(again) for name, again in tables(project).items())
    assert len(deployment.sandbox.requests_log) == asked


def test_a_stream_that_a_source_has_not_is_refused_with_its_line(deployment):
    text = deployment.settings.read_text("utf-8")
    deployment.settings.write_text(text.replace('["replies"]', '["clicks"]'), "utf-8")
    with pytest.raises(
        ConfigError, match=r"sources\.shop\.engagement\.0: Input should be 'replies'"
    ):
        load_settings(deployment.settings)


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


def run(project, job, instance):
    tags = {RANGE_START: DAYS[3].isoformat(), RANGE_END: DAYS[4].isoformat()}
    return build_defs(project).resolve_job_def(job).execute_in_process(
        instance=instance, run_config=QUIET, tags=tags, raise_on_error=False
    )  # fmt: skip


def test_dagster_lands_rebuilds_and_checks_streams(deployment, instance):
    defs = build_defs(deployment.project)
    dg.Definitions.validate_loadable(defs)
    keys = {key.to_user_string() for key in defs.resolve_asset_graph().get_all_asset_keys()}
    assert {key for key in keys if key.startswith("engagement")} == {
        "engagement/shop/replies", "engagement/polish/clicks", "engagement/polish/opt_outs",
        "engagement/links/clicks", "engagement/attribution",
    }  # fmt: skip
    assert not [key for key in keys if key.endswith(("messages/polish", "cube/links"))]
    result = run(deployment.project, DAILY_JOB, instance)
    assert result.success
    evaluations = result.get_asset_check_evaluations()
    of_streams = [one for one in evaluations if len(one.asset_key.path) == 3]
    assert len(of_streams) == 4 * 2
    assert all(one.passed for one in of_streams)
    assert all(one.passed for one in evaluations if one.blocking)
    before = tables(deployment.project)
    assert before["clicks"].height > 10
    asked = len(deployment.sandbox.requests_log)
    assert run(deployment.project, REBUILD_JOB, instance).success
    assert len(deployment.sandbox.requests_log) == asked
    assert all(before[name].equals(again) for name, again in tables(deployment.project).items())


def test_a_stream_that_fails_stops_neither_the_messages_nor_another(
    deployment, instance, monkeypatch
):
    monkeypatch.setenv("SMSAPI_TOKEN", "wrong-secret-word")
    result = run(deployment.project, DAILY_JOB, instance)
    failed = {event.step_key for event in result.filter_events(lambda e: e.is_step_failure)}
    assert failed == {"landing__polish__clicks", "landing__polish__opt_outs"}
    done = {event.asset_key.to_user_string() for event in result.get_asset_materialization_events()}
    assert {"cube/shop", "engagement/shop/replies", "engagement/links/clicks"} <= done
