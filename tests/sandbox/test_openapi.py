"""The providers' own OpenAPI descriptions judge what the sources ask and what the sandbox answers.

`openapi/README.md` says where the descriptions come from and which could not be had. Where a
description contradicts its provider's own examples or guides it is patched here, with the reason.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

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

FOLDER = Path(__file__).parent / "openapi"
DAY = date(2026, 9, 6)
EVENING = datetime(2026, 9, 6, 20, tzinfo=UTC)
LONG_BEFORE = date(2026, 7, 1)
SMALL_PAGES = 25
GONE = object()
"""The value of a patch that removes something."""


@dataclass(frozen=True)
class Patch:
    """What of a description is not so, and why; lists of parameters are entered by name."""

    why: str
    path: tuple[str, ...]
    value: Any = GONE


def of_parameter(path: str, name: str, *more: str) -> tuple[str, ...]:
    return ("paths", path, "get", "parameters", name, "schema", *more)


def text_like(pattern: str) -> dict[str, str]:
    """A text of a form, or a blank one while there is no value yet."""
    return {"type": "string", "pattern": f"^({pattern})?$"}


MESSAGES = "/2010-04-01/Accounts/{AccountSid}/Messages.json"
DETAIL_RECORDS = "/detail_records"
REPORTS = "/v2/reports/records"
DATES_ARE_TAKEN = "it is typed date-time, but its text and its examples give dates: 2008-01-02"
TIMES_ARE_GIVEN = "it is typed date, but its example is a time: 2019-06-28T15:30:00+0000"
TEXTS_ARE_GIVEN = "its type is another, but its example is a text"
NO_SUCH_DEFAULT = "the default 'none' is not among the values, so the description is not valid"
CURSORS = "how-to-handle-pagination on developer.vonage.com (2023) has it; the description is older"
NO_ERRORS_HERE = "the path describes none; other paths of the same description do"

VONAGE_STATUSES = (
    "delivered", "expired", "failed", "rejected", "accepted", "buffered", "unknown", "deleted",
    "submitted",
)  # fmt: skip
PATCHES = {
    "twilio": [
        Patch(DATES_ARE_TAKEN, of_parameter(MESSAGES, name, "format"))
        for name in ("DateSent", "DateSent<", "DateSent>")
    ],
    "telnyx": [
        Patch(
            "it has no mapping from the record_type, message_detail_record, to the schema's name",
            ("components", "schemas", "DetailRecord", "discriminator"),
        ),
        *(Patch(
            NO_ERRORS_HERE,
            ("paths", DETAIL_RECORDS, "get", "responses", status),
            {"$ref": f"#/components/responses/{answer}"},
        )
        for status, answer in (("400", "BadRequestResponse"), ("401", "UnauthenticatedResponse"))),
    ],
    "vonage": [
        *(
            Patch(TIMES_ARE_GIVEN, of_parameter(REPORTS, name, "format"), "date-time")
            for name in ("date_start", "date_end")
        ),
        *(
            Patch(
                TIMES_ARE_GIVEN,
                ("components", "schemas", name),
                text_like(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:?\d\d"),
            )
            for name in ("date", "date_finalized", "receive_time")
        ),
        *(
            Patch(TEXTS_ARE_GIVEN, ("components", "schemas", name), text_like(pattern))
            for name, pattern in (
                ("concatenated", "true|false"), ("latency", r"\d+"), ("price", r"\d+\.\d+"),
            )
        ),
        *(
            Patch(NO_SUCH_DEFAULT, of_parameter(REPORTS, name, "default"))
            for name in ("type", "status")
        ),
        *(
            Patch(
                CURSORS,
                ("paths", REPORTS, "get", "parameters", name),
                {"name": name, "in": "query", "schema": {"type": "string"}},
            )
            for name in ("cursor", "iv")
        ),
        Patch(
            "the request takes references of up to 40 characters, not of 40 exactly",
            ("components", "schemas", "client_ref", "minLength"),
        ),
        Patch(
            "deleted is among the statuses that may be asked for; submitted is too on "
            "developer.vonage.com/en/api/reports",
            ("components", "schemas", "sms_status", "enum"),
            list(VONAGE_STATUSES),
        ),
        Patch(
            "the three kinds of 422 require no field, so each answer fits all of them",
            ("paths", REPORTS, "get", "responses", "422", "content", "application/json",
             "schema", "oneOf"),
        ),
        Patch(
            NO_ERRORS_HERE,
            ("paths", REPORTS, "get", "responses", "401"),
            {"$ref": "#/components/responses/401"},
        ),
    ],
}  # fmt: skip
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
STATUSES = {
    "twilio": "message_enum_status",
    "telnyx": "MessageDetailRecord.properties.status",
    "vonage": "sms_status",
}
"""The schema of the status word."""
KINDS = sorted(PATCHES)


def step(node: Any, name: str) -> Any:
    if isinstance(node, list):
        return next(item for item in node if item["name"] == name)
    return node[name]


def patched(description: Any, patches: list[Patch]) -> Any:
    description = deepcopy(description)
    for patch in patches:
        *way, last = patch.path
        node = description
        for name in way:
            node = step(node, name)
        if isinstance(node, list):
            node.append(patch.value)
        elif patch.value is GONE:
            del node[last]
        else:
            node[last] = patch.value
    return description


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
        original = json.loads((FOLDER / f"{kind}.json").read_text(encoding="utf-8"))
        self.data = patched(original, PATCHES[kind])
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
    assert {status_key_of(word) for word in described_statuses(description)} <= set(explained)


def test_every_status_of_the_whole_sandbox_is_described(description, bench):
    sandbox = bench.sandbox
    sandbox.set_clock(settled(sandbox.world))
    api = sandbox.api(description.kind)
    told = api.seen(api.messages, sandbox.clock.now(), FaultSettings())
    assert set(told["word"]) <= set(described_statuses(description))


def described_statuses(description):
    schema = value_at(description.data["components"]["schemas"], STATUSES[description.kind])
    return schema["enum"]


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
    patched_in = {401} if description.kind != "twilio" else set()
    refused = {status for status, _ in REFUSED.get(description.kind, [])}
    assert described == patched_in | refused


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


@pytest.mark.parametrize(
    ("kind", "patch"),
    [
        pytest.param(kind, patch, id=f"{kind} {patch.path[-1]} {at}")
        for kind, patches in PATCHES.items()
        for at, patch in enumerate(patches)
    ],
    indirect=["kind"],
)
def test_a_patch_changes_something_and_has_a_reason(kind, patch):
    original = json.loads((FOLDER / f"{kind}.json").read_text(encoding="utf-8"))
    assert patch.why
    assert patched(original, [patch]) != original
