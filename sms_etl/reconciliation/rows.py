"""Message by message: outbox, log and invoice met by the provider's identifier, in one state each.

A pure function over tables. Every outbox row, message and invoice line is counted in exactly one
row, and so in exactly one state.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

import polars as pl

from sms_etl.errors import ConservationError
from sms_etl.messages.phones import parse_numbers
from sms_etl.messages.text import text_facts
from sms_etl.model.schemas import RECONCILIATION
from sms_etl.model.vocabulary import (
    UNKNOWN_LABEL,
    CostOrigin,
    StatusClass,
)
from sms_etl.model.vocabulary import ReconciliationDetail as Detail
from sms_etl.model.vocabulary import ReconciliationState as State

COUNTS = ("outbox_rows", "messages", "invoice_lines")
"""Columns of RECONCILIATION that add up to the rows of each side."""

_ID = "id:"


@dataclass(frozen=True)
class Rules:
    """What counts as the same.

    `price_tolerance_micro`: prices of a message that differ by no more agree. `double_seconds`:
    the same text (without a text: the same campaign) to one person within it was sent twice.
    """

    price_tolerance_micro: int
    double_seconds: int
    home_country: str
    zone: str


@dataclass(frozen=True)
class Sides:
    """Tables of one source.

    `outbox` (OUTBOX, times not null), `messages` (MESSAGES), `lines` (INVOICE_LINES with
    identifiers). `outbox_covers`: the outbox knows every message of the source. `billed_days`:
    days that an invoice with identifiers covers.
    """

    outbox: pl.DataFrame
    messages: pl.DataFrame
    lines: pl.DataFrame
    outbox_covers: bool
    billed_days: Collection[date] = ()


def reconcile(source: str, sides: Sides, rules: Rules) -> pl.DataFrame:
    """RECONCILIATION rows of everything in `sides`.

    Raises:
        ConservationError: a row of a side is not in exactly one row of the result.
    """
    usable = pl.col("problem").is_null() & pl.col("message_id").is_not_null()
    met = (
        _by_message(_outbox(sides, rules))
        .join(_log(sides.messages), on="key", how="full", coalesce=True)
        .join(_billed(sides.lines.filter(usable)), on="key", how="full", coalesce=True)
        .with_columns(pl.col(*COUNTS).fill_null(0).cast(pl.Int64))
    )
    judged = _judged(_compared(met), sides, rules)
    rows = pl.concat([judged, _unusable(sides.lines.filter(~usable))], how="diagonal_relaxed")
    found = _as_table(rows, source)
    _conserve(found, sides)
    return found


def known_sum(name: str) -> pl.Expr:
    """Sum of what is known, under the column's name; null if nothing is."""
    return pl.when(pl.col(name).count() > 0).then(pl.col(name).sum().cast(pl.Int64)).alias(name)


def _outbox(sides: Sides, rules: Rules) -> pl.DataFrame:
    """Outbox rows with their key, day, parts by their text, and whether they repeat another."""
    texts = text_facts(sides.outbox["text"]).select("text", parts_of_text="parts")
    numbers = parse_numbers(sides.outbox["recipient"], rules.home_country)
    rows = (
        sides.outbox.with_row_index("row")
        .join(texts, on="text", how="left")
        .join(
            numbers.select(recipient="raw", e164="e164"),
            on="recipient", how="left", nulls_equal=True,
        )
        .with_columns(
            key=pl.coalesce(_ID + pl.col("message_id"), pl.format("outbox:{}", "row")),
            day=pl.col("submitted_at").dt.convert_time_zone(rules.zone).dt.date(),
        )
    )  # fmt: skip
    taken = rows.filter(pl.col("message_id").is_in(sides.messages["message_id"].implode()))
    repeats = _repeats(taken.unique("message_id", keep="first", maintain_order=True), rules)
    return rows.with_columns(repeats=pl.col("row").is_in(repeats.implode()))


def _repeats(rows: pl.DataFrame, rules: Rules) -> pl.Series:
    """Rows that say the same to the same person shortly after another that was taken."""
    person = pl.coalesce("e164", "recipient")
    what = pl.coalesce("text:" + pl.col("text"), "campaign:" + pl.col("campaign"))
    since = pl.col("submitted_at").diff().over("person", "what").dt.total_microseconds() / 1e6
    return (
        rows.with_columns(person=person, what=what)
        .drop_nulls(["person", "what"])
        .sort("submitted_at", "row")
        .filter(since <= rules.double_seconds)
    )["row"]


def _by_message(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.group_by("key").agg(
        outbox_rows=pl.len(),
        outbox_id=pl.col("message_id").first(),
        outbox_day=pl.col("day").min(),
        outbox_at=pl.col("submitted_at").min(),
        outbox_campaign=pl.col("campaign").drop_nulls().first(),
        parts_of_text=pl.col("parts_of_text").first(),
        repeats=pl.col("repeats").any(),
        skipped=pl.col("skipped").is_not_null().all(),
    )


def _log(messages: pl.DataFrame) -> pl.DataFrame:
    rejected = pl.col("status_class") == StatusClass.REJECTED.value
    charge = pl.col("cost_micro") > 0
    billed = pl.col("parts_origin") == CostOrigin.BILLED.value
    return messages.group_by(key=_ID + pl.col("message_id")).agg(
        messages=pl.len(),
        log_id=pl.col("message_id").first(),
        log_day=pl.col("day").min(),
        log_at=pl.col("submitted_at").min(),
        log_campaign=pl.col("campaign").first(),
        log_parts=known_sum("parts"),
        log_parts_billed=pl.col("parts").filter(billed).sum(),
        ours_micro=known_sum("cost_micro"),
        log_currency=pl.col("currency").drop_nulls().first(),
        # A refused message without a price is not expected on an invoice, nor is a free one.
        to_pay=pl.coalesce(charge, ~rejected).any(),
    )


def _billed(lines: pl.DataFrame) -> pl.DataFrame:
    return lines.group_by(key=_ID + pl.col("message_id")).agg(
        invoice_lines=pl.len(),
        line_id=pl.col("message_id").first(),
        line_day=pl.col("day").min(),
        line_campaign=pl.col("campaign").drop_nulls().first(),
        line_parts=known_sum("parts"),
        theirs_micro=known_sum("cost_micro"),
        line_currency=pl.col("currency").drop_nulls().first(),
        line_currencies=pl.col("currency").drop_nulls().n_unique(),
        files=pl.col("pull").n_unique(),
    )


def _compared(met: pl.DataFrame) -> pl.DataFrame:
    """The values that are set beside each other."""
    named = pl.col("log_campaign") != UNKNOWN_LABEL
    on_line = pl.when(pl.col("line_parts") > 0).then("line_parts")
    by_log = pl.when(pl.col("log_parts_billed") > 0).then("log_parts_billed")
    return met.with_columns(
        message_id=pl.coalesce("log_id", "outbox_id", "line_id"),
        day=pl.coalesce("log_day", "outbox_day", "line_day"),
        submitted_at=pl.coalesce("log_at", "outbox_at"),
        campaign=pl.coalesce(
            pl.when(named).then("log_campaign"),
            "outbox_campaign", "line_campaign", pl.lit(UNKNOWN_LABEL),
        ),
        parts_ours=pl.coalesce("parts_of_text", "log_parts").cast(pl.Int64),
        parts_theirs=pl.coalesce(on_line, by_log).cast(pl.Int64),
        currency=pl.coalesce("log_currency", "line_currency"),
    )  # fmt: skip


def _judged(met: pl.DataFrame, sides: Sides, rules: Rules) -> pl.DataFrame:
    """State and detail: the first test that holds."""
    state, detail = pl.lit(State.NOT_COMPARED.value), pl.lit(None, pl.String)
    for test, name, what in reversed(_tests(sides, rules)):
        holds = test.fill_null(value=False)
        state = pl.when(holds).then(pl.lit(name.value)).otherwise(state)
        said = pl.lit(what.value if what else None, pl.String)
        detail = pl.when(holds).then(said).otherwise(detail)
    return met.with_columns(state=state, detail=detail)


def _tests(sides: Sides, rules: Rules) -> list[tuple[pl.Expr, State, Detail | None]]:
    """What puts a message in a state, the gravest first."""
    asked, logged, billed = (pl.col(name) > 0 for name in COUNTS)
    on_billed_day = pl.col("day").is_in(list(sides.billed_days))
    no_id = pl.col("message_id").is_null()
    two_files = _over_billed(rules) & (pl.col("files") > 1)
    skipped = pl.col("skipped")
    listed_twice = pl.col("outbox_rows") > pl.max_horizontal("messages", 1)
    unasked = pl.lit(sides.outbox_covers) & ~asked
    unbilled = ~billed & on_billed_day & pl.col("to_pay")
    two_currencies = (pl.col("line_currencies") > 1) | (
        pl.col("line_currency") != pl.col("log_currency")
    )
    parts_differ = pl.col("parts_ours") != pl.col("parts_theirs")
    prices = (pl.col("theirs_micro") - pl.col("ours_micro")).abs()
    price_differs = prices > rules.price_tolerance_micro
    return [
        (billed & ~logged & ~asked, State.UNKNOWN_TO_US, Detail.ONLY_BILLED),
        (two_files, State.DOUBLED, Detail.ON_TWO_INVOICES),
        (_over_billed(rules), State.DOUBLED, Detail.BILLED_TWICE),
        (skipped & (logged | billed), State.UNKNOWN_TO_US, Detail.SENT_THOUGH_SKIPPED),
        (skipped, State.MATCHED, Detail.SKIPPED),
        (~logged & no_id, State.MISSING_AT_PROVIDER, Detail.NO_MESSAGE_ID),
        (~logged & billed, State.MISSING_AT_PROVIDER, Detail.BILLED_NOT_LOGGED),
        (~logged, State.MISSING_AT_PROVIDER, None),
        (unasked, State.UNKNOWN_TO_US, Detail.NOT_IN_OUTBOX),
        (listed_twice, State.DOUBLED, Detail.LISTED_TWICE),
        (pl.col("repeats"), State.DOUBLED, Detail.SENT_TWICE),
        (unbilled, State.NOT_BILLED, None),
        (two_currencies, State.PRICED_DIFFERENTLY, Detail.CURRENCY),
        (parts_differ, State.PARTS_DIFFER, None),
        (price_differs, State.PRICED_DIFFERENTLY, None),
        (asked | billed | on_billed_day, State.MATCHED, None),
    ]


def _over_billed(rules: Rules) -> pl.Expr:
    """Several lines that come to more than the message: a line per part is no second bill."""
    ours = pl.coalesce("log_parts", "parts_of_text")
    more_parts = pl.col("line_parts") > ours
    more_money = pl.col("theirs_micro") > pl.col("ours_micro") + rules.price_tolerance_micro
    return (pl.col("invoice_lines") > 1) & pl.coalesce(more_parts, more_money, pl.lit(value=True))


def _unusable(lines: pl.DataFrame) -> pl.DataFrame:
    """Lines that cannot be met with anything, each a row."""
    return lines.select(
        "day",
        "message_id",
        campaign=pl.col("campaign").fill_null(UNKNOWN_LABEL),
        state=pl.lit(State.UNREADABLE.value),
        detail=pl.coalesce("problem", pl.lit(Detail.NO_MESSAGE_ID.value)),
        outbox_rows=pl.lit(0, pl.Int64),
        messages=pl.lit(0, pl.Int64),
        invoice_lines=pl.lit(1, pl.Int64),
        parts_theirs="parts",
        theirs_micro="cost_micro",
        currency="currency",
    )


def _as_table(rows: pl.DataFrame, source: str) -> pl.DataFrame:
    return (
        rows.with_columns(source=pl.lit(source))
        .select(RECONCILIATION.names)
        .cast(RECONCILIATION.schema)
        .sort("day", "state", "submitted_at", "message_id", nulls_last=True)
    )


def _conserve(found: pl.DataFrame, sides: Sides) -> None:
    given = (sides.outbox.height, sides.messages.height, sides.lines.height)
    counted = tuple(int(found[name].sum()) for name in COUNTS)
    if counted != given:
        raise ConservationError(
            f"reconciliation: {given} outbox rows, messages and invoice lines came in, {counted} "
            f"are in a state. This is a fault of the program; report it."
        )
