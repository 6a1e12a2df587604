"""Faults do what they say, to whom they say, as often as they say."""

from __future__ import annotations

import time

import polars as pl
import pytest
import requests
from twilio.base.exceptions import TwilioException, TwilioRestException


@pytest.fixture
def get(sandbox):
    sid, auth = sandbox.accounts.twilio_sid, sandbox.accounts.twilio_auth

    def call(path="Messages.json"):
        url = f"{sandbox.base_url}/2010-04-01/Accounts/{sid}/{path}"
        return requests.get(url, auth=(sid, auth), timeout=5)

    return call


@pytest.fixture
def admin(sandbox):
    def post(endpoint, body):
        return requests.post(f"{sandbox.base_url}/_sandbox/{endpoint}", json=body, timeout=5)

    return post


def test_rate_limit_for_the_next_three_requests(sandbox, get, twilio_client):
    sandbox.set_faults(rate_limited=3, retry_after=7)
    client = twilio_client()
    with pytest.raises(TwilioException, match="HTTP 429"):
        client.messages.list(limit=1)
    with pytest.raises(TwilioRestException) as refused:
        client.api.v2010.accounts(sandbox.accounts.twilio_sid).fetch()
    assert (refused.value.status, refused.value.code) == (429, 20429)
    answer = get()
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert get().status_code == 200


def test_rate_limit_without_retry_after(sandbox, get):
    sandbox.set_faults(rate_limited=1, retry_after=None)
    answer = get()
    assert answer.status_code == 429
    assert "Retry-After" not in answer.headers


def test_server_errors_then_recovery(sandbox, get):
    sandbox.set_faults(server_errors=1)
    assert [get().status_code, get().status_code] == [500, 200]
    assert [r.status for r in sandbox.requests_log] == [500, 200]


def test_cut_connection_in_mid_body(sandbox, get):
    sandbox.set_faults(cut=1)
    with pytest.raises(
        (requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError)
    ):
        get()
    assert get().status_code == 200
    assert [r.cut for r in sandbox.requests_log] == [True, False]


def test_truncated_json_is_a_complete_http_answer(sandbox, get):
    sandbox.set_faults(truncated=1)
    answer = get()
    assert answer.status_code == 200
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()
    assert get().json()["messages"]


def test_latency(sandbox, get):
    sandbox.set_faults(latency_ms=150)
    started = time.monotonic()
    get()
    assert time.monotonic() - started >= 0.15


def test_the_log_tells_when_a_request_came_and_not_when_it_was_answered(sandbox, get):
    sandbox.set_faults(latency_ms=150)
    began = time.monotonic()
    get()
    answered = time.monotonic()
    (logged,) = sandbox.requests_log
    assert began <= logged.arrived <= answered - 0.15


def test_expired_token_of_both_providers(sandbox, get):
    sandbox.set_faults(token_expired=True)
    assert get().json()["code"] == 20003
    answer = requests.post(
        f"{sandbox.base_url}/user/balance.json", timeout=5,
        headers={"Authorization": f"Bearer {sandbox.accounts.turbosms_auth}"},
    )  # fmt: skip
    assert (answer.status_code, answer.json()["response_code"]) == (200, 301)


def test_a_fault_of_one_provider_leaves_the_other_alone(sandbox, get):
    sandbox.set_faults(server_errors=1, provider="turbosms")
    assert get().status_code == 200
    url = f"{sandbox.base_url}/message/ping.json"
    assert requests.post(url, timeout=5).status_code == 500


def test_unknown_word_and_nonsense_in_single_records(sandbox, get):
    odd, broken = sandbox.world.messages.filter(pl.col("way") == "twilio")["message_id"].head(2)
    sandbox.set_faults(status_words={odd: "teleported"}, nonsense=[broken])
    assert get(f"Messages/{odd}.json").json()["status"] == "teleported"
    record = get(f"Messages/{broken}.json").json()
    assert record["date_created"] == 20261025
    assert isinstance(record["price"], list)


def test_admin_moves_the_clock_and_sets_faults(sandbox, admin, get):
    assert admin("clock", {"now": "2026-10-25T03:30:00+02:00"}).json() == {
        "now": "2026-10-25T01:30:00+00:00"
    }
    assert admin("faults", {"server_errors": 1}).json()["server_errors"] == 1
    assert get().status_code == 500
    assert sandbox.faults.settings().server_errors == 0


@pytest.mark.parametrize(
    ("endpoint", "body"),
    [
        ("clock", {"now": "2026-10-25T03:30:00"}), ("clock", {"now": "soon"}), ("clock", {}),
        ("faults", {"gremlins": 1}), ("faults", {"cut": -1}), ("faults", [1]),
    ],
)  # fmt: skip
def test_admin_refuses_what_it_cannot_do_and_changes_nothing(sandbox, admin, endpoint, body):
    before = sandbox.clock.now(), sandbox.faults.settings()
    answer = admin(endpoint, body)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert (sandbox.clock.now(), sandbox.faults.settings()) == before
