"""BulkSMS against a scripted server: filters, short pages, subtypes."""

from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from sms_etl.dictionaries import load_dictionary
from sms_etl.dictionaries.classify import classify
from sms_etl.errors import PermanentSourceError
from sms_etl.sources.registry import SOURCE_KINDS, make_source
from tests.sources.scripted_server import Reply

DAY = date(2026, 7, 10)
MESSAGE = {
    "id": "4023457654",
    "type": "SENT",
    "from": "Shop",
    "to": "380671234567",
    "body": "Sale",
    "encoding": "TEXT",
    "numberOfParts": 2,
    "creditCost": 3.0,
    "status": {"id": "DELIVERED.null", "type": "DELIVERED", "subtype": None},
    "submission": {"id": "1-0000", "date": "2026-07-10T11:00:00+03:00"},
    "userSuppliedId": "summer",
}


def failed(subtype: str | None) -> dict:
    status = {"id": f"FAILED.{subtype}", "type": "FAILED", "subtype": subtype}
    return {**MESSAGE, "status": status}


@pytest.fixture
def source(server, monkeypatch):
    monkeypatch.setenv("BULKSMS_SECRET", "bulksms-key")
    block = {
        "kind": "bulksms",
        "token_id": "AAAA-01-B",
        "token_secret": "BULKSMS_SECRET",
        "base_url": server.url,
        "requests_per_second": 1000,
    }
    return make_source("bulksms", SOURCE_KINDS["bulksms"].model_validate(block), Path())


@pytest.fixture
def read(server, source, long_after, land):
    """OBSERVATIONS of one page of records."""

    def run(*records):
        server.script = [Reply.of(list(records)), Reply.of([])]
        (plan,) = source.plan([DAY], long_after)
        return source.read(land(list(plan.pages))).collect()

    return run


def test_a_short_page_is_not_the_last_and_the_next_one_begins_below_it(server, source, long_after):
    server.script = [
        Reply.of([{**MESSAGE, "id": "30"}, {**MESSAGE, "id": "9"}]),
        Reply.of([{**MESSAGE, "id": "8"}]),
        Reply.of([]),
    ]
    (plan,) = source.plan([DAY], long_after)
    assert [page.records for page in plan.pages] == [2, 1, 0]
    asked = [parse_qs(urlsplit(request.target).query) for request in server.asked]
    day = "type=SENT&submission.date>=2026-07-09T21:00:00Z&submission.date<2026-07-10T21:00:00Z"
    assert [query["filter"] for query in asked] == [[day], [f"{day}&id<9"], [f"{day}&id<8"]]
    assert [query["limit"] for query in asked] == [["1000"]] * 3


def test_an_offset_in_a_date_is_kept_and_credits_are_no_money(read):
    (row,) = read(MESSAGE).iter_rows(named=True)
    assert row["created_at"] == datetime(2026, 7, 10, 8, tzinfo=UTC)
    assert (row["recipient"], row["parts_billed"]) == ("+380671234567", 2)
    assert (row["campaign"], row["cost_micro"], row["price_text"]) == ("summer", None, None)


@pytest.mark.parametrize(
    ("subtype", "status_class", "reason"),
    [
        ("EXPIRED", "failed", "expired_ttl"),
        ("HANDSET_ERROR", "failed", "unreachable_handset"),
        ("BLOCKED", "rejected", "opted_out"),
        ("NOT_SENT", "rejected", "no_route"),
        (None, "failed", "not_stated"),
        ("", "failed", "not_stated"),
    ],
)
def test_the_subtype_of_a_failure_tells_class_and_reason(read, subtype, status_class, reason):
    classed = classify(
        read(failed(subtype)).lazy().with_columns(submitted_at="created_at", now="created_at"),
        load_dictionary("bulksms"),
        now_column="now",
        silence_hours=72,
    ).collect()
    found = classed.row(0, named=True)
    assert (found["status_class"], found["reason"]) == (status_class, reason)
    assert found["status_known"]
    assert found["code_known"]


def test_a_message_received_is_set_apart(read):
    assert read(MESSAGE, {**MESSAGE, "type": "RECEIVED"})["inbound"].to_list() == [False, True]


def test_a_refusal_is_told_in_bulksms_words(server, source, long_after):
    problem = {"type": "x#bad-request", "title": "Bad Request", "status": 400, "detail": "no date"}
    server.script = [Reply.of(problem, status=400)]
    (plan,) = source.plan([DAY], long_after)
    with pytest.raises(PermanentSourceError, match=r"Bad Request no date"):
        list(plan.pages)
