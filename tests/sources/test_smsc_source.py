"""SMSC against a scripted server: whole days, backwards by identifier, errors inside HTTP 200."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from sms_etl.errors import PermanentSourceError, TransientSourceError
from sms_etl.sources.registry import SOURCE_KINDS, make_source
from tests.sources.scripted_server import Reply

DAY = date(2026, 7, 10)
RECORD = {
    "status": 1,
    "last_date": "10.07.2026 09:00:07",
    "last_timestamp": 1783663207,
    "send_date": "10.07.2026 09:00:01",
    "send_timestamp": 1783663201,
    "phone": "380671234567",
    "cost": "1.96",
    "sender_id": "Shop",
    "status_name": "Доставлено",
    "message": "Привіт",
    "mccmnc": "25503",
    "operator": "Kyivstar",
    "type": 0,
    "id": 17,
    "int_id": 900,
    "sms_cnt": 2,
}
NOTHING = Reply.of({"error": "no records", "error_code": 3})


@pytest.fixture
def make(monkeypatch):
    def build(base_url: str, **more):
        monkeypatch.setenv("SMSC_PASSWORD", "smsc-secret")
        block = {
            "kind": "smsc",
            "login": "shop",
            "password": "SMSC_PASSWORD",
            "currency": "UAH",
            "base_url": base_url,
            "requests_per_second": 1000,
            "retry_budget_seconds": 5,
            **more,
        }
        return make_source("smsc", SOURCE_KINDS["smsc"].model_validate(block), Path())

    return build


def pull(source, context):
    (plan,) = source.plan([DAY], context)
    return list(plan.pages)


def query_of(asked):
    return {name: values[0] for name, values in parse_qs(urlsplit(asked.target).query).items()}


@pytest.mark.parametrize(
    ("zone", "first", "last"),
    [("Europe/Kyiv", "10.07.2026", "10.07.2026"), ("Asia/Almaty", "10.07.2026", "11.07.2026")],
)
def test_the_account_is_asked_for_every_day_of_its_own_that_the_window_touches(
    server, make, long_after, zone, first, last
):
    server.script = [NOTHING]
    (page,) = pull(make(server.url, time_zone=zone), long_after)
    query = query_of(server.asked[0])
    assert (query["start"], query["end"]) == (first, last)
    assert (query["fmt"], query["charset"], query["psw"]) == ("3", "utf-8", "smsc-secret")
    assert "smsc-secret" not in page.request


def test_pages_go_backwards_from_the_lowest_identifier_to_the_end(server, make, long_after, land):
    older = {**RECORD, "int_id": "850"}
    server.script = [Reply.of([RECORD, older]), Reply.of([{**RECORD, "int_id": 10}]), NOTHING]
    source = make(server.url)
    pages = pull(source, long_after)
    assert [query_of(asked).get("prev_id") for asked in server.asked] == [None, "850", "10"]
    assert [page.records for page in pages] == [2, 1, 0]
    assert source.read(land(pages)).collect()["message_id"].to_list() == ["900", "850", "10"]


def test_a_record_is_read_by_its_unix_stamps(server, make, long_after, land):
    server.script = [Reply.of([RECORD]), NOTHING]
    source = make(server.url)
    (row,) = source.read(land(pull(source, long_after))).collect().iter_rows(named=True)
    assert row["created_at"] == datetime(2026, 7, 10, 6, 0, 1, tzinfo=UTC)
    assert row["done_at"] == datetime(2026, 7, 10, 6, 0, 7, tzinfo=UTC)
    assert (row["recipient"], row["text"], row["mcc_mnc"]) == ("+380671234567", "Привіт", "25503")
    assert (row["parts_billed"], row["cost_micro"], row["currency"]) == (2, 1_960_000, "UAH")


def test_the_identifier_that_send_gave_may_be_chosen_instead(server, make, long_after, land):
    server.script = [Reply.of([RECORD]), NOTHING]
    source = make(server.url, identifier="id")
    assert source.read(land(pull(source, long_after))).collect()["message_id"].to_list() == ["17"]


def test_a_lookup_request_is_a_row_without_a_channel(server, make, long_after, land):
    server.script = [Reply.of([{**RECORD, "type": 4}]), NOTHING]
    source = make(server.url)
    assert source.read(land(pull(source, long_after))).collect()["channel"].to_list() == [None]


def test_an_error_code_says_what_to_mend_or_is_asked_again(server, make, long_after, naps):
    server.script = [Reply.of({"error": "authorise error", "error_code": 2})]
    with pytest.raises(PermanentSourceError, match="password in SMSC_PASSWORD"):
        pull(make(server.url), long_after)
    server.script = [Reply.of({"error": "some new one"})]
    with pytest.raises(PermanentSourceError, match="error codes in SMSC's documentation"):
        pull(make(server.url), long_after)
    server.otherwise = lambda _asked: Reply.of({"error": "duplicate request", "error_code": 9})
    with pytest.raises(TransientSourceError, match="error code 9"):
        pull(make(server.url), long_after)
    assert naps


def test_answers_that_do_not_obey_the_charset_are_told_at_once(server, make, context_at):
    body = json.dumps([RECORD], ensure_ascii=False).encode("windows-1251")
    server.script = [Reply(body)]
    with pytest.raises(PermanentSourceError, match="whole JSON but not in UTF-8"):
        pull(make(server.url), context_at(datetime(2026, 7, 11, 6, tzinfo=UTC)))
    assert len(server.asked) == 1


def test_an_answer_cut_in_the_middle_of_a_letter_is_asked_for_again(server, make, context_at, naps):
    whole = json.dumps([RECORD], ensure_ascii=False).encode()
    cut = whole[: whole.index("Привіт".encode()) + 1]
    server.script = [Reply(cut), Reply(whole), NOTHING]
    pages = pull(make(server.url), context_at(datetime(2026, 7, 11, 6, tzinfo=UTC)))
    assert sum(page.records for page in pages) == 1
    assert len(naps) == 1
