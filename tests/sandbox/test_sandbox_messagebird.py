"""The official MessageBird SDK reads the sandbox and finds what the truth says.

The SDK knows no windows, prices or error codes.
"""

from __future__ import annotations

import pytest
from messagebird import Client
from messagebird.client import ErrorException
from messagebird.http_client import HttpClient

LIMIT = 100
CLASS_OF = {
    "sent": {"pending", "unknown"},
    "delivered": {"delivered"},
    "expired": {"failed", "unknown"},
    "delivery_failed": {"failed", "rejected"},
}


@pytest.fixture
def client(sandbox):
    key = sandbox.accounts.secret_of("messagebird")
    return Client(key, HttpClient(f"{sandbox.base_url}/messagebird/", key, "test"))


@pytest.fixture
def pages(client):
    """Every page of the list."""
    found = [client.message_list(limit=LIMIT, offset=0)]
    while found[-1].links.next:
        found.append(client.message_list(limit=LIMIT, offset=found[-1].offset + LIMIT))
    return found


def test_sdk_pages_through_everything_and_agrees_with_the_truth(sandbox, pages):
    truth = sandbox.truth("messagebird")
    items = [item for page in pages for item in page.items]
    assert len(items) == pages[0].totalCount > LIMIT
    said = {
        f"{item.id}:{recipient.recipient}": (item, recipient)
        for item in items
        for recipient in item.recipients["items"]
    }
    assert set(said) == set(truth["message_id"])
    for row in truth.iter_rows(named=True):
        item, recipient = said[row["message_id"]]
        assert row["class"] in CLASS_OF[recipient.status]
        assert item.createdDatetime == row["submitted_at"]
        assert (item.originator, item.reference) == (row["sender"], row["campaign"])
        if row["done_at"]:
            assert recipient.statusDatetime == row["done_at"]


def test_the_list_is_newest_first_and_tells_its_place(pages):
    created = [item.createdDatetime for page in pages for item in page.items]
    assert created == sorted(created, reverse=True)
    assert [page.offset for page in pages] == [LIMIT * n for n in range(len(pages))]
    assert all(page.count == len(page.items) for page in pages)
    assert pages[-1].links.next is None


def test_counts_of_an_item_are_those_of_its_recipients(pages):
    for item in pages[0].items:
        statuses = [recipient.status for recipient in item.recipients["items"]]
        assert item.recipients["totalCount"] == len(statuses)
        assert item.recipients["totalDeliveredCount"] == statuses.count("delivered")


def test_a_wrong_key_is_told_with_code_2(sandbox, client):
    sandbox.set_faults(token_expired=True)
    with pytest.raises(ErrorException) as refused:
        client.message_list()
    assert [error.code for error in refused.value.errors] == [2]
