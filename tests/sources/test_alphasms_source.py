"""AlphaSMS against a scripted server: what its documents show, and what they leave open."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from sms_etl.dictionaries import load_dictionary
from sms_etl.dictionaries.classify import classify
from sms_etl.errors import PermanentSourceError, TransientSourceError
from sms_etl.model.schemas import OUTBOX
from sms_etl.sources.registry import SOURCE_KINDS, make_source
from tests.sources.scripted_server import Reply

SECRET = "alpha-secret-7c1d"
DAY = date(2026, 3, 5)
SENT = datetime(2026, 3, 5, 9, tzinfo=UTC)


@pytest.fixture
def source(server, monkeypatch):
    monkeypatch.setenv("ALPHA_KEY", SECRET)
    block = SOURCE_KINDS["alphasms"].model_validate(
        {
            "kind": "alphasms",
            "key": "ALPHA_KEY",
            "base_url": server.url,
            "requests_per_second": 1000,
            "retry_budget_seconds": 5,
        }
    )
    return make_source("alpha", block, Path())


def item(identifier, status, kind="sms"):
    return {"success": True, "data": {"id": identifier, "type": kind, "status": status}}


def told(*items) -> Reply:
    return Reply.of({"success": True, "data": list(items)})


def pages_of(source, context_at, *ids):
    outbox = pl.DataFrame(
        [{"message_id": name, "submitted_at": SENT} for name in ids], schema=OUTBOX.schema
    )
    (plan,) = source.plan([DAY], context_at(SENT, outbox))
    return list(plan.pages)


def test_the_documented_answer_is_read(server, source, context_at, land):
    server.script = [told(item(10500, "READ", "viber"), item(10501, "ROUTING"))]
    pages = pages_of(source, context_at, "10500", "10501")
    observed = source.read(land(pages)).collect()
    assert observed["message_id"].to_list() == ["10500", "10501"]
    assert observed["channel"].to_list() == ["viber", "sms"]
    assert observed["done_at"].to_list() == [pages[0].received_at, None]
    assert json.loads(server.asked[0].body) == {
        "auth": SECRET,
        "data": [{"type": "status", "id": 10500}, {"type": "status", "id": 10501}],
    }


def test_the_key_in_the_body_is_not_in_the_page(server, source, context_at):
    server.script = [told(item(1, "QUEUED"))]
    (page,) = pages_of(source, context_at, "1")
    assert SECRET not in f"{page}"
    assert "Authorization" not in server.asked[0].headers


def test_the_error_of_one_message_is_its_code(server, source, context_at, land):
    refused = {"success": False, "error": "Error in Alpha-name", "data": {"id": 2}}
    server.script = [told(item(1, "DELIVERED"), refused)]
    observed = source.read(land(pages_of(source, context_at, "1", "2"))).collect()
    assert observed["code"].to_list() == [None, "Error in Alpha-name"]
    seen = observed.with_columns(submitted_at=pl.lit(SENT), seen_at=pl.lit(SENT)).lazy()
    classed = classify(
        seen, load_dictionary("alphasms_json"), now_column="seen_at", silence_hours=72.0
    )
    by_id = dict(classed.select("message_id", "reason").collect().iter_rows())
    assert by_id == {"1": None, "2": "unregistered_sender"}


def test_an_answer_that_leaves_identifiers_out_is_an_error(server, source, context_at):
    server.script = [told(item(1, "DELIVERED"))]
    with pytest.raises(PermanentSourceError, match=r"1 of 2 identifiers.*batch_size"):
        pages_of(source, context_at, "1", "2")


def test_a_refused_key_is_not_asked_again_and_another_refusal_is(server, source, context_at, naps):
    server.script = [Reply.of({"success": False, "error": "Access denied"})]
    with pytest.raises(PermanentSourceError, match="ALPHA_KEY"):
        pages_of(source, context_at, "1")
    assert naps == []
    server.script = [Reply.of({"success": False, "error": f"busy {SECRET}"})] * 100
    with pytest.raises(TransientSourceError, match="busy") as caught:
        pages_of(source, context_at, "1")
    assert naps
    assert SECRET not in str(caught.value)
