"""The providers' OpenAPI descriptions judge what the sources ask and what the sandbox answers.

They are stated in `descriptions.py`; `openapi/README.md` says after which documents, where they
depart from them, and which could not be had.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
import requests
from jsonschema.exceptions import best_match
from openapi_core import OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest, MockResponse

from sms_etl.dictionaries.dictionary import load_dictionary, status_key
from sms_etl.sandbox import FaultSettings, settled
from sms_etl.sandbox.bench import Bench
from sms_etl.sandbox.case import case_of
from sms_etl.sandbox.wire import Reply, Request
from sms_etl.sources import http
from sms_etl.sources.base import PullContext
from sms_etl.sources.paging import at as value_at
from tests.sandbox.descriptions import DESCRIPTIONS, STATUSES

DAY = date(2026, 9, 6)
EVENING = datetime(2026, 9, 6, 20, tzinfo=UTC)
LONG_BEFORE = date(2026, 7, 1)
SMALL_PAGES = 25
HOSTS = {
    "twilio": "https://api.twilio.com",
    "telnyx": "https://api.telnyx.com",
    "vonage": "https://api.nexmo.com",
}
RECORDS = {"twilio": "messages", "telnyx": "data", "vonage": "records"}
TOO_MUCH = {
    "twilio": {"PageSize": "1001"},
    "telnyx": {"page[size]": "51"},
    "vonage": {"account_id": "a-long-account"},
}
REFUSED = {
    "telnyx": [(400, {"filter[record_type]": "pigeon"})],
    "vonage": [
        (403, {"account_id": "abcd9999"}),
        (422, {"product": "PIGEON"}),
        (422, {"date_start": "2026-09-06T00:00:00Z"}),
    ],
}
"""HTTP statuses that are described, and a change of the check's request that brings them."""
KINDS = sorted(DESCRIPTIONS)


class NotDescribedError(AssertionError):
    """A request or an answer that the provider's description does not know."""


@contextmanager
def told() -> Iterator[None]:
    """Errors of openapi-core, which quote whole answers, in a line."""
    try:
        yield
    except OpenAPIError as error:
        cause = error.__cause__
        schema_errors = getattr(cause, "schema_errors", ())
        worst = best_match(iter(schema_errors))
        where = ".".join(str(step) for step in worst.absolute_path) if worst else ""
        raise NotDescribedError(
            f"{where}: {worst.message[:300]}" if worst else str(cause or error)
        ) from None


class Description:
    """A provider's description, and its judgement of requests and answers."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.data = DESCRIPTIONS[kind]
        self._judge = OpenAPI.from_dict(self.data)
        ((self.path, self.operation),) = (
            (path, item["get"]) for path, item in self.data["paths"].items()
        )

    def judge_request(self, request: Request) -> None:
        """Raises NotDescribedError if the description does not know such a request."""
        unknown = {name for name in request.query if not self._describes(name)}
        if unknown:
            raise NotDescribedError(f"no parameters {unknown}")
        with told():
            self._judge.validate_request(self._asked(request))

    def judge_answer(self, request: Request, reply: Reply) -> None:
        """Raises NotDescribedError if the description does not know such an answer."""
        answer = MockResponse(
            reply.body, reply.status, dict(reply.headers), reply.headers["Content-Type"]
        )
        with told():
            self._judge.validate_response(self._asked(request), answer)

    def _describes(self, name: str) -> bool:
        """By its whole name, or as a field of an object: filter[created_at][gte] of filter."""
        types = {p["name"]: p["schema"].get("type") for p in self.operation["parameters"]}
        return name in types or types.get(name.partition("[")[0]) == "object"

    def _asked(self, request: Request) -> MockRequest:
        return MockRequest(
            HOSTS[self.kind],
            request.method,
            request.path.removeprefix(f"/{self.kind}"),
            args=request.query,
            headers=dict(request.headers),
        )


@pytest.fixture(params=KINDS)
def kind(request) -> str:
    return request.param


@pytest.fixture
def description(kind) -> Description:
    return Description(kind)


@pytest.fixture
def exchanges(sandbox, monkeypatch) -> list[tuple[Request, Reply]]:
    """What the sandbox is asked and what it answers, as it passes."""
    passed: list[tuple[Request, Reply]] = []
    answer = sandbox.answer

    def listen(request):
        outcome = answer(request)
        passed.append((request, outcome.reply))
        return outcome

    monkeypatch.setattr(sandbox, "answer", listen)
    return passed


@pytest.fixture
def bench(kind, sandbox, exchanges, monkeypatch, tmp_path) -> Bench:
    case = case_of(kind)
    for variable, secret in case.secrets(sandbox.accounts).items():
        monkeypatch.setenv(variable, secret)
    monkeypatch.setattr(http, "now", sandbox.clock.now)
    sandbox.set_clock(EVENING)
    return Bench(case, sandbox, tmp_path)


def judge(description: Description, exchanges: list[tuple[Request, Reply]]) -> None:
    for request, reply in exchanges:
        description.judge_request(request)
        assert reply.status == 200
        description.judge_answer(request, reply)


def repeat(bench: Bench, exchanges: list[tuple[Request, Reply]], changes: Mapping[str, str]) -> int:
    """The check's request once more, with some of its parameters changed; its HTTP status."""
    bench.source.check()
    request, _ = exchanges.pop()
    url = bench.sandbox.base_url + request.path
    authorization = {"Authorization": request.headers["Authorization"]}
    query = request.query | dict(changes)
    return requests.get(url, params=query, headers=authorization, timeout=5).status_code


def while_some_are_on_their_way(world):
    of_the_day = pl.col("submitted_at").dt.date() == DAY
    return world.messages.filter(of_the_day)["submitted_at"].max()


@pytest.mark.parametrize("moment", [while_some_are_on_their_way, settled])
def test_a_day_in_many_pages(description, bench, exchanges, moment):
    bench.sandbox.set_clock(moment(bench.sandbox.world))
    bench.sandbox.set_faults(page_size=SMALL_PAGES)
    observed = bench.pull([DAY])
    assert len(set(observed["message_id"])) > 30
    assert len(exchanges) > 3
    judge(description, exchanges)


def test_the_check_of_the_credentials(description, bench, exchanges):
    assert [result.ok for result in bench.source.check()] == [True]
    assert len(exchanges) == 1
    judge(description, exchanges)


def test_a_day_without_messages(description, bench, exchanges):
    assert bench.pull([LONG_BEFORE]).is_empty()
    judge(description, exchanges)
    bodies = [json.loads(reply.body) for _, reply in exchanges]
    assert [value_at(body, RECORDS[description.kind]) for body in bodies] == [[]] * len(bodies)


def test_the_dictionary_explains_every_described_status(description):
    explained = load_dictionary(description.kind).statuses["key"]
    assert {status_key_of(word) for word in STATUSES[description.kind]} <= set(explained)


def test_every_status_of_the_whole_sandbox_is_described(description, bench):
    sandbox = bench.sandbox
    sandbox.set_clock(settled(sandbox.world))
    api = sandbox.api(description.kind)
    told = api.seen(api.messages, sandbox.clock.now(), FaultSettings())
    assert set(told["word"]) <= set(STATUSES[description.kind])


def status_key_of(word):
    return pl.select(status_key(pl.lit(word))).item()


@pytest.mark.parametrize("kind", ["vonage"], indirect=True)
def test_messages_by_identifier(description, bench, exchanges):
    bench.sandbox.set_clock(EVENING + timedelta(hours=4))
    landed = bench.landed(bench.pages([DAY]))
    exchanges.clear()
    now, zone = bench.sandbox.clock.now(), bench.zone
    context = PullContext(zone, now, bench.context().outbox, landed=lambda _day: landed)
    (plan,) = bench.source.plan([DAY], context)
    assert sum(page.records for page in plan.pages) > 0
    assert all("id" in request.query for request, _ in exchanges)
    judge(description, exchanges)


@pytest.mark.parametrize("kind", ["twilio"], indirect=True)
def test_replies(description, bench, exchanges):
    bench.sandbox.set_faults(page_size=2)
    (replies,) = bench.source.streams()
    replies.try_out()
    (plan,) = replies.plan([DAY], bench.context())
    assert sum(page.records for page in plan.pages) > 0
    assert len(exchanges) > 1
    judge(description, exchanges)


@pytest.mark.parametrize("kind", ["telnyx", "vonage"], indirect=True)
def test_wrong_credentials(description, bench, exchanges):
    bench.sandbox.set_faults(token_expired=True)
    assert [result.ok for result in bench.source.check()] == [False]
    ((request, reply),) = exchanges
    assert reply.status == 401
    description.judge_answer(request, reply)


@pytest.mark.parametrize(
    ("kind", "status", "changes"),
    [(kind, *refused) for kind, all_refused in REFUSED.items() for refused in all_refused],
    indirect=["kind"],
)
def test_what_is_refused(description, bench, exchanges, status, changes):
    assert repeat(bench, exchanges, changes) == status
    request, reply = exchanges[-1]
    description.judge_answer(request, reply)


def test_every_described_error_is_judged(description):
    described = {int(status) for status in description.operation["responses"]} - {200}
    wrong_credentials = {401} if description.kind != "twilio" else set()
    refused = {status for status, _ in REFUSED.get(description.kind, [])}
    assert described == wrong_credentials | refused


def test_a_status_that_is_not_described_would_be_seen(description, bench, exchanges):
    identifier = bench.pull([DAY])["message_id"][0]
    bench.sandbox.set_faults(status_words={identifier: "martian"})
    exchanges.clear()
    bench.pull([DAY])
    with pytest.raises(NotDescribedError, match="martian"):
        judge(description, exchanges)


def test_a_request_that_is_not_described_would_be_seen(description, bench, exchanges):
    repeat(bench, exchanges, TOO_MUCH[description.kind])
    with pytest.raises(NotDescribedError, match=next(iter(TOO_MUCH[description.kind].values()))):
        description.judge_request(exchanges[-1][0])
    repeat(bench, exchanges, {"pigeon": "yes"})
    with pytest.raises(NotDescribedError, match="pigeon"):
        description.judge_request(exchanges[-1][0])
