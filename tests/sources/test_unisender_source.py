"""Unisender against a scripted server: one status, errors of the message and of the account."""

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from sms_etl.errors import PermanentSourceError, TransientSourceError
from sms_etl.model.schemas import OUTBOX
from sms_etl.sources.registry import SOURCE_KINDS, make_source
from tests.sources.scripted_server import Reply

DAY = date(2026, 3, 5)
SENT = datetime(2026, 3, 5, 9, tzinfo=UTC)
SECRET = "unisender-secret"


@pytest.fixture
def source(server, monkeypatch):
    monkeypatch.setenv("UNISENDER_KEY", SECRET)
    block = SOURCE_KINDS["unisender"].model_validate(
        {
            "kind": "unisender",
            "api_key": "UNISENDER_KEY",
            "base_url": server.url,
            "requests_per_second": 1000,
            "retry_budget_seconds": 5,
        }
    )
    return make_source("unisender", block, Path())


def pages_of(source, context_at, *ids):
    outbox = pl.DataFrame(
        [{"message_id": name, "submitted_at": SENT} for name in ids], schema=OUTBOX.schema
    )
    (plan,) = source.plan([DAY], context_at(SENT, outbox))
    return list(plan.pages)


def error(code: str) -> Reply:
    return Reply.of({"error": f"AK1 [{SECRET}]", "code": code, "result": ""})


def test_an_answer_does_not_repeat_its_identifier(server, source, context_at, land):
    server.script = [Reply.of({"result": {"status": word}}) for word in ("ok_delivered", "ok_sent")]
    pages = pages_of(source, context_at, "2376678.79092020303", "3123")
    rows = source.read(land(pages)).collect()
    assert rows["message_id"].to_list() == ["2376678.79092020303", "3123"]
    assert rows["status"].to_list() == ["ok_delivered", "ok_sent"]
    assert rows["done_at"].to_list() == [pages[0].received_at, None]
    assert "sms_id=3123" in server.asked[1].target
    assert SECRET in server.asked[1].target
    assert SECRET not in pages[1].request


def test_an_unknown_identifier_is_a_row_and_stops_nothing(server, source, context_at, land):
    server.script = [error("unspecified"), Reply.of({"result": {"status": "not_sent"}})]
    rows = source.read(land(pages_of(source, context_at, "1", "2"))).collect()
    assert rows["code"].to_list() == ["unspecified", None]
    assert rows["status"].to_list() == [None, "not_sent"]


def test_a_result_of_another_shape_is_a_malformed_row(server, source, context_at, land):
    server.script = [Reply.of({"result": "ok"})]
    (row,) = source.read(land(pages_of(source, context_at, "1"))).collect().iter_rows(named=True)
    assert row["malformed"].startswith("the page has another shape")


def test_errors_of_the_account_stop_and_passing_ones_are_asked_again(
    server, source, context_at, naps
):
    server.script = [error("access_denied")]
    with pytest.raises(PermanentSourceError, match="UNISENDER_KEY") as caught:
        pages_of(source, context_at, "1")
    assert SECRET not in str(caught.value)
    server.otherwise = lambda _asked: error("retry_later")
    with pytest.raises(TransientSourceError, match="retry_later"):
        pages_of(source, context_at, "1")
    assert naps
