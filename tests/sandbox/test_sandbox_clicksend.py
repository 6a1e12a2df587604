"""The official ClickSend SDK reads the sandbox and finds what the truth says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from clicksend import ApiClient, Configuration
from clicksend.api.sms_api import SmsApi
from clicksend.exceptions import ApiException

from sms_etl.sandbox import settled
from sms_etl.sandbox.clicksend_api import USERNAME

DAY = datetime(2026, 9, 15, 21, tzinfo=UTC)
"""Local midnight; the sale and the outage are on this day."""
PAGE_SIZE = 15
CLASS_OF = {
    ("Queued", None): "pending", ("Completed", None): "pending", ("Sent", "200"): "pending",
    ("Sent", "201"): "delivered", ("Failed", "301"): "failed", ("Cancelled", "301"): "rejected",
}  # fmt: skip


@pytest.fixture
def sms(sandbox):
    def connect(key: str | None = None) -> SmsApi:
        place = Configuration(
            host=f"{sandbox.base_url}/clicksend",
            username=USERNAME,
            password=key or sandbox.accounts.secret_of("clicksend"),
        )
        return SmsApi(ApiClient(place))

    return connect


def listed(api: SmsApi, **query):
    """Every message of a day, page after page, and how many the provider counts."""
    found, number, last = [], 1, 1
    while number <= last:
        data = api.view_sms_history(page=number, limit=PAGE_SIZE, **query).data
        assert (data.current_page, data.var_from) == (number, len(found) + 1)
        found += data.data
        number, last = number + 1, data.last_page
    assert data.next_page_url is None
    assert data.total == len(found)
    return found


def true_class(outcome: str | None, known: str) -> str:
    """What ClickSend's words can tell: a number it does not know is a failure like others."""
    told = {"invalid_number": "failed", "final_unknown": "pending"}
    return told.get(outcome, "pending" if outcome is None else known)


@pytest.mark.parametrize("after", [timedelta(hours=14), None], ids=["in its middle", "settled"])
def test_sdk_pages_through_a_day_and_agrees_with_the_truth(sandbox, sms, after):
    sandbox.set_clock(DAY + after if after else settled(sandbox.world))
    end = DAY + timedelta(days=1)
    of_day = pl.col("submitted_at").is_between(DAY, end, closed="left")
    truth = sandbox.truth("clicksend").filter(of_day)

    sent = listed(
        sms(), date_from=int(DAY.timestamp()), date_to=int(end.timestamp()) - 1,
        order_by="date:asc",
    )  # fmt: skip

    told = {message.message_id: message for message in sent}
    assert len(sent) == truth.height > PAGE_SIZE
    for row in truth.iter_rows(named=True):
        message = told[row["message_id"]]
        told_class = CLASS_OF[message.status, message.status_code]
        assert told_class == true_class(row["outcome"], row["class"])
        assert message.var_date == int(row["submitted_at"].timestamp())
        assert (message.to == row["recipient"]) == (row["recipient"] is not None)
        assert (message.var_from, message.custom_string) == (row["sender"], row["campaign"])
        assert (message.message_parts, message.direction) == (row["parts"], "out")
        price = row["price_micro"]
        assert message.message_price == (None if price is None else f"{price / 1e6:.6f}")
        assert (message.error_code is None) == (told_class in ("delivered", "pending"))


def test_a_wrong_key_is_refused(sms):
    with pytest.raises(ApiException) as refused:
        sms("wrong").view_sms_history()
    assert refused.value.status == 401
    assert '"response_code": "UNAUTHORIZED"' in refused.value.body
