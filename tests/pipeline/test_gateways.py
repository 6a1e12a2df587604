"""Gateways that write files or a database, from what they wrote to messages: nothing lost."""

import json
from datetime import date

import polars as pl
import pytest

from sms_etl.config.clock import NOW_VARIABLE
from sms_etl.days import days_between
from sms_etl.model.schemas import CONSERVATION, MESSAGES
from sms_etl.pipeline import land_source, rebuild_messages
from sms_etl.project import Project
from sms_etl.sandbox import Clock, WorldParameters, build_world, running_sandbox, settled
from sms_etl.sandbox.bench import Bench
from sms_etl.sandbox.case import case_of

WORLD = WorldParameters(messages=800, first_day=date(2026, 10, 10), days=14)
DAYS = days_between(date(2026, 10, 14), date(2026, 10, 17))
KINDS = ("turbosms_sql", "jasmin", "playsms", "gammu", "kannel_sqlbox", "kannel_log")
HEAD = """\
[project]
name = "Gateways"
first_day = 2026-10-10
pseudonym_key = "GATEWAYS_KEY"

[sources.gateway]
"""


@pytest.fixture(scope="module")
def sandbox():
    world = build_world(WORLD)
    with running_sandbox(world, Clock(settled(world))) as running:
        yield running


@pytest.mark.parametrize("kind", KINDS)
def test_every_message_of_a_gateway_is_there_once_and_of_its_true_class(
    kind, sandbox, tmp_path, monkeypatch
):
    bench = Bench(case_of(kind), sandbox, tmp_path)
    monkeypatch.setenv(NOW_VARIABLE, bench.at_usual_time(DAYS).isoformat())
    monkeypatch.setenv("GATEWAYS_KEY", "a key for this test")
    bench.write()
    block = {"kind": kind, **bench.case.settings(sandbox.accounts)}
    written = "".join(f"{name} = {json.dumps(value)}\n" for name, value in block.items())
    path = bench.store / "sms_etl.toml"
    path.write_text(HEAD + written, "utf-8")
    project = Project.open(path)
    land_source(project, "gateway", DAYS)
    rebuild_messages(project, "gateway", DAYS)

    truth = bench.truth(DAYS)
    messages = project.lake.scan(MESSAGES).collect()
    assert truth.height > 100
    assert messages["message_id"].sort().to_list() == truth["message_id"].sort().to_list()
    both = messages.join(truth, on="message_id", suffix="_true")
    assert both.filter(pl.col("status_class") != pl.col("class")).is_empty()
    known = both.drop_nulls("parts")
    assert known["parts"].to_list() == known["parts_true"].to_list()
    account = project.lake.scan(CONSERVATION).collect()
    assert account.filter(pl.col("fate") == "quarantined").is_empty()
