"""SMS-Fly against a scripted server: a message with two channels is one row; errors are rows."""

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from sms_etl.errors import PermanentSourceError
from sms_etl.model.schemas import OUTBOX
from sms_etl.sources.registry import SOURCE_KINDS, make_source
from tests.sources.scripted_server import Reply

SECRET = "fly-secret-19ab"
DAY = date(2026, 3, 5)
SENT = datetime(2026, 3, 5, 9, tzinfo=UTC)
ID = "FAPI00040A3AFA000002"


@pytest.fixture
def source(server, monkeypatch):
    monkeypatch.setenv("FLY_KEY", SECRET)
    block = SOURCE_KINDS["smsfly"].model_validate(
        {
            "kind": "smsfly",
            "key": "FLY_KEY",
            "base_url": server.url,
            "requests_per_second": 1000,
            "retry_budget_seconds": 5,
        }
    )
    return make_source("fly", block, Path())


@pytest.fixture
def read(server, source, context_at, land):
    """What is read of one scripted answer."""

    def answered(answer) -> dict:
        server.script = [Reply.of(answer)]
        outbox = pl.DataFrame([{"message_id": ID, "submitted_at": SENT}], schema=OUTBOX.schema)
        (plan,) = source.plan([DAY], context_at(SENT, outbox))
        (row,) = source.read(land(list(plan.pages))).collect().iter_rows(named=True)
        return row

    return answered


def attempt(status, cost, second=0):
    return {"status": status, "date": f"2026-03-05 11:00:{second:02d} +0200", "cost": cost}


@pytest.mark.parametrize(
    ("viber", "sms", "channel", "status", "cost"),
    [
        ("VIEWED", "RESERVED", "viber", "VIEWED", 750_000),
        ("EXPIRED", "DELIVRD", "sms", "DELIVRD", 475_000),
        ("UNDELIV", "SENT", "sms", "SENT", 475_000),
        ("UNDELIV", "STOPED", "sms", "STOPED", None),
    ],
)
def test_a_message_with_two_channels_is_one_row_of_the_one_that_carried_it(
    read, viber, sms, channel, status, cost
):
    channels = {"viber": attempt(viber, 0.750, 7), "sms": attempt(sms, "0.475", 9)}
    row = read({"success": 1, "data": {"messageID": ID, **channels}})
    assert row["message_id"] == ID
    assert (row["channel"], row["status"]) == (channel, status)
    assert (row["cost_micro"], row["currency"]) == (cost, "UAH")


def test_the_date_of_a_final_status_is_read_with_its_offset(read):
    row = read({"success": 1, "data": {"messageID": ID, "sms": attempt("DELIVRD", "0.479", 4)}})
    assert row["done_at"] == datetime(2026, 3, 5, 9, 0, 4, tzinfo=UTC)
    assert row["done_at_origin"] == "provider_update"


def test_an_identifier_that_is_refused_is_a_row_with_the_code(read):
    row = read({"success": 0, "error": {"code": "NOTFOUND"}})
    assert (row["message_id"], row["status"], row["code"]) == (ID, None, "NOTFOUND")


def test_a_refused_key_stops_the_pull(read):
    with pytest.raises(PermanentSourceError, match=r"FORBIDDEN.*FLY_KEY"):
        read({"success": 0, "error": {"code": "FORBIDDEN"}})


def test_the_check_fails_on_any_error(server, source):
    server.script = [Reply.of({"success": 0, "error": {"code": "SOMETHING"}})]
    (result,) = source.check()
    assert not result.ok
    assert "SOMETHING" in result.mend
