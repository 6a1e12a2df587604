"""Telnyx against a scripted server and its simulated one: dates, webhooks, lost receipts."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import polars as pl
import pytest

from sms_etl.sandbox import Clock, WorldParameters, build_world, running_sandbox
from sms_etl.sources.registry import SOURCE_KINDS, make_source
from tests.sources.scripted_server import Reply

DAY = date(2026, 7, 10)


@pytest.fixture
def make(monkeypatch):
    def build(base_url: str, key: str = "telnyx-key"):
        monkeypatch.setenv("TELNYX_KEY", key)
        block = {
            "kind": "telnyx",
            "api_key": "TELNYX_KEY",
            "base_url": base_url,
            "requests_per_second": 1000,
        }
        return make_source("telnyx", SOURCE_KINDS["telnyx"].model_validate(block), Path())

    return build


RECORD = {
    "record_type": "message_detail_record",
    "uuid": "6f1d0000-0000-4000-8000-000000000001",
    "cld": "+380671234567",
    "cli": "Shop",
    "direction": "outbound",
    "message_type": "SMS",
    "status": "gw_reject",
    "delivery_status": "webhook_delivered",
    "created_at": "2026-07-10T08:00:00Z",
    "completed_at": "2026-07-10T08:00:06Z",
    "parts": 2,
    "cost": "0.1360",
    "currency": "USD",
    "mcc": "255",
    "mnc": "03",
    "errors": ["40310", "40012"],
}


def test_whole_utc_days_are_asked_for_oldest_first(server, make, long_after):
    server.script = [Reply.of({"data": [RECORD], "meta": {"total_pages": 1}})]
    (plan,) = make(server.url).plan([DAY], long_after)
    assert [page.records for page in plan.pages] == [1]
    asked = parse_qs(urlsplit(server.asked[0].target).query)
    assert asked["filter[created_at][gte]"] == ["2026-07-09"]
    assert asked["filter[created_at][lt]"] == ["2026-07-11"]
    assert (asked["sort"], asked["page[size]"]) == (["created_at"], ["50"])


def test_the_outcome_of_the_webhook_is_not_that_of_the_message(server, make, long_after, land):
    server.script = [Reply.of({"data": [RECORD], "meta": {"total_pages": 1}})]
    source = make(server.url)
    (plan,) = source.plan([DAY], long_after)
    (row,) = source.read(land(list(plan.pages))).collect().iter_rows(named=True)
    assert (row["status"], row["code"]) == ("gw_reject", "40310")
    assert (row["mcc_mnc"], row["parts_billed"], row["cost_micro"]) == ("25503", 2, 136_000)
    assert row["done_at"] == datetime(2026, 7, 10, 8, 0, 6, tzinfo=UTC)


def test_a_message_without_a_receipt_has_a_record_once_it_is_given_up(make, context_at, land):
    world = build_world(WorldParameters(messages=3_000, first_day=date(2026, 7, 1), days=14))
    later = datetime(2026, 7, 20, tzinfo=UTC)
    with running_sandbox(world, Clock(later)) as sandbox:
        source = make(f"{sandbox.base_url}/telnyx", sandbox.accounts.secret_of("telnyx"))
        (plan,) = source.plan([DAY], context_at(later))
        given_up = list(plan.pages)
        truth = sandbox.truth("telnyx")
        sandbox.set_clock(datetime(2026, 7, 12, tzinfo=UTC))
        (plan,) = source.plan([DAY], context_at(later))
        waiting = list(plan.pages)
    silent = truth.filter(pl.col("done_at").is_null() & (pl.col("submitted_at").dt.date() == DAY))
    rows = source.read(land(given_up)).collect().join(silent, on="message_id", suffix="_true")
    assert rows.height == silent.height > 0
    assert rows["status"].unique().to_list() == ["dlr_timeout"]
    assert ((rows["done_at"] - rows["submitted_at"]) == timedelta(hours=72)).all()
    early = source.read(land(waiting, "pull-2")).collect()
    assert not set(silent["message_id"]) & set(early["message_id"])
