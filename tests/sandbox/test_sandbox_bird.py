"""The official Bird SDK reads the sandbox and finds what the truth says."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import pytest
from bird import APIStatusError, Bird

from sms_etl.sandbox import settled

CLASS_OF = {
    "accepted": "pending", "sent": "pending", "delivered": "delivered", "undelivered": "failed",
    "failed": "failed", "expired": "failed", "rejected": "rejected", "canceled": "rejected",
}  # fmt: skip
SILENCE = timedelta(hours=72)


@pytest.fixture
def client(sandbox):
    key = sandbox.accounts.secret_of("bird")
    with Bird(api_key=key, base_url=f"{sandbox.base_url}/bird", max_retries=0) as connected:
        yield connected


def at(text):
    return text and datetime.fromisoformat(text)


def class_of(message, now):
    silent = message.status == "sent" and at(message.created_at) < now - SILENCE
    return "unknown" if silent else CLASS_OF[message.status]


@pytest.mark.parametrize("settle", [False, True], ids=["in the middle", "settled"])
def test_sdk_pages_through_everything_and_agrees_with_the_truth(sandbox, client, settle):
    if settle:
        sandbox.set_clock(settled(sandbox.world))
    now, truth = sandbox.clock.now(), sandbox.truth("bird")

    listed = list(client.sms.list(limit=100))

    assert len(listed) == truth.height
    assert {message.id for message in listed} == set(truth["message_id"])
    known = truth.filter(truth["outcome"].ne_missing("final_unknown"))
    said = {message.id: message for message in listed}
    classes = Counter(class_of(said[name], now) for name in known["message_id"])
    assert classes == dict(known.group_by("class").len().rows())
    assert len(sandbox.requests_log) == -(-len(listed) // 100)


def test_every_field_agrees_with_the_truth(sandbox, client):
    sandbox.set_clock(settled(sandbox.world))
    said = {message.id: message for message in client.sms.list(limit=100)}
    for row in sandbox.truth("bird").iter_rows(named=True):
        message = said[row["message_id"]]
        assert at(message.created_at) == row["submitted_at"]
        assert at(message.sent_at) == row["sent_at"]
        assert message.segments.count == row["parts"]
        assert {tag.name: tag.value for tag in message.tags}["campaign"] == row["campaign"]
        assert (message.to == row["recipient"]) == (row["recipient"] is not None)
        price = row["price_micro"]
        assert (message.cost and message.cost.amount) == (price and f"{price / 1e6:.5f}")
        if row["class"] == "delivered":
            assert at(message.delivered_at) == row["done_at"]
            assert message.last_error is None
        elif message.last_error:
            assert at(message.last_error.occurred_at) == row["done_at"]


def test_a_window_is_half_open_and_a_cursor_outlives_new_messages(sandbox, client):
    created = [at(message.created_at) for message in client.sms.list(limit=100)]
    assert created == sorted(created, reverse=True)
    first, last = created[150], created[50]
    window = {"created_after": first.isoformat(), "created_before": last.isoformat()}
    found = client.sms.list(limit=7, **window)
    sandbox.set_clock(sandbox.clock.now() + timedelta(days=1))
    read = [at(message.created_at) for message in found]
    assert read == [moment for moment in created if first <= moment < last]


def test_texts_of_one_time_codes_are_not_told(client):
    texts = {message.text == "**REDACTED**": message.category for message in client.sms.list()}
    assert texts[True] == "authentication"
    assert texts[False] != "authentication"


def test_errors_are_told_as_bird_does(sandbox, client):
    with pytest.raises(APIStatusError) as refused:
        client.sms.list(limit=101)
    assert (refused.value.status_code, refused.value.type) == (422, "validation_error")
    sandbox.set_faults(token_expired=True)
    with pytest.raises(APIStatusError) as refused:
        client.sms.list()
    assert (refused.value.status_code, refused.value.type) == (401, "auth_error")
