"""A reader written from Vonage's guide to pagination reads the sandbox and finds what is true.

No SDK can: the official one (vonage 4.9.1) has no Reports API. The guide is
developer.vonage.com/en/reports/guides/how-to-handle-pagination: follow `_links.next` while the
answer is TRUNCATED.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
import requests

from sms_etl.sandbox import settled
from sms_etl.sandbox.vonage_api import ACCOUNT

DAY = date(2026, 9, 6)
START = datetime(2026, 9, 6, tzinfo=UTC)
CLASS_OF = {
    "submitted": "pending", "accepted": "pending", "buffered": "pending", "delivered": "delivered",
    "expired": "failed", "failed": "failed", "rejected": "rejected", "deleted": "failed",
    "unknown": "unknown",
}  # fmt: skip
TRULY_CANCELLED = {"cancelled": "failed"}
"""`deleted` is listed without a meaning."""
OLD = timedelta(hours=72)


@pytest.fixture
def ask(sandbox):
    """One request of the Reports API, as curl would make it."""

    def get(url=f"{sandbox.base_url}/vonage/v2/reports/records", secret="", **query):
        auth = (ACCOUNT, secret or sandbox.accounts.secret_of("vonage"))
        return requests.get(url, params=query, auth=auth, timeout=5)

    return get


def asked(start=START, hours=24, **more):
    end = start + timedelta(hours=hours)
    written = {"date_start": f"{start:%Y-%m-%dT%H:%M:%S}+0000", "date_end": end.isoformat()}
    return {"account_id": ACCOUNT, "product": "SMS", "direction": "outbound", **written, **more}


def every_page(ask, **query):
    answer = ask(**query).json()
    pages = [answer]
    while answer["request_status"] == "TRUNCATED":
        answer = ask(answer["_links"]["next"]["href"]).json()
        pages.append(answer)
    return pages


@pytest.mark.parametrize("page_size", [None, 9])
@pytest.mark.parametrize("moment", [lambda _world: START.replace(hour=14), settled])
def test_a_whole_day_by_links_agrees_with_the_truth(sandbox, ask, moment, page_size):
    now = moment(sandbox.world)
    sandbox.set_clock(now)
    sandbox.set_faults(page_size=page_size)
    truth = sandbox.truth("vonage").filter(pl.col("submitted_at").dt.date() == DAY)
    assert truth.height > 30

    pages = every_page(ask, **asked(include_message="true"))

    assert len(pages) == -(-truth.height // (page_size or 1000))
    assert all(page["items_count"] == len(page["records"]) for page in pages)
    records = [record for page in pages for record in page["records"]]
    assert sorted(record["message_id"] for record in records) == sorted(truth["message_id"])
    by_id = {record["message_id"]: record for record in records}
    for row in truth.iter_rows(named=True):
        record = by_id[row["message_id"]]
        assert at(record["date_received"]) == row["submitted_at"]
        assert at(record["date_finalized"]) == row["done_at"]
        assert (record["from"], record["client_ref"]) == (row["sender"], row["campaign"])
        if row["recipient"]:
            assert f"+{record['to']}" == row["recipient"]
        assert float(record["total_price"] or 0) == (row["price_micro"] or 0) / 1e6
        assert (record["concatenated"] == "true") == (row["parts"] > 1)
        assert class_of(record, now) == TRULY_CANCELLED.get(row["outcome"], row["class"])


def at(text):
    return datetime.fromisoformat(text) if text else None


def class_of(record, now):
    found = CLASS_OF[record["status"]]
    return "unknown" if found == "pending" and at(record["date_received"]) < now - OLD else found


def test_the_start_is_inside_and_the_end_outside(sandbox, ask):
    sandbox.set_clock(settled(sandbox.world))
    sent = sandbox.truth("vonage").filter(pl.col("submitted_at").dt.date() == DAY)
    times = sent["submitted_at"].sort()
    first, last = times[3], times[20]
    query = asked() | {"date_start": first.isoformat(), "date_end": last.isoformat()}
    (page,) = every_page(ask, **query)
    assert len(page["records"]) == times.is_between(first, last, closed="left").sum() > 0


def test_by_identifier_tells_what_was_not_found(sandbox, ask):
    sandbox.set_clock(settled(sandbox.world))
    known = sandbox.truth("vonage")["message_id"][0]
    query = {"account_id": ACCOUNT, "product": "SMS", "direction": "outbound"}
    answer = ask(**query, id=f"{known},0000000000000000").json()
    assert [record["message_id"] for record in answer["records"]] == [known]
    assert answer["ids_not_found"] == "0000000000000000"


@pytest.mark.parametrize(
    ("query", "title"),
    [
        (asked() | {"product": "PIGEON"}, "Unprocessable entity"),
        (asked(hours=25), "Unprocessable entity"),
        (asked(id="0000000000000000"), "Invalid filter"),
    ],
    ids=["no such product", "more than 24 hours", "a window and identifiers"],
)
def test_what_cannot_be_asked_is_422(ask, query, title):
    answer = ask(**query)
    assert (answer.status_code, answer.json()["title"]) == (422, title)


def test_wrong_credentials_and_other_accounts_are_refused(sandbox, ask):
    assert ask(secret="wrong", **asked()).status_code == 401
    refused = ask(**asked() | {"account_id": "abcd9999"})
    assert (refused.status_code, refused.json()["title"]) == (403, "Forbidden")
