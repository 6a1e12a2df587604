"""A week of a retailer's messages, hour by hour, with whatever went wrong planted in it."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from sms_etl.findings.detect import Evidence, find_problems
from sms_etl.metrics.histogram import bucket_of
from sms_etl.metrics.local_time import with_local_time
from sms_etl.metrics.summary import AsOf
from sms_etl.reports.figures import Finding
from tests.cubes import HOUR, at, cube, latency

ZONE = "Europe/Kyiv"
FIRST = at("2026-10-19", 0) - 3 * HOUR
"""Monday midnight in Kyiv."""

SHARES = {
    "operator": {"Kyivstar": 0.45, "Vodafone": 0.32, "lifecell": 0.23},
    "source": {"turbosms": 0.7, "twilio": 0.3},
    "sender": {"SHOP": 0.75, "CLUB": 0.25},
}
PRICE = 420_000
SECONDS = (3, 8, 40, 900)
SLOW_SHARES = (0.6, 0.3, 0.08, 0.02)
BUCKETS = tuple(pl.Series(SECONDS, dtype=pl.Float64).to_frame("s").select(bucket_of(pl.col.s))["s"])

Slot = dict[str, Any]
Trouble = Callable[[Slot, dict[str, float]], None]
"""Changes the chances of one hour of one slice: failed, rejected, unknown, dead, slow."""


def draw(random_: random.Random, n: int, chance: float) -> int:
    """A binomial number."""
    if n * min(chance, 1 - chance) < 20:
        return sum(random_.random() < chance for _ in range(n))
    spread = math.sqrt(n * chance * (1 - chance))
    return min(n, max(0, round(random_.gauss(n * chance, spread))))


def slots(days: int, per_day: int, random_: random.Random, start: datetime) -> list[Slot]:
    found = []
    for hour in range(24 * days):
        busy = 0.15 + math.exp(-(((hour % 24) - 12) ** 2) / 18)
        for operator, a in SHARES["operator"].items():
            for source, b in SHARES["source"].items():
                for sender, c in SHARES["sender"].items():
                    mean = per_day * busy / 11 * a * b * c * random_.uniform(0.7, 1.3)
                    n = max(0, round(random_.gauss(mean, math.sqrt(mean))))
                    names = {"operator": operator, "source": source, "sender": sender}
                    found.append({"hour": start + hour * HOUR, "n": n, "local": hour % 24, **names})
    return found


def outcomes(slot: Slot, random_: random.Random, trouble: Trouble) -> dict[str, int]:
    night = 0.06 if slot["local"] < 7 else 0.0
    chances = {
        "failed": 0.03 + night,
        "rejected": 0.005,
        "dead": 0.01,
        "unknown": 0.012,
    }
    chances = {name: chance * random_.uniform(0.7, 1.4) for name, chance in chances.items()}
    chances["slow"] = 0.02
    trouble(slot, chances)
    left, told = slot["n"], {}
    for name in ("failed", "rejected", "dead", "unknown"):
        told[name] = draw(random_, left, min(1.0, chances[name]))
        left -= told[name]
    return told | {"delivered": left, "slow": draw(random_, left, chances["slow"])}


def rows_of(slot: Slot, told: dict[str, int], age: timedelta) -> tuple[list[Slot], list[Slot]]:
    names = {name: slot[name] for name in ("hour", "operator", "source", "sender")}
    # A fiftieth of what is younger than three hours waits, and failures of the last six hours.
    waiting = told["delivered"] // 50 if age < 3 * HOUR else 0
    failing = told["failed"] if age < 6 * HOUR else 0
    reason = slot.get("reason", "spam_filtered_content")
    parts = [
        ("delivered", told["delivered"] - waiting, None, None),
        ("failed", told["failed"] - failing, slot.get("failing", "absent_subscriber"), "temporary"),
        ("rejected", told["rejected"], reason, "temporary"),
        ("failed", told["dead"], "invalid_number", "permanent"),
        ("unknown", told["unknown"], "no_receipt", "unknown"),
        ("pending", waiting + failing, None, None),
    ]
    counted = [
        {**names, "status_class": name, "messages": n, "reason": why, "permanence": lasting,
         "currency": "UAH", "cost_micro": n * PRICE, "messages_with_cost": n}
        for name, n, why, lasting in parts if n
    ]  # fmt: skip
    quick = told["delivered"] - waiting - told["slow"]
    timed = [
        {**names, "bucket": BUCKETS[0], "messages": quick // 2},
        {**names, "bucket": BUCKETS[1], "messages": quick - quick // 2},
        {**names, "bucket": BUCKETS[3], "messages": told["slow"]},
    ]
    return counted, [row for row in timed if row["messages"]]


def calm(slot: Slot, chances: dict[str, float]) -> None:
    """Nothing goes wrong."""


def tables(
    seed: int, days: int, start: datetime, as_of: AsOf, trouble: Trouble = calm, *, per_day: int
) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """Cube and latency of some days, with local time."""
    random_ = random.Random(seed)
    counted: list[Slot] = []
    timed: list[Slot] = []
    for slot in slots(days, per_day, random_, start):
        told = outcomes(slot, random_, trouble)
        rows, times = rows_of(slot, told, as_of.moment - slot["hour"] - HOUR)
        counted += rows
        timed += times
    return with_local_time(cube(counted), ZONE), with_local_time(latency(timed), ZONE)


def world(
    seed: int,
    trouble: Trouble = calm,
    *,
    days: int = 7,
    before: int = 7,
    per_day: int = 12_000,
    hours_later: int = 1,
) -> tuple[Evidence, AsOf]:
    """Cubes of `days` from FIRST with trouble, and of `before` days of calm."""
    as_of = AsOf(FIRST + (24 * days + hours_later) * HOUR, silence_hours=72)
    now = tables(seed, days, FIRST, as_of, trouble, per_day=per_day)
    usual = tables(-1 - seed, before, FIRST - before * 24 * HOUR, as_of, per_day=per_day)
    return Evidence(*now, *usual, sources=()), as_of


def problems(evidence: Evidence, as_of: AsOf, days: int = 7) -> tuple[Finding, ...]:
    first = (FIRST + 3 * HOUR).date()
    return find_problems(evidence, first, first + timedelta(days=days - 1), ZONE, as_of)
