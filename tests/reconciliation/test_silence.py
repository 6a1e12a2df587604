"""Nothing was sent, the answer is empty, receipts stopped: told apart."""

from datetime import date, datetime, timedelta

import polars as pl

from sms_etl.days import days_between
from sms_etl.model.schemas import MESSAGES
from sms_etl.reconciliation.silence import DaySides, Landed, day_rows
from tests.reconciliation.sides import DAY, NOON, frame, logged

EMPTY = Landed(0, 0)
EVENING = NOON + timedelta(days=1)
BEFORE = days_between(DAY - timedelta(days=10), DAY - timedelta(days=1))


def many(day: date, count: int, final: float) -> list[dict]:
    at = NOON - timedelta(days=(DAY - day).days)
    return [
        logged(
            f"{day}-{n}",
            day=day,
            submitted_at=at,
            status_class="delivered" if n < final * count else "pending",
        )
        for n in range(count)
    ]


USUAL = [row for day in BEFORE for row in many(day, 40, 0.9)]


def told(
    *,
    asked: int = 0,
    log: list[dict] = (),
    landed: Landed | None = EMPTY,
    covers: bool = True,
    last_pull: datetime | None = EVENING,
) -> dict:
    found = day_rows(
        "gate",
        [DAY],
        DaySides(
            outbox_days=pl.Series([DAY] * asked, dtype=pl.Date),
            line_days=pl.Series([DAY], dtype=pl.Date),
            messages=frame(MESSAGES, [*USUAL, *log]),
            landed={DAY: landed} if landed else {},
            outbox_covers=covers,
            last_pull=last_pull,
        ),
    )
    return found.to_dicts()[0]


def test_a_usual_day_is_no_silence():
    row = told(asked=40, log=many(DAY, 40, 0.9), landed=Landed(40, 0))
    assert row["silence"] == "none"
    assert (row["outbox_rows"], row["messages"], row["records"]) == (40, 40, 40)
    assert (row["final"], row["invoice_lines"], row["usual_final"]) == (36, 1, 0.9)


def test_nothing_was_sent():
    assert told()["silence"] == "nothing_sent"


def test_the_answer_of_the_provider_is_empty():
    assert told(asked=5)["silence"] == "provider_empty"


def test_an_empty_answer_without_an_outbox_says_nothing():
    assert told(covers=False)["silence"] == "nothing_known"


def test_records_that_could_not_be_read_are_no_empty_answer():
    assert told(asked=5, landed=Landed(5, 5))["silence"] == "records_unreadable"


def test_a_day_that_was_never_pulled_is_neither():
    assert told(asked=5, landed=None)["silence"] == "not_pulled"
    assert told(landed=None)["silence"] == "not_pulled"


def test_an_empty_outbox_beside_messages_is_told():
    assert told(log=many(DAY, 3, 1.0))["silence"] == "outbox_empty"
    assert told(log=many(DAY, 3, 1.0), covers=False)["silence"] == "none"


def test_receipts_stopped():
    assert told(asked=40, log=many(DAY, 40, 0.1))["silence"] == "receipts_stopped"
    assert told(asked=40, log=many(DAY, 40, 0.2))["silence"] == "none"


def test_receipts_have_not_stopped_where_it_is_too_early_or_too_little_to_tell():
    young = NOON + timedelta(hours=5)
    assert told(asked=40, log=many(DAY, 40, 0.0), last_pull=young)["silence"] == "none"
    assert told(asked=29, log=many(DAY, 29, 0.0))["silence"] == "none"
    assert told(asked=40, log=many(DAY, 40, 0.0), last_pull=None)["silence"] == "none"
