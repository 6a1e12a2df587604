"""Laws of the headline while receipts arrive."""

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from sms_etl.metrics.summary import AsOf, Counts, coverage_rate, delivery_rate

AS_OF = AsOf(datetime(2026, 11, 1, tzinfo=UTC), silence_hours=72)
ENDS = ("delivered", "failed", "rejected", "unknown")


def counted(states: list[str]) -> Counts:
    return Counts(**{name: states.count(name) for name in (*ENDS, "pending")})


@given(st.lists(st.sampled_from(ENDS), min_size=1, max_size=40), st.randoms())
@settings(max_examples=60, deadline=None)
def test_bounds_hold_every_later_value_in_whatever_order_receipts_arrive(ends, random_):
    order = list(range(len(ends)))
    random_.shuffle(order)
    states = ["pending"] * len(ends)
    seen = [delivery_rate(counted(states), AS_OF)]
    for message in order:
        states[message] = ends[message]
        seen.append(delivery_rate(counted(states), AS_OF))
    for earlier, rate in enumerate(seen):
        for later in seen[earlier:]:
            assert rate.low <= later.value <= rate.high
            assert rate.low <= later.low <= later.high <= rate.high


@given(st.lists(st.sampled_from([*ENDS, "pending"]), min_size=1, max_size=60))
def test_classes_part_the_messages(states):
    counts = counted(states)
    assert counts.submitted == len(states)
    rate, coverage = delivery_rate(counts, AS_OF), coverage_rate(counts, AS_OF)
    assert rate.value == states.count("delivered") / len(states)
    assert coverage.numerator == sum(s not in {"unknown", "pending"} for s in states)
    assert rate.high - rate.value <= 1 - coverage.value + 1e-12
