"""A reader written from Vonage's guides orders a report of the sandbox and finds what is true.

No SDK can: the official one for Python has no Reports API. The guides are on developer.vonage.com
under reports/code-snippets: create-async-report, get-report-status, get-report. What the source
asks and the sandbox answers on the way holds against what Vonage's OpenAPI description says
(Nexmo/api-specification definitions/reports.yml 2.1.17 @ad04200).
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from datetime import UTC, date, datetime, timedelta

import pytest
import requests
from jsonschema import ValidationError, validate

from sms_etl.sandbox import settled
from sms_etl.sandbox.bench import Bench
from sms_etl.sandbox.case import Case
from sms_etl.sandbox.vonage_api import ACCOUNT
from sms_etl.sandbox.vonage_reports import Reports
from sms_etl.sources import vonage_reports

START = datetime(2026, 9, 6, tzinfo=UTC)
WEEK = timedelta(days=7)
STATUSES = ("PENDING", "PROCESSING", "SUCCESS", "ABORTED", "FAILED", "TRUNCATED")
TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([+-]\d\d:?\d\d|Z)$"}
LINK = {"type": "object", "required": ["href"], "properties": {"href": {"format": "uri"}}}
ASKED_FOR = {
    "product": {"const": "SMS"},
    "account_id": {"type": "string", "minLength": 8, "maxLength": 8},
    "direction": {"enum": ["inbound", "outbound"]},
    "date_start": TIME,
    "date_end": TIME,
    "include_subaccounts": {"type": "boolean"},
    "include_message": {"type": "boolean"},
}
ORDER = {
    "type": "object",
    "required": ["product", "account_id", "direction"],
    "properties": ASKED_FOR,
    "additionalProperties": False,
}
REPORT = {
    "type": "object",
    "required": ["request_id", "request_status", "receive_time", "_links"],
    "properties": {
        **ASKED_FOR,
        "request_id": {"type": "string"},
        "request_status": {"enum": list(STATUSES)},
        "receive_time": TIME,
        "items_count": {"type": "integer"},
        "_links": {
            "type": "object",
            "properties": {"self": LINK, "download_report": LINK},
            "additionalProperties": False,
        },
    },
    "additionalProperties": False,
}
"""What Vonage's description says of an order and of a report, stated here in our own words."""
HEADINGS = {
    "account_id", "message_id", "client_ref", "direction", "from", "to", "message_body", "network",
    "network_name", "country", "country_name", "date_received", "date_finalized", "latency",
    "status", "error_code", "error_code_description", "currency", "total_price",
}  # fmt: skip
"""Schema csv_sms_outbound of the description."""


@pytest.fixture
def ask(sandbox):
    """One request, as curl would make it."""
    sandbox.set_clock(settled(sandbox.world))
    sandbox.api("vonage").reports = Reports()

    def request(method, url, **more):
        where = url if url.startswith("http") else f"{sandbox.base_url}/vonage{url}"
        more.setdefault("auth", (ACCOUNT, sandbox.accounts.secret_of("vonage")))
        return requests.request(method, where, timeout=5, **more)

    return request


def order(**more):
    bounds = {"date_start": START.isoformat(), "date_end": (START + WEEK).isoformat()}
    return {"product": "SMS", "account_id": ACCOUNT, "direction": "outbound", **bounds, **more}


def ready(ask, **more):
    """A report as it is in the end, and the statuses on the way."""
    report = ask("POST", "/v2/reports", json=order(**more)).json()
    statuses = [report["request_status"]]
    while statuses[-1] in ("PENDING", "PROCESSING"):
        report = ask("GET", f"/v2/reports/{report['request_id']}").json()
        statuses.append(report["request_status"])
    return report, statuses


def lines_of(answer):
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        (name,) = archive.namelist()
        return list(csv.DictReader(io.StringIO(archive.read(name).decode(), newline="")))


def test_a_week_in_a_file_agrees_with_the_truth(sandbox, ask):
    report, statuses = ready(ask, include_message=True)
    lines = lines_of(ask("GET", report["_links"]["download_report"]["href"]))
    day = sandbox.truth("vonage")["submitted_at"]
    truth = sandbox.truth("vonage").filter((day >= START) & (day < START + WEEK))
    assert truth.height > 100
    assert statuses == ["PENDING", "PROCESSING", "SUCCESS"]
    assert set(lines[0]) >= HEADINGS
    assert len(lines) == report["items_count"] == truth.height
    by_id = {line["message_id"]: line for line in lines}
    for row in truth.iter_rows(named=True):
        line = by_id[row["message_id"]]
        assert datetime.fromisoformat(line["date_received"]) == row["submitted_at"]
        assert float(line["total_price"] or 0) == (row["price_micro"] or 0) / 1e6
        assert (line["from"], line["client_ref"]) == (row["sender"], row["campaign"] or "")


def test_texts_come_only_when_asked_for(ask):
    report, _ = ready(ask)
    lines = lines_of(ask("GET", report["_links"]["download_report"]["href"]))
    assert "message_body" not in lines[0]


def test_reports_are_listed_for_four_days_and_files_kept_for_three(sandbox, ask):
    report, _ = ready(ask)
    link = report["_links"]["download_report"]["href"]
    found = {}
    for days in (2.9, 3.1, 4.1):
        sandbox.set_clock(settled(sandbox.world) + timedelta(days=days))
        listed = ask("GET", f"/v2/reports?account_id={ACCOUNT}&status=FAILED, SUCCESS").json()
        found[days] = (listed["items_count"], ask("GET", link).status_code)
    assert found == {2.9: (1, 200), 3.1: (1, 404), 4.1: (0, 404)}


@pytest.mark.parametrize(
    ("method", "target", "more", "status"),
    [
        ("POST", "/v2/reports", {"json": order(), "auth": ("abcd1234", "wrong")}, 401),
        ("POST", "/v2/reports", {"json": order(account_id="abcd9999")}, 403),
        ("POST", "/v2/reports", {"json": order(product="PIGEON")}, 422),
        ("POST", "/v2/reports", {"json": order(direction="up")}, 422),
        ("POST", "/v2/reports", {"json": order(date_end=START.isoformat())}, 422),
        ("POST", "/v2/reports", {"data": "no JSON"}, 422),
        ("GET", f"/v2/reports?account_id={ACCOUNT}", {}, 422),
        ("GET", "/v2/reports/no-such-report", {}, 404),
        ("GET", "/v3/media/no-such-file", {}, 404),
    ],
)
def test_what_is_refused(ask, method, target, more, status):
    answer = ask(method, target, **more)
    assert (answer.status_code, answer.json()["type"][:22]) == (status, "https://developer.nexm")


@pytest.fixture
def exchanges(sandbox, ask, monkeypatch, tmp_path):
    """What the source asks for a day, first without a report and then with one, and the answers."""
    passed, answer = [], sandbox.answer

    def listen(request):
        outcome = answer(request)
        passed.append((request, outcome.reply))
        return outcome

    monkeypatch.setattr(sandbox, "answer", listen)
    monkeypatch.setattr(vonage_reports, "POLL_SECONDS", 0.01)
    monkeypatch.setenv("VONAGE_SECRET", sandbox.accounts.secret_of("vonage"))
    own = {"api_key": ACCOUNT, "api_secret": "VONAGE_SECRET", "bulk": True}
    case = Case(kind="vonage", settings=lambda _accounts: own, secrets=lambda _accounts: {})
    bench = Bench(case, sandbox, tmp_path)
    assert bench.pages([date(2026, 9, 7)])
    assert bench.pages([date(2026, 9, 7)])
    return [(request, reply) for request, reply in passed if "/v3/media/" not in request.target]


def test_every_request_and_answer_is_described(exchanges):
    asked = [(request.method, request.path.count("/")) for request, _ in exchanges]
    assert asked == [("GET", 3), ("POST", 3), ("GET", 4), ("GET", 4), ("GET", 3)]
    for request, reply in exchanges:
        said = json.loads(reply.body)
        if request.method == "POST":
            validate(request.json, ORDER)
        elif "reports" in said:
            assert set(request.query) <= {"account_id", "status", "date_from", "date_to"}
            assert set(request.query["status"].split(",")) <= set(STATUSES)
        for report in said.get("reports", [said]):
            validate(report, REPORT)


@pytest.mark.parametrize(
    "changes",
    [{"product": "PIGEON"}, {"direction": 7}, {"date_start": "2026-09-06"}, {"pigeon": 1}],
)
def test_an_order_that_is_not_described_would_be_seen(exchanges, changes):
    with pytest.raises(ValidationError):
        validate(exchanges[1][0].json | changes, ORDER)
