"""TurboSMS: HTTP 200 for everything, three levels to read, Kyiv times without a zone."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest
import requests

from sms_etl.sandbox import settled, truth_at

CLASS_OF = {
    "Queued": "pending", "Accepted": "pending", "Sent": "pending", "Delivered": "delivered",
    "Read": "delivered", "Expired": "failed", "Undelivered": "failed", "Rejected": "rejected",
    "Unknown": "unknown",
}  # fmt: skip


@pytest.fixture
def ask(sandbox):
    def post(ids, headers=None, params=None, **body):
        if headers is None and params is None:
            headers = {"Authorization": f"Bearer {sandbox.accounts.turbosms_auth}"}
        answer = requests.post(
            f"{sandbox.base_url}/message/status.json",
            json={"messages": ids} | body, headers=headers, params=params, timeout=5,
        )  # fmt: skip
        assert answer.status_code == 200
        return answer.json()

    return post


def turbosms_truth(sandbox):
    return truth_at(sandbox.world, sandbox.clock.now()).filter(pl.col("way") == "turbosms")


@pytest.mark.parametrize("settle", [False, True])
def test_every_status_is_what_the_truth_says(sandbox, ask, settle):
    if settle:
        sandbox.set_clock(settled(sandbox.world))
    now, truth = sandbox.clock.now(), turbosms_truth(sandbox)
    answer = ask(truth["message_id"].to_list())
    assert (answer["response_code"], answer["response_status"]) == (0, "OK")
    records = {record["message_id"]: record for record in answer["response_result"]}
    assert len(records) == truth.height
    for row in truth.iter_rows(named=True):
        record = records[row["message_id"]]
        assert record["status"] == row["word"]
        old = row["submitted_at"] < now - timedelta(hours=72)
        by_word = CLASS_OF[record["status"]]
        assert row["class"] == ("unknown" if by_word == "pending" and old else by_word)
        assert record["response_code"] == (
            {"opted_out": 404, "invalid_number": 305}.get(row["outcome"], 0)
        )
        if row["recipient"]:
            assert record["recipient"] == row["recipient"][1:]
        updated = row["updated_at"].astimezone(ZoneInfo("Europe/Kyiv"))
        assert record["updated"] == updated.strftime("%Y-%m-%d %H:%M:%S")


def test_viber_messages_are_read_after_delivery(sandbox, ask):
    row = sandbox.world.messages.filter(pl.col("read_at").is_not_null()).row(0, named=True)
    for moment, word in ((row["done_at"], "Delivered"), (row["read_at"], "Read")):
        sandbox.set_clock(moment)
        record = ask([row["message_id"]])["response_result"][0]
        assert (record["type"], record["status"]) == ("viber", word)


def test_foreign_ids_are_refused_one_by_one(sandbox, ask):
    known = turbosms_truth(sandbox)["message_id"][0]
    unknown = "11111111-2222-3333-4444-555555555555"
    result = ask([unknown, known])["response_result"]
    assert result[0] == {
        "message_id": unknown, "response_code": 414, "response_status": "NOT_ALLOWED_MESSAGE_ID",
    }  # fmt: skip
    assert result[1]["response_status"] == "OK"


def test_a_message_not_yet_sent_is_not_known(sandbox, ask):
    last = sandbox.world.messages.filter(pl.col("way") == "turbosms")["message_id"][-1]
    assert ask([last])["response_result"][0]["response_code"] == 414


def test_token_as_basic_bearer_or_parameter(sandbox, ask):
    token = sandbox.accounts.turbosms_auth
    some = turbosms_truth(sandbox)["message_id"].head(2).to_list()
    for way in (
        {"headers": {"Authorization": f"Basic {token}"}},
        {"headers": {"authorization": f"Bearer {token}"}},
        {"params": {"token": token}},
        {"headers": {}, "token": token},
    ):
        assert ask(some, **way)["response_code"] == 0
    assert ask(some, headers={})["response_code"] == 103
    wrong = ask(some, headers={"Authorization": "Bearer wrong"})
    assert (wrong["response_code"], wrong["response_result"]) == (105, None)


def test_empty_and_broken_requests_still_get_http_200(sandbox, ask):
    assert ask([])["response_code"] == 104
    answer = requests.post(
        f"{sandbox.base_url}/message/status.json", data=b"{oops", timeout=5,
        headers={"Content-Type": "application/json"},
    )  # fmt: skip
    assert (answer.status_code, answer.json()["response_code"]) == (200, 502)


def test_check_calls(sandbox):
    headers = {"Authorization": f"Basic {sandbox.accounts.turbosms_auth}"}

    def call(path):
        return requests.post(f"{sandbox.base_url}{path}", headers=headers, timeout=5).json()

    assert call("/message/ping.json")["response_status"] == "PONG"
    before = call("/user/balance.json")["response_result"]["balance"]
    sandbox.set_clock(settled(sandbox.world))
    spent = before - call("/user/balance.json")["response_result"]["balance"]
    assert spent > 0
