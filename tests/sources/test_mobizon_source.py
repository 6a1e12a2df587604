"""Mobizon against a scripted server: wall clock bounds, the last page, prices, answer codes."""

from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from sms_etl.errors import PermanentSourceError
from sms_etl.sources.registry import SOURCE_KINDS, make_source
from tests.sources.scripted_server import Reply

DAY = date(2026, 7, 10)
RECORD = {
    "id": 140,
    "campaignId": 71,
    "segNum": 3,
    "segUserBuy": 0.615,
    "from": "Shop",
    "to": "380671234567",
    "text": "Привіт",
    "status": "DELIVRD",
    "groups": "",
    "uuid": "",
    "countryA2": "UA",
    "operatorName": "Kyivstar",
    "startSendTs": "2026-07-10 09:00:01",
    "statusUpdateTs": "2026-07-10 09:00:07",
}


@pytest.fixture
def make(monkeypatch):
    def build(base_url: str, **more):
        monkeypatch.setenv("MOBIZON_KEY", "mobizon-secret")
        block = {
            "kind": "mobizon",
            "api_key": "MOBIZON_KEY",
            "currency": "UAH",
            "base_url": base_url,
            "requests_per_second": 1000,
            **more,
        }
        return make_source("mobizon", SOURCE_KINDS["mobizon"].model_validate(block), Path())

    return build


def listed(*records, in_all=None):
    found = {"items": list(records), "totalItemCount": len(records) if in_all is None else in_all}
    return Reply.of({"code": 0, "data": found, "message": ""})


def pull(source, context):
    (plan,) = source.plan([DAY], context)
    return list(plan.pages)


def form_of(asked):
    return {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}


@pytest.mark.parametrize(
    ("zone", "first", "last"),
    [
        ("Europe/Kyiv", "2026-07-10 00:00:00", "2026-07-11 00:00:00"),
        ("Asia/Almaty", "2026-07-10 02:00:00", "2026-07-11 02:00:00"),
    ],
)
def test_a_day_is_asked_for_in_the_wall_clock_of_the_account(
    server, make, long_after, zone, first, last
):
    server.script = [listed(RECORD)]
    pages = pull(make(server.url, time_zone=zone), long_after)
    form = form_of(server.asked[0])
    assert form["criteria[startSendTsFrom]"] == first
    assert form["criteria[startSendTsTo]"] == last
    assert form["sort[startSendTs]"] == "ASC"
    query = parse_qs(urlsplit(server.asked[0].target).query)
    assert query["apiKey"] == ["mobizon-secret"]
    assert "mobizon-secret" not in pages[0].request


def test_pages_begin_at_nought_and_none_is_asked_for_after_the_last(server, make, long_after):
    others = [{**RECORD, "id": number} for number in (141, 142)]
    server.script = [listed(RECORD, others[0], in_all=3), listed(others[1], in_all=3)]
    assert [page.records for page in pull(make(server.url), long_after)] == [2, 1]
    numbers = [form_of(asked)["pagination[currentPage]"] for asked in server.asked]
    assert numbers == ["0", "1"]


def test_a_price_is_that_of_one_segment(server, make, long_after, land):
    server.script = [listed(RECORD)]
    source = make(server.url)
    (row,) = source.read(land(pull(source, long_after))).collect().iter_rows(named=True)
    assert (row["message_id"], row["campaign"], row["recipient"]) == ("140", "71", "+380671234567")
    assert (row["parts_billed"], row["cost_micro"], row["currency"]) == (3, 1_845_000, "UAH")
    assert row["sent_at"] == datetime(2026, 7, 10, 6, 0, 1, tzinfo=UTC)
    assert row["done_at"] == datetime(2026, 7, 10, 6, 0, 7, tzinfo=UTC)


def test_a_message_delivered_in_part_is_not_done(server, make, long_after, land):
    server.script = [listed({**RECORD, "status": "PDLIVRD"})]
    source = make(server.url)
    (row,) = source.read(land(pull(source, long_after))).collect().iter_rows(named=True)
    assert (row["status"], row["done_at"], row["done_at_origin"]) == ("PDLIVRD", None, "none")
    assert row["updated_at"] == datetime(2026, 7, 10, 6, 0, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("code", "mend"),
    [(8, "Check the key in MOBIZON_KEY"), (13, "Check base_url"), (12, "code 12")],
)
def test_an_answer_code_says_what_to_mend(server, make, long_after, code, mend):
    server.script = [Reply.of({"code": code, "data": "", "message": "no"})]
    with pytest.raises(PermanentSourceError, match=mend):
        pull(make(server.url), long_after)


def test_an_answer_without_its_count_is_refused_and_not_read_in_part(server, make, long_after):
    server.script = [Reply.of({"code": 0, "data": {"items": [RECORD]}, "message": ""})]
    with pytest.raises(PermanentSourceError, match="totalItemCount"):
        pull(make(server.url), long_after)
