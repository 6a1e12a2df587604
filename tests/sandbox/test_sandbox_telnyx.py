"""The official Telnyx SDK reads the sandbox and finds what the truth says."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import polars as pl
import pytest
import telnyx
from pydantic import TypeAdapter, ValidationError
from telnyx.types.detail_record_list_response import MessageDetailRecord

from sms_etl.sandbox.bench import Bench
from sms_etl.sandbox.case import case_of

DAY = date(2026, 9, 6)
NOON = datetime(2026, 9, 6, 12, tzinfo=UTC)
EVENING = datetime(2026, 9, 6, 20, tzinfo=UTC)
PAGE_SIZE = 50
CLASS_OF = {
    "delivered": "delivered", "dlr_unconfirmed": "unknown", "dlr_timeout": "unknown",
    "gw_reject": "rejected", "gw_timeout": "failed", "failed": "failed",
}  # fmt: skip
STRICT = TypeAdapter(MessageDetailRecord)
"""The SDK itself takes any answer; this holds it to the types it was generated with."""


@pytest.fixture
def client(sandbox):
    """The official SDK, with nothing changed but the host."""

    def connect(key=""):
        return telnyx.Telnyx(
            api_key=key or sandbox.accounts.secret_of("telnyx"),
            base_url=f"{sandbox.base_url}/telnyx/v2",
            max_retries=0,
        )

    return connect


def listed(client, **more):
    day_after = DAY + timedelta(days=1)
    created = {"gte": DAY.isoformat(), "lt": day_after.isoformat()}
    return client.detail_records.list(
        filter={"record_type": "messaging", "created_at": created}, **more
    )


def of_the_day(truth):
    return truth.filter(pl.col("submitted_at").dt.date() == DAY)


@pytest.mark.parametrize("size", [7, PAGE_SIZE])
@pytest.mark.parametrize("days_after", [0, 4])
def test_sdk_reads_a_whole_day_and_agrees_with_the_truth(sandbox, client, days_after, size):
    sandbox.set_clock(EVENING + timedelta(days=days_after))
    truth = of_the_day(sandbox.truth("telnyx"))
    final = truth.filter(pl.col("class") != "pending")
    assert final.height > 50

    found = list(listed(client(), page_size=size, sort=["created_at"]))

    assert [record.created_at for record in found] == final["submitted_at"].sort().to_list()
    assert len(sandbox.requests_log) == -(-final.height // size)
    records = {record.uuid: record for record in found}
    assert set(records) == set(final["message_id"])
    for row in final.iter_rows(named=True):
        record = STRICT.validate_python(records[row["message_id"]].to_dict(mode="json"))
        assert record.record_type == "message_detail_record"
        assert record.sent_at == row["sent_at"]
        assert row["done_at"] in (None, record.completed_at)
        assert (record.cli, record.parts) == (row["sender"], row["parts"])
        assert record.direction == "outbound"
        if row["recipient"]:
            assert record.cld == row["recipient"]
        if row["operator"]:
            assert (record.carrier, record.mcc) == (row["operator"], "255")
        assert CLASS_OF[record.status] == row["class"]
        price = row["price_micro"]
        assert (record.cost and float(record.cost)) == (price and price / 1e6)
        assert record.currency == row["currency"]


def test_what_is_on_its_way_has_no_record(sandbox, client):
    sandbox.set_clock(NOON)
    truth = of_the_day(sandbox.truth("telnyx"))
    waiting = truth.filter(pl.col("class") == "pending")
    assert waiting.height > 0
    found = {record.uuid for record in listed(client(), page_size=PAGE_SIZE)}
    assert found == set(truth["message_id"]) - set(waiting["message_id"])


def test_a_word_that_is_not_in_the_models_of_the_sdk_is_seen(sandbox, client):
    sandbox.set_clock(EVENING)
    first = next(iter(listed(client())))
    STRICT.validate_python(first.to_dict(mode="json"))
    sandbox.set_faults(status_words={first.uuid: "martian"})
    with pytest.raises(ValidationError, match="martian"):
        STRICT.validate_python(next(iter(listed(client()))).to_dict(mode="json"))


def test_refusals_are_errors_of_the_sdk(sandbox, client):
    with pytest.raises(telnyx.AuthenticationError) as refused:
        listed(client(key="wrong"))
    assert refused.value.body["errors"][0]["code"] == "10009"
    with pytest.raises(telnyx.BadRequestError) as refused:
        client().detail_records.list(filter={"record_type": "verify"})
    assert refused.value.body["errors"][0]["title"] == "Bad Request"
    sandbox.set_faults(rate_limited=1)
    with pytest.raises(telnyx.RateLimitError):
        listed(client())


def test_what_the_source_asks_is_what_the_sdk_would_ask(sandbox, client, monkeypatch, tmp_path):
    monkeypatch.setenv("TELNYX_KEY", sandbox.accounts.secret_of("telnyx"))
    Bench(case_of("telnyx"), sandbox, tmp_path).pull([DAY])
    by_source = asked_of(sandbox)[0]
    days = {bound: by_source[f"filter[created_at][{bound}]"] for bound in ("gte", "lt")}
    assert date.fromisoformat(days["gte"]) <= DAY < date.fromisoformat(days["lt"])
    client().detail_records.list(
        filter={"record_type": "messaging", "created_at": days},
        sort=["created_at"],
        page_number=1,
        page_size=PAGE_SIZE,
    )
    assert asked_of(sandbox)[-1] == by_source


def asked_of(sandbox):
    return [dict(parse_qsl(urlsplit(entry.target).query)) for entry in sandbox.requests_log]
