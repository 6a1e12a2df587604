"""Hand-made outbox rows, messages and invoice lines, so that each test says only its own matter."""

from datetime import UTC, date, datetime

import polars as pl

from sms_etl.model.schemas import INVOICE_LINES, MESSAGES, OUTBOX
from sms_etl.reconciliation.rows import Rules, Sides, reconcile

DAY = date(2026, 10, 20)
NOON = datetime(2026, 10, 20, 9, 0, tzinfo=UTC)
RULES = Rules(price_tolerance_micro=100, double_seconds=300, home_country="UA", zone="Europe/Kyiv")
ONE_PART, TWO_PARTS = "Знижка 20 %", "Знижка 20 % " * 7


def asked(message_id: str | None = "a", **changes) -> dict:
    return {
        "message_id": message_id,
        "source": "gate",
        "recipient": "067 123 45 67",
        "campaign": "sale",
        "submitted_at": NOON,
        "text": f"{ONE_PART} {message_id}",
        **changes,
    }


def logged(message_id: str = "a", **changes) -> dict:
    return {
        "day": DAY,
        "source": "gate",
        "message_id": message_id,
        "campaign": "sale",
        "country": "UA",
        "status_class": "delivered",
        "submitted_at": NOON,
        "parts": 1,
        "parts_origin": "billed",
        "cost_micro": 980_000,
        "currency": "UAH",
        **changes,
    }


def billed(message_id: str | None = "a", **changes) -> dict:
    return {
        "pull": "october.csv",
        "page": 1,
        "record": 0,
        "day": DAY,
        "message_id": message_id,
        "parts": 1,
        "cost_micro": 980_000,
        "currency": "UAH",
        **changes,
    }


def frame(schema, rows) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=schema.schema)


def sides(outbox=(), log=(), lines=(), *, covers=True, billed_days=()) -> Sides:
    return Sides(
        outbox=frame(OUTBOX, outbox),
        messages=frame(MESSAGES, log),
        lines=frame(INVOICE_LINES, lines),
        outbox_covers=covers,
        billed_days=billed_days,
    )


def compared(outbox=(), log=(), lines=(), **changes) -> pl.DataFrame:
    return reconcile("gate", sides(outbox, log, lines, **changes), RULES)


def states(found: pl.DataFrame) -> dict:
    """message_id -> (state, detail)"""
    return {row["message_id"]: (row["state"], row["detail"]) for row in found.to_dicts()}
