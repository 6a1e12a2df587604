"""Totals of an invoice beside our sums."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from sms_etl.model.schemas import INVOICE_LINES, MESSAGES
from sms_etl.reconciliation.totals import compare_totals
from tests.reconciliation.sides import DAY, billed, frame, logged

NEXT = DAY + timedelta(days=1)


def total(**changes) -> dict:
    return billed(None, **{"parts": None, "cost_micro": None, **changes})


def compared(lines, log, billed_days=(DAY,), tolerance=100):
    found = compare_totals(
        "gate", frame(INVOICE_LINES, lines), frame(MESSAGES, log), billed_days, tolerance
    )
    return found.to_dicts()


def log_of(count, **changes):
    return [logged(f"{changes}-{n}", **changes) for n in range(count)]


def test_a_total_that_agrees():
    (row,) = compared([total(messages=3, parts=3, cost_micro=2_940_000)], log_of(3))
    assert row["state"] == "matched"
    assert (row["messages_ours"], row["parts_ours"], row["ours_micro"]) == (3, 3, 2_940_000)
    assert row["difference_micro"] == 0


def test_the_difference_is_stated_and_the_first_one_named():
    lines = [
        total(country="UA", messages=4, parts=5, cost_micro=9_000_000),
        total(country="PL", messages=2, parts=5, cost_micro=1_960_000),
        total(country="DE", messages=2, parts=2, cost_micro=1_960_201),
        total(country="FR", messages=2, parts=2, cost_micro=1_960_200),
    ]
    log = [*log_of(3), *(row for c in ("PL", "DE", "FR") for row in log_of(2, country=c))]
    found = {row["country"]: row for row in compared(lines, log)}
    assert {country: row["state"] for country, row in found.items()} == {
        "UA": "messages_differ",
        "PL": "parts_differ",
        "DE": "priced_differently",
        "FR": "matched",
    }
    assert found["UA"]["difference_micro"] == 9_000_000 - 2_940_000


def test_what_no_total_names_is_a_row_of_its_own():
    rows = compared([total(country="UA", messages=3)], [*log_of(3), *log_of(2, country="PL")])
    rest = next(row for row in rows if row["lines"] == 0)
    assert (rest["state"], rest["messages_ours"], rest["ours_micro"]) == (
        "not_billed",
        2,
        1_960_000,
    )


def test_a_month_and_a_campaign_of_it_share_no_message():
    lines = [
        total(last_day=NEXT, messages=3),
        total(last_day=NEXT, campaign="codes", messages=2),
    ]
    log = [
        *log_of(2),
        *log_of(1, day=NEXT),
        *log_of(2, campaign="codes", day=NEXT),
        *log_of(7, day=NEXT + timedelta(days=1)),
    ]
    rows = compared(lines, log, (DAY, NEXT))
    assert [(row["campaign"], row["messages_ours"], row["state"]) for row in rows] == [
        ("codes", 2, "matched"),
        (None, 3, "matched"),
    ]


def test_a_line_that_cannot_be_read_is_a_row():
    (row,) = compared([total(messages=3, problem="bad_price")], [])
    assert row["state"] == "unreadable"


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.builds(
            lambda country, campaign, n: total(country=country, campaign=campaign, messages=n),
            st.sampled_from([None, "UA", "PL"]),
            st.sampled_from([None, "sale", "codes"]),
            st.integers(0, 5),
        ),
        max_size=6,
    ),
    st.lists(
        st.builds(
            lambda country, campaign, cost: logged(
                "x", country=country, campaign=campaign, cost_micro=cost
            ),
            st.sampled_from(["UA", "PL", "DE"]),
            st.sampled_from(["sale", "codes", "unknown"]),
            st.sampled_from([None, 0, 7]),
        ),
        max_size=12,
    ),
)
def test_every_message_and_every_line_is_counted_once(lines, log):
    rows = compared(lines, log)
    assert sum(row["messages_ours"] for row in rows) == len(log)
    assert sum(row["lines"] for row in rows) == len(lines)
    assert sum(row["messages_theirs"] or 0 for row in rows) == sum(x["messages"] for x in lines)
    assert sum(row["ours_micro"] or 0 for row in rows) == sum(m["cost_micro"] or 0 for m in log)
