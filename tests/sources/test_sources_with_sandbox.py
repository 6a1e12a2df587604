"""All sources against the simulated company: what is read is what is true."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from sms_etl.days import days_between
from sms_etl.sandbox import (
    Clock,
    FaultSettings,
    WorldParameters,
    build_world,
    outbox_at,
    running_sandbox,
    truth_at,
    write_files,
)
from sms_etl.sources.base import Source
from sms_etl.sources.registry import OUTBOX_KINDS, SOURCE_KINDS, make_outbox, make_source

NOW = datetime(2026, 9, 16, 9, 30, tzinfo=UTC)
DAYS = [date(2026, 9, 14), date(2026, 9, 15), date(2026, 9, 16)]


@pytest.fixture(scope="module")
def world():
    return build_world(WorldParameters(messages=6_000))


@pytest.fixture(scope="module")
def served(world):
    with running_sandbox(world, Clock(NOW)) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(served):
    served.set_faults(**FaultSettings().model_dump())
    return served


@pytest.fixture
def make(sandbox, monkeypatch):
    monkeypatch.setenv("TWILIO_TOKEN", sandbox.accounts.twilio_auth)
    monkeypatch.setenv("TURBO_TOKEN", sandbox.accounts.turbosms_auth)
    own = {
        "twilio": {"account_sid": sandbox.accounts.twilio_sid, "auth_token": "TWILIO_TOKEN"},
        "turbosms": {"token": "TURBO_TOKEN", "batch_size": 7},
    }

    def build(kind: str) -> Source:
        block = {"kind": kind, "base_url": sandbox.base_url, "requests_per_second": 1000}
        return make_source(kind, SOURCE_KINDS[kind].model_validate(block | own[kind]), Path())

    return build


@pytest.fixture
def pull(world, make, land, context_at):
    """What a source reads of the days, by the day of submission the provider or outbox states."""

    def observed(kind: str) -> pl.DataFrame:
        outbox = outbox_at(world, NOW).filter(pl.col("source") == kind)
        source = make(kind)
        pages = [page for plan in source.plan(DAYS, context_at(NOW, outbox)) for page in plan.pages]
        return source.read(land(pages)).collect()

    return observed


def truth_of(world, way: str, now=NOW) -> pl.DataFrame:
    local_day = pl.col("submitted_at").dt.convert_time_zone("Europe/Kyiv").dt.date()
    return truth_at(world, now).filter((pl.col("way") == way) & local_day.is_in(DAYS))


def compared(observed: pl.DataFrame, truth: pl.DataFrame) -> pl.DataFrame:
    return truth.join(
        observed.unique("message_id", keep="last"), "message_id", how="inner", suffix="_read"
    )


@pytest.mark.parametrize("kind", ["twilio", "turbosms"])
def test_every_message_of_the_days_is_read_also_those_never_sent(world, pull, kind):
    truth, observed = truth_of(world, kind), pull(kind)
    assert truth.height > 30
    assert set(truth["message_id"]) <= set(observed["message_id"])
    both = compared(observed, truth)
    assert both.filter(pl.col("status") != pl.col("word")).is_empty()
    assert observed["malformed"].null_count() == observed.height
    delivered = both.filter(pl.col("class") == "delivered")
    assert delivered.height > 10
    late = (pl.col("done_at_read") - pl.col("done_at")).dt.total_seconds()
    assert delivered.filter(late < -1).is_empty()


def test_twilios_costs_and_times_are_the_true_ones(world, pull):
    both = compared(pull("twilio"), truth_of(world, "twilio"))
    assert both["cost_micro"].equals(both["price_micro"], null_equal=True)
    assert both["cost_micro"].drop_nulls().len() > 10
    assert both["created_at"].to_list() == [
        moment.replace(microsecond=0) for moment in both["submitted_at"]
    ]
    unsent = truth_of(world, "twilio").filter(pl.col("sent_at").is_null())
    assert unsent.height > 0


@pytest.mark.parametrize("kind", ["twilio", "turbosms"])
@pytest.mark.parametrize(
    "faults",
    [{"rate_limited": 2}, {"server_errors": 2}, {"cut": 2}, {"truncated": 2}],
    ids=lambda faults: next(iter(faults)),
)
def test_faults_that_pass_change_nothing(pull, sandbox, naps, kind, faults):
    calm = pull(kind).drop("pulled_at")
    sandbox.set_faults(**faults)
    assert pull(kind).drop("pulled_at").equals(calm)
    assert len(naps) >= 2


@pytest.mark.parametrize("kind", ["twilio", "turbosms"])
def test_an_expired_token_is_told(make, sandbox, kind):
    assert make(kind).check()[0].ok
    sandbox.set_faults(token_expired=True)
    (refused,) = make(kind).check()
    assert not refused.ok
    assert "Check the" in refused.mend


def test_nonsense_spoils_one_record_only(world, pull, sandbox):
    victim = truth_of(world, "twilio")["message_id"][3]
    calm = pull("twilio").filter(pl.col("message_id") != victim).drop("pulled_at")
    sandbox.set_faults(nonsense=[victim])
    observed = pull("twilio")
    assert observed.filter(pl.col("message_id") != victim).drop("pulled_at").equals(calm)
    assert observed.filter(pl.col("message_id") == victim)["malformed"].null_count() == 0


@pytest.fixture(scope="module")
def folder(world, tmp_path_factory):
    path = tmp_path_factory.mktemp("company")
    write_files(world, NOW, path)
    return path


def everything(source: Source, land, context, days=()) -> pl.DataFrame:
    plans = enumerate(source.plan(days, context))
    frames = [source.read(land(list(plan.pages), pull=f"pull-{n}")) for n, plan in plans]
    return pl.concat(frames).collect()


def test_the_cabinets_exports_are_read_from_csv_and_xlsx(world, folder, land, context_at):
    settings = SOURCE_KINDS["drop_folder"].model_validate(
        {
            "kind": "drop_folder",
            "folder": "cabinet",
            "delimiter": ";",
            "decimal": ",",
            "time_zone": "Europe/Kyiv",
            "time_formats": ["%d.%m.%Y %H:%M:%S"],
            "columns": {
                "message_id": "ID",
                "recipient": "Телефон",
                "sender": "Відправник",
                "status": "Статус",
                "created_at": "Відправлено",
                "done_at": "Доставлено",
                "parts_billed": "Частин",
                "price": "Ціна",
            },
        }
    )
    observed = everything(make_source("cabinet", settings, folder), land, context_at(NOW))
    truth = truth_at(world, NOW).filter(pl.col("way") == "cabinet")
    assert observed.height == truth.height > 10
    both = compared(observed, truth)
    assert both.height == truth.height
    assert both["status"].to_list() == both["word"].to_list()
    assert both["parts_billed"].to_list() == both["parts"].to_list()
    assert both["cost_micro"].to_list() == both["price_micro"].to_list()
    off = (both["created_at"] - both["submitted_at"]).dt.total_seconds().abs()
    assert off.max() <= 1


def test_the_gateways_table_is_read_day_by_day(world, folder, land, context_at):
    names = {
        "message_id": "id", "recipient": "phone", "sender": "sender", "campaign": "campaign",
        "status": "status", "code": "error_code", "parts_billed": "parts", "price": "cost",
        "currency": "currency", "created_at": "created_at", "sent_at": "sent_at",
        "done_at": "done_at", "updated_at": "updated_at", "text": "body",
    }  # fmt: skip
    settings = SOURCE_KINDS["sql"].model_validate(
        {
            "kind": "sql",
            "url": "sqlite:///gateway.sqlite",
            "table": "sms_log",
            "time_zone": "UTC",
            "columns": names,
        }
    )
    days = days_between(world.parameters.first_day, NOW.date() + timedelta(days=1))
    source = make_source("gateway", settings, folder)
    observed = everything(source, land, context_at(NOW), days)
    truth = truth_at(world, NOW).filter(pl.col("way") == "gateway")
    both = compared(observed, truth)
    assert observed.height == both.height == truth.height > 10
    assert both["status"].to_list() == both["word"].to_list()
    assert both["cost_micro"].to_list() == both["price_micro"].to_list()


def test_the_outbox_is_read_as_it_was_written(world, folder, land, context_at):
    settings = OUTBOX_KINDS["csv"].model_validate(
        {
            "kind": "csv",
            "path": "outbox.csv",
            "time_zone": "UTC",
            "columns": {name: name for name in outbox_at(world, NOW).columns},
        }
    )
    days = days_between(world.parameters.first_day, NOW.date() + timedelta(days=1))
    outbox = make_outbox(settings, folder)
    plans = enumerate(outbox.plan(days, context_at(NOW)))
    frames = [outbox.read(land(list(plan.pages), pull=f"day-{n}")) for n, plan in plans]
    found = pl.concat(frames).collect().sort("message_id")
    wanted = outbox_at(world, NOW).sort("message_id")
    same = ["message_id", "source", "recipient", "campaign", "sender", "text", "contact_id"]
    assert found.select(same).equals(wanted.select(same))
    off = (found["submitted_at"] - wanted["submitted_at"]).dt.total_seconds().abs()
    assert off.max() == 0
