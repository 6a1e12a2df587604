"""The official Sinch SDK reads the sandbox and finds what the truth says."""

from __future__ import annotations

from datetime import UTC, date, timedelta

import polars as pl
import pytest
from sinch import SinchClient
from sinch.domains.sms.api.v1.exceptions import SmsException

from sms_etl.days import Window, day_window
from sms_etl.model.vocabulary import Engagement
from sms_etl.sandbox.sinch_api import SERVICE_PLAN

FIRST, LAST = date(2026, 9, 9), date(2026, 9, 15)
CLASS_OF = {
    "Delivered": "delivered", "Expired": "failed", "Failed": "failed", "Deleted": "failed",
    "Rejected": "rejected", "Cancelled": "rejected", "Unknown": "unknown",
}  # fmt: skip


@pytest.fixture
def sms(sandbox):
    client = SinchClient(
        service_plan_id=SERVICE_PLAN,
        sms_api_token=sandbox.accounts.secret_of("sinch"),
        sms_region="eu",
    )
    client.configuration.sms_domain_with_service_plan_id = f"{sandbox.base_url}/sinch"
    return client.sms


@pytest.fixture
def window(sandbox):
    """A week, as it is four days later."""
    first, last = (day_window(day, sandbox.world.parameters.zone) for day in (FIRST, LAST))
    sandbox.set_clock(last.end + timedelta(days=4))
    return Window(first.start, last.end)


@pytest.fixture
def truth(sandbox, window):
    submitted = pl.col("submitted_at").is_between(window.start, window.end, closed="left")
    return sandbox.truth("sinch").filter(submitted)


def test_sdk_pages_through_the_batches_of_a_week(sms, window, truth):
    listed = list(
        sms.batches.list(
            start_date=window.start.astimezone(UTC), end_date=window.end.astimezone(UTC),
            page_size=7,
        ).iterator()
    )  # fmt: skip
    said = {f"{batch.id}:{number}": batch for batch in listed for number in batch.to}
    assert set(said) == set(truth["message_id"])
    assert len(listed) > 14
    for row in truth.iter_rows(named=True):
        batch = said[row["message_id"]]
        assert batch.created_at == row["submitted_at"]
        assert (batch.from_, batch.client_reference) == (row["sender"], row["campaign"])
        assert batch.expire_at - batch.created_at == timedelta(days=3)


def test_sdk_pages_through_the_finished_reports_and_agrees_with_the_truth(sms, window, truth):
    listed = list(
        sms.delivery_reports.list(
            start_date=window.start.astimezone(UTC), end_date=None, page_size=7
        ).iterator()
    )
    of_week = {
        key: report
        for report in listed
        if (key := f"{report.batch_id}:{report.recipient}") in set(truth["message_id"])
    }
    assert set(of_week) == set(truth["message_id"])
    reads_as = {"opted_out": "failed"}
    for row in truth.iter_rows(named=True):
        report = of_week[row["message_id"]]
        assert CLASS_OF[report.status] == reads_as.get(row["outcome"], row["class"])
        assert report.at == (row["done_at"] or row["submitted_at"] + timedelta(hours=72))


def test_pages_are_counted_from_nought_and_tell_how_many_rows_came(sandbox, sms, window):
    first = sms.batches.list(start_date=window.start.astimezone(UTC), page_size=7)
    assert (first.result.page, first.result.page_size) == (0, 7)
    last = -(-first.result.count // 7) - 1
    page = sms.batches.list(start_date=window.start.astimezone(UTC), page_size=7, page=last)
    assert page.result.page_size == first.result.count - 7 * last
    assert not page.has_next_page


def test_without_a_start_the_last_24_hours_are_listed(sandbox, sms):
    now = sandbox.clock.now()
    created = [batch.created_at for batch in sms.batches.list(page_size=100).iterator()]
    assert created
    assert min(created) >= now - timedelta(hours=24)
    assert created == sorted(created, reverse=True)


def test_a_wrong_token_is_refused(sandbox, sms):
    sandbox.set_faults(token_expired=True)
    with pytest.raises(SmsException):
        sms.batches.list(page_size=1)


def test_sdk_reads_the_replies_of_two_weeks(sandbox, sms):
    end = sandbox.clock.now()
    start = end - timedelta(days=13, hours=23)
    happened = sandbox.events_truth("sinch", Engagement.REPLIES)
    truth = happened.filter(pl.col("at").is_between(start, end, closed="left"))
    assert truth.height > 2
    listed = list(
        sms.inbounds.list(
            start_date=start.astimezone(UTC), end_date=end.astimezone(UTC), page_size=2
        ).iterator()
    )
    read = [("+" + reply.from_, reply.body, reply.received_at) for reply in reversed(listed)]
    assert read == truth.select("e164", "text", "at").rows()
