"""SMS Club against a scripted server: a table of words, poll times, left out identifiers."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from sms_etl.dictionaries import classify, load_dictionary
from sms_etl.errors import PermanentSourceError, TransientSourceError
from sms_etl.messages.fold import latest_observation
from sms_etl.model.schemas import OUTBOX
from sms_etl.sources import http
from sms_etl.sources.registry import SOURCE_KINDS, make_source
from tests.sources.scripted_server import Reply

SECRET = "club-secret-7c1d"
DAY = date(2026, 3, 5)
SENT = datetime(2026, 3, 5, 9, tzinfo=UTC)


@pytest.fixture
def source(server, monkeypatch):
    monkeypatch.setenv("CLUB_TOKEN", SECRET)
    block = SOURCE_KINDS["smsclub"].model_validate(
        {
            "kind": "smsclub",
            "token": "CLUB_TOKEN",
            "base_url": server.url,
            "requests_per_second": 1000,
            "retry_budget_seconds": 5,
        }
    )
    return make_source("club", block, Path())


def told(info) -> Reply:
    return Reply.of({"success_request": {"info": info}})


def pages_of(source, context_at, *ids):
    outbox = pl.DataFrame(
        [{"message_id": name, "submitted_at": SENT} for name in ids], schema=OUTBOX.schema
    )
    (plan,) = source.plan([DAY], context_at(SENT, outbox))
    return list(plan.pages)


def test_the_poll_stands_for_the_moment_a_status_became_final(server, source, context_at, land):
    server.script = [told({"106": "DELIVRD", "107": "ENROUTE", "108": "EXPIRED"})]
    pages = pages_of(source, context_at, "106", "107", "108")
    observed = source.read(land(pages)).collect().sort("message_id")
    asked_at = pages[0].received_at
    assert observed["done_at"].to_list() == [asked_at, None, asked_at]
    assert observed["done_at_origin"].to_list() == ["poll", "none", "poll"]


def test_of_several_polls_the_first_that_saw_the_final_status_counts(
    server, source, context_at, land, monkeypatch
):
    polls = [(1, "ENROUTE"), (5, "DELIVRD"), (29, "DELIVRD")]
    observed = []
    for hours, word in polls:
        monkeypatch.setattr(http, "now", lambda hours=hours: SENT + timedelta(hours=hours))
        server.script = [told({"106": word})]
        pages = land(pages_of(source, context_at, "106"), f"pull-{hours}")
        observed.append(source.read(pages))
    known = pl.concat(observed).with_columns(day=pl.lit(DAY), submitted_at=pl.lit(SENT))
    classified = classify(
        known, load_dictionary("smsclub"), now_column="pulled_at", silence_hours=72.0
    ).collect()
    (message,) = latest_observation(classified).iter_rows(named=True)
    assert message["done_at"] == SENT + timedelta(hours=5)
    assert (message["observations"], message["done_at_origin"]) == (3, "poll")


@pytest.mark.parametrize("info", [{}, []], ids=["empty table", "PHP's empty list"])
def test_identifiers_that_are_left_out_are_rows_without_a_status(
    server, source, context_at, land, info
):
    server.script = [told(info)]
    pages = pages_of(source, context_at, "106", "107")
    observed = source.read(land(pages)).collect()
    assert observed["message_id"].to_list() == ["106", "107"]
    assert observed["status"].to_list() == [None, None]
    assert pages[0].records == 2


def test_an_error_inside_http_200_is_an_error(server, source, context_at, naps):
    server.script = [Reply.of({"name": "Unauthorized", "message": SECRET, "status": 401})]
    with pytest.raises(PermanentSourceError, match="CLUB_TOKEN") as caught:
        pages_of(source, context_at, "106")
    assert SECRET not in str(caught.value)
    server.script = [Reply.of({"message": "Too many", "status": 429})] * 100
    with pytest.raises(TransientSourceError, match="status 429"):
        pages_of(source, context_at, "106")
