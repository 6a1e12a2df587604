"""From observations to messages: every record is used, folded by a rule, or set aside."""

import itertools
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sms_etl.config.settings import SenderRule, TariffRow
from sms_etl.errors import ConservationError
from sms_etl.model.schemas import MESSAGES
from tests.messages.observations import (
    DAY,
    NOON,
    PULLED,
    build,
    fates,
    observation,
    seconds,
)


def only(built):
    assert len(built.messages) == 1
    return built.messages.row(0, named=True)


def test_one_record_becomes_one_message():
    message = only(build(observation("SM1", done_at=NOON + seconds(7))))

    assert message["status_class"] == "delivered"
    assert message["seconds_to_deliver"] == 7.0
    assert message["day"] == DAY
    assert message["operator"] == "Kyivstar"
    assert message["country"] == "UA"
    assert message["number_type"] == "mobile"


def test_the_number_itself_goes_no_further_than_landing():
    built = build(observation("SM1", text="Ваш код 4321"))

    everything = str(built.messages.rows()) + str(built.quarantine.rows())
    assert "671234567" not in everything
    assert "4321" not in everything
    assert len(only(built)["recipient"]) == 64


def test_the_same_number_typed_in_two_ways_is_one_person():
    built = build(
        observation("SM1", recipient="+380671234567"), observation("SM2", recipient="80671234567")
    )

    assert built.messages["recipient"].n_unique() == 1


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_final_state_never_goes_back_whatever_order_records_come_in(order):
    history = [
        observation("SM1", "queued", updated_at=NOON, pulled_at=PULLED),
        observation("SM1", "delivered", done_at=NOON + seconds(9), pulled_at=PULLED),
        observation("SM1", "sent", updated_at=NOON + seconds(60), pulled_at=PULLED + seconds(60)),
    ]
    built = build(*(history[n] for n in order))

    assert only(built)["status_class"] == "delivered"
    assert only(built)["observations"] == 3
    assert fates(built) == {("message", None): 1, ("folded", "repeated_observation"): 2}


def test_a_price_that_comes_late_is_kept_and_never_lost_again():
    first = observation("SM1", done_at=NOON + seconds(9))
    priced = {**first, "price_text": "-0.04", "cost_micro": 40_000, "currency": "USD"}
    message = only(build(priced, {**first, "pulled_at": PULLED + seconds(5)}))

    assert (message["cost_micro"], message["currency"]) == (40_000, "USD")


def test_an_update_by_billing_does_not_make_the_delivery_late():
    seen = observation("SM1", done_at=NOON + seconds(9))
    billed = {**seen, "done_at": NOON + timedelta(hours=5), "pulled_at": PULLED + seconds(5)}
    billed["updated_at"] = billed["done_at"]

    assert only(build(billed, seen))["seconds_to_deliver"] == 9.0


def test_a_tariff_prices_what_the_log_does_not_but_never_the_rejected():
    home = TariffRow(country="UA", price_per_part=Decimal("0.85"), currency="UAH")
    abroad = TariffRow(price_per_part=Decimal("3.4"), currency="UAH")
    built = build(
        observation("SM1", parts_billed=2),
        observation("SM2", "failed", code="21610"),
        observation("SM3", recipient="+48601234567"),
        observation("SM4", price_text="-0.1", cost_micro=100_000, currency="USD"),
        tariff=(home, abroad),
    )
    costs = dict(built.messages.select("message_id", "cost_micro").iter_rows())

    assert costs == {"SM1": 1_700_000, "SM2": None, "SM3": 3_400_000, "SM4": 100_000}


def test_parts_of_a_long_message_are_one_message():
    parts = [
        observation(f"{n}", "DeliveryOK", part_of="long-1", done_at=NOON + seconds(n))
        for n in (1, 2, 3)
    ]
    from sms_etl.dictionaries import load_dictionary

    built = build(*parts, provider="gammu", dictionary=load_dictionary("gammu"))
    message = only(built)

    assert (message["status_class"], message["parts"]) == ("delivered", 3)
    assert message["seconds_to_deliver"] == 3.0
    assert fates(built) == {("message", None): 1, ("folded", "part_of_message"): 2}


def test_a_long_message_with_a_lost_part_is_not_delivered():
    from sms_etl.dictionaries import load_dictionary

    built = build(
        observation("1", "DeliveryOK", part_of="long-1", done_at=NOON),
        observation("2", "DeliveryFailed", part_of="long-1", done_at=NOON),
        dictionary=load_dictionary("gammu"),
    )
    assert only(built)["status_class"] == "failed"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"message_id": None}, "no_message_id"),
        ({"created_at": None}, "no_submit_time"),
        ({"done_at_text": "yesterday"}, "unreadable_time"),
        ({"done_at": NOON - timedelta(hours=2)}, "times_out_of_order"),
        ({"price_text": "free"}, "unreadable_price"),
        ({"malformed": "num_segments is an object"}, "unreadable_record"),
    ],
)
def test_a_record_that_cannot_be_read_is_set_aside_with_its_reason(changes, reason):
    row = observation(changes.pop("message_id", "SM1"), **changes)
    built = build(row, observation("SM2"))

    assert built.quarantine["reason"].to_list() == [reason]
    assert built.messages["message_id"].to_list() == ["SM2"]
    assert sum(fates(built).values()) == 2


def test_inbound_messages_are_not_counted_as_sent():
    assert fates(build(observation("SM1", "received", inbound=True))) == {
        ("message", None): 0,
        ("folded", "inbound_message"): 1,
    }


def test_a_day_is_a_calendar_day_of_the_business_zone():
    late = datetime(2026, 10, 20, 20, 59, 59, tzinfo=UTC)
    built = build(
        observation("SM1", created_at=late), observation("SM2", created_at=late + seconds(1))
    )

    assert built.messages["message_id"].to_list() == ["SM1"]
    assert fates(built)["folded", "belongs_to_another_day"] == 1


def test_a_record_brought_by_the_next_days_pull_counts_at_its_home_day():
    next_day = DAY + timedelta(days=1)
    pulls = {"p1": (DAY, DAY), "p2": (next_day, next_day)}
    rows = (observation("SM1"), observation("SM2", pull="p2"))

    assert len(build(*rows, pulls=pulls, spill_days=1).messages) == 2
    assert len(build(*rows, pulls=pulls, spill_days=0).messages) == 1
    after = build(*rows, pulls=pulls, days=[next_day])
    assert fates(after) == {("message", None): 0, ("folded", "belongs_to_another_day"): 1}


@pytest.mark.parametrize(
    ("outbox_campaign", "own", "rules", "expected"),
    [
        ("sale", "other", (), ("sale", "outbox")),
        (None, "other", (), ("other", "provider")),
        (
            None,
            None,
            (SenderRule(campaign="codes", sender="Kramnytsia"),),
            ("codes", "sender_rule"),
        ),
        (None, None, (SenderRule(campaign="codes", sender="Else"),), ("unknown", "none")),
    ],
)
def test_the_outbox_names_the_campaign_then_the_provider_then_rules(
    outbox_campaign, own, rules, expected
):
    outbox = [{"message_id": "SM1", "campaign": outbox_campaign}] if outbox_campaign else []
    message = only(build(observation("SM1", campaign=own), outbox=outbox, rules=rules))

    assert (message["campaign"], message["campaign_origin"]) == expected


def test_words_no_dictionary_knows_are_unknown_and_listed():
    built = build(observation("SM1", "teleported"), observation("SM2", "undelivered", code="99999"))

    assert set(built.messages["status_class"]) == {"unknown", "failed"}
    assert built.unmapped.select("kind", "word", "messages").rows() == [
        ("code", "99999", 1),
        ("status", "teleported", 1),
    ]


def test_an_empty_day_is_an_account_of_nothing():
    built = build()

    assert built.messages.schema == MESSAGES.schema
    assert fates(built) == {("message", None): 0}


STATES = st.sampled_from(["queued", "sent", "delivered", "undelivered", "failed", "nonsense"])
RECORDS = st.lists(
    st.tuples(
        st.sampled_from(["SM1", "SM2", "SM3", None]), STATES, st.integers(-200, 200),
        st.sampled_from(["p1", "p2"]),
    ),
    max_size=12,
)  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(RECORDS, st.randoms())
def test_records_in_equal_messages_folded_and_quarantined_in_any_order(records, random):
    days = {"p1": (DAY, DAY), "p2": (DAY, DAY + timedelta(days=1))}
    rows = [
        observation(message, state, pull=pull, record=n + 1, updated_at=NOON + seconds(shift))
        for n, (message, state, shift, pull) in enumerate(records)
    ]
    shuffled = random.sample(rows, len(rows))
    built, again = build(*rows, pulls=days), build(*shuffled, pulls=days)

    assert built.conservation["records"].sum() == len(rows)
    assert built.messages.equals(again.messages)
    assert built.quarantine.equals(again.quarantine)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(-40, 80), max_size=10))
def test_rebuilding_days_one_by_one_equals_rebuilding_them_together(hours):
    first, second = DAY, DAY + timedelta(days=1)
    pulls = {"p1": (first, first), "p2": (second, second)}
    rows = [
        observation(f"SM{n}", created_at=NOON + timedelta(hours=h), pull=f"p{1 + n % 2}")
        for n, h in enumerate(hours)
    ]
    together = build(*rows, days=[first, second], pulls=pulls, spill_days=1)
    apart = [
        build(*rows, days=[first], pulls=pulls, spill_days=1),
        # A rebuild of the second day alone does not read the pull of the day before.
        build(*(row for row in rows if row["pull"] == "p2"), days=[second], pulls=pulls,
              spill_days=1),
    ]  # fmt: skip

    for table in ("messages", "quarantine", "conservation", "unmapped"):
        joined = pl.concat([getattr(one, table) for one in apart])
        assert getattr(together, table).equals(joined), table


def test_in_the_hour_that_comes_twice_a_receipt_follows_its_message():
    submitted = datetime(2026, 10, 25, 1, 9, 34, tzinfo=UTC)
    earlier = datetime(2026, 10, 25, 0, 9, 41, tzinfo=UTC)
    row = observation("SM1", created_at=submitted, done_at=earlier)
    built = build(
        {**row, "done_at_later": earlier + timedelta(hours=1)},
        days=[date(2026, 10, 25)],
        pulls={"p1": (date(2026, 10, 25), date(2026, 10, 25))},
    )

    assert only(built)["seconds_to_deliver"] == 7.0


def test_dst_night_has_twenty_five_hours():
    night = date(2026, 10, 25)
    created = [datetime(2026, 10, 24, 21, 0, tzinfo=UTC) + timedelta(hours=h) for h in range(26)]
    rows = [observation(f"SM{n:02}", created_at=moment) for n, moment in enumerate(created)]

    assert len(build(*rows, days=[night], pulls={"p1": (night, night)}).messages) == 25


def test_a_reader_that_loses_a_record_is_refused():
    with pytest.raises(ConservationError, match=r"p1 holds 3 records .* gave 2"):
        build(observation("SM1"), observation("SM2"), landed={"p1": 3})
