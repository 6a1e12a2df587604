"""Vonage against a scripted server: what its records say, and answers that would lose some."""

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from sms_etl.dictionaries import classify, load_dictionary
from sms_etl.errors import PermanentSourceError
from sms_etl.sources.registry import SOURCE_KINDS, make_source
from tests.sources.scripted_server import Reply

NOW = datetime(2026, 3, 6, 2, tzinfo=UTC)
DAY = date(2026, 3, 5)
RECORD = {
    "account_id": "abcd1234",
    "message_id": "0A0000001234ABCD",
    "client_ref": "spring-sale",
    "direction": "outbound",
    "from": "Shop",
    "to": "380501234567",
    "network": "25501",
    "network_name": "Vodafone Ukraine",
    "date_received": "2026-03-05T08:00:00+0000",
    "date_finalized": "2026-03-05T08:00:07+0000",
    "status": "delivered",
    "error_code": "0",
    "currency": "EUR",
    "total_price": "0.0712",
    "message_body": "Вітаємо!",
}


@pytest.fixture
def source(server, monkeypatch):
    monkeypatch.setenv("VONAGE_SECRET", "nexmo-secret-51")
    block = {
        "kind": "vonage",
        "api_key": "abcd1234",
        "api_secret": "VONAGE_SECRET",
        "base_url": server.url,
        "requests_per_second": 1000,
        "parallel_slices": 1,
        "retry_budget_seconds": 5,
    }
    return make_source("shop", SOURCE_KINDS["vonage"].model_validate(block), Path())


@pytest.fixture
def read(server, source, context_at, land):
    def run(*records):
        server.script = [Reply.of({"request_status": "SUCCESS", "records": records})]
        (plan,) = source.plan([DAY], context_at(NOW))
        return source.read(land(list(plan.pages))).collect()

    return run


def test_a_record_in_texts_and_one_in_numbers_read_alike(read):
    numbers = RECORD | {"total_price": 0.0712, "error_code": 0, "network": 25501}
    colon = RECORD | {"date_finalized": "2026-03-05T10:00:07+02:00"}
    observed = read(RECORD, numbers, colon)
    said = ("recipient", "cost_micro", "code", "mcc_mnc", "done_at", "created_at", "campaign")
    assert observed.select(said).unique().rows() == [
        (
            "+380501234567", 71_200, "0", "25501",
            datetime(2026, 3, 5, 8, 0, 7, tzinfo=UTC), datetime(2026, 3, 5, 8, tzinfo=UTC),
            "spring-sale",
        )
    ]  # fmt: skip


def test_before_the_end_neither_code_nor_blank_times_and_prices_count(read):
    waiting = {"status": "buffered", "error_code": "1", "date_finalized": "", "total_price": ""}
    (row,) = read(RECORD | waiting).iter_rows(named=True)
    assert {row[name] for name in ("code", "done_at_text", "done_at", "price_text")} == {None}
    assert row["done_at_origin"] == "none"


def test_redacted_fields_are_unknown(read):
    hidden = dict.fromkeys(("from", "to", "message_body"), "REDACTED")
    (row,) = read(RECORD | hidden).iter_rows(named=True)
    assert {row[name] for name in ("sender", "recipient", "text")} == {None}


def test_a_truncated_answer_without_a_cursor_is_refused(server, source, context_at):
    server.script = [Reply.of({"request_status": "TRUNCATED", "records": [RECORD]})]
    (plan,) = source.plan([DAY], context_at(NOW))
    with pytest.raises(PermanentSourceError, match="TRUNCATED but gives no cursor"):
        list(plan.pages)


def test_the_next_page_is_asked_with_both_halves_of_the_cursor(server, source, context_at):
    more = {"request_status": "TRUNCATED", "cursor": "c-1", "iv": "iv-1", "records": [RECORD]}
    server.script = [Reply.of(more), Reply.of({"request_status": "SUCCESS", "records": []})]
    (plan,) = source.plan([DAY], context_at(NOW))
    assert [page.records for page in plan.pages] == [1, 0]
    first, second = (asked.target for asked in server.asked)
    assert second == f"{first}&cursor=c-1&iv=iv-1"


@pytest.mark.parametrize(
    ("finalized", "read_as"),
    [
        ("2026-03-06T08:00:00+0000", ("failed", "expired_ttl")),
        ("2026-03-08T07:59:59+0000", ("failed", "expired_ttl")),
        ("2026-03-08T08:00:00+0000", ("unknown", "no_receipt")),
        ("2026-03-08T10:00:03+0200", ("unknown", "no_receipt")),
    ],
)
def test_an_expiry_after_72_hours_is_vonages_own_and_says_nothing(read, finalized, read_as):
    observed = read(RECORD | {"status": "expired", "date_finalized": finalized})
    seen = observed.lazy().with_columns(submitted_at=pl.col("created_at"))
    dictionary = load_dictionary("vonage")
    (row,) = (
        classify(seen, dictionary, now_column="pulled_at", silence_hours=72.0)
        .collect()
        .select("status_class", "reason", "final", "status_known")
        .rows()
    )
    assert row == (*read_as, True, True)
