"""What is asked of BulkSMS, and what the simulated one answers, hold against its description."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
import requests
from openapi_core import OpenAPI
from openapi_core.contrib.requests import RequestsOpenAPIRequest, RequestsOpenAPIResponse
from openapi_core.validation.request.exceptions import InvalidParameter
from openapi_core.validation.response.exceptions import InvalidData

from sms_etl.days import day_window
from sms_etl.model.schemas import OUTBOX
from sms_etl.sandbox import settled
from sms_etl.sandbox.bulksms_api import ACCOUNT
from sms_etl.sources.base import PullContext
from sms_etl.sources.registry import SOURCE_KINDS, make_source
from tests.sandbox.conftest import MIDDLE

DESCRIPTION = Path(__file__).parent / "openapi" / "bulksms.json"
SMALL_PAGES = 7


@pytest.fixture
def described(sandbox) -> OpenAPI:
    """The description, served where the sandbox is."""
    document = json.loads(DESCRIPTION.read_text("utf-8"))
    document["servers"] = [{"url": f"{sandbox.base_url}/bulksms/v1"}]
    return OpenAPI.from_dict(document)


@pytest.fixture
def ask(sandbox):
    """The answer to a request, as it went over the wire."""

    def send(target: str) -> requests.Response:
        who = (ACCOUNT, sandbox.accounts.secret_of("bulksms"))
        return requests.get(f"{sandbox.base_url}{target}", auth=who, timeout=5)

    return send


@pytest.fixture
def source(sandbox, monkeypatch):
    monkeypatch.setenv("BULKSMS_SECRET", sandbox.accounts.secret_of("bulksms"))
    block = {
        "kind": "bulksms",
        "token_id": ACCOUNT,
        "token_secret": "BULKSMS_SECRET",
        "base_url": f"{sandbox.base_url}/bulksms",
        "requests_per_second": 1000,
    }
    return make_source("shop", SOURCE_KINDS["bulksms"].model_validate(block), Path())


@pytest.mark.parametrize("moment", [lambda _world: MIDDLE, settled], ids=["midway", "settled"])
def test_a_whole_day_is_asked_for_and_answered_as_described(
    sandbox, described, ask, source, moment
):
    now = moment(sandbox.world)
    sandbox.set_clock(now)
    sandbox.set_faults(page_size=SMALL_PAGES)
    zone = sandbox.world.parameters.zone
    window = day_window(MIDDLE.astimezone(zone).date(), zone)
    (plan,) = source.plan([MIDDLE.date()], PullContext(zone, now, OUTBOX.empty()))
    pages = list(plan.pages)
    targets = [entry.target for entry in sandbox.requests_log]

    told = []
    for target in targets:
        answer = ask(target)
        request = RequestsOpenAPIRequest(answer.request)
        described.validate_request(request)
        described.validate_response(request, RequestsOpenAPIResponse(answer))
        told += answer.json()

    truth = sandbox.truth("bulksms").filter(
        pl.col("submitted_at").is_between(window.start, window.end, closed="left")
    )
    assert len(targets) == len(pages) > truth.height // SMALL_PAGES
    assert {message["id"] for message in told} == set(truth["message_id"])
    assert len(told) == truth.height > SMALL_PAGES
    words = {message["status"]["type"] for message in told}
    assert {"DELIVERED", "FAILED", "SENT"} <= words


def test_the_description_refuses_what_it_does_not_describe(described, ask):
    answer = ask("/bulksms/v1/messages?sortOrder=DESCENDING")
    request = RequestsOpenAPIRequest(answer.request)
    with pytest.raises(InvalidParameter):
        described.validate_request(request)
    assert answer.status_code == 400
    described.validate_response(request, RequestsOpenAPIResponse(answer))


def test_the_description_refuses_an_unknown_status(sandbox, described, ask):
    newest = sandbox.truth("bulksms").sort("submitted_at")["message_id"][-1]
    sandbox.set_faults(status_words={newest: "Teleported"})
    answer = ask("/bulksms/v1/messages?limit=1")
    request = RequestsOpenAPIRequest(answer.request)
    with pytest.raises(InvalidData):
        described.validate_response(request, RequestsOpenAPIResponse(answer))


def test_without_a_date_only_seven_days_are_told(sandbox, ask):
    sandbox.set_clock(MIDDLE)
    found = ask("/bulksms/v1/messages").json()
    recent = sandbox.truth("bulksms").filter(pl.col("submitted_at") > MIDDLE - timedelta(days=7))
    assert {message["id"] for message in found} == set(recent["message_id"])
    assert [int(message["id"]) for message in found] == sorted(
        (int(name) for name in recent["message_id"]), reverse=True
    )
