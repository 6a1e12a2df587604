"""Decision Telecom against a scripted server: the status of a message and that of an error."""

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


@pytest.fixture
def source(server, monkeypatch):
    monkeypatch.setenv("DECISION_KEY", "a2V5LXNlY3JldA==")
    block = SOURCE_KINDS["decisiontelecom"].model_validate(
        {
            "kind": "decisiontelecom",
            "access_key": "DECISION_KEY",
            "base_url": server.url,
            "requests_per_second": 1000,
            "retry_budget_seconds": 5,
        }
    )
    return make_source("decision", block, Path())


def pages_of(source, context_at, *ids):
    outbox = pl.DataFrame(
        [{"message_id": name, "submitted_at": SENT} for name in ids], schema=OUTBOX.schema
    )
    (plan,) = source.plan([DAY], context_at(SENT, outbox))
    return list(plan.pages)


def error(code: int, status: int) -> Reply:
    return Reply.of({"name": "n", "message": "m", "code": code, "status": status})


def test_the_key_is_sent_as_it_stands_and_the_poll_is_the_time(server, source, context_at, land):
    server.script = [Reply.of({"message_id": 26348265, "status": "DELIVRD"})]
    pages = pages_of(source, context_at, "26348265")
    (row,) = source.read(land(pages)).collect().iter_rows(named=True)
    assert server.asked[0].headers["Authorization"] == "Basic a2V5LXNlY3JldA=="
    assert server.asked[0].target == "/v1/api/status?message_id=26348265"
    assert (row["message_id"], row["status"]) == ("26348265", "DELIVRD")
    assert (row["done_at"], row["done_at_origin"]) == (pages[0].received_at, "poll")


def test_the_status_of_an_error_is_not_that_of_a_message(server, source, context_at, land):
    server.script = [error(1, 400)]
    (row,) = source.read(land(pages_of(source, context_at, "9"))).collect().iter_rows(named=True)
    assert (row["message_id"], row["status"], row["code"]) == ("9", None, "1")


def test_errors_of_the_account_stop_and_passing_ones_are_asked_again(
    server, source, context_at, naps
):
    server.script = [error(3, 402)]
    with pytest.raises(PermanentSourceError, match="DECISION_KEY"):
        pages_of(source, context_at, "9")
    server.script = [error(0, 429), Reply.of({"message_id": 9, "status": "ENROUTE"})]
    (page,) = pages_of(source, context_at, "9")
    assert page.meta["retries"] == "1"
    server.otherwise = lambda _asked: error(2, 500)
    with pytest.raises(TransientSourceError, match="code 2"):
        pages_of(source, context_at, "9")
    assert naps
