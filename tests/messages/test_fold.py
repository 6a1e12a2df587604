"""Laws of folding: receipts in any order, parts of a long text, attempts over several channels."""

from __future__ import annotations

import random
from datetime import timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sms_etl.cube import build_cube
from sms_etl.dictionaries import load_dictionary
from sms_etl.messages.build import Built
from sms_etl.model.vocabulary import StatusClass
from tests.messages.observations import NOON, PULLED, build, fates, observation, seconds

HOUR = timedelta(hours=1)


def only(built: Built) -> dict:
    assert len(built.messages) == 1
    return built.messages.row(0, named=True)


def with_dictionary(name: str) -> dict:
    return {"provider": name, "dictionary": load_dictionary(name)}


# --- receipts -------------------------------------------------------------------------------

RECEIPTS = {
    "infobip": (
        *("PENDING_ACCEPTED", "PENDING_ENROUTE", "DELIVERED_TO_OPERATOR", "DELIVERED_TO_HANDSET"),
        *("EXPIRED_EXPIRED", "EXPIRED_DLR_UNKNOWN", "REJECTED_NETWORK", "teleported"),
    ),
    "twilio": ("queued", "sent", "delivered", "read", "undelivered", "failed", "teleported"),
    "aws_eum": ("TEXT_SENT", "TEXT_SUCCESSFUL", "TEXT_DELIVERED", "TEXT_UNKNOWN", "TEXT_SPAM"),
}


@st.composite
def histories(draw):
    """What a provider said of one message: words at moments of its own clock, all different."""
    provider = draw(st.sampled_from(sorted(RECEIPTS)))
    words = draw(st.lists(st.sampled_from(RECEIPTS[provider]), min_size=2, max_size=5))
    moments = draw(st.permutations(range(1, len(words) + 1)))
    return provider, list(zip(words, moments, strict=True))


@settings(max_examples=25, deadline=None)
@given(histories(), st.randoms(use_true_random=False))
def test_a_message_is_the_same_in_whatever_order_its_receipts_come(history, chance):
    provider, receipts = history
    ours = with_dictionary(provider)
    final = ours["dictionary"].statuses.filter("final")["word"].to_list()

    def arrived_in(order: list[tuple[str, int]]) -> dict:
        rows = [
            observation(
                "M1", word, updated_at=NOON + seconds(moment), record=place + 1,
                done_at=NOON + seconds(moment) if word in final else None,
                pulled_at=PULLED + seconds(place),
            )
            for place, (word, moment) in enumerate(order)
        ]  # fmt: skip
        row = only(build(*rows, **ours))
        del row["observed_at"]
        return row

    expected = arrived_in(receipts)
    for _ in range(2):
        assert arrived_in(chance.sample(receipts, len(receipts))) == expected
    said = ours["dictionary"].statuses.filter(pl.col("word").is_in([word for word, _ in receipts]))
    answers = set(said.filter("final")["class"]) - {StatusClass.UNKNOWN}
    assert not answers or expected["status_class"] in answers


@pytest.mark.parametrize(
    ("first", "then", "stands"),
    [
        ("delivered", "sent", "delivered"),
        ("undelivered", "queued", "failed"),
        ("undelivered", "delivered", "delivered"),
        ("delivered", "undelivered", "failed"),
    ],
)
def test_between_two_answers_the_later_word_of_the_provider_stands(first, then, stands):
    rows = [
        observation("M1", word, updated_at=NOON + seconds(n), pulled_at=PULLED + seconds(n))
        for n, word in enumerate((first, then))
    ]
    assert only(build(*rows))["status_class"] == stands


@pytest.mark.parametrize("earlier", ["TEXT_DELIVERED", "TEXT_UNREACHABLE", "TEXT_SPAM"])
def test_that_the_provider_stopped_waiting_undoes_no_receipt(earlier):
    ours = with_dictionary("aws_eum")
    answer = observation("M1", earlier, done_at=NOON + seconds(9))
    gave_up = observation("M1", "TEXT_UNKNOWN", done_at=NOON + 72 * HOUR, pulled_at=PULLED + HOUR)
    both = only(build(answer, gave_up, **ours))

    assert both["status_class"] == only(build(answer, **ours))["status_class"] != "unknown"


def test_the_operators_word_and_the_handsets_are_kept_apart():
    ours = with_dictionary("infobip")
    taken = observation("M1", "DELIVERED_TO_OPERATOR", done_at=NOON + seconds(2))
    arrived = observation("M1", "DELIVERED_TO_HANDSET", done_at=NOON + seconds(40))
    of_operator, of_both = only(build(taken, **ours)), only(build(arrived, taken, **ours))

    assert (of_operator["receipt"], of_operator["seconds_to_deliver"]) == ("operator", 2.0)
    assert (of_both["receipt"], of_both["seconds_to_deliver"]) == ("handset", 40.0)
    late = {**taken, "updated_at": NOON + HOUR, "pulled_at": PULLED + HOUR}
    assert only(build(arrived, late, **ours))["receipt"] == "handset"
    counted = build_cube(build(taken, {**arrived, "message_id": "M2"}, **ours).messages.lazy())
    by_receipt = counted.counts.group_by("receipt").agg(pl.col("messages").sum())
    assert dict(by_receipt.iter_rows()) == {"operator": 1, "handset": 1}


def test_what_the_handset_said_stays_said():
    read = observation("M1", "read", updated_at=NOON + seconds(50), pulled_at=PULLED)
    repeated = observation("M1", "delivered", updated_at=NOON + HOUR, pulled_at=PULLED + HOUR)

    assert only(build(read, repeated))["receipt"] == "handset"
    assert only(build(repeated))["receipt"] == "unstated"


# --- parts ----------------------------------------------------------------------------------


def long_message(*words: str, name: str = "long-1", **changes) -> Built:
    parts = [
        observation(f"{name}-{n}", word, part_of=name, done_at=NOON + seconds(n), **changes)
        for n, word in enumerate(words)
    ]
    return build(*parts, **with_dictionary("gammu"))


@pytest.mark.parametrize(
    ("words", "status_class", "arrived", "partly"),
    [
        (("DeliveryOK", "DeliveryOK"), "delivered", 2, False),
        (("DeliveryOK", "DeliveryFailed", "DeliveryOK"), "failed", 2, True),
        (("DeliveryOK", "DeliveryUnknown"), "unknown", 1, True),
        (("DeliveryUnknown", "DeliveryFailed"), "failed", 0, False),
        (("DeliveryOK", "SendingOK"), "pending", 1, False),
    ],
)
def test_a_long_message_tells_how_many_of_its_parts_arrived(words, status_class, arrived, partly):
    message = only(long_message(*words))

    assert (message["status_class"], message["parts"]) == (status_class, len(words))
    assert (message["parts_arrived"], message["partly_delivered"]) == (arrived, partly)


def test_partly_delivered_messages_add_up_in_the_cube_and_are_not_delivered():
    messages = pl.concat(
        long_message("DeliveryOK", end, name=name).messages
        for name, end in [("a", "DeliveryFailed"), ("b", "DeliveryFailed"), ("c", "DeliveryOK")]
    )
    counts = build_cube(messages.lazy()).counts
    assert counts["partly_delivered"].sum() == 2
    delivered = counts.filter(pl.col("status_class") == "delivered")
    assert (delivered["messages"].sum(), delivered["partly_delivered"].sum()) == (1, 0)


def test_a_provider_that_says_so_without_counting_parts_is_believed():
    ours = with_dictionary("alphasms_json")
    message = only(build(observation("7", "PARTIALLY DELIVERED"), **ours))

    assert (message["status_class"], message["reason"]) == ("failed", "partly_delivered")
    assert (message["parts_arrived"], message["partly_delivered"]) == (None, True)


def test_a_provider_that_counts_the_parts_itself_is_believed_too():
    ours = with_dictionary("gms")
    lost, whole = (
        observation("1", "3", parts_billed=3, parts_arrived=2),
        observation("2", "2", parts_billed=3, parts_arrived=3),
    )
    rows = build(lost, whole, **ours).messages
    said = ("status_class", "parts", "parts_arrived", "partly_delivered")
    assert rows.select(said).rows() == [("failed", 3, 2, True), ("delivered", 3, 3, False)]


# --- attempts -------------------------------------------------------------------------------


def attempt(name: str, status: str, channel: str, after: float = 0, **changes) -> dict:
    sent = NOON + seconds(after)
    return observation(
        name, status, order_id="o-1", channel=channel, created_at=sent,
        updated_at=sent + seconds(30), **changes,
    )  # fmt: skip


def test_viber_that_failed_and_an_sms_that_arrived_are_one_delivered_message():
    built = build(
        attempt("v", "undelivered", "viber", done_at=NOON + seconds(60)),
        attempt("s", "delivered", "sms", after=60, done_at=NOON + seconds(67)),
    )
    message = only(built)

    assert (message["status_class"], message["channel"], message["attempts"]) == (
        "delivered", "sms", 2,
    )  # fmt: skip
    assert (message["message_id"], message["submitted_at"]) == ("v", NOON)
    assert message["seconds_to_deliver"] == 67.0
    assert message["reason"] is None
    assert fates(built) == {("message", None): 1, ("folded", "attempt_of_order"): 1}


@pytest.mark.parametrize(
    ("viber", "sms", "stands"),
    [
        ("read", None, ("delivered", "viber")),
        ("undelivered", "undelivered", ("failed", "sms")),
        ("undelivered", "failed", ("rejected", "sms")),
        ("undelivered", "sent", ("pending", "sms")),
        ("sent", "undelivered", ("pending", "viber")),
        ("nonsense", "undelivered", ("unknown", "viber")),
        ("delivered", "undelivered", ("delivered", "viber")),
    ],
)
def test_the_attempt_that_stands_names_the_channel(viber, sms, stands):
    rows = [attempt("v", viber, "viber"), sms and attempt("s", sms, "sms", after=60)]
    message = only(build(*(row for row in rows if row)))

    assert (message["status_class"], message["channel"]) == stands


def test_of_two_deliveries_the_first_counts():
    built = build(
        attempt("v", "delivered", "viber", done_at=NOON + seconds(400)),
        attempt("s", "delivered", "sms", after=60, done_at=NOON + seconds(66)),
    )
    assert (only(built)["channel"], only(built)["seconds_to_deliver"]) == ("sms", 66.0)


def test_money_of_all_attempts_adds_up_and_the_campaign_is_that_of_the_order():
    paid = {"currency": "UAH", "price_text": "1"}
    built = build(
        attempt("v", "undelivered", "viber", cost_micro=300_000, **paid),
        attempt("s", "delivered", "sms", after=60, cost_micro=850_000, **paid),
        outbox=[{"message_id": "v", "campaign": "sale"}],
    )
    message = only(built)

    assert (message["cost_micro"], message["currency"]) == (1_150_000, "UAH")
    assert (message["campaign"], message["campaign_origin"]) == ("sale", "outbox")


def test_money_of_two_currencies_is_not_added():
    built = build(
        attempt("v", "undelivered", "viber", cost_micro=10_000, currency="EUR", price_text="1"),
        attempt("s", "delivered", "sms", cost_micro=850_000, currency="UAH", price_text="1"),
    )
    assert dict(built.messages.select("currency", "cost_micro").iter_rows()) == {
        "EUR": 10_000, "UAH": 850_000,
    }  # fmt: skip


def test_a_word_nobody_knows_is_loud_though_another_attempt_arrived():
    built = build(attempt("v", "teleported", "viber"), attempt("s", "delivered", "sms", after=60))

    assert only(built)["status_class"] == "delivered"
    assert built.unmapped.select("word", "messages").rows() == [("teleported", 1)]


WORDS = ["queued", "sent", "delivered", "undelivered", "failed", "nonsense"]
ATTEMPTS = st.lists(
    st.tuples(
        st.sampled_from(["o-1", "o-2", None]), st.sampled_from(["a", "b", "c", "d"]),
        st.sampled_from(WORDS), st.sampled_from(["viber", "sms"]), st.integers(0, 300),
    ),
    max_size=10,
)  # fmt: skip


@settings(max_examples=20, deadline=None)
@given(ATTEMPTS, st.integers(0, 1000))
def test_attempts_lose_no_record_no_money_and_no_delivery_in_any_order(attempts, seed):
    rows = [
        observation(
            f"{order}-{name}", word, order_id=order, channel=channel, record=n + 1,
            created_at=NOON, updated_at=NOON + seconds(moment), cost_micro=1_000, price_text="0",
            currency="UAH",
        )
        for n, (order, name, word, channel, moment) in enumerate(attempts)
    ]  # fmt: skip
    built = build(*rows)
    again = build(*random.Random(seed).sample(rows, len(rows)))

    assert built.messages.equals(again.messages)
    assert built.conservation.equals(again.conservation)
    assert built.conservation["records"].sum() == len(rows)
    names = {row["message_id"] for row in rows}
    assert built.messages["attempts"].sum() == len(names)
    assert built.messages["cost_micro"].sum() == 1_000 * len(names)
    orders = {row["order_id"] or row["message_id"] for row in rows}
    assert len(built.messages) == len(orders)
    apart = build(*({**row, "order_id": None} for row in rows)).messages
    arrived = apart.filter(pl.col("status_class") == "delivered")["message_id"]
    order_of = {row["message_id"]: row["order_id"] or row["message_id"] for row in rows}
    delivered = built.messages.filter(pl.col("status_class") == "delivered")
    assert {order_of[one] for one in arrived} == {order_of[one] for one in delivered["message_id"]}
