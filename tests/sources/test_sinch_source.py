"""Sinch against a scripted server: batches of many, groups, plus signs, templates, MMS."""

from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from sms_etl.sources.registry import SOURCE_KINDS, make_source
from tests.sources.scripted_server import Reply

DAY = date(2023, 11, 3)
SOON_AFTER = datetime(2023, 11, 5, tzinfo=UTC)
SECOND = "01HEAC0AG69SVYYQ675VPYT28Q"
GROUP = "01FC66621VHDBN119Z8PMV1QPU"
BATCH = {
    "id": "01HEAWCHESCXG8SDG5R10VF8E1",
    "to": ["380671234567", "+380501234567"],
    "from": "Shop",
    "canceled": False,
    "body": "Знижка до п'ятниці",
    "type": "mt_text",
    "created_at": "2023-11-03T15:21:21.113Z",
    "delivery_report": "none",
    "client_reference": "autumn",
}
REPORT = {
    "type": "recipient_delivery_report_sms",
    "batch_id": BATCH["id"],
    "recipient": "+380671234567",
    "code": 0,
    "status": "Delivered",
    "at": "2023-11-03T15:21:25.930Z",
    "operator": "25503",
    "number_of_message_parts": 1,
    "operator_status_at": "2023-11-03T15:21:00Z",
}


@pytest.fixture
def make(monkeypatch, server):
    monkeypatch.setenv("SINCH_TOKEN", "sinch-token")
    block = {
        "kind": "sinch",
        "service_plan_id": "plan",
        "api_token": "SINCH_TOKEN",
        "base_url": server.url,
        "requests_per_second": 1000,
    }
    return make_source("sinch", SOURCE_KINDS["sinch"].model_validate(block), Path())


@pytest.fixture
def read(make, server, context_at, land):
    """What is read of one page of batches and one of reports."""

    def run(batches: list, reports: list) -> list[dict]:
        server.script = [
            Reply.of({"count": len(rows), "page": page, "page_size": len(rows), listing: rows})
            for listing, asked in (("batches", batches), ("delivery_reports", reports))
            for page, rows in enumerate((asked, []))
        ]
        (plan,) = make.plan([DAY], context_at(SOON_AFTER))
        pages = list(plan.pages)
        rows = make.read(land(pages)).collect()
        assert sum(page.records for page in pages) == rows.height
        return rows.sort("page", "record").to_dicts()

    return run


def test_both_lists_are_asked_from_page_nought_to_the_first_empty_page(make, server, read):
    read([BATCH], [REPORT])
    asked = [urlsplit(request.target) for request in server.asked]
    assert [url.path.rpartition("/")[2] for url in asked] == ["batches"] * 2 + [
        "delivery_reports"
    ] * 2
    queries = [{name: value for name, (value,) in parse_qs(url.query).items()} for url in asked]
    assert [query["page"] for query in queries] == ["0", "1", "0", "1"]
    assert queries[0]["start_date"] == queries[2]["start_date"] == "2023-11-02T22:00:00.000Z"
    assert queries[0]["end_date"] == "2023-11-03T22:00:00.000Z"
    assert queries[2]["end_date"] == "2023-11-08T22:00:00.000Z"


def test_every_recipient_of_a_batch_is_a_message_and_its_report_says_the_same(read):
    first, second, report = read([BATCH], [REPORT])
    place = {"pull", "page", "record", "pulled_at"}
    assert {name: first[name] for name in set(first) - place} == {
        name: report[name] for name in set(report) - place
    }
    assert report["message_id"] == f"{BATCH['id']}:380671234567"
    assert (report["recipient"], report["sender"]) == ("+380671234567", "Shop")
    assert (report["status"], report["code"], report["mcc_mnc"]) == ("Delivered", "0", "25503")
    assert report["done_at"] == datetime(2023, 11, 3, 15, 21, 25, 930_000, UTC)
    assert report["text"] == BATCH["body"]
    assert (second["message_id"], second["status"]) == (f"{BATCH['id']}:380501234567", None)


def test_a_group_is_no_message_but_the_reports_of_its_members_are(read):
    (member,) = read([BATCH | {"to": [GROUP]}], [REPORT])
    assert member["message_id"] == f"{BATCH['id']}:380671234567"
    assert member["created_at"] == datetime(2023, 11, 3, 15, 21, 21, 113_000, UTC)


def test_reports_about_other_days_batches_count_with_their_own_days(read):
    rows = read([BATCH], [REPORT | {"batch_id": SECOND}])
    assert [row["status"] for row in rows] == [None, None]


def test_a_scheduled_batch_that_is_cancelled_has_no_reports(read):
    assert {row["status"] for row in read([BATCH | {"canceled": True}], [])} == {"Cancelled"}


def test_a_template_is_not_taken_for_the_text(read):
    rows = read([BATCH | {"body": "Код ${code}", "parameters": {"code": {"default": "1"}}}], [])
    assert {row["text"] for row in rows} == {None}


def test_a_binary_body_is_not_taken_for_the_text(read):
    assert {row["text"] for row in read([BATCH | {"type": "mt_binary", "udh": "0605"}], [])} == {
        None
    }


def test_an_mms_is_set_aside_with_its_report_and_harms_no_other(read):
    mms = BATCH | {"id": SECOND, "type": "mt_media", "body": {"url": "https://example.com/a.jpg"}}
    rows = read([BATCH, mms], [REPORT | {"batch_id": SECOND}])
    broken = [row["message_id"] for row in rows if row["malformed"]]
    assert broken == [f"{SECOND}:380671234567", f"{SECOND}:380501234567", f"{SECOND}:380671234567"]
    assert [row["malformed"] for row in rows[:2]] == [None, None]


def test_records_that_are_no_objects_are_counted(read):
    rows = read([BATCH, "odd"], [REPORT, 7])
    assert sum(row["malformed"] is not None for row in rows) == 2


def test_a_day_that_is_forgotten_is_not_an_empty_day(make, context_at, caplog):
    assert list(make.plan([DAY], context_at(datetime(2023, 12, 1, tzinfo=UTC)))) == []
    assert "lost to this source" in caplog.text
