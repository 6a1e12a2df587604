"""The official Plivo SDK reads the sandbox and finds what the truth says."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode, urlsplit

import plivo
import polars as pl
import pytest
from plivo.exceptions import (
    AuthenticationError,
    PlivoServerError,
    ResourceNotFoundError,
    ValidationError,
)

from sms_etl.days import day_window
from sms_etl.sandbox import settled
from sms_etl.sandbox.bench import Bench
from sms_etl.sandbox.case import case_of
from sms_etl.sandbox.plivo_api import AUTH_ID
from sms_etl.sandbox.wire import json_reply

CLASS_OF = {
    "queued": "pending", "sent": "pending", "delivered": "delivered", "read": "delivered",
    "undelivered": "failed", "failed": "rejected",
}  # fmt: skip
PAGE_SIZE = 20
DAY = date(2026, 9, 6)
NO_WORD_FOR_IT = "final_unknown"
"""Plivo's `sent` stands for every message without a receipt, also where none will come."""


@pytest.fixture
def client(sandbox, monkeypatch):
    """The official SDK, with nothing changed but the host."""
    monkeypatch.setattr(
        "plivo.rest.client.PLIVO_API_BASE_URI", f"{sandbox.base_url}/plivo/v1/Account"
    )

    def connect(token=""):
        return plivo.RestClient(AUTH_ID, token or sandbox.accounts.secret_of("plivo"))

    return connect


def asked(moment):
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def listed(client, **filters):
    """Every page by offset, and how many messages the first page promised."""
    first = client.messages.list(limit=PAGE_SIZE, offset=0, **filters)
    found, page = list(first), first
    while page.meta.next:
        offset = page.meta.offset + page.meta.limit
        page = client.messages.list(limit=PAGE_SIZE, offset=offset, **filters)
        found += page
    return found, first.meta.total_count


def class_of(message, now):
    silent = now - timedelta(hours=72)
    if message.message_state == "sent" and at(message.message_time) < silent:
        return "unknown"
    return CLASS_OF[message.message_state]


def at(text):
    return datetime.fromisoformat(text) if text else None


@pytest.mark.parametrize("hours_after", [-8, 1, 96])
def test_sdk_reads_a_whole_day_and_agrees_with_the_truth(sandbox, client, hours_after):
    window = day_window(DAY, sandbox.world.parameters.zone)
    now = window.end + timedelta(hours=hours_after)
    sandbox.set_clock(now)
    inside = pl.col("submitted_at").is_between(window.start, window.end, closed="left")
    truth = sandbox.truth("plivo").filter(inside)
    assert truth.height > PAGE_SIZE

    found, promised = listed(
        client(),
        message_direction="outbound",
        message_time__gte=asked(window.start),
        message_time__lt=asked(window.end),
    )

    assert len(found) == promised == truth.height
    assert len(sandbox.requests_log) == -(-truth.height // PAGE_SIZE)
    messages = {message.message_uuid: message for message in found}
    assert set(messages) == set(truth["message_id"])
    for row in truth.iter_rows(named=True):
        message = messages[row["message_id"]]
        assert at(message.message_time) == row["submitted_at"]
        assert at(message.message_sent_time) == row["sent_at"]
        assert at(message.message_updated_time) == row["updated_at"]
        assert (message.from_number, message.units) == (row["sender"], row["parts"])
        if row["recipient"]:
            assert f"+{message.to_number}" == row["recipient"]
        assert float(message.total_amount) == (row["price_micro"] or 0) / 1e6
        if row["outcome"] != NO_WORD_FOR_IT:
            assert class_of(message, now) == row["class"]
        assert (message.error_code in (None, "000")) == (row["code"] is None or row["code"] == 0)


def test_the_walk_of_the_sdk_itself_brings_the_last_24_hours(sandbox, client):
    now = sandbox.clock.now()
    found = list(client().messages)
    recent = pl.col("submitted_at").is_between(now - timedelta(hours=24), now, closed="right")
    truth = sandbox.truth("plivo").filter(recent)
    assert sorted(message.message_uuid for message in found) == sorted(truth["message_id"])
    assert truth.height > 0


def test_days_older_than_90_come_back_empty(sandbox, client):
    sandbox.set_clock(settled(sandbox.world) + timedelta(days=365))
    window = day_window(DAY, sandbox.world.parameters.zone)
    found, promised = listed(
        client(),
        message_time__gte=asked(window.start),
        message_time__lt=asked(window.end),
    )
    assert (found, promised) == ([], 0)


def test_refusals_are_errors_of_the_sdk(sandbox, client):
    """Asked for one message: `messages.list` of 4.63.0 breaks over every error body (TypeError)."""
    with pytest.raises(AuthenticationError, match="authentication failed"):
        client(token="wrong").messages.get("any")
    with pytest.raises(ResourceNotFoundError, match="not found"):
        client().messages.get("any")
    sandbox.set_faults(server_errors=1)
    with pytest.raises(PlivoServerError, match="server error"):
        client().messages.get("any")
    asked_before = len(sandbox.requests_log)
    with pytest.raises(ValidationError):
        client().messages.list(limit=PAGE_SIZE + 1)
    assert len(sandbox.requests_log) == asked_before


class WithCursors:
    """Serves the list by cursor, as the SDK foresees: `meta.next` has no offset and an offset
    that is asked for counts for nothing."""

    def __init__(self, answer):
        self._answer = answer

    def __call__(self, request):
        query = request.query
        offset = query.pop("cursor", "mark-0").removeprefix("mark-")
        path = urlsplit(request.target).path
        inner = replace(request, target=f"{path}?{urlencode({**query, 'offset': offset})}")
        outcome = self._answer(inner)
        body = json.loads(outcome.reply.body)
        if link := body["meta"]["next"]:
            body["meta"]["next"] = link.replace("offset=", "cursor=mark-")
        return replace(outcome, reply=json_reply(200, body))


def test_the_source_reads_every_message_where_plivo_pages_by_cursor(
    sandbox, client, monkeypatch, tmp_path
):
    monkeypatch.setenv("PLIVO_TOKEN", sandbox.accounts.secret_of("plivo"))
    sandbox.set_clock(settled(sandbox.world))
    bench = Bench(case_of("plivo"), sandbox, tmp_path)
    by_offset = bench.pull([DAY])
    monkeypatch.setattr(sandbox, "answer", WithCursors(sandbox.answer))
    by_cursor = bench.pull([DAY])
    assert by_offset.height > 2 * PAGE_SIZE
    assert sorted(by_cursor["message_id"]) == sorted(by_offset["message_id"])
