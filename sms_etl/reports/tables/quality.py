"""The data itself: what sources brought, what moved since, what agrees with outbox and bill."""

from __future__ import annotations

from decimal import Decimal

from sms_etl.reports.figures import Figures
from sms_etl.reports.language import Words
from sms_etl.reports.tables.table import Cell, Column, Table, by_currency, units

_BILLED = ("messages", "messages_over", "parts_over", "messages_under", "parts_under")


def quality(figures: Figures, words: Words) -> Table:
    """What every source brought."""
    n = Cell.COUNT
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
        Column("billed", n, words.text("Billed with a text"), "Messages whose parts are compared"),
        Column("messages_over", n, words.text("Billed more parts"), "Messages, than computed"),
        Column("parts_over", n, words.text("Parts too many"), "Billed, not computed"),
        Column("messages_under", n, words.text("Billed fewer parts"), "Messages, than computed"),
        Column("parts_under", n, words.text("Parts too few"), "Computed, not billed"),
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
            *(getattr(s.billed, name) if s.billed else None for name in _BILLED),
        )
        for s in figures.sources
    )
    return Table(
        "data_quality", words.text("Data quality"), "What every source brought", columns, rows
    )


def restated(figures: Figures, words: Words) -> Table:
    """What moved since the last report."""
    corrected = figures.correction.figures if figures.correction else ()
    columns = (
        Column(
            "part",
            Cell.TEXT,
            words.text("Period"),
            "before: since its report; correction: since this report was mailed",
        ),
        Column("figure", Cell.TEXT, words.text("Figure"), "Count that moved, or spent"),
        Column("currency", Cell.TEXT, words.text("Currency"), "ISO 4217, for money"),
        Column("then", Cell.MONEY, words.text("Then"), "As the last report of these days had it"),
        Column("now", Cell.MONEY, words.text("Now"), "As it is now"),
        Column("causes", Cell.TEXT, words.text("Why"), "Causes, joined by semicolons"),
    )
    rows = tuple(
        (
            part,
            one.figure,
            one.currency or None,
            units(one.then) if one.currency else Decimal(one.then),
            units(one.now) if one.currency else Decimal(one.now),
            "; ".join(one.causes),
        )
        for part, moved in (("before", figures.restated), ("correction", corrected))
        for one in moved
    )
    meaning = "Figures that moved since a report told them"
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
        for money in by_currency(state.difference_micro)
    ]
    meaning = "Outbox, log and invoice held against each other"
    return Table("reconciliation", words.text("Reconciliation"), meaning, columns, tuple(rows))


def invoice_totals(figures: Figures, words: Words) -> Table:
    """Lines of invoices that name no messages."""
    columns = (
        Column("source", Cell.TEXT, words.text("Source"), "Configured source"),
        Column("lines", Cell.COUNT, words.text("Lines of invoices"), "That name no messages"),
        Column("lines_differ", Cell.COUNT, words.text("Lines that differ"), "From our sums"),
        Column("currency", Cell.TEXT, words.text("Currency"), "ISO 4217, where money differs"),
        Column("difference", Cell.MONEY, words.text("Difference"), "Invoice less our log"),
    )
    rows = tuple(
        (one.source, one.totals, one.totals_differ, *money)
        for one in figures.reconciliation
        for money in by_currency(one.totals_difference_micro)
    )
    meaning = "Lines of invoices that name no messages, held against our sums"
    return Table("invoice_totals", words.text("Invoices"), meaning, columns, rows)


def silent_days(figures: Figures, words: Words) -> Table:
    """Days on which nothing came, and why."""
    columns = (
        Column("source", Cell.TEXT, words.text("Source"), "Configured source"),
        Column("silence", Cell.TEXT, words.text("Why"), "What kind of silence"),
        Column("day", Cell.DAY, words.text("Day"), "Business day"),
    )
    rows = tuple(
        (one.source, silence, day)
        for one in figures.reconciliation
        for silence, days in one.silent_days.items()
        for day in days
    )
    meaning = "Days on which nothing came, and why"
    return Table("silent_days", words.text("Silent days"), meaning, columns, rows)
