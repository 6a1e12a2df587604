"""The other honest answers: of asked, per person, and if silence is success."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from sms_etl.cube import build_asked, build_cube
from sms_etl.metrics.reach import Reached, reach_by_campaign, reach_of
from sms_etl.metrics.summary import AsOf, totals_by, totals_of
from sms_etl.model.schemas import ASKED, OUTBOX
from sms_etl.reports.figures import Reach
from tests.reports.test_build import message, table

NOON = datetime(2026, 10, 20, 12, tzinfo=UTC)
AS_OF = AsOf(NOON + timedelta(days=1), silence_hours=72)
FATES = (
    (900, "delivered", None, None),
    (40, "failed", "absent_subscriber", "temporary"),
    (10, "failed", "expired_ttl", "temporary"),
    (20, "rejected", "spam_filtered_content", "permanent"),
    (12, "unknown", "no_receipt", "unknown"),
    (18, "pending", None, None),
)


def worked_case() -> list[dict]:
    """1,000 messages to 950 people: the first fifty, who get theirs, are written to twice."""
    rows = []
    for count, name, reason, permanence in FATES:
        for _ in range(count):
            n = len(rows)
            person = n - 950 if n >= 950 else n
            rows.append(
                message(
                    n, 0, submitted_at=NOON, status_class=name, reason=reason,
                    permanence=permanence, final=name != "pending",
                    recipient=f"person {person}", key_id="k",
                )
            )  # fmt: skip
    return rows


def asked(*rows: dict) -> pl.LazyFrame:
    full = [{"campaign": "sale", "submitted_at": NOON, **row} for row in rows]
    outbox = pl.DataFrame(full, schema=OUTBOX.schema).lazy()
    return build_asked(outbox, "Europe/Kyiv", "turbosms").lazy()


def reach(rows: list[dict], outbox: pl.LazyFrame, earlier: list[dict] = ()) -> Reach:
    messages = table(rows).lazy()
    built = build_cube(messages)
    totals = totals_of(built.counts.lazy(), built.latency.lazy(), AS_OF)
    return reach_of(Reached(outbox, messages, table([*earlier, *rows]).lazy()), totals)


def skipped(count: int, reason: str = "opt_out", **changes) -> list[dict]:
    return [{"skipped": reason, "recipient": f"skipped {n}", **changes} for n in range(count)]


def submitted(count: int) -> list[dict]:
    return [{"message_id": str(n)} for n in range(count)]


def test_the_worked_case_has_five_honest_answers() -> None:
    """R = 1,015 asked, K = 15 skipped, D = 900, F = 50, J = 20, N + W = 30."""
    rows = worked_case()
    built = build_cube(table(rows).lazy())
    totals = totals_of(built.counts.lazy(), built.latency.lazy(), AS_OF)
    told = reach(rows, asked(*submitted(1000), *skipped(10), *skipped(5, "bad_number")))
    assert told.of_asked is not None
    answers = [
        totals.delivery, totals.delivery_of_final, told.silence_is_success, told.of_asked,
        totals.coverage,
    ]  # fmt: skip
    assert [round(100 * rate.value, 1) for rate in answers] == [90.0, 92.8, 93.0, 88.7, 97.0]
    assert (totals.delivery.low, totals.delivery.high) == (0.9, 0.93)
    assert (told.of_asked.numerator, told.of_asked.denominator) == (900, 1015)
    assert told.of_asked.denominator_name == "asked"
    assert told.of_asked.high == 930 / 1015
    assert told.skipped == {"bad_number": 5, "opt_out": 10}


def test_a_person_counts_once_however_often_written_to() -> None:
    told = reach(worked_case(), asked(*submitted(1000), *skipped(15)))
    assert told.per_person is not None
    assert told.per_person.denominator_name == "people"
    assert (told.per_person.numerator, told.per_person.denominator) == (900, 965)
    assert told.messages_without_person == 0


def test_someone_skipped_once_and_written_to_once_is_one_person() -> None:
    rows = [message(1, 0, submitted_at=NOON, recipient="anna", key_id="k")]
    told = reach(rows, asked({"skipped": "cap", "recipient": "anna"}, {"message_id": "1"}))
    assert told.per_person is not None
    assert (told.per_person.numerator, told.per_person.denominator) == (1, 1)
    assert told.of_asked is not None
    assert (told.of_asked.numerator, told.of_asked.denominator) == (1, 2)


def test_what_the_outbox_asked_for_and_no_provider_knows_was_asked_for() -> None:
    told = reach(worked_case(), asked(*submitted(1010), *skipped(15)))
    assert told.of_asked is not None
    assert told.of_asked.denominator == 1025


def test_without_an_outbox_nobody_says_what_was_asked_for() -> None:
    told = reach(worked_case(), ASKED.empty().lazy())
    assert told.of_asked is None
    assert told.skipped == {}
    assert told.per_person is not None
    assert told.per_person.denominator == 950


@pytest.mark.parametrize(
    ("changes", "without"),
    [([{"recipient": None, "key_id": None}] * 2, 2), ([{"key_id": "old"}, {"key_id": "new"}], 0)],
    ids=["no pseudonyms", "two keys"],
)
def test_people_are_not_counted_where_pseudonyms_do_not_say(changes, without) -> None:
    rows = [
        message(n, 0, **{"submitted_at": NOON, "recipient": "anna", **change})
        for n, change in enumerate(changes)
    ]
    told = reach(rows, ASKED.empty().lazy())
    assert told.per_person is None
    assert told.messages_without_person == without


def test_a_dead_number_written_to_again_counts_by_message_and_by_person() -> None:
    dead = {"status_class": "failed", "reason": "invalid_number", "permanence": "permanent"}
    later = [NOON + n * timedelta(hours=1) for n in range(3)]
    earlier = [message(0, 0, submitted_at=NOON - timedelta(days=9), recipient="bohdan", **dead)]
    rows = [
        *[message(n, 0, submitted_at=at, done_at=at, recipient="anna", **dead)
          for n, at in enumerate(later, 1)],
        *[message(n, 0, submitted_at=at, recipient="bohdan", **dead)
          for n, at in enumerate(later[:2], 4)],
        message(6, 0, submitted_at=NOON, recipient="olena"),
    ]  # fmt: skip
    told = reach(rows, ASKED.empty().lazy(), earlier)
    assert (told.messages_to_dead, told.people_dead) == (4, 2), "anna's first told that it is dead"


def test_campaigns_have_their_own_answers() -> None:
    rows = [
        message(1, 0, submitted_at=NOON, recipient="anna", key_id="k"),
        message(2, 0, submitted_at=NOON, recipient="anna", key_id="k", campaign="otp"),
        message(3, 0, submitted_at=NOON, recipient="olena", key_id="k", campaign="unknown"),
    ]
    outbox = asked(
        {"message_id": "1"}, {"skipped": "opt_out", "recipient": "bohdan"}, {"campaign": None}
    )
    messages = table(rows).lazy()
    built = build_cube(messages)
    totals = totals_by(built.counts.lazy(), built.latency.lazy(), ["campaign"], AS_OF)
    told = {
        one.campaign: one
        for one in reach_by_campaign(
            Reached(outbox, messages, messages), {key: t for (key,), t in totals.items()}
        )
    }
    assert told["sale"].of_asked is not None
    assert told["sale"].of_asked.denominator == 2
    assert told["otp"].of_asked is None
    assert told["unknown"].of_asked is None, "the row without one may be of any campaign"
    assert [one.per_person.denominator for one in told.values() if one.per_person] == [1, 2, 1]
