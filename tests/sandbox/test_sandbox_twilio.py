"""The official Twilio SDK reads the sandbox and finds what the truth says."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
import requests
from twilio.base.exceptions import TwilioException, TwilioRestException

from sms_etl.sandbox import settled, truth_at

CLASS_OF = {
    "accepted": "pending", "scheduled": "pending", "queued": "pending", "sending": "pending",
    "sent": "pending", "delivered": "delivered", "undelivered": "failed", "failed": "rejected",
    "canceled": "rejected", "partially_delivered": "unknown",
}  # fmt: skip


def outbound(messages):
    return [message for message in messages if message.direction != "inbound"]


def class_of(message, now):
    status = str(message.status)
    if status == "sent" and message.date_created < now - timedelta(hours=72):
        return "unknown"
    return CLASS_OF[status]


def in_the_middle(world):
    return datetime(2026, 9, 16, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize("moment", [in_the_middle, settled])
def test_sdk_pages_through_everything_and_agrees_with_the_truth(sandbox, twilio_client, moment):
    now = moment(sandbox.world)
    sandbox.set_clock(now)
    truth = truth_at(sandbox.world, now).filter(pl.col("way") == "twilio")

    listed = twilio_client().messages.list(page_size=100)

    sent = outbound(listed)
    assert len(listed) - len(sent) == (sandbox.world.inbound["submitted_at"] <= now).sum() > 0
    assert {m.sid: str(m.status) for m in sent} == dict(truth.select("message_id", "word").rows())
    assert len(sent) == truth.height
    assert Counter(class_of(m, now) for m in sent) == dict(truth.group_by("class").len().rows())
    assert {m.sid: m.error_code for m in sent} == dict(truth.select("message_id", "code").rows())
    assert len(sandbox.requests_log) == -(-len(listed) // 100)


def test_every_field_agrees_with_the_truth(sandbox, twilio_client):
    now = settled(sandbox.world)
    sandbox.set_clock(now)
    truth = truth_at(sandbox.world, now).filter(pl.col("way") == "twilio")
    sent = {m.sid: m for m in outbound(twilio_client().messages.list(page_size=1000))}
    for row in truth.iter_rows(named=True):
        message = sent[row["message_id"]]
        assert message.date_created == row["submitted_at"]
        assert message.date_sent == row["sent_at"]
        assert message.date_updated == row["updated_at"]
        assert (message.to == row["recipient"]) == (row["recipient"] is not None)
        assert message.price_unit == row["currency"] == "USD"
        price = row["price_micro"]
        assert message.price == (None if price is None else f"-{price / 1e6:.5f}")
        if row["sent_at"]:
            assert message.num_segments == str(row["parts"])
            assert message.from_ == row["sender"]
    services = {m.messaging_service_sid for m in sent.values()}
    assert None in services
    assert len(services) == 2


def test_list_is_newest_first_and_ends_with_a_null_uri(sandbox, twilio_client):
    page = twilio_client().messages.page(page_size=37)
    created = [m.date_created for m in page]
    assert created == sorted(created, reverse=True)
    assert len(created) == 37
    pages = 1
    while page := page.next_page():
        pages += 1
        created += [m.date_created for m in page]
    assert created == sorted(created, reverse=True)
    assert pages == len(sandbox.requests_log) == -(-len(created) // 37)


def test_messages_that_arrive_while_paging_shift_nothing(sandbox, twilio_client):
    first = twilio_client().messages.page(page_size=200)
    seen = [m.sid for m in first]
    sandbox.set_clock(sandbox.clock.now() + timedelta(days=2))
    page = first
    while page := page.next_page():
        seen += [m.sid for m in page]
    assert len(seen) == len(set(seen))


def test_date_sent_bounds_are_inclusive_to_the_second(sandbox, twilio_client):
    sandbox.set_clock(settled(sandbox.world))
    sent_times = (
        truth_at(sandbox.world, sandbox.clock.now())
        .filter(pl.col("way") == "twilio")["sent_at"].drop_nulls().sort()
    )  # fmt: skip
    first, last = sent_times[100], sent_times[150]
    found = outbound(
        twilio_client().messages.list(date_sent_after=first, date_sent_before=last, page_size=1000)
    )
    assert len(found) == sent_times.is_between(first, last).sum()
    assert min(m.date_sent for m in found) == first
    assert max(m.date_sent for m in found) == last


def test_a_bare_date_before_means_midnight_at_its_start(sandbox):
    sandbox.set_clock(settled(sandbox.world))
    sid, auth = sandbox.accounts.twilio_sid, sandbox.accounts.twilio_auth
    url = f"{sandbox.base_url}/2010-04-01/Accounts/{sid}/Messages.json"

    def dates(**query):
        answer = requests.get(url, params=query | {"PageSize": 1000}, auth=(sid, auth), timeout=5)
        return {m["date_sent"][5:16] for m in answer.json()["messages"]}

    assert dates(**{"DateSent>": "2026-10-03", "DateSent<": "2026-10-05"}) == {
        "03 Oct 2026", "04 Oct 2026",
    }  # fmt: skip
    assert dates(DateSent="2026-10-04") == {"04 Oct 2026"}


def test_unsent_messages_are_outside_every_date_window_but_in_the_plain_list(
    sandbox, twilio_client
):
    sandbox.set_clock(settled(sandbox.world))
    client = twilio_client()
    every = client.messages.list(page_size=1000)
    unsent = {m.sid for m in every if m.date_sent is None}
    dated = client.messages.list(date_sent_after=datetime(2020, 1, 1, tzinfo=UTC), page_size=1000)
    assert unsent
    assert {m.sid for m in every} - {m.sid for m in dated} == unsent


def test_fetch_by_sid_follows_the_clock_from_accepted_to_billed(sandbox, twilio_client):
    row = sandbox.world.messages.filter(
        (pl.col("way") == "twilio") & pl.col("service") & (pl.col("outcome") == "delivered")
        & (pl.col("billed_at") > pl.col("sent_at")) & (pl.col("done_at") > pl.col("billed_at"))
        & (pl.col("sent_at") - pl.col("submitted_at") > timedelta(seconds=1))
    ).row(0, named=True)  # fmt: skip
    client = twilio_client()

    def at(moment):
        sandbox.set_clock(moment)
        message = client.messages(row["message_id"]).fetch()
        return str(message.status), message.num_segments, message.price is None

    assert at(row["submitted_at"]) == ("accepted", "0", True)
    assert at(row["sent_at"] - timedelta(seconds=1)) == ("sending", "0", True)
    assert at(row["sent_at"]) == ("sent", str(row["parts"]), True)
    assert at(row["billed_at"]) == ("sent", str(row["parts"]), False)
    assert at(row["done_at"]) == ("delivered", str(row["parts"]), False)
    sandbox.set_clock(row["submitted_at"] - timedelta(seconds=1))
    with pytest.raises(TwilioRestException) as refused:
        client.messages(row["message_id"]).fetch()
    assert (refused.value.status, refused.value.code) == (404, 20404)


def test_to_and_from_filter(sandbox, twilio_client):
    client = twilio_client()
    number = outbound(client.messages.list(limit=10))[0].to
    assert {m.to for m in client.messages.list(to=number)} == {number}
    assert {m.from_ for m in client.messages.list(from_="PROMINSALE")} == {"PROMINSALE"}


def test_account_check_call(sandbox, twilio_client):
    assert (
        twilio_client().api.v2010.accounts(sandbox.accounts.twilio_sid).fetch().status == "active"
    )


def test_wrong_credentials_are_401_with_code_20003(sandbox, twilio_client):
    client = twilio_client(auth="wrong")
    with pytest.raises(TwilioRestException) as refused:
        client.api.v2010.accounts(sandbox.accounts.twilio_sid).fetch()
    assert (refused.value.status, refused.value.code) == (401, 20003)
    with pytest.raises(TwilioException, match="HTTP 401"):
        client.messages.list(limit=1)


@pytest.mark.parametrize(
    "query", [{"PageSize": "1001"}, {"PageSize": "0"}, {"DateSent": ">=2026-10-01"}, {"Page": "3"}]
)
def test_bad_parameters_are_400(sandbox, query):
    sid, auth = sandbox.accounts.twilio_sid, sandbox.accounts.twilio_auth
    url = f"{sandbox.base_url}/2010-04-01/Accounts/{sid}/Messages.json"
    answer = requests.get(url, params=query, auth=(sid, auth), timeout=5)
    assert answer.status_code == 400
    assert set(answer.json()) == {"code", "message", "more_info", "status"}
