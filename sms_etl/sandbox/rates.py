"""Exchange rates of the simulated country, written as its real central bank publishes them."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from pathlib import Path

from sms_etl.sandbox.clock import as_utc
from sms_etl.sandbox.world import World

CURRENCIES = ((840, "Долар США", "USD", 415_000), (978, "Євро", "EUR", 483_000))
"""ISO 4217 number, name, code, and the made-up rate of the first day in ten-thousandths."""

_DAYS_BEFORE = 7
_DAILY_STEP = 137
_SWING = 11


def write_rates(world: World, now: datetime, path: Path) -> None:
    """Rates of every working day of the world so far; made up, and of four decimals."""
    zone = world.parameters.zone
    first = world.parameters.first_day - timedelta(days=_DAYS_BEFORE)
    last = as_utc(now).astimezone(zone).date()
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    rows = [
        {"r030": number, "txt": name, "rate": rate_on(day, start), "cc": code,
         "exchangedate": f"{day:%d.%m.%Y}"}
        for day in days
        if day.isoweekday() < 6
        for number, name, code, start in CURRENCIES
    ]  # fmt: skip
    path.write_text(json.dumps(rows, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")


def rate_on(day: date, start: int) -> float:
    """A rate that swings a little from day to day."""
    return (start + _DAILY_STEP * (day.toordinal() % _SWING)) / 10_000
