"""Small hand-made tables of messages, clicks and orders."""

from datetime import UTC, datetime, timedelta

import polars as pl

from sms_etl.model.schemas import UTC_TIME

START = datetime(2026, 10, 5, 9, tzinfo=UTC)


def at(hours=0.0, seconds=0.0):
    return START + timedelta(hours=hours, seconds=seconds)


MESSAGE = {
    "source": ("shop", pl.String),
    "message_id": (None, pl.String),
    "campaign": ("sale", pl.String),
    "recipient": ("olena", pl.String),
    "contact": (None, pl.String),
    "submitted_at": (START, UTC_TIME),
    "done_at": (START, UTC_TIME),
    "status_class": ("delivered", pl.String),
    "status": ("delivered", pl.String),
    "channel": ("sms", pl.String),
    "links": (1, pl.Int32),
    "purpose": ("marketing", pl.String),
}
CLICK = {
    "day": (START.date(), pl.Date),
    "source": ("links", pl.String),
    "provider": ("shlink", pl.String),
    "event_id": (None, pl.String),
    "clicked_at": (START, UTC_TIME),
    "period_seconds": (0, pl.Int64),
    "clicks": (1, pl.Int64),
    "recipient": (None, pl.String),
    "message_id": (None, pl.String),
    "campaign": (None, pl.String),
    "link": ("https://promin.example/s1", pl.String),
    "user_agent": ("Mozilla/5.0 (Linux; Android 14) Mobile Safari/537.36", pl.String),
    "network": ("178.133.10.0/24", pl.String),
    "robot": (None, pl.Boolean),
}
ORDER = {
    "day": (START.date(), pl.Date),
    "source": ("till", pl.String),
    "event_id": (None, pl.String),
    "ordered_at": (START, UTC_TIME),
    "recipient": ("olena", pl.String),
    "contact": (None, pl.String),
    "kind": ("order", pl.String),
    "refund_of": (None, pl.String),
    "amount_micro": (100_000_000, pl.Int64),
    "currency": ("UAH", pl.String),
    "utm_campaign": (None, pl.String),
    "promo_code": (None, pl.String),
    "pulled_at": (START, UTC_TIME),
}


def table(shape, rows, identifier):
    """Rows with what they do not say filled in; unnamed ones are numbered."""
    filled = [
        {name: row.get(name, default) for name, (default, _) in shape.items()} for row in rows
    ]
    for number, row in enumerate(filled):
        row[identifier] = row[identifier] or f"{identifier}-{number}"
    return pl.DataFrame(filled, schema={name: dtype for name, (_, dtype) in shape.items()})


def messages(*rows):
    return table(MESSAGE, rows, "message_id")


def clicks(*rows):
    return table(CLICK, rows, "event_id")


def orders(*rows):
    return table(ORDER, rows, "event_id")
