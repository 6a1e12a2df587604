"""What a rebuild changed, and why."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from sms_etl.restatement import (
    Cause,
    Moved,
    Provenance,
    causes,
    moved,
    program_digest,
    restated,
)

DAY, NEXT = date(2026, 10, 5), date(2026, 10, 6)
NOW = datetime(2026, 10, 9, tzinfo=UTC)
BEFORE = Provenance(landing="a", dictionary="b", code="c", settings="d")


def test_a_figure_that_moved_is_told_with_then_now_and_why():
    then = {(DAY, "delivered", ""): 90, (DAY, "pending", ""): 10, (DAY, "submitted", ""): 100}
    now = {(DAY, "delivered", ""): 97, (DAY, "failed", ""): 3, (DAY, "submitted", ""): 100}
    found = restated(
        "twilio", then, now, {DAY: BEFORE}, {DAY: replace(BEFORE, landing="later")}, NOW
    )
    assert [(one.figure, one.then, one.now, one.causes) for one in found] == [
        ("delivered", 90, 97, (Cause.RECEIPTS,)),
        ("failed", 0, 3, (Cause.RECEIPTS,)),
        ("pending", 10, 0, (Cause.RECEIPTS,)),
    ]


def test_a_day_built_for_the_first_time_restates_nothing():
    now = {(DAY, "delivered", ""): 97, (NEXT, "delivered", ""): 5}
    assert restated("twilio", {}, now, {}, {DAY: BEFORE, NEXT: BEFORE}, NOW) == []


@pytest.mark.parametrize(
    ("changed", "figure", "why"),
    [
        ({"landing": "x"}, "delivered", (Cause.RECEIPTS,)),
        ({"landing": "x"}, "spent", (Cause.PRICES,)),
        ({"dictionary": "x"}, "failed", (Cause.MAPPING,)),
        ({"code": "x"}, "parts", (Cause.CODE,)),
        ({"settings": "x"}, "spent", (Cause.SETTINGS,)),
        ({"landing": "x", "dictionary": "y"}, "failed", (Cause.RECEIPTS, Cause.MAPPING)),
    ],
)
def test_the_cause_is_what_differs_in_what_it_was_built_from(changed, figure, why):
    assert causes(BEFORE, replace(BEFORE, **changed), figure) == why


def test_a_period_knows_how_far_it_moved_since_it_was_told():
    steps = [
        {(DAY, "delivered", ""): 90},
        {(DAY, "delivered", ""): 94},
        {(DAY, "delivered", ""): 97},
    ]
    built = [{DAY: replace(BEFORE, landing=str(n))} for n in range(3)]
    found = [
        one
        for n in (1, 2)
        for one in restated("twilio", steps[n - 1], steps[n], built[n - 1], built[n], NOW)
    ]
    assert moved(found, {("delivered", ""): 1097, ("failed", ""): 4}) == [
        Moved("delivered", "", 1090, 1097, (Cause.RECEIPTS,))
    ]


def test_a_figure_that_is_back_where_it_was_has_not_moved():
    there, back = {(DAY, "failed", ""): 1}, {(DAY, "failed", ""): 2}
    found = [
        *restated("a", there, back, {DAY: BEFORE}, {DAY: BEFORE}, NOW),
        *restated("a", back, there, {DAY: BEFORE}, {DAY: BEFORE}, NOW),
    ]
    assert len(found) == 2
    assert moved(found, {("failed", ""): 1}) == []


def test_the_program_has_one_digest_until_it_changes():
    assert program_digest() == program_digest()
    assert len(program_digest()) == 64
