"""The official SDK of SMSAPI reads the simulated clicks and blacklist as the truth has them."""

from datetime import timedelta

import polars as pl
import pytest
from smsapi.client import Client
from smsapi.exception import EndpointException

from sms_etl.model.vocabulary import Engagement
from tests.sandbox.conftest import MIDDLE

DAY = MIDDLE.date().isoformat()
WARSAW = "Europe/Warsaw"


@pytest.fixture
def client(sandbox):
    return Client(f"{sandbox.base_url}/smsapi/", access_token=sandbox.accounts.secret_of("smsapi"))


def test_the_sdk_reads_the_clicks_of_days(sandbox, client):
    first = (MIDDLE - timedelta(days=40)).date().isoformat()
    local = pl.col("at").dt.convert_time_zone(WARSAW)
    truth = sandbox.events_truth("smsapi", Engagement.CLICKS).filter(
        local.dt.date().cast(pl.String).is_between(pl.lit(first), pl.lit(DAY))
    )
    read = client.shorturl.get_clicks(date_from=first, date_to=DAY)
    assert read.size == truth.height > 10
    written = local.dt.strftime("%Y-%m-%dT%H:%M:%S%z")
    expected = truth.select("message_id", pl.col("e164").str.strip_prefix("+"), "link", written)
    clicks = [(c.message.id, c.phone_number, c.short_url, c.date_hit) for c in read.collection]
    assert clicks == expected.rows()[: len(clicks)]
    assert len(clicks) == min(100, truth.height)


def test_the_sdk_reads_the_blacklist_page_by_page(sandbox, client):
    listed = []
    while page := client.blacklist.list_phone_numbers(offset=len(listed), limit=20).collection:
        listed += page
    still = pl.col("expires_at").is_null() | (pl.col("expires_at") > MIDDLE)
    truth = sandbox.events_truth("smsapi", Engagement.OPT_OUTS).filter(still)
    assert [entry.phone_number for entry in listed] == truth["e164"].str.strip_prefix("+").to_list()
    assert [entry.created_at.replace(tzinfo=None) for entry in listed] == [
        moment.replace(tzinfo=None) for moment in truth["at"]
    ]


def test_a_wrong_token_is_refused(sandbox):
    with pytest.raises(EndpointException):
        Client(f"{sandbox.base_url}/smsapi/", access_token="wrong").shorturl.get_clicks()
