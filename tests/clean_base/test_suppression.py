from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import polars as pl
import pytest

from sms_etl.clean_base.rules import Lifter, rule, rules
from sms_etl.clean_base.suppression import (
    ENDINGS_SCHEMA,
    by_number,
    endings_of_deliveries,
    endings_of_lists,
    endings_of_wishes,
    grounds_of_receipts,
    grounds_of_refusals,
    listed_at,
    numbers_of_contacts,
    spans,
)
from sms_etl.model.engagement import OPT_OUTS, REPLIES
from sms_etl.model.schemas import MESSAGES
from tests.clean_base.frames import (
    ABSENT,
    CONSENTS,
    DEAD,
    DELIVERED,
    FILTERED,
    HARD,
    LANDLINE,
    SILENT,
    at,
    days,
    messages,
    opt_outs,
    replies,
    table,
)

MONTH = days(1, 31)
NO_ENDINGS = pl.LazyFrame(schema=ENDINGS_SCHEMA)


def in_turn(*outcomes: dict[str, Any]) -> pl.LazyFrame:
    """Messages to one person, a day apart."""
    return messages(*({"submitted_at": at(n)} | row for n, row in enumerate(outcomes, 1)))


def grounds(told: pl.LazyFrame) -> list[tuple[str, list[str]]]:
    return grounds_of_receipts(told, MONTH).select("rule", "evidence").rows()


@pytest.mark.parametrize(("outcome", "name"), [(DEAD, "no_such_number"), (LANDLINE, "not_mobile")])
def test_a_dead_number_is_suppressed_by_its_first_receipt(
    outcome: dict[str, Any], name: str
) -> None:
    assert grounds(in_turn(outcome)) == [(name, ["alpha:m1"])]


def test_three_hard_failures_in_a_row_suppress_with_all_three_as_evidence() -> None:
    assert grounds(in_turn(HARD, HARD)) == []
    assert grounds(in_turn(HARD, HARD, HARD)) == [
        ("hard_failures", ["alpha:m3", "alpha:m2", "alpha:m1"])
    ]


def test_a_delivery_between_hard_failures_starts_the_count_again() -> None:
    assert grounds(in_turn(HARD, HARD, DELIVERED, HARD, HARD)) == []


def test_a_switched_off_phone_between_hard_failures_neither_counts_nor_stops_the_count() -> None:
    assert grounds(in_turn(HARD, ABSENT, HARD, SILENT, HARD)) == [
        ("hard_failures", ["alpha:m5", "alpha:m3", "alpha:m1"])
    ]


def test_hard_failures_long_apart_are_no_run() -> None:
    told = messages(
        HARD | {"submitted_at": at(1, month=6)},
        HARD | {"submitted_at": at(2, month=6)},
        HARD | {"submitted_at": at(1, month=10)},
    )

    assert grounds(told) == []


@pytest.mark.parametrize("outcome", [ABSENT, FILTERED, SILENT, DELIVERED])
def test_absent_filtered_and_unknown_never_suppress(outcome: dict[str, Any]) -> None:
    assert grounds(in_turn(*[outcome] * 20)) == []


def test_failures_that_the_sender_can_mend_are_not_the_numbers() -> None:
    mine = HARD | {"reason": "other", "mender": "sender"}

    assert grounds(in_turn(mine, mine, mine)) == []


def test_a_message_without_a_number_suppresses_nobody() -> None:
    assert grounds(messages(DEAD | {"recipient": None})) == []


def test_only_days_asked_for_are_told_but_older_messages_count_in_a_run() -> None:
    told = in_turn(HARD, HARD, HARD)

    assert grounds_of_receipts(told, days(3, 3)).height == 1
    assert grounds_of_receipts(told, days(2, 2)).height == 0


def test_a_reply_a_list_and_a_withdrawn_consent_refuse_at_once() -> None:
    consent: dict[str, Any] = {
        "day": days(4, 4)[0], "source": "crm", "event_id": "c1", "recipient": "olha",
        "given_at": at(1, month=9), "withdrawn_at": at(4, 9), "pulled_at": at(4, 12),
    }  # fmt: skip
    found = grounds_of_refusals(
        replies(
            {"received_at": at(2), "intent": "opt_out"}, {"received_at": at(3), "intent": "other"}
        ),
        opt_outs({"day": days(3, 3)[0], "recipient": "ivan", "opted_out_at": at(2, 8)}),
        table(CONSENTS, [consent]),
        MONTH,
    )

    assert found.select("recipient", "rule", "since", "expires_at", "lifted_by").rows() == [
        ("anna", "opted_out", at(2), None, "person"),
        ("ivan", "opted_out", at(2, 8), None, "person"),
        ("olha", "opted_out", at(4, 9), None, "person"),
    ]


def test_an_entry_of_a_stop_list_is_told_on_the_first_day_its_list_shows_it() -> None:
    entries = opt_outs(*({"day": day, "opted_out_at": at(1, month=3)} for day in days(1, 9)))

    def told(on: int) -> int:
        none = CONSENTS.empty().lazy()
        return grounds_of_refusals(REPLIES.empty().lazy(), entries, none, days(on, on)).height

    assert [told(1), told(2), told(9)] == [1, 0, 0]


def listed(moment: datetime, told: pl.LazyFrame, endings: pl.LazyFrame = NO_ENDINGS) -> list[str]:
    found = spans(grounds_of_receipts(told, MONTH).lazy(), endings)
    return listed_at(found, moment)["rule"].to_list()


def test_a_suppression_begins_with_the_receipt_and_ends_by_itself() -> None:
    told = in_turn(DEAD)
    expiry = at(1) + timedelta(days=180)

    assert listed(at(1) - timedelta(seconds=1), told) == []
    assert listed(at(1), told) == ["no_such_number"]
    assert listed(expiry - timedelta(seconds=1), told) == ["no_such_number"]
    assert listed(expiry, told) == []


def test_a_later_delivery_ends_what_a_receipt_said_and_a_newer_receipt_says_it_again() -> None:
    told = in_turn(DEAD, DELIVERED, DEAD)
    endings = endings_of_deliveries(told)

    assert listed(at(1, 12), told, endings) == ["no_such_number"]
    assert listed(at(2, 12), told, endings) == []
    assert listed(at(3, 12), told, endings) == ["no_such_number"]


def test_a_delivery_lifts_no_opt_out_but_a_new_wish_does() -> None:
    stop = replies({"received_at": at(2), "intent": "opt_out"})
    again = replies({"received_at": at(5), "intent": "opt_in"})
    none = CONSENTS.empty().lazy()
    said = grounds_of_refusals(stop, OPT_OUTS.empty().lazy(), none, MONTH).lazy()

    delivered = spans(said, endings_of_deliveries(in_turn(DELIVERED, DELIVERED, DELIVERED)))
    assert listed_at(delivered, at(9))["rule"].to_list() == ["opted_out"]
    wished = spans(said, endings_of_wishes(again, none))
    assert listed_at(wished, at(5)).is_empty()
    assert wished.collect()["ended_how"].to_list() == ["opted_in"]


def test_an_entry_that_left_its_stop_list_is_lifted_with_the_pull_that_misses_it() -> None:
    entries = opt_outs(
        *({"day": day, "opted_out_at": at(1)} for day in days(1, 3)),
        *({"day": day, "event_id": "e2", "recipient": "ivan"} for day in days(1, 5)),
    )
    said = grounds_of_refusals(
        REPLIES.empty().lazy(), entries, CONSENTS.empty().lazy(), MONTH
    ).lazy()
    found = spans(said, endings_of_lists(entries))

    assert sorted(listed_at(found, at(3, 23))["recipient"]) == ["anna", "ivan"]
    assert listed_at(found, at(5))["recipient"].to_list() == ["ivan"]


def test_the_list_has_a_row_per_person_and_rule_since_the_first_ground_that_holds() -> None:
    told = in_turn(DEAD, DEAD, DEAD)
    found = listed_at(spans(grounds_of_receipts(told, MONTH).lazy(), NO_ENDINGS), at(9))

    assert found.select("since", "expires_at", "evidence").rows() == [
        (at(1), at(3) + timedelta(days=180), ["alpha:m3", "alpha:m2", "alpha:m1"])
    ]


def test_nothing_to_read_gives_an_empty_list() -> None:
    assert grounds_of_receipts(MESSAGES.empty().lazy(), MONTH).is_empty()
    nobody = grounds_of_refusals(
        REPLIES.empty().lazy(), OPT_OUTS.empty().lazy(), CONSENTS.empty().lazy(), MONTH
    )
    assert listed_at(spans(nobody.lazy(), NO_ENDINGS), at(1)).is_empty()


def test_every_rule_says_where_it_comes_from_and_who_may_lift_it() -> None:
    for one in rules():
        assert one.source
        assert one.version >= 1
    assert rule("opted_out").lifted_by is Lifter.PERSON


def test_a_refusal_known_only_by_contact_suppresses_the_numbers_written_to_under_it() -> None:
    """One new number of the contact is told on the day on which the list first knows it."""
    written = messages(
        {"recipient": "anna", "contact": "c7", "submitted_at": at(1)},
        {"recipient": "anna-at-work", "contact": "c7", "submitted_at": at(1)},
        {"recipient": "anna-new", "contact": "c7", "submitted_at": at(6)},
        {"recipient": "ivan", "contact": "c8", "submitted_at": at(1)},
    )
    numbers = numbers_of_contacts(written)
    entry = {"recipient": None, "contact": "c7", "opted_out_at": at(2)}
    entries = by_number(opt_outs(*(entry | {"day": day} for day in days(3, 9))), numbers)

    found = grounds_of_refusals(
        REPLIES.empty().lazy(), entries, CONSENTS.empty().lazy(), MONTH
    ).select("day", "recipient", "since")

    assert found.rows() == [
        (days(3, 3)[0], "anna", at(2)),
        (days(3, 3)[0], "anna-at-work", at(2)),
        (days(6, 6)[0], "anna-new", at(2)),
    ]


def test_a_consent_withdrawn_by_contact_refuses_and_one_given_by_contact_lifts() -> None:
    numbers = numbers_of_contacts(messages({"contact": "c7", "submitted_at": at(1)}))
    consent: dict[str, Any] = {"source": "crm", "contact": "c7", "pulled_at": at(9)}
    withdrawn = consent | {"day": days(4, 4)[0], "event_id": "c1", "withdrawn_at": at(4)}
    given = consent | {"day": days(8, 8)[0], "event_id": "c2", "given_at": at(8)}
    none = REPLIES.empty().lazy()
    told = by_number(table(CONSENTS, [withdrawn, given]), numbers)

    said = grounds_of_refusals(none, OPT_OUTS.empty().lazy(), told, MONTH)
    found = spans(said.lazy(), endings_of_wishes(none, told))

    assert said.select("recipient", "since").rows() == [("anna", at(4))]
    assert listed_at(found, at(7))["recipient"].to_list() == ["anna"]
    assert listed_at(found, at(8)).is_empty()
