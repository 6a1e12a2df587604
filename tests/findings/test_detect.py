from __future__ import annotations

import random
from datetime import date, timedelta

import polars as pl
import pytest

from sms_etl.findings.detect import Evidence, find_problems
from sms_etl.findings.tell import finding_id
from sms_etl.metrics.local_time import with_local_time
from sms_etl.metrics.summary import AsOf
from sms_etl.reports.figures import FindingKind
from tests.cubes import HOUR, at, cube, latency
from tests.findings.worlds import FIRST, PRICE, ZONE, Slot, problems, tables, world

CLEAN_SEEDS = 50


def planted(first: int, last: int, changes: dict[str, float], reason: str = "", **scope: str):
    """Trouble in hours first..last (of the week, last excluded) of a slice."""

    def trouble(slot: Slot, chances: dict[str, float]) -> None:
        hour = (slot["hour"] - FIRST) / HOUR
        if first <= hour < last and all(slot[key] == value for key, value in scope.items()):
            chances |= changes
            slot |= {"failing": reason, "reason": reason} if reason else {}

    return trouble


def hour(n: int):
    return FIRST + n * HOUR


@pytest.mark.parametrize(
    "scope",
    [
        {"operator": "lifecell"},
        {"source": "twilio"},
        {"sender": "CLUB"},
        {"operator": "Kyivstar", "source": "turbosms"},
        {},
    ],
    ids=str,
)
def test_an_outage_is_found_once_with_its_hours_and_slice(scope) -> None:
    trouble = planted(58, 63, {"failed": 0.6}, "network_error", **scope)
    (found,) = problems(*world(5, trouble))
    assert found.kind is FindingKind.DELIVERY_DROP
    assert found.scope == scope
    assert (found.start, found.end) == (hour(58), hour(63))
    assert found.main_reason == "network_error"
    assert 0.3 < found.rate.value < 0.5
    assert found.baseline is not None
    assert 0.9 < found.baseline.value < 1
    assert 0.45 * found.messages < found.excess < found.affected
    (cost,) = found.cost
    assert cost.spent_micro == cost.spent_on_undelivered_micro == found.affected * PRICE


def test_a_blocked_sender_is_named() -> None:
    trouble = planted(
        100, 168, {"rejected": 0.5}, "unregistered_sender", operator="Kyivstar", sender="CLUB"
    )
    (found,) = problems(*world(6, trouble))
    assert found.kind is FindingKind.SENDER_BLOCKED
    assert found.scope == {"operator": "Kyivstar", "sender": "CLUB"}
    assert found.main_reason == "unregistered_sender"
    assert found.start == hour(100)
    assert found.end >= hour(165)


def test_missing_receipts_are_no_delivery_drop() -> None:
    (found,) = problems(*world(7, planted(106, 116, {"unknown": 0.8}, source="twilio")))
    assert found.kind is FindingKind.RECEIPTS_MISSING
    assert found.scope == {"source": "twilio"}
    assert (found.start, found.end) == (hour(106), hour(116))
    assert found.rate.value < 0.3
    assert found.baseline is not None
    assert found.baseline.value > 0.9


def test_receipts_that_stopped_this_morning_are_noticed_before_they_are_given_up() -> None:
    trouble = planted(154, 168, {"unknown": 0.9}, operator="Vodafone")
    evidence, as_of = world(8, trouble)
    (found,) = problems(evidence, as_of)
    assert (found.kind, found.scope) == (FindingKind.RECEIPTS_MISSING, {"operator": "Vodafone"})
    assert found.start == hour(154)


def test_slow_delivery() -> None:
    (found,) = problems(*world(9, planted(106, 111, {"slow": 0.5}, operator="Vodafone")))
    assert found.kind is FindingKind.SLOW_DELIVERY
    assert found.scope == {"operator": "Vodafone"}
    assert (found.start, found.end) == (hour(106), hour(111))
    assert found.rate.denominator_name == "delivered_with_time"


def test_two_problems_are_told_apart_the_graver_first() -> None:
    outage = planted(58, 63, {"failed": 0.6}, "network_error", operator="lifecell")
    block = planted(80, 168, {"rejected": 0.6}, "spam_filtered_content", sender="CLUB")

    def both(slot: Slot, chances: dict[str, float]) -> None:
        outage(slot, chances)
        block(slot, chances)

    found = problems(*world(10, both))
    assert [(one.kind, one.scope) for one in found] == [
        (FindingKind.SENDER_BLOCKED, {"sender": "CLUB"}),
        (FindingKind.DELIVERY_DROP, {"operator": "lifecell"}),
    ]
    assert found[0].severity > found[1].severity
    assert len({one.id for one in found}) == 2


def test_an_outage_of_the_first_day_is_found_without_any_history() -> None:
    trouble = planted(10, 14, {"failed": 0.6}, "network_error", operator="Kyivstar")
    evidence, as_of = world(11, trouble, days=1, before=0)
    (found,) = problems(evidence, as_of, days=1)
    assert (found.scope, found.start, found.end) == ({"operator": "Kyivstar"}, hour(10), hour(14))


def test_clean_weeks_raise_no_alarm() -> None:
    """Nights, noise beyond chance and waiting receipts included; seeds share one calm past."""
    past, as_of = world(1000, days=1)
    for seed in range(CLEAN_SEEDS):
        cube_, latency_ = tables(seed, 1, FIRST, as_of, per_day=8_000)
        evidence = Evidence(cube_, latency_, past.usual_cube, past.usual_latency, ())
        assert problems(evidence, as_of, days=1) == (), seed


@pytest.mark.parametrize("seed", range(3))
def test_a_clean_week_raises_no_alarm(seed: int) -> None:
    assert problems(*world(seed)) == ()


def test_failures_that_come_in_batches_raise_no_alarm() -> None:
    """Fifteen messages that share a fate are one piece of evidence, not fifteen."""
    random_ = random.Random(13)
    rows = [
        {"hour": FIRST + n * HOUR, "operator": operator, "messages": 15,
         **random_.choices([{}, {"status_class": "failed", "reason": "network_error"}], (95, 5))[0]}
        for n in range(7 * 24) for operator in ("Kyivstar", "lifecell") for _ in range(8)
    ]  # fmt: skip
    assert found_in(rows, []) == ()


@pytest.mark.parametrize("failed", [3, 15, 40])
def test_tiny_volumes_never_alarm(failed: int) -> None:
    calm = [{"hour": at("2026-10-12", n), "messages": 2} for n in range(150)]
    lost = [
        {"hour": at("2026-10-21", n), "messages": failed // 3, "status_class": "failed",
         "reason": "network_error", "permanence": "temporary"}
        for n in range(3)
    ]  # fmt: skip
    assert found_in(lost, calm) == ()


def test_the_order_of_rows_does_not_matter() -> None:
    trouble = planted(10, 20, {"failed": 0.5, "unknown": 0.2}, "network_error", sender="SHOP")
    evidence, as_of = world(12, trouble, days=1, before=4)
    shuffled = Evidence(
        *[
            frame.collect().sample(fraction=1, shuffle=True, seed=4).lazy()
            for frame in (
                evidence.cube,
                evidence.latency,
                evidence.usual_cube,
                evidence.usual_latency,
            )
        ],
        sources=(),
    )
    told = problems(evidence, as_of, days=1)
    assert told
    assert problems(shuffled, as_of, days=1) == told


def dead(campaign: str, sent: int, lost: int, reason: str = "invalid_number") -> list[dict]:
    names = {"hour": at("2026-10-20"), "campaign": campaign, "currency": "UAH"}
    return [
        {**names, "messages": sent - lost},
        {**names, "messages": lost, "status_class": "failed", "reason": reason,
         "permanence": "permanent", "cost_micro": lost * PRICE, "messages_with_cost": lost},
    ]  # fmt: skip


def found_in(rows: list[dict], usual: list[dict]):
    evidence = Evidence(
        with_local_time(cube(rows), ZONE),
        with_local_time(latency([]), ZONE),
        with_local_time(cube(usual), ZONE),
        with_local_time(latency([]), ZONE),
        sources=(),
    )
    as_of = AsOf(at("2026-10-26"), silence_hours=72)
    return find_problems(evidence, date(2026, 10, 19), date(2026, 10, 25), ZONE, as_of)


def test_a_list_of_dead_numbers_is_told_with_its_price_and_not_as_an_outage() -> None:
    (found,) = found_in(
        [*dead("win_back", 5_000, 900), *dead("sale", 20_000, 100)], dead("sale", 20_000, 100)
    )
    assert (found.kind, found.scope) == (FindingKind.DEAD_NUMBERS, {"campaign": "win_back"})
    assert (found.messages, found.affected, found.excess) == (5_000, 900, 875)
    assert found.baseline is not None
    assert found.baseline.value == 0.005
    assert found.cost[0].spent_micro == 900 * PRICE


def test_dead_numbers_of_many_campaigns_are_one_finding() -> None:
    lists = [row for n in range(7) for row in dead(f"list_{n}", 3_000, 100 + n)]
    landlines = dead("list_7", 3_000, 60, "not_mobile_landline")
    (found,) = found_in([*lists, *landlines], dead("sale", 20_000, 100))
    assert (found.kind, found.scope) == (FindingKind.DEAD_NUMBERS, {})
    assert (found.messages, found.affected) == (24_000, 721 + 60)
    assert found.excess == 781 - 24_000 * 100 // 20_000
    assert found.main_reason == "invalid_number"
    assert found.cost[0].messages_with_cost == 781
    assert (found.start, found.end) == (at("2026-10-20"), at("2026-10-20", 13))


def test_one_bad_list_among_many_messages_is_named() -> None:
    (found,) = found_in([*dead("win_back", 900, 90), *dead("sale", 200_000, 1_000)], [])
    assert (found.scope, found.affected) == ({"campaign": "win_back"}, 90)


@pytest.mark.parametrize("reason", ["opted_out", "blocked_by_recipient"])
def test_people_who_want_no_messages_are_neither_dead_numbers_nor_an_outage(reason) -> None:
    assert found_in(dead("win_back", 5_000, 900, reason), dead("sale", 20_000, 100)) == ()
    both = [*dead("win_back", 5_000, 900, reason), *dead("win_back", 5_000, 300)]
    (found,) = found_in(both, dead("sale", 20_000, 100))
    assert (found.affected, found.main_reason) == (300, "invalid_number")


def test_identifiers_are_stable_and_tell_problems_apart() -> None:
    day = date(2026, 10, 20)
    scope = {"operator": "Kyivstar", "source": "turbosms"}
    same = finding_id(FindingKind.DELIVERY_DROP, dict(reversed(scope.items())), day)
    assert finding_id(FindingKind.DELIVERY_DROP, scope, day) == same == "4c7cbb45e935f007"
    others = {
        finding_id(FindingKind.SENDER_BLOCKED, scope, day),
        finding_id(FindingKind.DELIVERY_DROP, scope, day + timedelta(days=1)),
        finding_id(FindingKind.DELIVERY_DROP, {"operator": "Kyivstar"}, day),
        same,
    }
    assert len(others) == 4


def test_the_seeds_differ() -> None:
    """Guards the tests above: a world that ignored its seed would prove nothing."""
    first, second = (world(seed, days=1, before=0)[0].cube.collect() for seed in (1, 2))
    assert not first.equals(second)
    assert first["messages"].sum() > 5_000
    assert first.filter(pl.col("status_class") == "pending").height > 0
