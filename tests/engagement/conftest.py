"""A deployment with engagement, against the simulated providers."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from sms_etl.days import days_between
from sms_etl.project import Project
from sms_etl.sandbox import Clock, Sandbox, WorldParameters, build_world, running_sandbox

FIRST, LAST = date(2026, 10, 20), date(2026, 10, 24)
DAYS = days_between(FIRST, LAST)
NOW = datetime(2026, 10, 30, 6, tzinfo=UTC)
SETTINGS = """
[project]
name = "Promin"
first_day = 2026-10-20

[sources.shop]
kind = "twilio"
base_url = "{base}/twilio"
account_sid = "{sid}"
auth_token = "TWILIO_TOKEN"
engagement = ["replies"]

[sources.plain]
kind = "mobizon"
base_url = "{base}/mobizon"
api_key = "MOBIZON_KEY"
currency = "UAH"
requests_per_second = 1000

[sources.polish]
kind = "smsapi"
base_url = "{base}/smsapi"
token = "SMSAPI_TOKEN"

[sources.links]
kind = "shlink"
base_url = "{base}/shlink"
api_key = "SHLINK_KEY"
"""


@dataclass(frozen=True)
class Deployment:
    project: Project
    sandbox: Sandbox
    settings: Path


@pytest.fixture(scope="session")
def promin():
    world = build_world(WorldParameters(messages=4_000, first_day=FIRST, days=len(DAYS)))
    with running_sandbox(world, Clock(NOW)) as sandbox:
        yield sandbox


@pytest.fixture
def deployment(promin, tmp_path, monkeypatch):
    promin.set_clock(NOW)
    accounts = promin.accounts
    path = tmp_path / "sms_etl.toml"
    path.write_text(SETTINGS.format(base=promin.base_url, sid=accounts.twilio_sid), "utf-8")
    for variable, secret in {
        "TWILIO_TOKEN": accounts.twilio_auth,
        "MOBIZON_KEY": accounts.secret_of("mobizon"),
        "SMSAPI_TOKEN": accounts.secret_of("smsapi"),
        "SHLINK_KEY": accounts.secret_of("shlink"),
        "SMS_ETL_PSEUDONYM_KEY": "a key of the tests",
        "SMS_ETL_NOW": NOW.isoformat(),
        "SMS_ETL_CONFIG": str(path),
    }.items():
        monkeypatch.setenv(variable, secret)
    return Deployment(Project.open(path), promin, path)
