"""Buyers in fifths, their messages, and the loyal ones whom messages do not reach."""

from datetime import date, timedelta

import polars as pl
import pytest

from sms_etl.engagement.attribution import net_orders
from sms_etl.metrics.cohort import Cohort
from sms_etl.metrics.loyalty import BuyerTables, loyal_unreachable, loyalty, scores
from tests.engagement.clicked import START, at, messages, orders

DAY = date(2026, 10, 5)
COHORT = Cohort(days=(DAY, DAY), zone="Europe/Kyiv", as_of=START + timedelta(days=30))
UNIT = 1_000_000


def company(buyers=100):
    """Buyer n ordered last n days ago, n // 10 + 1 times, for 10 n in all."""
    return [
        {
            "recipient": f"p{n:03}",
            "ordered_at": at(-24 * (n + 1)),
            "day": (START - timedelta(days=n + 1)).date(),
            "amount_micro": 10 * n * UNIT // (n // 10 + 1) + 1,
        }
        for n in range(buyers)
        for _ in range(n // 10 + 1)
    ]


def tables(sent, order_rows=None, clicked=None, refused=None):
    placed = net_orders(orders(*(order_rows or company())), orders())
    return BuyerTables(placed, messages(*sent).lazy(), clicked, refused)


def named(*ids):
    return pl.DataFrame({"message_source": ["shop"] * len(ids), "message_id": list(ids)})


def group(found, measure, score):
    [one] = [g for g in found.groups if (g.measure, g.score) == (measure, str(score))]
    return one


def test_a_hundred_buyers_are_five_fifths_of_twenty():
    found = loyalty(tables([]), COHORT, 365, None)
    assert found.buyers == 100
    assert [group(found, "recency", n).people for n in range(1, 6)] == [20] * 5
    assert [group(found, "money", n).people for n in range(1, 6)] == [20] * 5
    assert sum(cell.people for cell in found.cells) == 100
    assert found.currency == "UAH"


def test_the_last_to_order_score_highest_in_recency_and_who_paid_most_in_money():
    placed = net_orders(orders(*company()), orders()).with_columns(person="recipient")
    found, _ = scores(placed, START, None)
    of = {row["person"]: row for row in found.iter_rows(named=True)}
    assert (of["p000"]["recency"], of["p000"]["frequency"], of["p000"]["money"]) == (5, 1, 1)
    assert (of["p099"]["recency"], of["p099"]["frequency"], of["p099"]["money"]) == (1, 5, 5)


def test_equal_buyers_have_equal_scores():
    placed = net_orders(orders(*({"recipient": f"p{n}"} for n in range(40))), orders())
    found, _ = scores(placed.with_columns(person="recipient"), START, None)
    assert found.select("recency", "frequency", "money").unique().rows() == [(3, 3, 3)]


def test_messages_of_a_group_are_counted_with_what_followed():
    sent = [
        {"message_id": "a", "recipient": "p099"},
        {"message_id": "b", "recipient": "p098"},
        {"message_id": "c", "recipient": "p097", "status_class": "failed"},
        {"message_id": "d", "recipient": "p096", "links": 0},
        {"message_id": "e", "recipient": "nobody"},
    ]
    found = loyalty(tables(sent, clicked=named("a", "c"), refused=named("b")), COHORT, 365, None)
    top = group(found, "money", 5)
    assert top.written == 4
    assert (top.delivered.numerator, top.delivered.denominator) == (3, 4)
    assert (top.clicked.numerator, top.clicked.denominator) == (1, 2)
    assert (top.opted_out.numerator, top.opted_out.denominator) == (1, 3)
    assert loyalty(tables(sent), COHORT, 365, None).groups[0].clicked is None


def test_buying_before_and_after_the_first_message_and_who_is_loyal_is_fixed_before():
    after = [{"recipient": "p090", "ordered_at": at(30), "day": date(2026, 10, 6)}]
    sent = [{"recipient": "p090"}, {"recipient": "p003"}]
    found = loyalty(tables(sent, company() + after), COHORT, 365, None)
    late, recent = group(found, "recency", 1), group(found, "recency", 5)
    assert (late.bought_before.numerator, late.bought_after.numerator) == (0, 1)
    assert (recent.bought_before.numerator, recent.bought_after.numerator) == (1, 0)


def test_orders_before_the_window_or_given_back_make_nobody_a_buyer():
    assert loyalty(tables([]), COHORT, 20, None) is None
    rows = company()
    back = [
        {"event_id": f"r{n}", "refund_of": f"event_id-{n}", "amount_micro": 10**12}
        for n in range(len(rows))
    ]
    everything = BuyerTables(
        net_orders(orders(*rows), orders(*back)), messages().lazy(), None, None
    )
    assert loyalty(everything, COHORT, 365, None) is None


def test_loyal_people_whose_last_two_messages_were_lost_are_listed_by_pseudonym():
    lost = {"status_class": "failed", "submitted_at": at(-50)}
    sent = [
        {"recipient": "p099", "submitted_at": at(-90)},
        {"recipient": "p099", **lost},
        {"recipient": "p099", **lost, "submitted_at": at(-20)},
        {"recipient": "p099", "status_class": "pending"},
        {"recipient": "p098", **lost},
        {"recipient": "p098"},
        {"recipient": "p097", **lost},
        {"recipient": "p001", **lost},
        {"recipient": "p001", **lost},
    ]
    given = tables(sent)
    rate = loyalty(given, COHORT, 365, None).unreachable
    assert (rate.numerator, rate.denominator) == (1, 2)
    listed = loyal_unreachable(given, COHORT, 365, None)
    assert listed["recipient"].to_list() == ["p099"]


@pytest.mark.parametrize("by_contact", [False, True])
def test_a_number_and_its_contact_are_one_person(by_contact):
    """Some orders tell the number, some the contact; messages tell both."""
    rows = company()
    if by_contact:
        rows = [
            row | ({"recipient": None, "contact": "c" + row["recipient"]} if n % 2 else {})
            for n, row in enumerate(rows)
        ]
    sent = [{"recipient": f"p{n:03}", "contact": f"cp{n:03}"} for n in range(100)]
    found = loyalty(tables(sent, rows), COHORT, 365, None)
    assert (found.buyers, sum(g.written for g in found.groups[:5])) == (100, 100)
