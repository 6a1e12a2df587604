"""A company of two weeks, its page, and what the pipeline says of any filter."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import polars as pl

from sms_etl.metrics.completion import completion_curves, with_known
from sms_etl.metrics.local_time import with_local_time
from sms_etl.metrics.summary import Totals, totals_of
from sms_etl.metrics.survival import without_silent_sources
from sms_etl.reports.build import ReportInputs
from sms_etl.reports.twin.cube import DIMENSIONS
from tests.reports.test_build import REQUEST, inputs, some, table

EVIL = "<img src=x onerror=\"document.title='owned'\"> </script><b>\u201eq\u201c 'x' & \"y\""
CHOICES = {
    "campaign": ("sale", "otp", EVIL, "unknown"),
    "sender": ("SHOP", "SHOP", "+380 <b>"),
    "country": ("UA", "UA", "PL"),
    "operator": ("Kyivstar", "lifecell", "unknown"),
    "source": ("turbosms", "twilio"),
}
REASONS = ("absent_subscriber", "invalid_number", None)
HOUR_SECONDS = 3600
LONGEST_HOURS = 60
"""Failures are told late, so that young days are provisional."""


def company(count: int = 4000, seed: int = 5) -> ReportInputs:
    """Messages of all classes and kinds of times; the last day of the report changes clocks."""
    random_ = random.Random(seed)
    rows = some(random_, count)
    for row in rows:
        row |= {name: random_.choice(values) for name, values in CHOICES.items()}
        match row["status_class"]:
            case "delivered":
                row["seconds_to_deliver"] = random_.lognormvariate(1.2, 1.1)
                row["done_at"] = row["submitted_at"] + timedelta(seconds=row["seconds_to_deliver"])
                row["receipt"] = random_.choice(["handset", "operator"])
                if row["source"] == "twilio":
                    row["done_at_origin"] = random_.choice(["provider", "provider_update"])
            case "failed":
                row["reason"] = random_.choice(REASONS)
                row["done_at"] = row["submitted_at"] + timedelta(
                    hours=random_.uniform(0, LONGEST_HOURS)
                )
            case "unknown":
                row["done_at_origin"] = "none"
            case "pending":
                row |= {"final": False, "done_at_origin": "none"}
        row["currency"] = random_.choice(["UAH", "USD"]) if row["cost_micro"] is not None else None
    return inputs(table(rows))


def some_filter(random_: random.Random, days: int) -> dict[str, Any]:
    """Days, keys by dimension and reasons; any may be left open, and none may pass."""
    first, last = sorted((random_.randrange(days), random_.randrange(days)))
    chosen = {
        name: random_.sample(sorted(set(keys)), random_.randint(1, len(set(keys))))
        for name, keys in CHOICES.items()
        if random_.random() < 0.4
    }
    reasons = None
    if random_.random() < 0.4:
        known = ["absent_subscriber", "no_receipt", "spam_filtered_content", "not_stated"]
        reasons = random_.sample(known, random_.randint(1, 3))
    return {"first": first, "last": last, "chosen": chosen, "reasons": reasons}


def pipeline_rows(given: ReportInputs) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """Cube and times of the report's days as the figures of the pipeline are summed from them."""
    latency = without_silent_sources(given.latency)
    horizon = REQUEST.silence_hours * HOUR_SECONDS
    curves = completion_curves(latency.filter(pl.col("day") < REQUEST.first_day), horizon)
    assert not curves.is_empty()
    cube = with_known(given.cube, curves, REQUEST.data_as_of)
    inside = pl.col("local_day").is_between(REQUEST.first_day, REQUEST.last_day)
    return (
        with_local_time(cube, REQUEST.zone).filter(inside),
        with_local_time(latency, REQUEST.zone).filter(inside),
    )


def passes(wanted: dict[str, Any]) -> pl.Expr:
    """A filter as an expression over rows with `local_day`."""
    days = [REQUEST.first_day + timedelta(days=wanted[end]) for end in ("first", "last")]
    expression = pl.col("local_day").is_between(*days)
    for name, keys in wanted["chosen"].items():
        expression &= pl.col(name).is_in(keys)
    return expression


def pipeline_totals(
    rows: tuple[pl.LazyFrame, pl.LazyFrame], wanted: dict[str, Any], **only: str
) -> Totals:
    """What the pipeline says of the messages that pass, of one value of a dimension if given."""
    expression = passes(wanted)
    for name, key in only.items():
        assert name in DIMENSIONS
        expression &= pl.col(name) == key
    cube, latency = rows
    return totals_of(cube.filter(expression), latency.filter(expression), REQUEST.as_of)
