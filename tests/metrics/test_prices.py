"""Prices come late: how many are known, of how many that ever come, and when no more will."""

from __future__ import annotations

from sms_etl.metrics.prices import with_expected_prices
from sms_etl.metrics.rate import Rate
from sms_etl.metrics.summary import AsOf, totals_by
from tests.cubes import HOUR, at, cube, latency

NOW = at("2026-10-20")
AS_OF = AsOf(NOW, silence_hours=72)


def group(hours_ago: float, messages: int, priced: int, **changes) -> dict:
    return {
        "hour": NOW - hours_ago * HOUR,
        "messages": messages,
        "messages_with_cost": priced,
        "currency": "USD" if priced else None,
        "cost_micro": priced * 7900,
        **changes,
    }


def known(*rows: dict, campaign: str = "young") -> Rate:
    told = with_expected_prices(cube(rows), NOW, AS_OF.silence_hours)
    found = totals_by(told, latency([]), ["campaign"], AS_OF)[(campaign,)].prices
    assert found is not None
    return found


OLD = group(200, 1000, 900, campaign="old")


def test_young_messages_are_held_against_what_the_old_ones_became():
    rate = known(OLD, group(5, 400, 180, campaign="young"))
    # Nine of ten old messages have a price, so 360 of the 400 will: half of them are known.
    assert (rate.numerator, rate.denominator, rate.value) == (180, 400, 0.45)
    assert (rate.coverage, rate.high, rate.mature) == (0.5, 0.9, False)


def test_a_price_is_not_waited_for_where_none_comes():
    refused = group(200, 1000, 0, campaign="old", status_class="rejected")
    young = [
        group(5, 300, 300, campaign="young"),
        group(5, 100, 0, campaign="young", status_class="rejected"),
    ]
    rate = known(group(200, 1000, 1000, campaign="old"), refused, *young)
    assert (rate.value, rate.coverage, rate.mature) == (0.75, 1.0, True)


def test_rows_of_one_message_say_the_same_as_their_sum():
    young = [group(5, 1, n % 10 > 0, campaign="young") for n in range(400)]
    rate = known(OLD, *young)
    assert (rate.numerator, rate.coverage, rate.mature) == (360, 1.0, True)


def test_waiting_messages_are_held_against_their_source():
    rate = known(OLD, group(5, 400, 0, campaign="young", status_class="pending"))
    assert (rate.high, rate.coverage, rate.mature) == (0.9, 0.0, False)


def test_old_messages_are_mature_whatever_is_missing():
    rate = known(OLD, campaign="old")
    assert (rate.value, rate.coverage, rate.mature) == (0.9, 1.0, True)


def test_with_too_little_past_it_is_not_known_whether_more_will_come():
    rate = known(group(200, 199, 199, campaign="old"), group(5, 400, 180, campaign="young"))
    assert (rate.coverage, rate.high, rate.mature) == (None, None, False)


def test_all_prices_known_is_mature_at_any_age():
    rate = known(group(1, 40, 40, campaign="young"))
    assert (rate.value, rate.mature) == (1.0, True)


def test_sources_are_not_mixed():
    other = group(200, 1000, 0, campaign="old", source="cabinet")
    rate = known(OLD, other, group(5, 400, 0, campaign="young", source="cabinet"))
    assert (rate.high, rate.mature) == (0.0, True)
