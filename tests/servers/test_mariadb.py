"""Gateways that log to MySQL, read from a real MariaDB by a user who may only SELECT."""

from dataclasses import replace
from datetime import date

import pytest
import sqlalchemy as sa

from sms_etl.days import days_between
from sms_etl.errors import PermanentSourceError
from sms_etl.sandbox import Clock, WorldParameters, build_world, running_sandbox, settled
from sms_etl.sandbox.agree import agreement
from sms_etl.sandbox.bench import Bench
from sms_etl.sandbox.case import case_of
from tests.servers.mariadb import MariaDbServer

pytestmark = pytest.mark.servers

WORLD = WorldParameters(messages=3_000, first_day=date(2026, 10, 18), days=14)
DAYS = days_between(date(2026, 10, 21), date(2026, 10, 24))
CLOCK_PUT_BACK = date(2026, 10, 25)
KINDS = ("turbosms_sql", "kannel_sqlbox", "gammu", "jasmin", "playsms", "sql")
SECRET = "not-for-logs"


@pytest.fixture(scope="module")
def server():
    with MariaDbServer() as running:
        running.run(
            "CREATE DATABASE users CHARACTER SET utf8mb4",
            f"CREATE USER reader@'127.0.0.1' IDENTIFIED BY '{SECRET}'",
            "GRANT SELECT ON users.* TO reader@'127.0.0.1'",
        )
        yield running


@pytest.fixture(scope="module")
def sandbox():
    world = build_world(WORLD)
    with running_sandbox(world, Clock(settled(world))) as running:
        yield running


@pytest.fixture
def bench(request, server, sandbox, tmp_path, monkeypatch) -> Bench:
    """A source that reads from MariaDB what its simulated gateway wrote there."""
    case = case_of(request.param)
    settings = {k: v for k, v in case.settings(sandbox.accounts).items() if k != "url"}
    settings |= {"url_secret": "GATEWAY_URL", "batch_rows": 100}
    monkeypatch.setenv("GATEWAY_URL", server.url(f"reader:{SECRET}", "users"))
    api = sandbox.api(case.provider)
    engine = sa.create_engine(server.url("root", "users"))
    monkeypatch.setattr(api, "write", lambda _folder, now, faults: api.fill(engine, now, faults))
    yield Bench(replace(case, settings=lambda _accounts: settings), sandbox, tmp_path)
    engine.dispose()


@pytest.mark.parametrize("bench", KINDS, indirect=True)
def test_what_is_read_from_mariadb_is_what_is_true(bench):
    told = agreement(bench, DAYS)
    assert told.messages > 100
    assert told.ok, told
    assert told.pages > len(DAYS)
    with_hour_twice = agreement(bench, [CLOCK_PUT_BACK])
    assert (with_hour_twice.lost, with_hour_twice.wrong) == (0, 0)
    assert [result.ok for result in bench.source.check()] == [True]


@pytest.mark.parametrize("bench", ["turbosms_sql"], indirect=True)
def test_a_wrong_password_is_told_without_it(bench, server, monkeypatch):
    bench.at_usual_time(DAYS)
    monkeypatch.setenv("GATEWAY_URL", server.url("reader:mistaken", "users"))
    with pytest.raises(PermanentSourceError, match="Access denied") as caught:
        bench.pages(DAYS)
    assert "mistaken" not in str(caught.value)
