"""The data itself: what sources brought, what moved since, what agrees with outbox and bill."""

from __future__ import annotations

from decimal import Decimal

from sms_etl.reports.figures import Figures, ReconciledState
from sms_etl.reports.language import Words
from sms_etl.reports.tables.table import Cell, Column, Table, units


def quality(figures: Figures, words: Words) -> Table:
    """What every source brought."""
    columns = (
        Column("source", Cell.TEXT, words.text("Source"), "Configured source"),
        Column("provider", Cell.TEXT, words.text("Provider"), "Provider kind"),
        Column("days_expected", Cell.COUNT, words.text("Days expected"), "Days of the report"),
        Column("days_present", Cell.COUNT, words.text("Days present"), "Days that were built"),
        Column("records", Cell.COUNT, words.text("Records"), "Records in"),
        Column("messages", Cell.COUNT, words.text("Messages"), "Messages made of them"),
        Column("folded", Cell.COUNT, words.text("Folded"), "Records folded by a stated rule"),
        Column("quarantined", Cell.COUNT, words.text("Quarantined"), "Records set aside"),
        Column(
            "unmapped", Cell.COUNT, words.text("Unexplained words"), "Messages with an unknown word"
        ),
        Column(
            "last_pulled_at", Cell.MOMENT, words.text("Last pulled (UTC)"), "End of the newest pull"
        ),
    )
    rows = tuple(
        (
            s.source,
            s.provider,
            s.days_expected,
            s.days_present,
            s.records,
            s.messages,
            sum(s.folded.values()),
            sum(s.quarantined.values()),
            sum(s.unmapped.values()),
            s.last_pulled_at,
        )
        for s in figures.sources
    )
    return Table(
        "data_quality", words.text("Data quality"), "What every source brought", columns, rows
    )


def restated(figures: Figures, words: Words) -> Table:
    """What moved since the last report."""
    columns = (
        Column("figure", Cell.TEXT, words.text("Figure"), "Count that moved, or spent"),
        Column("currency", Cell.TEXT, words.text("Currency"), "ISO 4217, for money"),
        Column("then", Cell.MONEY, words.text("Then"), "As the last report of these days had it"),
        Column("now", Cell.MONEY, words.text("Now"), "As it is now"),
        Column("causes", Cell.TEXT, words.text("Why"), "Causes, joined by semicolons"),
    )
    rows = tuple(
        (
            one.figure,
            one.currency or None,
            units(one.then) if one.currency else Decimal(one.then),
            units(one.now) if one.currency else Decimal(one.now),
            "; ".join(one.causes),
        )
        for one in figures.restated
    )
    meaning = "Figures of the period before that moved since its report"
    return Table("restated", words.text("Restated"), meaning, columns, rows)


def reconciliation(figures: Figures, words: Words) -> Table:
    """Outbox, log and invoice against each other."""
    columns = (
        Column("source", Cell.TEXT, words.text("Source"), "Configured source"),
        Column(
            "state",
            Cell.TEXT,
            words.text("State"),
            "How outbox, log and invoice stand to each other",
        ),
        Column("messages", Cell.COUNT, words.text("Messages"), "Messages in the state"),
        Column("currency", Cell.TEXT, words.text("Currency"), "ISO 4217, where money differs"),
        Column("difference", Cell.MONEY, words.text("Difference"), "Invoice less our log"),
    )
    rows = [
        (one.source, state.state, state.messages, *money)
        for one in figures.reconciliation
        for state in one.states
        for money in _differences(state)
    ]
    meaning = "Outbox, log and invoice held against each other"
    return Table("reconciliation", words.text("Reconciliation"), meaning, columns, tuple(rows))


def _differences(state: ReconciledState) -> list[tuple[str | None, Decimal | None]]:
    """Currencies with their money, or one line without."""
    found = state.difference_micro.items()
    return [(currency, units(micro)) for currency, micro in found] or [(None, None)]
