"""MessageBird against a scripted server: many recipients, reasons, and what is counted."""

from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from sms_etl.sources.registry import SOURCE_KINDS, make_source
from tests.sources.scripted_server import Reply

DAY = date(2022, 6, 23)
DELIVERED = {
    "recipient": 380501234567,
    "originator": None,
    "status": "delivered",
    "statusDatetime": "2022-06-23T09:41:31+00:00",
    "recipientCountry": "Ukraine",
    "recipientCountryPrefix": 380,
    "recipientOperator": "life:)",
    "messageLength": 66,
    "statusErrorCode": None,
    "statusReason": "successfully delivered",
    "price": {"amount": 0.075, "currency": "EUR"},
    "mccmnc": "25506",
    "mcc": "255",
    "mnc": "06",
    "messagePartCount": 2,
}
SENT = {
    "recipient": 380671234567,
    "status": "sent",
    "statusDatetime": "2022-06-23T09:41:24+00:00",
    "messagePartCount": 2,
}
MESSAGE = {
    "id": "cea5a8d4a82f4b7bb4a053296d5a9ba1",
    "href": "https://rest.messagebird.com/messages/cea5a8d4a82f4b7bb4a053296d5a9ba1",
    "direction": "mt",
    "type": "sms",
    "originator": "Shop",
    "body": "Знижка до п'ятниці",
    "reference": "autumn",
    "gateway": 10,
    "typeDetails": {},
    "datacoding": "unicode",
    "scheduledDatetime": None,
    "createdDatetime": "2022-06-23T09:41:24+00:00",
    "recipients": {"totalCount": 2, "items": [DELIVERED, SENT]},
}


@pytest.fixture
def make(monkeypatch, server):
    monkeypatch.setenv("MESSAGEBIRD_KEY", "key-1")
    block = {
        "kind": "messagebird",
        "access_key": "MESSAGEBIRD_KEY",
        "base_url": server.url,
        "requests_per_second": 1000,
    }
    return make_source("messagebird", SOURCE_KINDS["messagebird"].model_validate(block), Path())


@pytest.fixture
def read(make, server, long_after, land):
    """What is read of one page of messages."""

    def run(*items) -> list[dict]:
        server.script = [Reply.of({"offset": 0, "totalCount": len(items), "items": list(items)})]
        (plan,) = make.plan([DAY], long_after)
        pages = list(plan.pages)
        rows = make.read(land(pages)).collect()
        assert sum(page.records for page in pages) == rows.height
        return rows.to_dicts()

    return run


def of(**changed) -> dict:
    """The message with one recipient, changed."""
    return MESSAGE | {"recipients": {"items": [DELIVERED | changed]}}


def test_a_day_is_asked_for_with_its_key(server, read):
    read(MESSAGE)
    (asked,) = server.asked
    query = {name: value for name, (value,) in parse_qs(urlsplit(asked.target).query).items()}
    assert query == {
        "direction": "mt",
        "from": "2022-06-22T20:59:59Z",
        "until": "2022-06-23T21:00:00Z",
        "limit": "50",
        "offset": "0",
    }
    assert asked.headers["Authorization"] == "AccessKey key-1"


def test_every_recipient_is_a_message(read):
    delivered, sent = read(MESSAGE)
    assert delivered["message_id"] == f"{MESSAGE['id']}:380501234567"
    assert delivered["recipient"] == "+380501234567"
    assert delivered["done_at"] == datetime(2022, 6, 23, 9, 41, 31, tzinfo=UTC)
    assert (delivered["cost_micro"], delivered["currency"]) == (75_000, "EUR")
    assert (delivered["mcc_mnc"], delivered["operator"]) == ("25506", "life:)")
    assert (sent["message_id"], sent["status"]) == (f"{MESSAGE['id']}:380671234567", "sent")
    assert (sent["done_at"], sent["cost_micro"]) == (None, None)
    for row in (delivered, sent):
        assert (row["sender"], row["campaign"], row["text"]) == ("Shop", "autumn", MESSAGE["body"])
        assert (row["service"], row["parts_billed"], row["inbound"]) == ("10", 2, False)


@pytest.mark.parametrize(
    ("error", "reason", "code"),
    [
        (1, "unknown subscriber", "1"),
        (None, "unknown subscriber", "unknown subscriber"),
        (0, "received_network_error", "received network error"),
        (None, None, None),
    ],
)
def test_the_error_code_is_the_reason_and_else_the_status_reason(read, error, reason, code):
    (row,) = read(of(status="delivery_failed", statusErrorCode=error, statusReason=reason))
    assert row["code"] == code


def test_expired_without_a_receipt_is_not_expired(read):
    (silent,) = read(of(status="expired", statusReason="DLR not received"))
    (expired,) = read(of(status="expired", statusReason="expired"))
    assert silent["status"] == "expired (DLR not received)"
    assert expired["status"] == "expired"


def test_a_binary_body_is_no_text(read):
    assert {row["text"] for row in read(MESSAGE | {"type": "binary"})} == {None}


def test_odd_records_are_counted_as_they_are_read(read):
    rows = read(MESSAGE, "odd", MESSAGE | {"recipients": {"items": [7]}}, {"id": "none"})
    assert [row["malformed"] is None for row in rows] == [True, True, False, False, True]
