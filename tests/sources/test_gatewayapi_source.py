"""GatewayAPI against a scripted server: several recipients, messages that are not found, tags."""

import json
from base64 import b64decode
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from sms_etl.dictionaries import load_dictionary
from sms_etl.errors import PermanentSourceError
from sms_etl.model.schemas import OUTBOX
from sms_etl.sources.registry import SOURCE_KINDS, make_source
from tests.sources.scripted_server import Reply

NOON = datetime(2026, 7, 10, 9, tzinfo=UTC)
RECIPIENT = {
    "country": "UA",
    "csms": 1,
    "dsnerror": None,
    "dsnerrorcode": None,
    "dsnstatus": "DELIVERED",
    "dsntime": 1783674129.0,
    "mcc": 255,
    "mnc": 3,
    "msisdn": 380671234567,
    "senttime": 1783674069.0,
    "tagvalues": None,
}
MESSAGE = {
    "class": "standard",
    "id": 421332671,
    "label": "summer",
    "message": "Sale",
    "recipients": [RECIPIENT],
    "sender": "Shop",
    "tags": None,
}
NOT_FOUND = Reply.of({"incident_uuid": "d8127429", "message": "not found"}, status=404)


@pytest.fixture
def source(server, monkeypatch):
    monkeypatch.setenv("GATEWAYAPI_TOKEN", "gateway-key")
    block = {
        "kind": "gatewayapi",
        "token": "GATEWAYAPI_TOKEN",
        "base_url": server.url,
        "requests_per_second": 1000,
    }
    return make_source("gateway", SOURCE_KINDS["gatewayapi"].model_validate(block), Path())


@pytest.fixture
def pages(server, source, context_at):
    """Pages of a day whose outbox has these identifiers, answered by a script."""

    def run(script: list[Reply], *identifiers: str):
        server.script = script
        rows = [{"message_id": name, "submitted_at": NOON} for name in identifiers]
        context = context_at(NOON, pl.DataFrame(rows, schema=OUTBOX.schema))
        (plan,) = source.plan([NOON.date()], context)
        return list(plan.pages)

    return run


@pytest.fixture
def read(source, pages, land):
    """OBSERVATIONS of such a day."""

    def run(script: list[Reply], *identifiers: str) -> pl.DataFrame:
        return source.read(land(pages(script, *identifiers))).collect()

    return run


def test_the_token_is_the_user_and_there_is_no_password(server, pages):
    pages([Reply.of(MESSAGE)], "421332671")
    (asked,) = server.asked
    assert asked.target == "/rest/mtsms/421332671"
    assert b64decode(asked.headers["Authorization"].removeprefix("Basic ")) == b"gateway-key:"


@pytest.mark.parametrize("answer", [MESSAGE, [MESSAGE]], ids=["alone", "in a list"])
def test_the_message_is_read_with_and_without_its_list(read, answer):
    (row,) = read([Reply.of(answer)], "421332671").iter_rows(named=True)
    assert (row["message_id"], row["recipient"]) == ("421332671", "+380671234567")
    assert (row["sender"], row["campaign"], row["mcc_mnc"]) == ("Shop", "summer", "25503")
    assert row["sent_at"] == datetime(2026, 7, 10, 9, 1, 9, tzinfo=UTC)
    assert row["done_at"] == datetime(2026, 7, 10, 9, 2, 9, tzinfo=UTC)
    assert row["done_at_origin"] == "provider"


def test_the_time_of_a_status_that_is_not_final_is_no_end(read):
    onward = {**MESSAGE, "recipients": [{**RECIPIENT, "dsnstatus": "ENROUTE"}]}
    (row,) = read([Reply.of(onward)], "421332671").iter_rows(named=True)
    assert (row["done_at"], row["done_at_origin"]) == (None, "none")
    assert row["updated_at"] is not None


def test_a_message_to_several_is_asked_for_once_and_each_recipient_is_a_message(server, read):
    numbers = [380671234567, 380501234567, 380631234567]
    recipients = [{**RECIPIENT, "msisdn": number} for number in numbers]
    wanted = [f"7:{number}" for number in numbers]
    observed = read([Reply.of({**MESSAGE, "id": 7, "recipients": recipients})], *wanted)
    assert [asked.target for asked in server.asked] == ["/rest/mtsms/7"]
    assert observed["message_id"].to_list() == wanted
    assert observed["malformed"].null_count() == 3


def test_the_form_of_an_identifier_follows_the_outbox(read):
    observed = read([Reply.of(MESSAGE), Reply.of(MESSAGE)], "8:380671234567", "9")
    assert observed["message_id"].to_list() == ["8:380671234567", "9"]


def test_a_recipient_that_cannot_be_named_is_still_a_row(read):
    odd = {**MESSAGE, "recipients": [RECIPIENT, {"dsnstatus": "DELIVERED"}, 5]}
    observed = read([Reply.of(odd)], "7")
    assert observed["message_id"].to_list() == ["7:380671234567", None, None]
    assert observed["malformed"].is_not_null().to_list() == [False, False, True]


def test_a_message_that_is_not_found_is_pending_and_stops_nothing(pages, read):
    found = pages([NOT_FOUND, Reply.of(MESSAGE)], "6", "421332671")
    assert [page.records for page in found] == [1, 1]
    assert json.loads(found[0].body)["message"] == "not found"
    observed = read([NOT_FOUND, Reply.of(MESSAGE)], "6", "421332671")
    assert observed.select("message_id", "status").rows() == [
        ("6", None),
        ("421332671", "DELIVERED"),
    ]
    statuses = load_dictionary("gatewayapi").statuses
    (told,) = statuses.filter(pl.col("word") == "(no status)").iter_rows(named=True)
    assert (told["class"], told["final"]) == ("pending", False)


def test_a_refused_token_does_stop(pages):
    with pytest.raises(PermanentSourceError, match="HTTP 401"):
        pages([Reply.of({"message": "Invalid Consumer Key"}, status=401)], "6")


def test_a_text_with_tags_is_a_template_and_not_the_text_sent(read):
    template = {**MESSAGE, "message": "Dear %NAME", "tags": ["%NAME"]}
    observed = read([Reply.of(MESSAGE), Reply.of(template)], "8", "9")
    assert observed["text"].to_list() == ["Sale", None]


@pytest.mark.parametrize(
    ("code", "reason"),
    [("0x1010", "invalid_number"), ("0x104A", "network_error"), ("0x104a", "network_error")],
)
def test_codes_are_hexadecimal_as_in_webhooks(read, code, reason):
    failed = {**RECIPIENT, "dsnstatus": "UNDELIVERABLE", "dsnerrorcode": code}
    (found,) = read([Reply.of({**MESSAGE, "recipients": [failed]})], "7")["code"]
    codes = load_dictionary("gatewayapi").codes
    assert codes.filter(pl.col("key") == found.lower())["reason"].to_list() == [reason]
