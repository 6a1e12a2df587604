"""Every message in one state: golden cases, and a law against a slow reading of the same rules."""

from collections import Counter
from datetime import timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sms_etl.reconciliation.rows import COUNTS
from tests.reconciliation.sides import (
    DAY,
    NOON,
    ONE_PART,
    TWO_PARTS,
    asked,
    billed,
    compared,
    logged,
    states,
)


def only(found: pl.DataFrame) -> dict:
    assert found.height == 1
    return found.to_dicts()[0]


def test_what_all_three_know_alike_is_matched():
    row = only(compared([asked()], [logged()], [billed()], billed_days=[DAY]))

    assert (row["state"], row["detail"]) == ("matched", None)
    assert (row["day"], row["campaign"], row["submitted_at"]) == (DAY, "sale", NOON)
    assert [row[name] for name in COUNTS] == [1, 1, 1]
    assert (row["ours_micro"], row["theirs_micro"], row["currency"]) == (980_000, 980_000, "UAH")


@pytest.mark.parametrize(
    ("outbox", "log", "lines", "expected"),
    [
        ([asked()], [], [], ("missing_at_provider", None)),
        ([asked(None)], [], [], ("missing_at_provider", "no_message_id")),
        ([asked(None, skipped="opted out")], [], [], ("matched", "skipped")),
        ([asked(skipped="cap")], [logged()], [], ("unknown_to_us", "sent_though_skipped")),
        ([asked(skipped="cap")], [], [billed()], ("unknown_to_us", "sent_though_skipped")),
        ([asked()], [], [billed()], ("missing_at_provider", "billed_not_logged")),
        ([], [logged()], [], ("unknown_to_us", "not_in_outbox")),
        ([], [], [billed()], ("unknown_to_us", "only_billed")),
        ([asked()], [logged()], [billed(), billed()], ("doubled", "billed_twice")),
        (
            [asked()],
            [logged()],
            [billed(), billed(pull="november.csv")],
            ("doubled", "on_two_invoices"),
        ),
        ([asked(), asked()], [logged()], [billed()], ("doubled", "listed_twice")),
        ([asked()], [logged()], [billed(cost_micro=980_101)], ("priced_differently", None)),
        ([asked()], [logged()], [billed(cost_micro=980_100)], ("matched", None)),
        ([asked()], [logged()], [billed(currency="EUR")], ("priced_differently", "currency")),
        ([asked()], [logged()], [billed(parts=2)], ("parts_differ", None)),
        ([asked()], [logged(parts=2)], [], ("not_billed", None)),
        ([asked(text=TWO_PARTS)], [logged(parts=2)], [billed(parts=2)], ("matched", None)),
        ([asked(text=TWO_PARTS)], [logged()], [billed()], ("parts_differ", None)),
    ],
)
def test_what_differs_is_named(outbox, log, lines, expected):
    row = only(compared(outbox, log, lines, billed_days=[DAY]))
    assert (row["state"], row["detail"]) == expected


def test_without_an_invoice_the_text_of_the_outbox_is_held_against_the_parts_of_the_log():
    row = only(compared([asked()], [logged(parts=3)]))
    assert (row["state"], row["parts_ours"], row["parts_theirs"]) == ("parts_differ", 1, 3)


def test_lines_for_each_part_are_one_bill():
    lines = [billed(parts=1, cost_micro=490_000), billed(parts=1, cost_micro=490_000)]
    log = [logged(parts=2)]
    found = compared([asked(text=TWO_PARTS)], log, lines, billed_days=[DAY])
    assert (only(found)["state"], only(found)["invoice_lines"]) == ("matched", 2)


def test_what_is_free_or_refused_needs_no_line():
    log = [
        logged("free", cost_micro=0),
        logged("refused", status_class="rejected", cost_micro=None, currency=None),
        logged("dear"),
    ]
    found = compared([asked(one["message_id"]) for one in log], log, billed_days=[DAY])
    assert states(found) == {
        "free": ("matched", None),
        "refused": ("matched", None),
        "dear": ("not_billed", None),
    }


def test_a_message_that_nothing_stands_beside_is_not_called_matched():
    row = only(compared(log=[logged()], covers=False))
    assert row["state"] == "not_compared"


@pytest.mark.parametrize("problem", ["bad_time", "bad_price", None])
def test_a_line_that_cannot_be_used_is_told_with_its_reason(problem):
    row = only(compared(lines=[billed(None, problem=problem)]))
    assert (row["state"], row["detail"]) == ("unreadable", problem or "no_message_id")


def later(seconds):
    return NOON + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("second", "state"),
    [
        ({"submitted_at": later(300)}, ("doubled", "sent_twice")),
        ({"submitted_at": later(301)}, ("matched", None)),
        ({"submitted_at": later(5), "recipient": "+380671234567"}, ("doubled", "sent_twice")),
        ({"submitted_at": later(5), "recipient": "+380671234568"}, ("matched", None)),
        ({"submitted_at": later(5), "text": "Код 1234"}, ("matched", None)),
    ],
)
def test_the_same_text_to_one_person_within_minutes_was_sent_twice(second, state):
    outbox = [asked("a", text=ONE_PART), asked("b", **{"text": ONE_PART, **second})]
    found = compared(outbox, [logged("a"), logged("b")])
    assert states(found) == {"a": ("matched", None), "b": state}


def test_without_texts_the_campaign_stands_for_them():
    outbox = [asked("a", text=None), asked("b", text=None, submitted_at=later(9))]
    found = compared(outbox, [logged("a"), logged("b")])
    assert states(found)["b"] == ("doubled", "sent_twice")


def test_a_second_try_of_what_the_provider_never_took_is_no_double():
    outbox = [asked(None, text=ONE_PART), asked("b", text=ONE_PART, submitted_at=later(9))]
    found = compared(outbox, [logged("b")])
    assert states(found) == {
        None: ("missing_at_provider", "no_message_id"),
        "b": ("matched", None),
    }


def test_a_message_is_of_the_day_of_the_log_then_of_the_outbox_then_of_the_line():
    next_day = DAY + timedelta(days=1)
    found = compared(
        [asked("a"), asked("b", submitted_at=NOON - timedelta(days=1))],
        [logged("a", day=next_day)],
        [billed("a", day=DAY), billed("c", day=next_day)],
    )
    days = dict(found.select("message_id", "day").iter_rows())
    assert days == {"a": next_day, "b": DAY - timedelta(days=1), "c": next_day}


IDS = st.sampled_from([None, "a", "b", "c", "d"])
OUTBOX_ROWS = st.lists(
    st.builds(
        lambda i, seconds, skipped: asked(
            i, submitted_at=later(seconds), text=ONE_PART, skipped=skipped
        ),
        IDS,
        st.integers(0, 900),
        st.sampled_from([None, None, "cap"]),
    )
)
LOG = st.lists(
    st.builds(
        lambda i, parts, cost: logged(i, parts=parts, cost_micro=cost),
        st.sampled_from("abcd"),
        st.sampled_from([None, 1, 2]),
        st.sampled_from([None, 0, 980_000]),
    ),
    unique_by=lambda row: row["message_id"],
)
LINES = st.lists(
    st.builds(
        lambda i, cost, problem: billed(i, cost_micro=cost, problem=problem),
        IDS,
        st.sampled_from([None, 980_000, 1_200_000]),
        st.sampled_from([None, "bad_price"]),
    )
)


@settings(max_examples=60, deadline=None)
@given(OUTBOX_ROWS, LOG, LINES, st.booleans(), st.booleans())
def test_every_row_of_every_side_is_in_exactly_one_state(outbox, log, lines, covers, invoiced):
    found = compared(outbox, log, lines, covers=covers, billed_days=[DAY] if invoiced else [])

    usable = [line for line in lines if line["message_id"] and not line["problem"]]
    expected = {
        "outbox_rows": Counter(row["message_id"] for row in outbox),
        "messages": Counter(row["message_id"] for row in log),
        "invoice_lines": Counter(row["message_id"] for row in usable),
    }
    readable = found.filter(pl.col("state") != "unreadable")
    for name, counts in expected.items():
        told = Counter()
        for message_id, n in readable.select("message_id", name).iter_rows():
            told[message_id] += n
        assert +told == counts
    assert found.height - readable.height == len(lines) - len(usable)
    assert readable["message_id"].drop_nulls().is_unique().all()


@settings(max_examples=60, deadline=None)
@given(OUTBOX_ROWS, LOG, LINES, st.booleans())
def test_who_knows_a_message_decides_whether_it_is_missing_or_unknown(outbox, log, lines, covers):
    found = compared(outbox, log, lines, covers=covers)
    for row in found.filter(pl.col("state") != "unreadable").to_dicts():
        asked_for, in_log, on_bill = (row[name] > 0 for name in COUNTS)
        if row["state"] == "missing_at_provider":
            assert asked_for
            assert not in_log
        if row["state"] == "unknown_to_us":
            assert not asked_for or row["detail"] == "sent_though_skipped"
            assert covers or not in_log or asked_for
        if row["state"] == "matched":
            assert in_log or row["detail"] == "skipped"
            assert asked_for or on_bill
        if row["state"] == "not_compared":
            assert in_log
            assert not covers
            assert not asked_for
