"""Bird against a scripted server: tags, errors on the way, one-time codes, carriers."""

from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from sms_etl.sources.registry import SOURCE_KINDS, make_source
from tests.sources.scripted_server import Reply

DAY = date(2026, 5, 21)
ERROR = {
    "code": "content_rejected",
    "description": "Carrier filtered as spam",
    "carrier_error_code": "104",
    "occurred_at": "2026-05-21T12:00:03Z",
    "permanent": None,
}
MESSAGE = {
    "id": "sms_01krdgeqcxet5s7t44vh8rt9mg",
    "direction": "outbound",
    "status": "delivered",
    "to": "+380671234567",
    "from": "Shop",
    "text": "Знижка до п'ятниці",
    "category": "marketing",
    "messaging_profile_id": "mpr_01krdgeqcxet5s7t44vh8rt9mg",
    "segments": {"count": 2, "encoding": "UCS2", "characters": 80},
    "cost": {"amount": "0.00990", "currency_code": "EUR", "passthrough_amount": None},
    "tags": [{"name": "team", "value": "crm"}, {"name": "campaign", "value": "autumn"}],
    "metadata": {"campaign": "other"},
    "carrier": "Kyivstar",
    "mcc_mnc": "25503",
    "last_error": None,
    "created_at": "2026-05-21T12:00:00Z",
    "sent_at": "2026-05-21T12:00:01Z",
    "delivered_at": "2026-05-21T12:00:04.250Z",
}


@pytest.fixture
def read(monkeypatch, server, long_after, land):
    """What is read of one page of messages."""

    def run(*messages, **settings) -> list[dict]:
        monkeypatch.setenv("BIRD_KEY", "bk_eu1_key")
        block = {"kind": "bird", "api_key": "BIRD_KEY", "base_url": server.url, **settings}
        source = make_source("bird", SOURCE_KINDS["bird"].model_validate(block), Path())
        server.script = [Reply.of({"data": list(messages), "next_cursor": None})]
        (plan,) = source.plan([DAY], long_after)
        return source.read(land(list(plan.pages))).collect().to_dicts()

    return run


def test_the_outbound_messages_of_a_day_are_asked_for(server, read):
    read(MESSAGE)
    (asked,) = server.asked
    query = {name: value for name, (value,) in parse_qs(urlsplit(asked.target).query).items()}
    assert query == {
        "direction": "outbound",
        "created_after": "2026-05-20T20:59:59Z",
        "created_before": "2026-05-21T21:00:00Z",
        "limit": "100",
    }
    assert asked.headers["Authorization"] == "Bearer bk_eu1_key"


def test_a_message_is_read_whole(read):
    (row,) = read(MESSAGE)
    assert (row["recipient"], row["sender"], row["text"]) == (
        MESSAGE["to"],
        "Shop",
        MESSAGE["text"],
    )
    assert row["service"] == MESSAGE["messaging_profile_id"]
    assert (row["operator"], row["mcc_mnc"]) == ("Kyivstar", "25503")
    assert (row["parts_billed"], row["cost_micro"], row["currency"]) == (2, 9_900, "EUR")
    assert row["done_at"] == datetime(2026, 5, 21, 12, 0, 4, 250_000, UTC)
    assert row["code"] is None


def test_the_campaign_is_the_tag_named_in_the_settings(read):
    many = [{"name": f"tag-{number}", "value": "x"} for number in range(19)]
    last = MESSAGE | {"tags": [*many, {"name": "utm", "value": "spring"}]}
    assert [row["campaign"] for row in read(MESSAGE, MESSAGE | {"tags": None})] == ["autumn", None]
    assert [row["campaign"] for row in read(MESSAGE, last, campaign_tag="utm")] == [None, "spring"]


@pytest.mark.parametrize(
    ("status", "delivered_at", "code", "ended"),
    [
        ("undelivered", None, "content_rejected", 3),
        ("sent", None, None, None),
        ("delivered", "2026-05-21T12:00:09Z", None, 9),
    ],
    ids=["final", "on its way", "delivered after all"],
)
def test_an_error_counts_once_the_status_is_final(read, status, delivered_at, code, ended):
    changed = {"status": status, "delivered_at": delivered_at, "last_error": ERROR}
    (row,) = read(MESSAGE | changed)
    assert row["code"] == code
    assert (row["done_at"] and row["done_at"].second) == ended


def test_a_hidden_text_is_no_text(read):
    (row,) = read(MESSAGE | {"category": "authentication", "text": "**REDACTED**"})
    assert row["text"] is None
