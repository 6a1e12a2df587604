"""eSputnik against a scripted server: one result or several, identifiers, poll times."""

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from sms_etl.errors import PermanentSourceError
from sms_etl.model.schemas import OUTBOX
from sms_etl.sources.registry import SOURCE_KINDS, make_source
from tests.sources.scripted_server import Reply

DAY = date(2026, 3, 5)
SENT = datetime(2026, 3, 5, 9, tzinfo=UTC)


@pytest.fixture
def source(server, monkeypatch):
    monkeypatch.setenv("SPUTNIK_PASSWORD", "sputnik-secret-2e")
    block = SOURCE_KINDS["esputnik"].model_validate(
        {
            "kind": "esputnik",
            "password": "SPUTNIK_PASSWORD",
            "base_url": server.url,
            "requests_per_second": 1000,
            "retry_budget_seconds": 5,
        }
    )
    return make_source("sputnik", block, Path())


@pytest.fixture
def read(server, source, context_at, land):
    """The page of one scripted answer, and what is read of it."""

    def answered(answer, *ids):
        server.script = [Reply.of(answer)]
        outbox = pl.DataFrame(
            [{"message_id": name, "submitted_at": SENT} for name in ids], schema=OUTBOX.schema
        )
        (plan,) = source.plan([DAY], context_at(SENT, outbox))
        (page,) = plan.pages
        return page, source.read(land([page])).collect()

    return answered


def told(name, status) -> dict:
    return {"requestId": name, "id": 7, "status": status, "failed": False, "delivered": False}


@pytest.mark.parametrize("results", [told("r-1", "PENDING"), [told("r-1", "PENDING")]])
def test_a_single_result_may_stand_without_its_list(read, results):
    page, observed = read({"results": results}, "r-1")
    assert page.records == 1
    assert observed.select("message_id", "status").rows() == [("r-1", "PENDING")]


def test_an_outbox_may_keep_the_number_instead_of_the_request(read):
    _page, observed = read({"results": told("r-1", "DELIVERED")}, "7")
    assert observed["message_id"].to_list() == ["7"]


@pytest.mark.parametrize("answer", [{}, {"results": None}, {"results": []}])
def test_identifiers_that_are_left_out_are_rows_without_a_status(read, answer):
    page, observed = read(answer, "r-1", "r-2")
    assert page.records == 2
    assert observed.select("message_id", "status").rows() == [("r-1", None), ("r-2", None)]


def test_the_poll_stands_for_the_moment_a_status_became_final(read):
    results = [told("r-1", "DELIVERED"), told("r-2", "IN_QUEUE")]
    page, observed = read({"results": results}, "r-1", "r-2")
    assert observed["done_at"].to_list() == [page.received_at, None]
    assert observed["done_at_origin"].to_list() == ["poll", "none"]


def test_a_result_that_is_no_object_is_a_malformed_row_and_costs_no_other(read):
    page, observed = read({"results": ["oops", told("r-1", "DELIVERED")]}, "r-1")
    assert page.records == observed.height == 2
    assert observed["malformed"].null_count() == 1


def test_an_answer_of_another_kind_is_refused(read):
    with pytest.raises(PermanentSourceError, match="base_url"):
        read([], "r-1")
