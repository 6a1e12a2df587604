"""Twilio against a scripted server: days, paging, faults, and what records become."""

import itertools
import json
from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import polars as pl
import pytest

from sms_etl.errors import PermanentSourceError, TransientSourceError
from sms_etl.model.schemas import OBSERVATIONS
from sms_etl.sources.registry import SOURCE_KINDS, make_source
from tests.sources.scripted_server import Reply

SID = "AC" + "0" * 32
SECRET = "twilio-secret-91c2"
PATH = f"/2010-04-01/Accounts/{SID}/Messages.json"
MESSAGE = {
    "sid": "SM" + "1" * 32,
    "account_sid": SID,
    "messaging_service_sid": "MG" + "2" * 32,
    "body": "Ваш код 1234",
    "from": "Promin",
    "to": "+380671234567",
    "direction": "outbound-api",
    "status": "undelivered",
    "num_segments": "1",
    "num_media": "0",
    "price": "-0.04200",
    "price_unit": "USD",
    "error_code": 30003,
    "error_message": None,
    "date_created": "Wed, 05 Mar 2025 08:00:01 +0000",
    "date_sent": "Wed, 05 Mar 2025 08:00:03 +0000",
    "date_updated": "Wed, 05 Mar 2025 09:10:00 +0000",
    "api_version": "2010-04-01",
    "uri": "/2010-04-01/…",
    "subresource_uris": {"media": "/…"},
}


@pytest.fixture
def make(server, monkeypatch):
    monkeypatch.setenv("TWILIO_TOKEN", SECRET)

    def build(**more):
        block = {
            "kind": "twilio",
            "account_sid": SID,
            "auth_token": "TWILIO_TOKEN",
            "base_url": server.url,
            "requests_per_second": 1000,
            "retry_budget_seconds": 5,
            **more,
        }
        return make_source("shop", SOURCE_KINDS["twilio"].model_validate(block), Path())

    return build


@pytest.fixture
def source(make):
    return make(parallel_slices=1)


def listed(*records, following=None) -> Reply:
    return Reply.of({"messages": list(records), "next_page_uri": following})


def query(asked) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(asked.target).query))


def pages_of(plans) -> list:
    return [page for plan in plans for page in plan.pages]


def test_pages_are_followed_to_the_last_row(server, source, long_after, day, land):
    links = [f"{PATH}?Page={n}&PageToken=PASM{n}" for n in (1, 2)]
    server.script = [
        listed({**MESSAGE, "sid": "a"}, {**MESSAGE, "sid": "b"}, following=links[0]),
        listed({**MESSAGE, "sid": "c"}, following=links[1]),
        listed({**MESSAGE, "sid": "d"}),
    ]
    pages = pages_of(source.plan([day], long_after))
    assert [page.records for page in pages] == [2, 1, 1]
    assert [asked.target for asked in server.asked[1:]] == links
    frame = source.read(land(pages)).collect()
    assert frame["message_id"].to_list() == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("asked", "bounds"),
    [
        (date(2025, 3, 5), ("2025-03-04", "2025-03-05", "2025-03-06")),
        (date(2025, 3, 30), ("2025-03-29", "2025-03-30", "2025-03-31")),
        (date(2025, 10, 26), ("2025-10-25", "2025-10-26", "2025-10-27")),
    ],
)
def test_a_business_day_asks_for_the_utc_days_it_touches(server, make, long_after, asked, bounds):
    """Kyiv's day begins on the evening before in UTC; a bare upper date is its first moment."""
    server.otherwise = lambda _: listed()
    (whole,) = make(parallel_slices=1).plan([asked], long_after)
    assert [page.records for page in pages_of([whole])] == [0]
    assert query(server.asked.pop())["DateSent<"] == bounds[-1]
    (plan,) = make().plan([asked], long_after)
    assert [page.records for page in pages_of([plan])] == [0, 0]
    assert (plan.first_day, plan.last_day) == (asked, asked)
    assert [query(one) for one in server.asked] == [
        {"DateSent>": first, "DateSent<": beyond, "PageSize": "1000"}
        for first, beyond in itertools.pairwise(bounds)
    ]


def test_recent_days_are_swept_once_for_messages_without_a_sent_time(server, source, context_at):
    now = datetime(2025, 3, 7, 9, tzinfo=UTC)
    days = [date(2025, 1, 1), date(2025, 3, 5), date(2025, 3, 6)]
    created = ["Thu, 06 Mar 2025 10:00:00 +0000", "Wed, 05 Mar 2025 10:00:00 +0000"]
    older = "Tue, 04 Mar 2025 21:59:59 +0000"
    plans = source.plan(days, context_at(now))
    server.otherwise = lambda asked: listed()
    assert len(pages_of(itertools.islice(plans, 3))) == 3
    (sweep,) = plans
    server.script = [
        listed({**MESSAGE, "date_created": created[0]}, following="/p2"),
        listed({**MESSAGE, "date_created": older}, {"date_created": created[1]}, following="/p3"),
        listed({**MESSAGE, "date_created": older}, {"date_created": 7}, following="/p4"),
    ]
    assert len(pages_of([sweep])) == 3, "stops at the page that is older as a whole"
    assert (sweep.first_day, sweep.last_day) == (date(2025, 3, 5), date(2025, 3, 6))
    assert query(server.asked[3]) == {"PageSize": "1000"}


def test_a_record_becomes_an_observation(server, source, long_after, day, land):
    server.script = [listed(MESSAGE)]
    frame = source.read(land(pages_of(source.plan([day], long_after)))).collect()
    assert frame.schema == OBSERVATIONS.schema
    row = frame.row(0, named=True)
    assert {name: row[name] for name in row if row[name] is not None} == {
        "pull": "pull-1",
        "page": 1,
        "record": 0,
        "pulled_at": row["pulled_at"],
        "message_id": MESSAGE["sid"],
        "recipient": "+380671234567",
        "sender": "Promin",
        "service": MESSAGE["messaging_service_sid"],
        "channel": "sms",
        "inbound": False,
        "status": "undelivered",
        "code": "30003",
        "created_at_text": MESSAGE["date_created"],
        "sent_at_text": MESSAGE["date_sent"],
        "done_at_text": MESSAGE["date_updated"],
        "created_at": datetime(2025, 3, 5, 8, 0, 1, tzinfo=UTC),
        "sent_at": datetime(2025, 3, 5, 8, 0, 3, tzinfo=UTC),
        "done_at": datetime(2025, 3, 5, 9, 10, tzinfo=UTC),
        "done_at_origin": "provider_update",
        "updated_at": datetime(2025, 3, 5, 9, 10, tzinfo=UTC),
        "parts_billed": 1,
        "price_text": "-0.04200",
        "cost_micro": 42_000,
        "currency": "USD",
        "text": "Ваш код 1234",
    }


def test_a_pending_message_has_no_final_time(land, source, server, long_after, day):
    server.script = [listed({**MESSAGE, "status": "sent"}, {**MESSAGE, "direction": "inbound"})]
    frame = source.read(land(pages_of(source.plan([day], long_after)))).collect()
    assert frame["done_at"][0] is None
    assert frame["done_at_text"][0] is None
    assert frame["done_at_origin"].to_list() == ["none", "provider_update"]
    assert frame["inbound"].to_list() == [False, True]


def test_every_optional_field_may_be_null(land, source, server, long_after, day):
    server.script = [listed(dict.fromkeys(MESSAGE) | {"sid": "a"}, {"sid": "b"})]
    frame = source.read(land(pages_of(source.plan([day], long_after)))).collect()
    assert frame["message_id"].to_list() == ["a", "b"]
    known = {"pull", "page", "record", "pulled_at", "message_id", "channel", "inbound"}
    others = frame.drop(*known, "done_at_origin")
    assert others.null_count().row(0) == (2,) * others.width


def test_nonsense_is_kept_as_a_malformed_row(land, source, server, long_after, day):
    nonsense = {"date_created": 20261025, "price": ["free"], "num_segments": "many"}
    server.script = [listed({**MESSAGE, "sid": "bad", **nonsense}, "?", MESSAGE)]
    frame = source.read(land(pages_of(source.plan([day], long_after)))).collect()
    assert frame["message_id"].to_list() == ["bad", None, MESSAGE["sid"]]
    assert frame["malformed"].is_null().to_list() == [False, False, True]
    assert frame["created_at"][0] is None
    assert frame["created_at_text"][0] == "20261025"


def test_whatsapp_addresses_tell_the_channel(land, source, server, long_after, day):
    addresses = {"from": "whatsapp:+14155238886", "to": "whatsapp:+380671234567"}
    server.script = [listed({**MESSAGE, **addresses})]
    row = source.read(land(pages_of(source.plan([day], long_after)))).collect().row(0, named=True)
    assert (row["channel"], row["recipient"]) == ("whatsapp", "+380671234567")


def test_a_fault_in_the_middle_of_paging_loses_nothing(land, source, server, long_after, day, naps):
    link = f"{PATH}?Page=1"
    server.script = [
        listed({**MESSAGE, "sid": "a"}, following=link),
        Reply(b"oops", 500),
        listed({**MESSAGE, "sid": "b"}),
    ]
    pages = pages_of(source.plan([day], long_after))
    assert pages[1].meta["retries"] == "1"
    assert source.read(land(pages)).collect()["message_id"].to_list() == ["a", "b"]


def test_pages_in_a_circle_are_refused(source, server, long_after, day):
    server.otherwise = lambda asked: listed(MESSAGE, following="/again")
    with pytest.raises(PermanentSourceError, match="circle"):
        pages_of(source.plan([day], long_after))


def test_an_answer_that_is_not_twilios_is_refused(source, server, long_after, day):
    server.script = [Reply(b'{"hello": "world"}')]
    with pytest.raises(PermanentSourceError, match="no list 'messages'"):
        pages_of(source.plan([day], long_after))


def test_a_provider_that_stays_down_is_a_transient_error(source, server, long_after, day, naps):
    server.otherwise = lambda asked: Reply(b"", 503)
    with pytest.raises(TransientSourceError, match=r"shop: .*HTTP 503"):
        pages_of(source.plan([day], long_after))


def test_the_check_says_how_to_mend_a_wrong_password(source, server):
    wrong = {"code": 20003, "message": f"Authenticate {SECRET}"}
    server.script = [Reply(json.dumps(wrong).encode(), 401), listed(MESSAGE)]
    (refused,) = source.check()
    assert not refused.ok
    assert "secret in the environment" in refused.mend
    assert SECRET not in f"{refused}"
    assert [result.ok for result in source.check()] == [True]


def test_the_check_says_when_the_variable_is_not_set(source, monkeypatch):
    monkeypatch.delenv("TWILIO_TOKEN")
    (refused,) = source.check()
    assert not refused.ok
    assert "TWILIO_TOKEN" in refused.mend


def test_requests_and_bodies_hold_no_secret(source, server, long_after, day):
    server.script = [listed(MESSAGE)]
    (page,) = pages_of(source.plan([day], long_after))
    assert page.request.startswith(f"GET {PATH}?DateSent%3E=2025-03-04")
    assert SECRET not in f"{page} {source!r} {vars(source)}"


def test_reading_streams(land, source, server, long_after, day):
    server.script = [listed(MESSAGE)]
    frame = source.read(land(pages_of(source.plan([day], long_after))))
    plan = frame.show_graph(engine="streaming", plan_stage="physical", raw_output=True)
    assert "columnar-function" not in str(plan)
    assert isinstance(frame, pl.LazyFrame)
