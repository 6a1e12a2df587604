"""Infobip remembers 48 hours: what pulling day after day brings, and what is not asked for.

Its official SDK, generated from its own API description, reads the same logs.
"""

from datetime import date, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import infobip_api_client
import polars as pl
import pytest
import zstandard
from infobip_api_client.exceptions import UnauthorizedException
from pydantic import ValidationError

from sms_etl.days import day_window, days_between
from sms_etl.dictionaries import load_dictionary
from sms_etl.dictionaries.classify import classify
from sms_etl.model.schemas import OUTBOX
from sms_etl.sandbox import Clock, WorldParameters, build_world, running_sandbox, settled
from sms_etl.sandbox.outcomes import OUTCOMES
from sms_etl.sandbox.registry import api_class
from sms_etl.sources.base import LandedPage, PageFormat, PullContext
from sms_etl.sources.registry import SOURCE_KINDS, make_source

WORLD = WorldParameters(messages=3_000, first_day=date(2026, 6, 1), days=21)
ZONE = WORLD.zone
DAYS = days_between(date(2026, 6, 3), date(2026, 6, 16))
AFTER_MIDNIGHT = timedelta(hours=2)
TRULY_CANCELLED = {"cancelled": "failed"}
"""Infobip has no word for a message that was called off."""


@pytest.fixture(scope="module")
def sandbox():
    world = build_world(WORLD)
    with running_sandbox(world, Clock(settled(world))) as running:
        yield running


@pytest.fixture
def source(sandbox, monkeypatch):
    monkeypatch.setenv("INFOBIP_KEY", sandbox.accounts.secret_of("infobip"))
    settings = SOURCE_KINDS["infobip"].model_validate(
        {
            "kind": "infobip",
            "api_key": "INFOBIP_KEY",
            "base_url": f"{sandbox.base_url}/infobip",
            "requests_per_second": 1000,
            "page_size": 20,
            "parallel_slices": 1,
        }
    )
    return make_source("shop", settings, Path())


@pytest.fixture
def pull(sandbox, source, tmp_path):
    """OBSERVATIONS of some days, as they are told at a time."""

    def run(days, now):
        sandbox.set_clock(now)
        context = PullContext(ZONE, now, OUTBOX.empty())
        landed = []
        for plan in source.plan(days, context):
            for number, page in enumerate(plan.pages, start=1):
                path = tmp_path / f"{plan.first_day}-{now:%d%H}-{number}.json.zst"
                path.write_bytes(zstandard.compress(page.body))
                landed.append(
                    LandedPage(path, path.stem, number, page.format, page.records, now, page.meta)
                )
        return source.read(landed).collect() if landed else None

    return run


def test_a_pull_every_night_loses_no_message_and_tells_what_was_known(sandbox, pull):
    last_seen = []
    for day in DAYS:
        now = day_window(day, ZONE).end + AFTER_MIDNIGHT
        observed = pull([day - timedelta(days=1), day], now)
        truth = sandbox.truth("infobip").select("message_id", "class", "done_at", "sent_at")
        last_seen.append(observed.join(truth, on="message_id", suffix="_true"))
    seen = pl.concat(last_seen).unique("message_id", keep="last", maintain_order=True)
    local = pl.col("submitted_at").dt.convert_time_zone(ZONE.key).dt.date()
    wanted = sandbox.truth("infobip").filter(local.is_in(DAYS))
    assert wanted.height > 300
    assert set(wanted["message_id"]) <= set(seen["message_id"])
    dictionary = load_dictionary("infobip")
    classed = classify(
        seen.with_columns(submitted_at="sent_at").lazy(),
        dictionary,
        now_column="pulled_at",
        silence_hours=72,
    ).collect()
    wrong = classed.filter(pl.col("status_class") != pl.col("class"))
    assert wrong.select("status", "code", "status_class", "class").rows() == []
    assert {"delivered", "failed", "rejected"} <= set(classed["status_class"])
    assert classed["done_at"].equals(classed["done_at_true"], null_equal=True)


def test_days_that_infobip_forgot_are_not_asked_for(sandbox, pull, caplog):
    now = day_window(DAYS[-1], ZONE).end + AFTER_MIDNIGHT
    asked_before = len(sandbox.requests_log)
    assert pull(DAYS[:3], now) is None
    assert len(sandbox.requests_log) == asked_before
    told = [record.getMessage() for record in caplog.records]
    assert [str(day) in text for day, text in zip(DAYS[:3], told, strict=True)] == [True] * 3
    caplog.clear()
    assert pull(DAYS[-1:], now) is not None
    assert caplog.records == []


def test_a_day_half_forgotten_is_read_and_told_of_unless_it_was_read_before(source, pull, caplog):
    now = day_window(DAYS[-1], ZONE).end + AFTER_MIDNIGHT
    half = DAYS[-2]
    assert pull([half], now).height > 0
    (told,) = [record.getMessage() for record in caplog.records]
    assert f"messages of {half} before {now - timedelta(hours=48):%Y-%m-%dT%H:%M}" in told
    caplog.clear()
    read_before = LandedPage(Path("1"), "pull-1", 1, PageFormat.JSON, 1, now, {})
    context = PullContext(ZONE, now, OUTBOX.empty(), landed=lambda _day: [read_before])
    assert len(list(source.plan([half, DAYS[0]], context))) == 1
    assert caplog.records == []


def test_reports_that_are_given_only_once_are_left_to_others(sandbox, pull):
    pull(DAYS[-2:], day_window(DAYS[-1], ZONE).end + AFTER_MIDNIGHT)
    asked = {entry.target.partition("?")[0] for entry in sandbox.requests_log}
    assert asked == {"/infobip/sms/3/logs"}


@pytest.mark.parametrize("outcome", OUTCOMES["outcome"])
def test_the_words_of_every_outcome_give_its_true_class(outcome):
    told = api_class("infobip").words[outcome]
    true = OUTCOMES.filter(pl.col("outcome") == outcome)["class"].item()
    moment = day_window(DAYS[0], ZONE).start
    row = pl.LazyFrame(
        {
            "status": [told.word],
            "code": [str(told.code)],
            "submitted_at": [moment],
            "now": [moment + timedelta(days=4)],
        },
        schema_overrides={name: pl.Datetime("us", "UTC") for name in ("submitted_at", "now")},
    )
    classed = classify(row, load_dictionary("infobip"), now_column="now", silence_hours=72)
    found = classed.collect().row(0, named=True)
    assert found["status_class"] == TRULY_CANCELLED.get(outcome, true)
    assert found["status_known"]
    assert found["code_known"]


CLASS_OF_GROUP = {
    "ACCEPTED": "pending", "PENDING": "pending", "DELIVERED": "delivered", "EXPIRED": "failed",
    "UNDELIVERABLE": "failed", "REJECTED": "rejected",
}  # fmt: skip
"""As Infobip explains its general statuses."""


@pytest.fixture
def sdk(sandbox):
    """The official SDK, with nothing changed but the host."""

    def connect(key=""):
        configuration = infobip_api_client.Configuration(
            host=f"{sandbox.base_url}/infobip",
            api_key=key or sandbox.accounts.secret_of("infobip"),
        )
        return infobip_api_client.SmsApi(infobip_api_client.ApiClient(configuration))

    return connect


def logs(api, **asked):
    """Every page of the logs; the SDK refuses what does not fit Infobip's own models."""
    found, cursor = [], None
    while True:
        page = api.get_outbound_sms_message_logs(use_cursor=True, cursor=cursor, **asked)
        found += page.results
        cursor = page.cursor.next_cursor
        if not cursor:
            return found


@pytest.mark.parametrize("hours_after", [-6, 2])
def test_the_sdk_reads_a_whole_day_and_agrees_with_the_truth(sandbox, sdk, hours_after):
    window = day_window(DAYS[5], ZONE)
    sandbox.set_clock(window.end + timedelta(hours=hours_after))
    inside = pl.col("submitted_at").is_between(window.start, window.end, closed="left")
    truth = sandbox.truth("infobip").filter(inside)
    assert truth.height > 30
    asked_before = len(sandbox.requests_log)

    found = logs(
        sdk(), sent_since=window.start - timedelta(milliseconds=1), sent_until=window.end, limit=7
    )

    assert len(sandbox.requests_log) - asked_before == -(-truth.height // 7)
    assert sorted(log.message_id for log in found) == sorted(truth["message_id"])
    logged = {log.message_id: log for log in found}
    for row in truth.iter_rows(named=True):
        log = logged[row["message_id"]]
        assert (log.sent_at, log.done_at) == (row["submitted_at"], row["done_at"])
        assert (log.sender, log.campaign_reference_id) == (row["sender"], row["campaign"])
        assert log.message_count == row["parts"]
        if row["recipient"]:
            assert f"+{log.destination}" == row["recipient"]
        assert class_of(log) == TRULY_CANCELLED.get(row["outcome"], row["class"])
        assert (log.error.id == 0) == (log.error.group_name == "OK")
        if row["price_micro"] is None:
            assert log.price is None
        else:
            cost = log.price.price_per_message * log.message_count
            assert round(cost * 1e6) == row["price_micro"]
            assert log.price.currency == row["currency"]


def class_of(log):
    assert log.status.name.startswith(log.status.group_name)
    if log.status.name == "EXPIRED_DLR_UNKNOWN":
        return "unknown"
    return CLASS_OF_GROUP[log.status.group_name]


def test_the_sdk_without_a_cursor_gets_the_latest_only(sandbox, sdk):
    sandbox.set_clock(day_window(DAYS[5], ZONE).end)
    page = sdk().get_outbound_sms_message_logs(limit=5)
    latest = sandbox.truth("infobip").sort("submitted_at").tail(5)
    assert {log.message_id for log in page.results} == set(latest["message_id"])
    assert page.cursor is None


def test_the_sdk_reads_the_refusals(sandbox, sdk):
    with pytest.raises(UnauthorizedException) as refused:
        sdk(key="wrong").get_outbound_sms_message_logs()
    assert refused.value.data.error_code == "E401"
    with pytest.raises(ValidationError, match="less than or equal to 1000"):
        sdk().get_outbound_sms_message_logs(limit=1001)


def test_what_the_source_asks_is_what_the_sdk_would_ask(sandbox, sdk, pull):
    """Same path, same names, same values: only the fractions of a second are written otherwise."""
    sandbox.requests_log.clear()
    sandbox.set_faults(page_size=2)
    pull(DAYS[-1:], day_window(DAYS[-1], ZONE).end + AFTER_MIDNIGHT)
    sandbox.set_faults(page_size=None)
    every = sorted(asked_of(sandbox), key=lambda query: "cursor" in query)
    assert ("cursor" in every[0], "cursor" in every[-1]) == (False, True)
    for by_source in (every[0], every[-1]):
        given = comparable(by_source)
        sdk().get_outbound_sms_message_logs(
            sent_since=given["sentSince"],
            sent_until=given["sentUntil"],
            limit=int(given["limit"]),
            use_cursor=True,
            cursor=given.get("cursor"),
        )
        assert comparable(asked_of(sandbox)[-1]) == given


def asked_of(sandbox):
    return [dict(parse_qsl(urlsplit(entry.target).query)) for entry in sandbox.requests_log]


def comparable(query):
    times = {
        name: datetime.strptime(query[name], "%Y-%m-%dT%H:%M:%S.%f%z")
        for name in ("sentSince", "sentUntil")
    }
    return query | times | {"useCursor": query["useCursor"].lower()}
