"""Omnicell against a scripted server: delivery dates, refusals in words, errors in HTTP 200."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from sms_etl.dictionaries import classify, load_dictionary
from sms_etl.errors import PermanentSourceError
from sms_etl.model.schemas import OUTBOX
from sms_etl.sources.registry import SOURCE_KINDS, make_source
from tests.sources.scripted_server import Reply

DAY = date(2026, 3, 5)
SENT = datetime(2026, 3, 5, 9, tzinfo=UTC)


@pytest.fixture
def source(server, monkeypatch):
    monkeypatch.setenv("OMNICELL_PASSWORD", "omnicell-secret")
    block = SOURCE_KINDS["omnicell"].model_validate(
        {
            "kind": "omnicell",
            "login": "shop",
            "password": "OMNICELL_PASSWORD",
            "base_url": server.url,
            "requests_per_second": 1000,
        }
    )
    return make_source("omnicell", block, Path())


def pages_of(source, context_at, *ids):
    outbox = pl.DataFrame(
        [{"message_id": name, "submitted_at": SENT} for name in ids], schema=OUTBOX.schema
    )
    (plan,) = source.plan([DAY], context_at(SENT, outbox))
    return list(plan.pages)


@pytest.mark.parametrize(
    "written",
    [
        "Thu, 05 Mar 2026 11:00:07 +0200",
        "2026-03-05T11:00:07+02:00",
        "2026-03-05 11:00:07",
    ],
)
def test_a_delivery_date_is_read_in_either_form(server, source, context_at, land, written):
    server.script = [Reply.of({"id": 7, "state": {"value": "Delivered"}, "deliveryDate": written})]
    (row,) = source.read(land(pages_of(source, context_at, "7"))).collect().iter_rows(named=True)
    assert (row["message_id"], row["status"]) == ("7", "Delivered")
    assert row["done_at"] == datetime(2026, 3, 5, 9, 0, 7, tzinfo=UTC)
    assert row["done_at_origin"] == "provider"
    assert json.loads(server.asked[0].body) == {"extended": True, "id": 7, "value": "state"}


def test_the_words_of_a_refusal_are_its_code(server, source, context_at, land):
    server.script = [
        Reply.of({"id": 7, "state": {"value": "Rejected", "error": "Unknown operator code 45"}}),
        Reply.of({"state": "Enroute"}),
        Reply.of({"error": "no such message"}),
    ]
    observed = source.read(land(pages_of(source, context_at, "7", "8", "9")))
    known = observed.with_columns(submitted_at=pl.lit(SENT), seen_at=pl.lit(SENT))
    rows = classify(
        known, load_dictionary("omnicell"), now_column="seen_at", silence_hours=72.0
    ).collect()
    told = rows.sort("message_id").select("status_class", "reason", "code_known").rows()
    assert told == [
        ("rejected", "no_route", True),
        ("pending", None, True),
        ("pending", None, False),
    ]


def test_an_answer_of_another_shape_is_refused(server, source, context_at):
    server.script = [Reply.of({"status": "ok"})]
    with pytest.raises(PermanentSourceError, match="neither state nor error"):
        pages_of(source, context_at, "7")
