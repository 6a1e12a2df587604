"""What customers do is theirs alone: the messages stay, and every event belongs to one of them."""

import hashlib
from datetime import timedelta

import polars as pl
import pytest

from sms_etl.sandbox import WorldParameters, build_world, write_files
from sms_etl.sandbox.engaged import ROBOTS
from tests.sandbox.conftest import MIDDLE

MESSAGES_AS_RELEASED = "224a78a48c756f3226ffde4710909088a17412a859333b258fcee500a554b0d0"
"""SHA-256 of the small world's messages as CSV before anybody answered or clicked."""


@pytest.fixture(scope="module")
def engaged(world):
    return world.engaged


def test_the_messages_are_what_they_were_before_anybody_answered(world):
    csv = world.messages.write_csv().encode()
    assert hashlib.sha256(csv).hexdigest() == MESSAGES_AS_RELEASED


def test_the_same_seed_gives_the_same_events(world, engaged):
    again = build_world(world.parameters).engaged
    other = build_world(WorldParameters(seed=7, messages=2_000)).engaged
    for name in ("replies", "clicks", "opt_outs"):
        assert getattr(again, name).equals(getattr(engaged, name))
        assert not getattr(other, name).equals(getattr(engaged, name))


def test_events_follow_the_message_they_belong_to(world, engaged):
    messages = world.messages.select("message_id", "done_at", "e164", "text", "outcome")
    for events in (engaged.replies.drop_nulls("message_id"), engaged.clicks):
        both = events.join(messages, on="message_id", suffix="_sent")
        assert both.height == events.height > 10
        assert (both["at"] >= both["done_at"]).all()
        assert both["e164"].equals(both["e164_sent"], check_names=False)
        assert both["outcome"].unique().to_list() == ["delivered"]
    links = engaged.clicks.join(messages, on="message_id").filter(
        ~pl.col("text").str.contains(pl.col("link"), literal=True)
    )
    assert links.is_empty()


def test_identifiers_are_unique_and_times_are_whole_seconds(engaged):
    for events in (engaged.replies, engaged.clicks, engaged.opt_outs):
        assert events["event_id"].is_unique().all()
        assert events["event_id"].str.len_chars().unique().to_list() == [32]
        assert events["at"].is_sorted()
        assert (events["at"].dt.truncate("1s") == events["at"]).all()


def test_whoever_answers_stop_is_on_the_stop_list_within_minutes(engaged):
    refused = engaged.replies.filter("opt_out")
    listed = refused.join(engaged.opt_outs, on="e164", suffix="_listed")
    assert listed.height == refused.height > 5
    assert (listed["at_listed"] - listed["at"]).max() <= timedelta(minutes=3)


def test_robots_come_at_once_and_only_some_say_so(engaged, world):
    both = engaged.clicks.join(world.messages.select("message_id", "done_at"), on="message_id")
    late = (pl.col("at") - pl.col("done_at")) > timedelta(seconds=10)
    assert both.filter("robot", late).is_empty()
    assert not both.filter(~pl.col("robot"), late).is_empty()
    agents = set(engaged.clicks.filter("robot")["user_agent"])
    assert agents == set(ROBOTS["user_agent"])


def test_the_truth_of_events_is_beside_the_truth_of_messages(world, engaged, tmp_path):
    write_files(world, MIDDLE, tmp_path)
    for name in ("replies", "clicks", "opt_outs"):
        written = pl.read_parquet(tmp_path / f"truth-{name}.parquet")
        happened = getattr(engaged, name).filter(pl.col("at") <= MIDDLE)
        assert written.equals(happened)
        assert 0 < happened.height < getattr(engaged, name).height
