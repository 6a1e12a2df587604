"""What outbox, log and invoice say of each other: as figures, and as the lines of the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from sms_etl.model.schemas import INVOICE_TOTALS, RECONCILIATION, RECONCILIATION_DAYS
from sms_etl.model.vocabulary import ReconciliationState as State
from sms_etl.model.vocabulary import Silence, TotalState
from sms_etl.reconciliation.tables import by_state, open_days
from sms_etl.reports.figures import Figures, Reconciled, ReconciledState
from sms_etl.reports.language import MINUS, Words
from sms_etl.reports.quality import spans


@dataclass(frozen=True)
class Reconciliation:
    """Tables of all reconciled sources; they may hold more days than the report."""

    rows: pl.LazyFrame = field(default_factory=lambda: RECONCILIATION.empty().lazy())
    days: pl.LazyFrame = field(default_factory=lambda: RECONCILIATION_DAYS.empty().lazy())
    totals: pl.LazyFrame = field(default_factory=lambda: INVOICE_TOTALS.empty().lazy())


def reconciled(
    tables: Reconciliation, days: tuple[date, date], campaign: str | None = None
) -> tuple[Reconciled, ...]:
    """Every source that something was held against on these business days, in order of name.

    For a campaign only its messages count; silences and totals are those of whole sources and
    left out.
    """
    inside = pl.col("day").is_between(*days)
    mine = inside if campaign is None else inside & (pl.col("campaign") == campaign)
    counted = by_state(
        tables.rows.filter(mine & (pl.col("state") != State.NOT_COMPARED.value)).collect(),
        ["source"],
    )
    silent, totals = RECONCILIATION_DAYS.empty(), INVOICE_TOTALS.empty()
    if campaign is None:
        silent = open_days(tables.days.filter(inside).collect())
        totals = tables.totals.filter(inside).collect()
    names = sorted({*counted["source"], *silent["source"], *totals["source"]})
    return tuple(
        _reconciled(name, *(frame.filter(source=name) for frame in (counted, silent, totals)))
        for name in names
    )


def _reconciled(
    name: str, counted: pl.DataFrame, silent: pl.DataFrame, totals: pl.DataFrame
) -> Reconciled:
    ours = pl.col("ours_micro").fill_null(0)
    left_out = pl.col("state") == TotalState.NOT_BILLED.value
    lines = totals.with_columns(
        difference_micro=pl.when(left_out).then(-ours).otherwise("difference_micro")
    )
    days = silent.group_by("silence").agg(pl.col("day").sort()).sort("silence")
    return Reconciled(
        source=name,
        states=tuple(
            ReconciledState(
                state=state,
                messages=int(rows["count"].sum()),
                difference_micro=_by_currency(rows),
            )
            for state in State
            if not (rows := counted.filter(state=state.value)).is_empty()
        ),
        totals=totals.height,
        totals_differ=totals.filter(pl.col("state") != TotalState.MATCHED.value).height,
        totals_difference_micro=_by_currency(lines),
        silent_days={kind: tuple(found) for kind, found in days.iter_rows()},
    )


def _by_currency(rows: pl.DataFrame) -> dict[str, int]:
    """Sums of `difference_micro` that are not zero."""
    summed = rows.drop_nulls("currency").group_by("currency").agg(pl.col("difference_micro").sum())
    found = summed.filter(pl.col("difference_micro") != 0).sort("currency")
    return dict(found.select("currency", "difference_micro").iter_rows())


@dataclass(frozen=True)
class ReconciledLine:
    """One row of the table."""

    source: str
    messages: int
    agree: int
    money: str
    differs: str
    weak: bool


def lines(words: Words, figures: Figures) -> list[ReconciledLine]:
    """The rows of the table, one for each source."""
    return [_line(words, one) for one in figures.reconciliation]


def _line(words: Words, one: Reconciled) -> ReconciledLine:
    agree = sum(s.messages for s in one.states if s.state == State.MATCHED)
    differs = [
        f"{state_name(words, s.state)}: {words.count(s.messages)}"
        for s in one.states
        if s.state != State.MATCHED
    ]
    if one.totals_differ:
        k, n = words.count(one.totals_differ), words.count(one.totals)
        differs.append(words.text("lines of the invoice that differ: %(k)s of %(n)s", k=k, n=n))
    return ReconciledLine(
        source=words.label(one.source),
        messages=sum(s.messages for s in one.states),
        agree=agree,
        money=_money(words, one),
        differs="; ".join(differs) or "—",
        weak=bool(differs or one.silent_days),
    )


def _money(words: Words, one: Reconciled) -> str:
    summed: dict[str, int] = {}
    parts: list[Mapping[str, int]] = [s.difference_micro for s in one.states]
    for part in [*parts, one.totals_difference_micro]:
        for currency, micro in part.items():
            summed[currency] = summed.get(currency, 0) + micro
    return "; ".join(
        ("+" if micro > 0 else MINUS) + words.money(abs(micro), currency)
        for currency, micro in sorted(summed.items())
        if micro
    ) or "—"  # fmt: skip


def notes(words: Words, figures: Figures) -> list[tuple[str, str]]:
    """Source and what is to be known of its silent days."""
    return [
        (words.label(one.source), " ".join(_silences(words, one)))
        for one in figures.reconciliation
        if one.silent_days
    ]


def _silences(words: Words, one: Reconciled) -> list[str]:
    return [
        f"{silence_name(words, kind)}: "
        + ", ".join(words.span_short(*run) for run in spans(days))
        + "."
        for kind, days in one.silent_days.items()
    ]


def state_name(words: Words, name: str) -> str:
    """A state in words."""
    match State(name):
        case State.MATCHED:
            return words.text("agree")
        case State.MISSING_AT_PROVIDER:
            return words.text("missing at the provider")
        case State.UNKNOWN_TO_US:
            return words.text("unknown to us")
        case State.DOUBLED:
            return words.text("doubled")
        case State.PRICED_DIFFERENTLY:
            return words.text("another price")
        case State.PARTS_DIFFER:
            return words.text("another number of parts")
        case State.NOT_BILLED:
            return words.text("not on the invoice")
        case State.UNREADABLE:
            return words.text("unreadable line of the invoice")
        case State.NOT_COMPARED:
            return words.text("not compared")


def silence_name(words: Words, name: str) -> str:
    """A silence in words."""
    match Silence(name):
        case Silence.NONE:
            return words.text("No silence")
        case Silence.NOT_PULLED:
            return words.text("The provider was not asked")
        case Silence.NOTHING_SENT:
            return words.text("Nothing was sent")
        case Silence.NOTHING_KNOWN:
            return words.text("The provider's answer is empty, and no outbox tells what was sent")
        case Silence.PROVIDER_EMPTY:
            return words.text("Messages were sent, and the provider's answer is empty")
        case Silence.RECORDS_UNREADABLE:
            return words.text("The provider answered, and nothing could be read")
        case Silence.OUTBOX_EMPTY:
            return words.text("The provider has messages, and the outbox is empty")
        case Silence.RECEIPTS_STOPPED:
            return words.text("Receipts stopped")
