"""46elks against a scripted server and its simulated one: bounds, costs, what is left out."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import polars as pl
import pytest

from sms_etl.sandbox import WorldParameters, build_world, running_sandbox
from sms_etl.sandbox.elks_api import USERNAME
from sms_etl.sources.registry import SOURCE_KINDS, make_source
from tests.sources.scripted_server import Reply

DAY = date(2026, 7, 10)
TICK = timedelta(microseconds=1)
DELIVERED = {
    "id": "s17a6dafb12d6b1cabc053d57dac2b9d8",
    "created": "2026-07-10T09:52:07.302000",
    "direction": "outgoing",
    "from": "Shop",
    "to": "+380671234567",
    "message": "Hello hello",
    "status": "delivered",
    "delivered": "2026-07-10T09:52:10Z",
    "cost": 3500,
}


@pytest.fixture
def make(monkeypatch):
    def build(base_url: str, key: str = "elks-password", **settings):
        monkeypatch.setenv("ELKS_PASSWORD", key)
        block = {
            "kind": "elks",
            "username": USERNAME,
            "password": "ELKS_PASSWORD",
            "currency": "SEK",
            "base_url": base_url,
            "requests_per_second": 1000,
            "parallel_slices": 1,
            **settings,
        }
        return make_source("elks", SOURCE_KINDS["elks"].model_validate(block), Path())

    return build


@pytest.fixture
def read(server, make, long_after, land):
    """OBSERVATIONS of one page of records."""

    def run(*records):
        server.script = [Reply.of({"data": list(records)})]
        source = make(server.url)
        (plan,) = source.plan([DAY], long_after)
        return source.read(land(list(plan.pages))).collect()

    return run


def test_a_day_is_asked_for_from_its_end_down_to_its_first_moment(server, make, long_after):
    earlier = {**DELIVERED, "id": "s2"}
    server.script = [
        Reply.of({"data": [DELIVERED], "next": "2026-07-10T09:52:07.302000"}),
        Reply.of({"data": [earlier], "next": None}),
    ]
    (plan,) = make(server.url).plan([DAY], long_after)
    assert [page.records for page in plan.pages] == [1, 1]
    asked = [parse_qs(urlsplit(request.target).query) for request in server.asked]
    assert [query["start"] for query in asked] == [
        ["2026-07-10T21:00:00.000000"],
        ["2026-07-10T09:52:07.302000"],
    ]
    assert [query["end"] for query in asked] == [["2026-07-09T20:59:59.999999"]] * 2
    assert [query["limit"] for query in asked] == [["100"]] * 2


def test_slices_of_a_day_meet_without_a_gap(server, make, long_after):
    server.otherwise = lambda _asked: Reply.of({"data": []})
    (plan,) = make(server.url, parallel_slices=2).plan([DAY], long_after)
    assert sum(page.records for page in plan.pages) == 0
    asked = [parse_qs(urlsplit(request.target).query) for request in server.asked]
    starts, ends = (
        [datetime.fromisoformat(f"{query[name][0]}Z") for query in asked]
        for name in ("start", "end")
    )
    assert starts[-1] == datetime(2026, 7, 10, 21, tzinfo=UTC)
    assert ends[0] == datetime(2026, 7, 9, 21, tzinfo=UTC) - TICK
    assert [start - TICK for start in starts[:-1]] == ends[1:]
    assert len(asked) > 1


def test_times_are_utc_with_and_without_a_zone_and_costs_are_ten_thousandths(read):
    (row,) = read(DELIVERED).iter_rows(named=True)
    assert row["created_at"] == datetime(2026, 7, 10, 9, 52, 7, 302_000, tzinfo=UTC)
    assert row["done_at"] == datetime(2026, 7, 10, 9, 52, 10, tzinfo=UTC)
    assert row["done_at_origin"] == "provider"
    assert (row["price_text"], row["cost_micro"], row["currency"]) == ("3500", 350_000, "SEK")


def test_what_is_left_out_is_null(read):
    spoken = {name: DELIVERED[name] for name in ("id", "created", "direction", "from", "to")}
    (row,) = read({**spoken, "status": "failed"}).iter_rows(named=True)
    assert (row["text"], row["cost_micro"], row["done_at"]) == (None, None, None)
    assert row["done_at_origin"] == "none"


def test_an_automatic_answer_is_a_message_sent_and_only_incoming_ones_are_not(read):
    answer = {**DELIVERED, "direction": "outgoing-reply"}
    incoming = {name: DELIVERED[name] for name in ("id", "created", "from", "to", "message")}
    observed = read(DELIVERED, answer, {**incoming, "direction": "incoming"})
    assert observed["inbound"].to_list() == [False, False, True]


def test_the_time_of_delivery_is_true_and_nothing_else_has_one(make, context_at, land):
    world = build_world(WorldParameters(messages=3_000, first_day=date(2026, 7, 1), days=14))
    with running_sandbox(world) as sandbox:
        source = make(f"{sandbox.base_url}/elks", sandbox.accounts.secret_of("elks"))
        (plan,) = source.plan([DAY], context_at(sandbox.clock.now()))
        truth = sandbox.truth("elks").select("message_id", "outcome", true="done_at")
        observed = source.read(land(list(plan.pages))).collect().join(truth, on="message_id")
    arrived = pl.col("outcome") == "delivered"
    assert observed.filter(arrived).height > 50
    assert observed.filter(arrived)["done_at"].equals(observed.filter(arrived)["true"])
    assert observed.filter(~arrived)["done_at"].null_count() == observed.filter(~arrived).height > 0
