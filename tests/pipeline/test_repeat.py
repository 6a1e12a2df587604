"""Running any of it again changes nothing: from the providers, from landing, after a kill."""

import shutil
import signal
import socket
import subprocess
import sys
import time
from datetime import date

import pytest

from sms_etl.config.settings import Language, Period, ReportKind
from sms_etl.model.schemas import CUBE, LAKE_TABLES, LATENCY, MESSAGES
from sms_etl.publish import ReportOrder, figures_of
from sms_etl.reports.figures import fingerprint
from tests.pipeline.company import DAYS, FIRST, LAST, land_and_rebuild, rebuild

SOME_DAYS = [date(2026, 10, day) for day in (24, 25, 26)]
WHOLE_WAY = """
import sys
from datetime import date
from tests.pipeline.company import land_and_rebuild
from sms_etl.project import Project
land_and_rebuild(Project.open(), [date.fromisoformat(day) for day in sys.argv[1:]])
"""


def table(project, schema, drop=()):
    frame = project.lake.scan(schema).collect().drop(*drop)
    return frame.sort(frame.columns)


def tables(project):
    return {schema.name: table(project, schema) for schema in LAKE_TABLES}


def figures(project):
    order = ReportOrder(
        ReportKind.PERIOD, Period.MONTH, FIRST, LAST, "Europe/Kyiv", Language.UKRAINIAN
    )
    return figures_of(project, order)


@pytest.fixture
def built(company):
    return {schema.name: table(company.project, schema) for schema in (CUBE, LATENCY)}


@pytest.mark.parametrize("days", [[SOME_DAYS[1]], SOME_DAYS], ids=["a day", "a range"])
def test_pulling_days_again_changes_no_figure(company, built, days):
    before = fingerprint(figures(company.project))

    land_and_rebuild(company.project, days)

    assert table(company.project, CUBE).equals(built["cube"])
    assert table(company.project, LATENCY).equals(built["latency"])
    assert fingerprint(figures(company.project)) == before


def test_rebuilding_from_landing_needs_no_network_and_gives_the_same_tables(company, monkeypatch):
    rebuild(company.project, DAYS)
    before = tables(company.project)
    shutil.rmtree(company.project.lake.root)

    def no_network(*_args, **_kwargs):
        raise OSError("the network is off")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    rebuild(company.project, DAYS)

    for name, frame in tables(company.project).items():
        assert frame.equals(before[name]), name


def test_rebuilding_day_by_day_equals_rebuilding_the_range(company):
    rebuild(company.project, DAYS)
    before = tables(company.project)

    for day in SOME_DAYS:
        rebuild(company.project, [day])

    for name, frame in tables(company.project).items():
        assert frame.equals(before[name]), name


@pytest.mark.parametrize("after_seconds", [1.6, 2.0, 2.5, 3.0, 3.6])
def test_a_run_killed_at_any_moment_and_run_again_gives_the_same(
    fresh_company, company, after_seconds
):
    command = [sys.executable, "-c", WHOLE_WAY, *map(str, SOME_DAYS)]
    run = subprocess.Popen(command, stderr=subprocess.PIPE)
    time.sleep(after_seconds)
    run.send_signal(signal.SIGKILL)
    run.wait()

    land_and_rebuild(fresh_company.project, SOME_DAYS)

    ours = table(fresh_company.project, CUBE)
    expected = company.project.lake.scan(CUBE, SOME_DAYS[0], SOME_DAYS[-1]).collect()
    assert ours.equals(expected.sort(expected.columns))
    steady = ("observed_at", "observations")
    rows = company.project.lake.scan(MESSAGES, SOME_DAYS[0], SOME_DAYS[-1]).collect().drop(*steady)
    assert table(fresh_company.project, MESSAGES, steady).equals(rows.sort(rows.columns))
