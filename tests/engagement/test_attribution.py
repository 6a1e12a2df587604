"""Who takes an order, in every window at once, against a plain search through all touches."""

from datetime import timedelta

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from sms_etl.engagement.attribution import (
    TOUCHES,
    WINDOWS,
    attribute,
    click_touches,
    delivery_touches,
)
from sms_etl.model.attribution import ATTRIBUTION, JUDGED_CLICKS
from tests.engagement.clicked import at, messages, orders

HOUR = timedelta(hours=1)


def touches(*rows):
    filled = [
        {"recipient": "olena", "contact": None, "source": "shop", "campaign": row[2][0], **dict(
            zip(("touch", "at", "message_id"), row, strict=False)
        ), **(row[3] if len(row) > 3 else {})}
        for row in rows
    ]  # fmt: skip
    return pl.DataFrame(filled, schema=TOUCHES).lazy()


def attributed(order_rows, touch_rows, refund_rows=(), codes=None):
    found = attribute(orders(*order_rows), orders(*refund_rows), touches(*touch_rows), codes or {})
    return found.select(ATTRIBUTION.names).cast(ATTRIBUTION.schema).rows(named=True)


def winners(row):
    return {window.name: row[f"{window.name}_message_id"] for window in WINDOWS}


def test_each_window_takes_the_last_touch_inside_it():
    [row] = attributed(
        [{"ordered_at": at(0)}],
        [("click", at(-30), "a"), ("click", at(-26), "b"), ("delivery", at(-13), "c")],
    )
    assert winners(row) == {
        "click_1d": None, "click_3d": "b", "click_5d": "b", "click_7d": "b",
        "delivery_12h": None, "delivery_24h": "c",
    }  # fmt: skip
    assert row["click_3d_at"] == at(-26)
    assert row["click_3d_campaign"] == "b"


def test_a_later_touch_out_of_its_own_window_hides_no_earlier_one_inside_its():
    """The known trap: the delivery is the last touch, 20 hours old, the click two days."""
    [row] = attributed([{}], [("click", at(-48), "clicked"), ("delivery", at(-20), "later")])
    assert winners(row)["delivery_12h"] is None
    assert winners(row)["click_5d"] == "clicked"


def test_both_ends_of_a_window_count_and_what_comes_after_the_order_does_not():
    [row] = attributed([{}], [("delivery", at(-12), "edge"), ("click", at(0), "now")])
    assert winners(row)["delivery_12h"] == "edge"
    assert winners(row)["click_1d"] == "now"
    [late] = attributed([{}], [("delivery", at(-12, -1), "out"), ("click", at(0, 1), "after")])
    assert winners(late)["delivery_12h"] is None
    assert winners(late)["click_7d"] is None


def test_a_person_is_known_by_number_or_by_contact_and_the_later_touch_wins():
    by_contact = {"recipient": None, "contact": "c1"}
    [row] = attributed(
        [{"contact": "c1"}],
        [("click", at(-5), "number"), ("click", at(-2), "contact", by_contact)],
    )
    assert winners(row)["click_1d"] == "contact"
    [only] = attributed(
        [{"recipient": None, "contact": "c1"}],
        [("click", at(-5), "number"), ("click", at(-6), "contact", by_contact)],
    )
    assert winners(only)["click_1d"] == "contact"
    [nobody] = attributed([{"recipient": None}], [("click", at(-1), "a", {"recipient": None})])
    assert winners(nobody)["click_1d"] is None


def test_refunds_are_taken_off_once_and_a_doubled_order_counts_once():
    refund = {
        "event_id": "r1", "kind": "refund", "refund_of": "o1", "amount_micro": -30_000_000,
        "ordered_at": at(200),
    }  # fmt: skip
    rows = attributed(
        [{"event_id": "o1"}, {"event_id": "o1", "pulled_at": at(5), "amount_micro": 120_000_000}],
        [],
        [refund, refund | {"pulled_at": at(300)}],
    )
    assert [(row["event_id"], row["refunded_micro"], row["net_micro"]) for row in rows] == [
        ("o1", 30_000_000, 90_000_000)
    ]


def test_a_refund_of_another_currency_or_above_the_order_never_turns_it_negative():
    refund = {"event_id": "r", "refund_of": "o", "amount_micro": 900_000_000}
    [other] = attributed([{"event_id": "o"}], [], [refund | {"currency": "USD"}])
    assert other["net_micro"] == 100_000_000
    [whole] = attributed([{"event_id": "o"}], [], [refund])
    assert (whole["refunded_micro"], whole["net_micro"]) == (100_000_000, 0)


def test_a_code_names_its_campaign_whatever_was_touched():
    rows = attributed(
        [
            {"promo_code": " dr2207 ", "utm_campaign": "news"},
            {"promo_code": "TEN"},
            {"utm_campaign": "news"},
            {"promo_code": "else"},
        ],
        [],
        codes={"DR*": "birthday", "ten": "sale"},
    )
    assert [row["code_campaign"] for row in rows] == ["birthday", "sale", "news", None]


def test_what_arrived_to_sell_is_a_touch_and_a_payment_code_is_none():
    found = delivery_touches(
        messages(
            {"message_id": "sold", "done_at": at(1)},
            {"message_id": "timeless", "done_at": None},
            {"message_id": "failed", "status_class": "failed"},
            {"message_id": "code", "purpose": "transactional"},
            {"message_id": "whatever", "purpose": "unknown"},
        ).lazy()
    ).collect()
    assert dict(found.select("message_id", "at").iter_rows()) == {
        "sold": at(1), "timeless": at(), "whatever": at(),
    }  # fmt: skip


def test_robots_counts_and_clicks_of_nobody_are_no_touch():
    base = dict.fromkeys(JUDGED_CLICKS.names) | {
        "message_id": "m", "clicked_at": at(), "period_seconds": 0
    }  # fmt: skip
    rows = [
        base,
        base | {"robot_rule": "user_agent"},
        base | {"period_seconds": 86_400},
        base | {"message_id": None},
    ]
    frame = pl.DataFrame(rows, schema=JUDGED_CLICKS.schema)
    assert click_touches(frame.lazy()).collect()["message_id"].to_list() == ["m"]


_HOURS = st.integers(-200, 20)
_PEOPLE = st.sampled_from([("olena", None), (None, "c1"), ("olena", "c1"), ("petro", "c2")])
_TOUCH = st.tuples(st.sampled_from(["click", "delivery"]), _HOURS, _PEOPLE)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(_HOURS, _PEOPLE), min_size=1, max_size=5), st.lists(_TOUCH, max_size=12))
def test_a_plain_search_through_all_touches_agrees(order_list, touch_list):
    placed = [
        {"ordered_at": at(hours), "recipient": number, "contact": contact}
        for hours, (number, contact) in order_list
    ]
    made = [
        (kind, at(hours), f"m{n:02}", {"recipient": number, "contact": contact})
        for n, (kind, hours, (number, contact)) in enumerate(touch_list)
    ]
    for row in attributed(placed, made):
        for window in WINDOWS:
            inside = [
                (when, name)
                for kind, when, name, who in made
                if kind == window.touch
                and timedelta(0) <= row["ordered_at"] - when <= window.length
                and any(who[key] and who[key] == row[key] for key in ("recipient", "contact"))
            ]
            expected = max(inside)[1] if inside else None
            assert row[f"{window.name}_message_id"] == expected, window.name
