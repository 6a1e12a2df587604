"""Kyivstar against a scripted server: tokens, a table of statuses, identifiers left out."""

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from sms_etl.dictionaries import classify, load_dictionary
from sms_etl.errors import PermanentSourceError
from sms_etl.model.schemas import OUTBOX
from sms_etl.sources.registry import SOURCE_KINDS, make_source
from tests.sources.scripted_server import Reply

SECRET = "kyivstar-secret-5b1e"
DAY = date(2026, 3, 5)
SENT = datetime(2026, 3, 5, 9, tzinfo=UTC)
TOKEN = Reply.of({"access_token": "first", "token_type": "bearer", "expires_in": 28800})


@pytest.fixture
def source(server, monkeypatch):
    monkeypatch.setenv("KYIVSTAR_SECRET", SECRET)
    block = SOURCE_KINDS["kyivstar"].model_validate(
        {
            "kind": "kyivstar",
            "client_id": "shop",
            "client_secret": "KYIVSTAR_SECRET",
            "base_url": server.url,
            "requests_per_second": 1000,
            "retry_budget_seconds": 5,
        }
    )
    return make_source("kyivstar", block, Path())


def told(**items) -> Reply:
    return Reply.of({"reqId": "r", "data": items})


def pages_of(source, context_at, *ids):
    outbox = pl.DataFrame(
        [{"message_id": name, "submitted_at": SENT} for name in ids], schema=OUTBOX.schema
    )
    (plan,) = source.plan([DAY], context_at(SENT, outbox))
    return list(plan.pages)


def test_the_date_of_a_final_status_is_when_it_was_done(server, source, context_at, land):
    date_told = "2026-03-05T09:00:07.000Z"
    server.script = [
        TOKEN,
        told(
            a={"msgId": "a", "status": "delivered", "date": date_told},
            b={"msgId": "b", "status": "accepted", "date": date_told},
        ),
    ]
    observed = source.read(land(pages_of(source, context_at, "a", "b"))).collect()
    seven = datetime(2026, 3, 5, 9, 0, 7, tzinfo=UTC)
    assert observed["done_at"].to_list() == [seven, None]
    assert observed["updated_at"].to_list() == [seven, seven]
    assert observed["done_at_origin"].to_list() == ["provider_update", "none"]


def test_what_failed_or_is_not_known_is_unknown_and_never_failed(server, source, context_at, land):
    server.script = [TOKEN, told(a={"msgId": "a", "errorCode": 1040, "errorMsg": "no"})]
    pages = pages_of(source, context_at, "a", "b")
    observed = source.read(land(pages))
    assert pages[0].records == 2
    known = observed.with_columns(submitted_at=pl.lit(SENT), seen_at=pl.lit(SENT))
    rows = classify(
        known, load_dictionary("kyivstar"), now_column="seen_at", silence_hours=72.0
    ).collect()
    classes = dict(zip(rows["message_id"], rows["status_class"], strict=True))
    assert classes == {"a": "unknown", "b": "pending"}
    assert rows["status_known"].all()
    assert rows["code_known"].all()


def test_a_token_that_is_refused_is_had_anew(server, source, context_at, naps):
    second = Reply.of({"access_token": "second", "expires_in": 28800})
    refused = Reply.of({"errorCode": 40101}, status=401)
    server.script = [TOKEN, refused, second, told(a={"msgId": "a", "status": "accepted"})]
    pages_of(source, context_at, "a")
    sent = [asked.headers["Authorization"] for asked in server.asked]
    assert sent[1] == "Bearer first"
    assert sent[3] == "Bearer second"
    assert server.asked[0].target == "/idp/oauth2/token"


def test_an_error_inside_http_200_is_an_error(server, source, context_at):
    server.script = [TOKEN, Reply.of({"reqId": "r", "errorCode": 1001003, "errorMsg": SECRET})]
    with pytest.raises(PermanentSourceError, match="errorCode 1001003") as caught:
        pages_of(source, context_at, "a")
    assert SECRET not in str(caught.value)
