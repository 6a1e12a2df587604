"""Judging clicks and attributing orders of a deployment, from its lake alone."""

import polars as pl

from sms_etl.engagement.attribute import attribute_days
from sms_etl.engagement.robots import RobotRule
from sms_etl.engagement.ties import Tie
from sms_etl.model.attribution import JUDGED_CLICKS
from sms_etl.model.engagement import CLICKS
from tests.engagement.conftest import DAYS
from tests.engagement.test_steps import land_and_rebuild


def test_every_click_is_judged_once_and_people_and_robots_add_up(deployment):
    project = deployment.project
    land_and_rebuild(project, DAYS)
    done = attribute_days(project, DAYS)
    clicks = project.lake.scan(CLICKS).collect()
    judged = project.lake.scan(JUDGED_CLICKS).collect()
    keys = ["day", "source", "event_id", "clicks"]
    assert judged.select(keys).sort(keys).equals(clicks.select(keys).sort(keys))
    assert sum(done.clicks.values()) == clicks["clicks"].sum()
    robots = judged.filter(pl.col("robot_rule").is_not_null())
    assert sum(done.robots.values()) == robots["clicks"].sum() > 0
    assert set(robots["robot_rule"]) >= {RobotRule.PROVIDER}


def test_any_range_of_days_is_judged_alike(deployment):
    project = deployment.project
    land_and_rebuild(project, DAYS)
    attribute_days(project, DAYS)
    once = project.lake.scan(JUDGED_CLICKS).collect().sort("source", "event_id")
    attribute_days(project, DAYS[3:])
    attribute_days(project, DAYS[:1])
    assert project.lake.scan(JUDGED_CLICKS).collect().sort("source", "event_id").equals(once)


def test_a_rule_of_the_settings_restates_the_past(deployment):
    project = deployment.project
    land_and_rebuild(project, DAYS)
    attribute_days(project, DAYS)
    links = '\n[engagement.links]\n"https://promin.example/s1" = "autumn-sale"\n'
    text = deployment.settings.read_text("utf-8") + links
    deployment.settings.write_text(text, "utf-8")
    changed = type(project).open(deployment.settings)
    before = project.lake.scan(JUDGED_CLICKS).collect()
    attribute_days(changed, DAYS)
    after = project.lake.scan(JUDGED_CLICKS).collect()
    assert not before.filter(pl.col("tie") == Tie.LINK).height
    of_link = after.filter(pl.col("tie") == Tie.LINK)
    assert set(of_link["campaign"]) == {"autumn-sale"}
