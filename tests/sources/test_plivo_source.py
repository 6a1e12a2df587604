"""Plivo against a scripted server: its two time formats, its amounts, its slow list."""

from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import ValidationError

from sms_etl.sources.registry import SOURCE_KINDS, make_source
from tests.sources.scripted_server import Reply

AUTH_ID = "MA" + "Q7" * 9
DAY = date(2026, 7, 10)


def settings(**more):
    return SOURCE_KINDS["plivo"].model_validate(
        {"kind": "plivo", "auth_id": AUTH_ID, "auth_token": "PLIVO_TOKEN", **more}
    )


@pytest.fixture
def source(server, monkeypatch):
    monkeypatch.setenv("PLIVO_TOKEN", "plivo-secret")
    return make_source("plivo", settings(base_url=server.url, requests_per_second=1000), Path())


def message(**fields):
    return {
        "message_uuid": "11111111-2222-3333-4444-555555555555",
        "message_time": "2026-07-10 10:00:00+03:00",
        "message_state": "delivered",
        "message_direction": "outbound",
        "message_type": "sms",
        "from_number": "Shop",
        "to_number": "380671234567",
        "units": 1,
        "total_amount": "0.05100",
        "error_code": "000",
        **fields,
    }


def answer(*messages, total=None) -> Reply:
    count = total or len(messages)
    return Reply.of({"api_id": "a", "meta": {"total_count": count}, "objects": list(messages)})


def pages_of(source, context):
    (plan,) = source.plan([DAY], context)
    return list(plan.pages)


def test_the_window_is_asked_in_utc_without_a_zone(server, source, long_after):
    server.script = [answer(message(), message(), total=3), answer(message(), total=3)]
    assert [page.records for page in pages_of(source, long_after)] == [2, 1]
    first, second = [parse_qs(urlsplit(asked.target).query) for asked in server.asked]
    assert first["message_time__gte"] == ["2026-07-09 21:00:00"]
    assert first["message_time__lt"] == ["2026-07-10 21:00:00"]
    assert (first["limit"], first["offset"], second["offset"]) == (["20"], ["0"], ["2"])


@pytest.mark.parametrize(
    "text",
    ["2026-07-10 10:00:00+03:00", "2026-07-10 12:30:00.000000+05:30", "2026-07-10 07:00:00"],
    ids=["offset", "microseconds and offset", "none: UTC"],
)
def test_answers_carry_an_offset_that_need_not_be_utc(server, source, long_after, land, text):
    server.script = [answer(message(message_time=text, message_updated_time=text))]
    observed = source.read(land(pages_of(source, long_after))).collect()
    moment = datetime(2026, 7, 10, 7, tzinfo=UTC)
    assert observed.select("created_at", "done_at").row(0) == (moment, moment)
    assert observed["done_at_origin"].to_list() == ["provider_update"]


def test_an_amount_of_zero_is_not_charged_yet(server, source, long_after, land):
    server.script = [
        answer(message(), message(total_amount="0.00000", message_state="queued", error_code=None))
    ]
    observed = source.read(land(pages_of(source, long_after))).collect()
    assert observed["cost_micro"].to_list() == [51_000, None]
    assert observed["recipient"].to_list() == ["+380671234567"] * 2


def test_the_list_is_asked_20_times_a_minute_unless_settings_say_otherwise():
    assert settings().requests_per_second * 60 == pytest.approx(20)
    with pytest.raises(ValidationError, match="auth_id"):
        settings(auth_id="AC123")
