"""The columns of every cohort: counts, rates and times of its totals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sms_etl.reports.figures import Totals
from sms_etl.reports.language import Words
from sms_etl.reports.tables.table import Cell, Column, share_of

Measure = tuple[Column, Callable[[Totals], Any]]


def cohort_measures(words: Words) -> tuple[Measure, ...]:
    """What is told of every cohort, with how it is read from its totals."""
    return (*_counts(words), *_rates(words), *_times(words))


def _counts(words: Words) -> tuple[Measure, ...]:
    n = Cell.COUNT
    return (
        (Column("submitted", n, words.text("Sent"), "Messages submitted"), lambda x: x.submitted),
        (Column("delivered", n, words.text("Delivered"), "Confirmed"), lambda x: x.delivered),
        (Column("failed", n, words.text("Failed"), "Did not arrive"), lambda x: x.failed),
        (
            Column("rejected", n, words.text("Rejected"), "Refused before sending"),
            lambda x: x.rejected,
        ),
        (
            Column("unknown", n, words.text("Unanswered"), "Final without an answer"),
            lambda x: x.unknown,
        ),
        (Column("pending", n, words.text("Waiting"), "May still change"), lambda x: x.pending),
        (
            Column("partly_delivered", n, words.text("Partly delivered"), "Some parts arrived"),
            lambda x: x.partly_delivered,
        ),
        (
            Column(
                "operator_receipts", n, words.text("By the operator's word"), "Delivered by it only"
            ),
            lambda x: x.operator_receipts,
        ),
        (Column("parts", n, words.text("Parts"), "Parts, where known"), lambda x: x.parts),
        (
            Column(
                "messages_with_parts", n, words.text("Messages with parts"), "Whose parts are known"
            ),
            lambda x: x.messages_with_parts,
        ),
    )


def _rates(words: Words) -> tuple[Measure, ...]:
    share = Cell.SHARE
    return (
        (
            Column("delivery", share, words.text("Delivered of sent"), "Empty under 30 messages"),
            lambda x: share_of(x.delivery),
        ),
        (
            Column(
                "delivery_high",
                share,
                words.text("At most"),
                "If all missing receipts say delivered",
            ),
            lambda x: None if x.delivery.small else x.delivery.high,
        ),
        (
            Column("delivery_interval_low", share, words.text("95%% from"), "Wilson interval"),
            lambda x: x.delivery.interval.low if x.delivery.interval else None,
        ),
        (
            Column("delivery_interval_high", share, words.text("95%% to"), "Wilson interval"),
            lambda x: x.delivery.interval.high if x.delivery.interval else None,
        ),
        (
            Column(
                "coverage",
                share,
                words.text("Final state known"),
                "Of sent; empty under 30 messages",
            ),
            lambda x: share_of(x.coverage),
        ),
        (
            Column(
                "delivery_of_final",
                share,
                words.text("Delivered of ended"),
                "Of those with a final state; empty under 30 messages",
            ),
            lambda x: share_of(x.delivery_of_final),
        ),
        (
            Column(
                "completeness",
                share,
                words.text("Receipts usually in by now"),
                "At the age of these messages; empty where the past tells too little",
            ),
            lambda x: x.completeness,
        ),
        (
            Column("prices", share, words.text("Price known"), "Of sent; empty under 30 messages"),
            lambda x: share_of(x.prices) if x.prices else None,
        ),
        (
            Column(
                "mature",
                Cell.FLAG,
                words.text("Complete"),
                "False: provisional, receipts are missing",
            ),
            lambda x: x.delivery.mature,
        ),
    )


def _times(words: Words) -> tuple[Measure, ...]:
    s = Cell.SECONDS
    return (
        (
            Column(
                "median_seconds", s, words.text("Median, s"), "Half of the delivered took so long"
            ),
            lambda x: x.latency.median,
        ),
        (
            Column("p90_seconds", s, words.text("90%%, s"), "Of the delivered"),
            lambda x: x.latency.p90,
        ),
        (
            Column("p95_seconds", s, words.text("95%% in, s"), "Of the delivered"),
            lambda x: x.latency.p95,
        ),
        (
            Column("p99_seconds", s, words.text("99%%, s"), "Of the delivered"),
            lambda x: x.latency.p99,
        ),
        (
            Column(
                "all_median_seconds", s, words.text("Half of all sent, s"), "Empty: has not arrived"
            ),
            lambda x: x.latency.all_median,
        ),
        (
            Column(
                "all_p90_seconds", s, words.text("90%% of all sent, s"), "Empty: have not arrived"
            ),
            lambda x: x.latency.all_p90,
        ),
        (
            Column("all_p95_seconds", s, words.text("95%% of all sent, s"), "Empty: not arrived"),
            lambda x: x.latency.all_p95,
        ),
        (
            Column("all_p99_seconds", s, words.text("99%% of all sent, s"), "Empty: not arrived"),
            lambda x: x.latency.all_p99,
        ),
        (
            Column("timed", Cell.COUNT, words.text("Timed"), "Messages whose time is in these"),
            lambda x: x.latency.messages,
        ),
        (
            Column(
                "time_quality", Cell.TEXT, words.text("Quality of times"), "upper_estimate: at most"
            ),
            lambda x: x.latency.quality.value,
        ),
    )


def values(measures: Sequence[Measure], totals: Totals) -> tuple[Any, ...]:
    """The cells of a cohort."""
    return tuple(value(totals) for _, value in measures)
