"""The world is the same for the same seed, and as various as real sending."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import phonenumbers
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneNumberType, carrier

from sms_etl.sandbox import (
    Clock,
    World,
    WorldParameters,
    build_world,
    incidents_at,
    settled,
    truth_at,
)

GSM_7 = (  # 3GPP TS 23.038, written down apart from the sandbox's own table
    set("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà")
    | set(map(chr, range(48, 58))) | set(map(chr, range(65, 91))) | set(map(chr, range(97, 123)))
)  # fmt: skip
GSM_7_ESCAPED = set("^{}\\[~]|€\f")

SMALL = build_world(WorldParameters(messages=1_000))


def parts_by_hand(text):
    if set(text) <= GSM_7 | GSM_7_ESCAPED:
        length, alone, part = len(text) + sum(c in GSM_7_ESCAPED for c in text), 160, 153
    else:
        length, alone, part = len(text.encode("utf-16-le")) // 2, 70, 67
    return 1 if length <= alone else -(-length // part)


def outbox_ids(world):
    return world.messages.filter(pl.col("way").is_in(["twilio", "turbosms"]))["message_id"]


def test_same_seed_same_world_other_seed_another(world):
    again = build_world(WorldParameters(messages=2_000))
    assert again.messages.equals(world.messages)
    assert again.inbound.equals(world.inbound)
    other = build_world(WorldParameters(messages=2_000, seed=7))
    assert not set(outbox_ids(other)) & set(outbox_ids(world))


def test_first_message_of_the_default_seed_never_changes(world):
    """A change here changes every demo, picture and golden figure made from the sandbox."""
    first = world.messages.row(0, named=True)
    assert first["message_id"] == "263fc2ed-70b1-55a2-79c3-c36b234a22b1"
    assert first["submitted_at"] == datetime(2026, 8, 1, 4, 20, 53, tzinfo=UTC)


def test_volume_and_shares(world):
    counts = dict(world.messages.group_by("way").len().rows())
    assert counts["twilio"] + counts["turbosms"] == 2_000
    assert counts["twilio"] / 2_000 == pytest.approx(0.55, abs=0.04)
    assert world.messages["message_id"].n_unique() == world.messages.height
    assert world.messages["campaign"].n_unique() == 12
    inside = world.messages["submitted_at"].is_between(
        world.parameters.start, world.parameters.end + timedelta(minutes=1)
    )
    assert inside.all()


def test_both_hours_named_three_on_the_night_clocks_go_back(world):
    """2026-10-25 in Kyiv: 03:00-04:00 happens twice, from 00:00 and from 01:00 UTC."""
    hours = world.messages.filter(pl.col("way").is_in(["twilio", "turbosms"])).select(
        "way", hour=pl.col("submitted_at").dt.truncate("1h")
    )
    for hour in (0, 1):
        inside = hours.filter(pl.col("hour") == datetime(2026, 10, 25, hour, tzinfo=UTC))
        assert set(inside["way"]) == {"twilio", "turbosms"}


def test_google_agrees_about_every_number(world):
    for row in world.contacts.iter_rows(named=True):
        if row["e164"] is None:
            typed = re.sub(r"\D", "", row["recipient"])
            try:
                parsed = phonenumbers.parse(row["recipient"], "UA")
            except phonenumbers.NumberParseException:
                assert len(typed) < 2
                continue
            assert not phonenumbers.is_valid_number(parsed), row["recipient"]
            continue
        parsed = phonenumbers.parse(row["e164"])
        assert phonenumbers.is_valid_number(parsed), row["e164"]
        assert phonenumbers.region_code_for_number(parsed) == row["country"]
        fixed = phonenumbers.number_type(parsed) == PhoneNumberType.FIXED_LINE
        assert fixed == (row["number_type"] == "fixed_line")
        if row["operator"]:
            assert carrier.name_for_number(parsed, "en").startswith(row["operator"])


def test_numbers_are_typed_in_many_ways_and_still_mean_the_same(world):
    written = world.contacts.filter(pl.col("country") == "UA")
    shapes = written["recipient"].str.replace_all(r"\d", "9").n_unique()
    assert shapes >= 10
    for typed, e164 in written.select("recipient", "e164").rows():
        assert re.sub(r"\D", "", typed).endswith(e164[4:])
    assert written["recipient"].str.contains(r"^8 ?\(?0").sum() > 0


def test_parts_and_encodings_agree_with_a_count_by_hand(world):
    rows = world.messages.select("text", "encoding", "parts").unique()
    for text, encoding, parts in rows.rows():
        assert parts == parts_by_hand(text), text
        assert (encoding == "gsm7") == (set(text) <= GSM_7 | GSM_7_ESCAPED)
        assert "{" not in text
    assert set(rows["parts"]) == {1, 2, 3}
    assert set(rows["encoding"]) == {"gsm7", "ucs2"}


def test_one_odd_letter_makes_a_latin_campaign_dearer(world):
    for campaign in ("weekend-prices", "loyalty-points"):
        rows = world.messages.filter(pl.col("campaign") == campaign)
        odd = {c for text in rows["text"] for c in text} - GSM_7
        assert len(odd) == 1
        assert set(rows["encoding"]) == {"ucs2"}


def test_incidents_stand_out(world):
    incidents = {row["kind"]: row for row in incidents_at(world, settled(world))}
    assert set(incidents) == {"outage", "spam_block"}
    for incident in incidents.values():
        assert incident["failed_by_it"] / incident["messages"] > 0.5
    outage = world.incidents["outage"]
    other = world.messages.filter(
        pl.col("submitted_at").is_between(outage.start, outage.end, closed="left")
        & (pl.col("operator") == "Kyivstar") & (pl.col("way") == "twilio")
    )  # fmt: skip
    assert (other["class"] == "failed").mean() < 0.25
    assert incidents_at(world, outage.start - timedelta(hours=1)) == []


def test_slow_evenings(world):
    hour = pl.col("submitted_at").dt.convert_time_zone("Europe/Kyiv").dt.hour()
    usual = (pl.col("outcome") == "delivered") & (pl.col("operator") == "Kyivstar") & (
        pl.col("kind") != "promo"
    )  # fmt: skip
    waits = world.messages.filter(usual).select(
        evening=hour.is_between(18, 20),
        seconds=(pl.col("done_at") - pl.col("sent_at")).dt.total_seconds(),
    )
    medians = dict(waits.group_by("evening").agg(pl.col("seconds").median()).rows())
    assert medians[True] > 2 * medians[False]


def test_late_missing_and_duplicate_receipts_exist(world):
    delay = pl.col("done_at") - pl.col("sent_at")
    late = world.messages.filter((pl.col("outcome") == "delivered") & (delay > timedelta(hours=5)))
    assert late.height > 0
    assert world.messages.filter(pl.col("outcome") == "no_receipt")["done_at"].null_count() > 0
    copies = world.messages.filter(pl.col("duplicate_of").is_not_null())
    assert copies.height == 4
    both = copies.join(world.messages, left_on="duplicate_of", right_on="message_id")
    assert both.filter(
        (pl.col("e164").eq_missing(pl.col("e164_right")))
        & (pl.col("text") == pl.col("text_right"))
        & (pl.col("submitted_at") > pl.col("submitted_at_right"))
    ).height == copies.height  # fmt: skip


def test_histories_run_forward(world):
    order = ["submitted_at", "sent_at", "done_at", "read_at"]
    for earlier, later in pairwise(order):
        wrong = world.messages.filter(pl.col(later) < pl.col(earlier))
        assert wrong.is_empty()
    rejected = world.messages.filter(pl.col("class") == "rejected")
    assert rejected["sent_at"].null_count() == rejected.height > 0
    assert rejected["billed_at"].null_count() == rejected.height


MOMENTS = st.integers(-86_400, 98 * 86_400).map(
    lambda seconds: SMALL.parameters.start + timedelta(seconds=seconds)
)


@settings(deadline=None, max_examples=25)
@given(MOMENTS, MOMENTS)
def test_what_is_known_only_grows(one, other):
    """Law: going forward in time, nothing known is forgotten and no final state changes."""
    now, later = sorted((one, other))
    before, after = truth_at(SMALL, now), truth_at(SMALL, later)
    both = before.join(after, on="message_id", suffix="_later", how="left")
    assert both["class_later"].null_count() == 0
    final = both.filter(pl.col("done_at").is_not_null())
    assert final.filter(pl.col("class") != pl.col("class_later")).is_empty()
    assert final.filter(pl.col("done_at") != pl.col("done_at_later")).is_empty()
    open_before = both.filter(pl.col("class") == "unknown", pl.col("done_at").is_null())
    assert open_before.filter(pl.col("class_later") == "pending").is_empty()
    assert (before["submitted_at"] <= now).all()
    assert before.filter(pl.col("updated_at") > now).is_empty()
    billed = both.filter(pl.col("price_micro").is_not_null())
    assert billed.filter(pl.col("price_micro") != pl.col("price_micro_later")).is_empty()


def test_a_world_of_another_length(world):
    week = build_world(WorldParameters(messages=500, first_day=world.parameters.first_day, days=3))
    assert isinstance(week, World)
    assert week.messages["submitted_at"].max() < week.parameters.end + timedelta(minutes=1)


def test_clock_wants_a_zone():
    with pytest.raises(ValueError, match="no zone"):
        Clock(datetime(2026, 10, 25, 3, 0))  # noqa: DTZ001 the mistake under test
