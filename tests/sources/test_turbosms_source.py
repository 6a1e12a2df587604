"""TurboSMS against a scripted server: batches, three levels of codes, local times."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from sms_etl.errors import PermanentSourceError, TransientSourceError
from sms_etl.model.schemas import OBSERVATIONS, OUTBOX
from sms_etl.sources.registry import SOURCE_KINDS, make_source
from tests.sources.scripted_server import Reply

SECRET = "turbo-secret-55aa"
DELIVERED = {
    "message_id": "id-1",
    "response_code": 0,
    "response_status": "OK",
    "recipient": "380671234567",
    "sent": "2025-03-05 10:00:00",
    "updated": "2025-03-05 10:00:07",
    "status": "Delivered",
    "type": "sms",
}


def source_with(server, monkeypatch, **settings):
    monkeypatch.setenv("TURBO_TOKEN", SECRET)
    block = SOURCE_KINDS["turbosms"].model_validate(
        {
            "kind": "turbosms",
            "token": "TURBO_TOKEN",
            "base_url": server.url,
            "requests_per_second": 1000,
            "retry_budget_seconds": 5,
            **settings,
        }
    )
    return make_source("turbo", block, Path())


@pytest.fixture
def source(server, monkeypatch):
    return source_with(server, monkeypatch)


def outbox(*rows) -> pl.DataFrame:
    return pl.DataFrame(
        [{"message_id": name, "submitted_at": at} for name, at in rows], schema=OUTBOX.schema
    )


def answered(*results, code=0, status="OK") -> Reply:
    return Reply.of(
        {"response_code": code, "response_status": status, "response_result": list(results)}
    )


def ids_asked(server) -> list[list[str]]:
    return [json.loads(asked.body)["messages"] for asked in server.asked]


NOON = datetime(2025, 3, 5, 10, tzinfo=UTC)


def read_one(server, source, context_at, land, *results) -> pl.DataFrame:
    server.script = [answered(*results)]
    (plan,) = source.plan([NOON.date()], context_at(NOON, outbox(("id-1", NOON))))
    return source.read(land(list(plan.pages))).collect()


def test_identifiers_of_each_day_are_asked_in_batches(server, monkeypatch, context_at):
    source = source_with(server, monkeypatch, batch_size=2)
    server.otherwise = lambda asked: answered(DELIVERED)
    late = datetime(2025, 3, 5, 22, 30, tzinfo=UTC)
    rows = outbox(
        ("a", NOON), ("b", NOON), ("", NOON), (None, NOON), ("a", NOON), ("c", NOON), ("d", late)
    )
    plans = list(source.plan([date(2025, 3, 6), date(2025, 3, 5)], context_at(NOON, rows)))
    assert [(plan.first_day, plan.last_day) for plan in plans] == [
        (date(2025, 3, 5),) * 2,
        (date(2025, 3, 6),) * 2,
    ]
    assert [len(list(plan.pages)) for plan in plans] == [2, 1]
    assert ids_asked(server) == [["a", "b"], ["c"], ["d"]]
    assert {asked.target for asked in server.asked} == {"/message/status.json"}
    assert server.asked[0].headers["Authorization"] == f"Bearer {SECRET}"


def test_a_day_without_messages_asks_nothing(server, source, context_at):
    (plan,) = source.plan([NOON.date()], context_at(NOON))
    assert list(plan.pages) == []
    assert server.asked == []


def test_a_record_becomes_an_observation(server, source, context_at, land):
    frame = read_one(server, source, context_at, land, DELIVERED)
    assert frame.schema == OBSERVATIONS.schema
    row = frame.row(0, named=True)
    assert {name: row[name] for name in row if row[name] is not None} == {
        "pull": "pull-1",
        "page": 1,
        "record": 0,
        "pulled_at": row["pulled_at"],
        "message_id": "id-1",
        "recipient": "+380671234567",
        "channel": "sms",
        "inbound": False,
        "status": "Delivered",
        "sent_at_text": "2025-03-05 10:00:00",
        "sent_at": datetime(2025, 3, 5, 8, tzinfo=UTC),
        "done_at_text": "2025-03-05 10:00:07",
        "done_at": datetime(2025, 3, 5, 8, 0, 7, tzinfo=UTC),
        "done_at_origin": "provider_update",
        "updated_at": datetime(2025, 3, 5, 8, 0, 7, tzinfo=UTC),
    }


def test_codes_of_single_messages_are_kept(server, source, context_at, land):
    unknown = {
        "message_id": "id-2",
        "response_code": 414,
        "response_status": "NOT_ALLOWED_MESSAGE_ID",
    }
    stopped = {**DELIVERED, "status": "Rejected", "response_code": 404}
    viber = {**DELIVERED, "type": "viber", "status": "Sent", "rejected_status": "blocked"}
    frame = read_one(server, source, context_at, land, unknown, stopped, viber)
    assert frame.select("status", "code", "channel", "done_at_origin").rows() == [
        ("NOT_ALLOWED_MESSAGE_ID", "414", None, "none"),
        ("Rejected", "404", "sms", "provider_update"),
        ("Sent", "blocked", "viber", "none"),
    ]


def test_every_optional_field_may_be_null(server, source, context_at, land):
    empty = dict.fromkeys(DELIVERED)
    frame = read_one(server, source, context_at, land, empty, {"message_id": "x"})
    assert frame["message_id"].to_list() == [None, "x"]
    assert frame["status"].to_list() == [None, None]
    assert frame["malformed"].to_list() == [None, None]


def test_nonsense_is_kept(server, source, context_at, land):
    spoiled = {**DELIVERED, "sent": 0, "updated": "yesterday", "status": "Read"}
    frame = read_one(server, source, context_at, land, spoiled, {"message_id": {}}, 7)
    assert frame.select("done_at_text", "done_at").row(0) == ("yesterday", None)
    assert frame.select("sent_at_text", "sent_at").row(0) == ("0", None)
    assert frame["malformed"].is_null().to_list() == [True, False, False]


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (103, "TURBO_TOKEN"),
        ("301", "TURBO_TOKEN"),
        (300, "table of response"),
        (None, "table of response"),
        (["0"], "table of response"),
    ],
)
def test_an_error_inside_http_200_is_an_error(server, source, context_at, naps, code, advice):
    server.otherwise = lambda asked: answered(code=code, status="NO")
    (plan,) = source.plan([NOON.date()], context_at(NOON, outbox(("id-1", NOON))))
    with pytest.raises(PermanentSourceError, match=advice) as caught:
        list(plan.pages)
    assert f"code {code} NO" in str(caught.value)
    assert SECRET not in str(caught.value)
    assert naps == []


def test_a_busy_provider_inside_http_200_is_asked_again(server, source, context_at, naps):
    server.script = [answered(code=999, status="FATAL_ERROR"), answered(DELIVERED)]
    (plan,) = source.plan([NOON.date()], context_at(NOON, outbox(("id-1", NOON))))
    assert [page.meta["retries"] for page in plan.pages] == ["1"]


def test_an_answer_without_messages_is_not_taken_for_an_empty_one(server, source, context_at, naps):
    server.otherwise = lambda asked: Reply.of({"response_code": 0, "response_result": None})
    (plan,) = source.plan([NOON.date()], context_at(NOON, outbox(("id-1", NOON))))
    with pytest.raises(TransientSourceError, match="response_result"):
        list(plan.pages)


def test_the_check_tells_a_wrong_token_from_a_good_one(server, source):
    server.script = [answered(code=301, status="INVALID_TOKEN"), answered({"response_code": 414})]
    refused, fine = *source.check(), *source.check()
    assert (refused.ok, fine.ok) == (False, True)
    assert "TURBO_TOKEN" in refused.mend
