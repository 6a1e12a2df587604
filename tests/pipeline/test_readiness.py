"""Whether a report's data is there: every reason to wait, and what a report says that did not."""

import sqlite3
from contextlib import closing
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from sms_etl.config.clock import NOW_VARIABLE
from sms_etl.config.settings import Language, ReportKind
from sms_etl.days import days_between
from sms_etl.pipeline import land_outbox, land_source, rebuild_cube, rebuild_messages
from sms_etl.project import Project
from sms_etl.publish import ReportOrder, figures_of
from sms_etl.readiness import Missing, missing_data
from sms_etl.reconciliation.steps import reconcile_days
from sms_etl.reports.figures import is_empty, is_incomplete

MONDAY, WEDNESDAY = date(2026, 10, 26), date(2026, 10, 28)
DAYS = days_between(MONDAY, WEDNESDAY)
KYIV = "Europe/Kyiv"
SETTINGS = """\
[project]
name = "Shop"
first_day = 2026-10-26
business_time_zone = "Europe/Kyiv"
pseudonym_key = "READINESS_KEY"

[sources.log]
kind = "sql"
url = "sqlite:///log.db"
table = "sent"
time_zone = "UTC"
columns = { message_id = "id", recipient = "phone", status = "status", created_at = "sent" }

[outbox]
kind = "csv"
path = "outbox.csv"
time_zone = "UTC"
columns = { message_id = "id", source = "source", recipient = "phone", submitted_at = "at" }

[reconciliation]
outbox_sources = ["log"]
"""
NOON = "2026-10-28T12:00:00+02:00"
NEXT_MORNING = "2026-10-29T06:00:00+02:00"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A company that sends a message on Tuesday; its log has lost it."""
    monkeypatch.setenv("READINESS_KEY", "a key for this test")
    monkeypatch.setenv(NOW_VARIABLE, NEXT_MORNING)
    with closing(sqlite3.connect(tmp_path / "log.db")) as database, database:
        database.execute("CREATE TABLE sent (id, phone, status, sent)")
    outbox = "id,source,phone,at\na,log,+380671234501,2026-10-27 10:00:00\n"
    (tmp_path / "outbox.csv").write_text(outbox, "utf-8")
    (tmp_path / "sms_etl.toml").write_text(SETTINGS, "utf-8")
    return Project.open(tmp_path / "sms_etl.toml")


def build(project):
    rebuild_messages(project, "log", DAYS)
    rebuild_cube(project, "log", DAYS)


def missing(project):
    return missing_data(project, MONDAY, WEDNESDAY, ZoneInfo(KYIV))


def report(project):
    order = ReportOrder(ReportKind.PERIOD, None, MONDAY, WEDNESDAY, KYIV, Language.ENGLISH)
    return figures_of(project, order)


def told_missing(figures):
    (state,) = figures.sources
    return state.missing_days


def test_days_are_waited_for_until_they_are_pulled_and_built(project):
    assert missing(project) == (Missing("log", "not pulled", tuple(DAYS)),)
    land_source(project, "log", DAYS[:2])
    assert [one.why for one in missing(project)] == ["pulled, not built", "not pulled"]
    land_source(project, "log", DAYS[2:])
    build(project)
    assert missing(project) == ()
    assert is_empty(report(project)), "every day was answered, and nobody contradicts"


def test_a_day_pulled_before_it_was_over_is_marked_in_a_report_that_goes_out_anyway(
    project, monkeypatch
):
    monkeypatch.setenv(NOW_VARIABLE, NOON)
    land_source(project, "log", DAYS)
    build(project)
    assert missing(project) == (Missing("log", "pulled before it was over", (WEDNESDAY,)),)
    figures = report(project)
    assert told_missing(figures) == (WEDNESDAY,)
    assert is_incomplete(figures)
    monkeypatch.setenv(NOW_VARIABLE, NEXT_MORNING)
    land_source(project, "log", [WEDNESDAY])
    assert missing(project) == ()
    assert not is_incomplete(report(project))


def test_an_answer_without_messages_that_the_outbox_contradicts_is_never_an_empty_period(project):
    land_outbox(project, DAYS)
    land_source(project, "log", DAYS)
    build(project)
    reconcile_days(project, "log", DAYS)
    tuesday = MONDAY + timedelta(days=1)
    why = "no messages, though the outbox has some"
    assert missing(project) == (Missing("log", why, (tuesday,)),)
    figures = report(project)
    assert figures.totals.submitted == 0
    assert told_missing(figures) == (tuesday,)
    assert not is_empty(figures), "a subscription may be silent about an empty period"
