"""From an outbox that says what was skipped, and a log with late receipts, to a report."""

import sqlite3
from contextlib import closing
from datetime import date, timedelta

import polars as pl
import pytest

from sms_etl.config.clock import NOW_VARIABLE
from sms_etl.config.settings import Language, ReportKind
from sms_etl.days import days_between
from sms_etl.errors import ConservationError
from sms_etl.model.schemas import ASKED, EVENTS, MESSAGES
from sms_etl.pipeline import land_outbox, land_source, read_outbox, rebuild_cube, rebuild_messages
from sms_etl.project import OUTBOX_NAME, Project
from sms_etl.publish import ReportOrder, figures_of

SUNDAY = date(2026, 10, 25)
"""The clocks of Kyiv go back an hour."""
DAYS = days_between(SUNDAY - timedelta(days=1), SUNDAY + timedelta(days=1))
SETTINGS = """\
[project]
name = "Shop"
first_day = 2026-10-24
business_time_zone = "Europe/Kyiv"
pseudonym_key = "ASKED_KEY"

[sources.main]
kind = "sql"
url = "sqlite:///log.db"
table = "sent"
time_zone = "UTC"
columns = { message_id = "id", recipient = "phone", status = "status", created_at = "sent", \
done_at = "done" }

[sources.other]
kind = "sql"
url = "sqlite:///log.db"
table = "nothing_sent"
time_zone = "UTC"
columns = { message_id = "id", recipient = "phone", status = "status", created_at = "sent", \
done_at = "done" }

[outbox]
kind = "csv"
path = "outbox.csv"
time_zone = "UTC"
columns = { message_id = "id", recipient = "phone", campaign = "what", submitted_at = "at", \
skipped = "why_not" }
"""
OUTBOX = """\
id,phone,what,at,why_not
a,+380671234501,sale,2026-10-24 20:30:00,
b,+380671234502,sale,2026-10-24 21:30:00,0
c,+380671234503,sale,2026-10-25 21:30:00,False
d,+380671234503,sale,2026-10-25 22:30:00,
d,+380671234503,sale,2026-10-25 22:30:00,
,+380671234504,sale,2026-10-25 10:00:00,opted out
,+380671234504,sale,2026-10-25 11:00:00,opted out
,+380671234501,sale,2026-10-25 11:00:00,cap
"""
LOG = [
    ("a", "+380671234501", "DELIVRD", "2026-10-24 20:30:00", "2026-10-24 21:00:00"),
    ("b", "+380671234502", "UNDELIV", "2026-10-24 21:30:00", "2026-10-25 22:00:00"),
    ("c", "+380671234503", "DELIVRD", "2026-10-25 21:30:00", "2026-10-25 21:59:59"),
    ("d", "+380671234503", "DELIVRD", "2026-10-25 22:30:00", "2026-10-25 22:31:00"),
]


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.setenv("ASKED_KEY", "a key for this test")
    monkeypatch.setenv(NOW_VARIABLE, "2026-10-30T06:00:00+00:00")
    with closing(sqlite3.connect(tmp_path / "log.db")) as database, database:
        for table in ("sent", "nothing_sent"):
            database.execute(f"CREATE TABLE {table} (id, phone, status, sent, done)")
        database.executemany("INSERT INTO sent VALUES (?, ?, ?, ?, ?)", LOG)
    (tmp_path / "outbox.csv").write_text(OUTBOX, "utf-8")
    (tmp_path / "sms_etl.toml").write_text(SETTINGS, "utf-8")
    return Project.open(tmp_path / "sms_etl.toml")


def land_and_build(project):
    land_outbox(project, DAYS)
    for name in project.source_names:
        land_source(project, name, DAYS)
        rebuild_messages(project, name, DAYS)
        rebuild_cube(project, name, DAYS)


def sunday(project, zone):
    order = ReportOrder(ReportKind.PERIOD, None, SUNDAY, SUNDAY, zone, Language.ENGLISH)
    return figures_of(project, order)


def test_a_day_of_events_is_not_a_day_of_sending(project):
    land_and_build(project)
    kyiv = sunday(project, "Europe/Kyiv")
    assert (kyiv.totals.submitted, kyiv.totals.delivered, kyiv.totals.failed) == (2, 1, 1)
    (day,) = kyiv.event_days
    assert (day.day, day.delivered, day.failed, day.rejected) == (SUNDAY, 2, 0, 0), (
        "25 hours: a, sent on Saturday, came at midnight; c a second before the next; b later"
    )
    away = sunday(project, "America/New_York")
    (day,) = away.event_days
    assert (away.totals.submitted, day.delivered, day.failed) == (2, 2, 1)


def test_of_asked_and_per_person(project):
    land_and_build(project)
    reach = sunday(project, "Europe/Kyiv").reach
    assert reach.skipped == {"cap": 1, "opted out": 2}
    assert (reach.of_asked.numerator, reach.of_asked.denominator) == (1, 5)
    assert (reach.per_person.numerator, reach.per_person.denominator) == (1, 4), (
        "two were written to, two more skipped, one of them twice"
    )
    (sale,) = sunday(project, "Europe/Kyiv").reach_by_campaign
    assert (sale.campaign, sale.of_asked, sale.per_person) == (
        "sale",
        reach.of_asked,
        reach.per_person,
    )


def test_what_was_skipped_is_not_looked_for_at_a_provider(project):
    land_outbox(project, DAYS)
    assert read_outbox(project, DAYS)["message_id"].sort().to_list() == ["a", "b", "c", "d"]


def test_building_and_landing_again_changes_nothing(project):
    land_and_build(project)
    before = [project.lake.scan(table).collect() for table in (EVENTS, ASKED)]
    assert [frame["messages"].sum() for frame in before] == [4, 7]
    land_and_build(project)
    assert len(project.landing.manifests(OUTBOX_NAME, DAYS)) == 2 * len(DAYS)
    for frame, table in zip(before, (EVENTS, ASKED), strict=True):
        assert project.lake.scan(table).collect().sort(table.names).equals(frame.sort(table.names))


def test_no_number_of_a_skipped_person_is_kept(project):
    land_and_build(project)
    asked = project.lake.scan(ASKED).collect()
    assert asked.filter(pl.col("skipped").is_null())["recipient"].null_count() == 4
    people = asked["recipient"].drop_nulls()
    assert people.str.contains("^[0-9a-f]{64}$").all()
    written_to = project.lake.scan(MESSAGES).collect()["recipient"].to_list()
    assert len(set(people) & set(written_to)) == 1


def test_a_cube_without_events_makes_no_report(project):
    land_and_build(project)
    project.lake.replace(EVENTS, "main", DAYS, EVENTS.empty())
    with pytest.raises(ConservationError, match=r"event_days\[2026-10-25\].delivered: report 0"):
        sunday(project, "Europe/Kyiv")
