"""ClickSend against a scripted server: what the status code decides, older shapes of a record."""

from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from sms_etl.dictionaries import load_dictionary
from sms_etl.dictionaries.classify import classify
from sms_etl.sources.registry import SOURCE_KINDS, make_source
from tests.sources.scripted_server import Reply

DAY = date(2026, 7, 10)
RECORD = {
    "direction": "out",
    "date": 1783670400,
    "to": "+380671234567",
    "from": "Shop",
    "body": "Sale",
    "status": "Sent",
    "status_code": "201",
    "error_code": None,
    "message_id": "4E90F4C3-43A3-489D-9AB8-DA1F4332A0C3",
    "message_parts": 2,
    "message_price": "0.070000",
    "custom_string": "summer",
    "carrier": "Kyivstar",
}


@pytest.fixture
def source(server, monkeypatch):
    monkeypatch.setenv("CLICKSEND_KEY", "clicksend-key")
    block = {
        "kind": "clicksend",
        "username": "shop",
        "api_key": "CLICKSEND_KEY",
        "currency": "AUD",
        "base_url": server.url,
        "requests_per_second": 1000,
    }
    return make_source("clicksend", SOURCE_KINDS["clicksend"].model_validate(block), Path())


@pytest.fixture
def read(server, source, long_after, land):
    """OBSERVATIONS of one page of records."""

    def run(*records):
        page = {"current_page": 1, "last_page": 1, "data": list(records)}
        server.script = [Reply.of({"http_code": 200, "data": page})]
        (plan,) = source.plan([DAY], long_after)
        return source.read(land(list(plan.pages))).collect()

    return run


def test_a_day_is_asked_for_in_unix_seconds_oldest_first(server, read):
    read(RECORD)
    asked = parse_qs(urlsplit(server.asked[0].target).query)
    assert asked == {
        "date_from": ["1783630800"],
        "date_to": ["1783717200"],
        "order_by": ["date:asc"],
        "limit": ["100"],
        "page": ["1"],
    }


@pytest.mark.parametrize(
    ("word", "code", "status", "status_class", "final"),
    [
        ("Sent", "200", "Sent/200", "pending", False),
        ("Sent", "201", "Sent/201", "delivered", True),
        ("Sent", 201, "Sent/201", "delivered", True),
        ("Sent", None, "Sent", "pending", False),
        ("Completed", None, "Completed", "pending", False),
        ("Failed", "300", "Failed/300", "pending", False),
        ("Failed", "301", "Failed/301", "failed", True),
        ("Failed", "", "Failed", "failed", True),
        ("Cancelled", "301", "Cancelled", "rejected", True),
        ("CancelledAfterReview", None, "CancelledAfterReview", "rejected", True),
    ],
)
def test_the_status_code_decides_where_the_word_does_not(
    read, word, code, status, status_class, final
):
    observed = read({**RECORD, "status": word, "status_code": code})
    assert observed["status"].to_list() == [status]
    classed = classify(
        observed.lazy().rename({"created_at": "submitted_at"}).with_columns(now="submitted_at"),
        load_dictionary("clicksend"),
        now_column="now",
        silence_hours=72,
    ).collect()
    found = classed.row(0, named=True)
    assert (found["status_class"], found["final"]) == (status_class, final)
    assert found["status_known"]


def test_a_code_that_goes_with_no_known_pair_is_not_taken_for_another(read):
    (status,) = read({**RECORD, "status_code": "299"})["status"]
    assert status == "Sent/299"
    known = load_dictionary("clicksend").statuses["key"]
    assert status.lower() not in known.to_list()


def test_the_texts_of_older_answers_are_read_like_numbers(read):
    old = {**RECORD, "date": "1783670400", "message_parts": "2.00", "carrier": ""}
    new, older = read(RECORD, old).iter_rows(named=True)
    assert new["created_at"] == older["created_at"] == datetime(2026, 7, 10, 8, tzinfo=UTC)
    assert new["parts_billed"] == older["parts_billed"] == 2
    assert (new["operator"], older["operator"]) == ("Kyivstar", None)
    assert (new["cost_micro"], new["currency"], new["campaign"]) == (70_000, "AUD", "summer")


def test_inbound_messages_are_set_apart(read):
    incoming = {**RECORD, "direction": "in", "status": "Received", "status_code": None}
    assert read(RECORD, incoming)["inbound"].to_list() == [False, True]
