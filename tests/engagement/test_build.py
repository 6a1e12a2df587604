"""Every record of a stream has one fate, whatever else is rebuilt and however often it came."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sms_etl.days import days_between
from sms_etl.engagement.build import EventRecipe, build_events
from sms_etl.errors import ConservationError
from sms_etl.model.engagement import EVENTS
from sms_etl.model.vocabulary import Engagement

KYIV = ZoneInfo("Europe/Kyiv")
DAY = date(2026, 10, 25)
NOON = datetime(2026, 10, 25, 10, tzinfo=UTC)
PULLED = datetime(2026, 10, 26, 3, tzinfo=UTC)


def record(number, pull="p1", at=NOON, **more):
    return {
        "pull": pull, "page": 1, "record": number, "pulled_at": PULLED, "event_id": None,
        "recipient": "+380501234567", "at_text": str(at), "at": at, **more,
    }  # fmt: skip


def build(records, days=(DAY,), kind=Engagement.CLICKS, counts=None, pulled_day=DAY):
    frame = pl.DataFrame(records, schema=EVENTS.schema)
    read = pl.struct("page", "record").n_unique().cast(pl.Int64)
    per_pull = frame.group_by("pull").agg(records=read if counts is None else pl.lit(counts))
    pulls = per_pull.select(
        "pull",
        first_day=pl.lit(pulled_day),
        last_day=pl.lit(pulled_day),
        records=pl.lit(counts, pl.Int64)
        if counts is not None
        else pl.col("records").cast(pl.Int64),
    )
    recipe = EventRecipe(
        "shop", "smsapi", kind, KYIV, "UA", b"key", whole_list=kind is Engagement.OPT_OUTS
    )
    return build_events(frame.lazy(), pulls, list(days), recipe)


def fates(built):
    return {
        (fate, reason): count
        for fate, reason, count in built.conservation.select("fate", "reason", "records").rows()
    }


def test_equal_clicks_of_one_pull_are_several_and_of_two_pulls_the_same():
    twice = [record(number, pull=pull) for pull in ("p1", "p2") for number in (0, 1)]
    built = build(twice)
    assert built.rows.height == 2
    assert built.rows["clicks"].to_list() == [1, 1]
    assert fates(built) == {("row", None): 2, ("folded", "repeated_record"): 2}


def test_a_later_pull_of_a_count_replaces_the_earlier():
    first, later = (
        record(
            0,
            pull=pull,
            event_id="7 2026-10-25",
            count_text=str(n),
            clicks=n,
            period_seconds=90_000,
        )
        for pull, n in (("p1", 3), ("p2", 8))
    )
    later["pulled_at"] = PULLED + timedelta(hours=1)
    (row,) = build([later, first]).rows.iter_rows(named=True)
    assert (row["clicks"], row["pull"], row["records"]) == (8, "p2", 2)


def test_an_identity_of_personal_data_is_kept_as_a_digest_only():
    keyed = [record(number, event_key="380501234567 10:00") for number in (0, 1)]
    built = build(keyed)
    assert fates(built) == {("row", None): 1, ("folded", "repeated_record"): 1}
    assert "38050" not in str(built.rows.to_dicts())


@pytest.mark.parametrize(
    ("kind", "changes", "fate", "reason"),
    [
        (Engagement.CLICKS, {"malformed": "no object"}, "quarantined", "unreadable_record"),
        (Engagement.CLICKS, {"at": None}, "quarantined", "unreadable_time"),
        (Engagement.CLICKS, {"at": None, "at_text": None}, "quarantined", "no_time"),
        (Engagement.CLICKS, {"count_text": "many"}, "quarantined", "unreadable_count"),
        (Engagement.CLICKS, {"period_seconds": 3600}, "quarantined", "unreadable_count"),
        (Engagement.CLICKS, {"count_text": "0", "clicks": 0}, "folded", "no_clicks"),
        (Engagement.CLICKS, {"at": NOON - timedelta(days=1)}, "folded", "belongs_to_another_day"),
        (Engagement.REPLIES, {"outbound": True}, "folded", "outbound_message"),
        (Engagement.REPLIES, {"outbound": True, "at": None}, "folded", "outbound_message"),
        (Engagement.OPT_OUTS, {"recipient": None}, "quarantined", "no_person"),
        (Engagement.OPT_OUTS, {"at": None}, "quarantined", "unreadable_time"),
        (Engagement.OPT_OUTS, {"at": None, "at_text": None}, "row", None),
        (Engagement.OPT_OUTS, {"at": NOON - timedelta(days=400)}, "row", None),
        (Engagement.REPLIES, {"recipient": None}, "row", None),
    ],
)
def test_a_record_has_one_fate(kind, changes, fate, reason):
    told = fates(build([record(0) | changes], kind=kind))
    assert told.pop((fate, reason)) == 1
    assert told in ({}, {("row", None): 0})


def test_the_hour_that_comes_twice_is_of_one_day():
    hours = [datetime(2026, 10, 24, 21, tzinfo=UTC), datetime(2026, 10, 25, 21, 59, 59, tzinfo=UTC)]
    outside = [hours[0] - timedelta(seconds=1), hours[1] + timedelta(seconds=1)]
    built = build([record(n, at=at) for n, at in enumerate([*hours, *outside])])
    assert built.rows["clicked_at"].sort().to_list() == hours
    assert fates(built)["folded", "belongs_to_another_day"] == 2


def test_records_that_reading_loses_are_refused():
    with pytest.raises(ConservationError, match=r"shop\.clicks: pull p1 holds 2 records"):
        build([record(0)], counts=2)


def test_a_day_without_pulls_is_accounted_for_with_nothing():
    built = build([], days=days_between(DAY, DAY + timedelta(days=1)))
    assert built.conservation.select("day", "records").rows() == [
        (DAY, 0), (DAY + timedelta(days=1), 0),
    ]  # fmt: skip


records = st.lists(
    st.builds(
        lambda pull, hour, person, clicks, broken: record(
            0,
            pull=pull,
            at=NOON + timedelta(hours=hour),
            recipient=person,
            clicks=clicks,
            malformed=broken,
        ),
        st.sampled_from(["p1", "p2", "p3"]),
        st.integers(-30, 30),
        st.sampled_from(["+380501234567", "067 123 45 67", None]),
        st.sampled_from([None, 0, 1, 5]),
        st.sampled_from([None, None, None, "broken"]),
    ),
    max_size=20,
)


@settings(max_examples=25, deadline=None)
@given(records)
def test_records_in_are_rows_and_folded_and_quarantined(found):
    numbered = [entry | {"record": number} for number, entry in enumerate(found)]
    built = build(numbered)
    assert built.conservation["records"].sum() == len(numbered)
    assert built.rows.height == fates(built)["row", None]
    again = build(list(reversed(numbered)))
    assert again.rows.drop("pull", "record").equals(built.rows.drop("pull", "record"))
