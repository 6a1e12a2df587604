"""What was pulled, what is there, what came late, and what moved since."""

from __future__ import annotations

from decimal import Decimal

from sms_etl.reports.figures import Figures
from sms_etl.reports.language import Words
from sms_etl.reports.tables.table import Cell, Column, Table, units


def pulls(figures: Figures, words: Words) -> Table:
    """Complete pulls of every source."""
    columns = (
        _source(words),
        Column("count", Cell.COUNT, words.text("Pulls"), "Complete ones"),
        Column("pages", Cell.COUNT, words.text("Pages"), "Pages landed"),
        Column("records", Cell.COUNT, words.text("Records"), "Records in them"),
        Column("seconds", Cell.SECONDS, words.text("Time together, s"), "All pulls"),
        Column("slowest_seconds", Cell.SECONDS, words.text("Slowest, s"), "The slowest pull"),
        Column("retries", Cell.COUNT, words.text("Requests repeated"), "After a failure"),
        Column("waited_seconds", Cell.SECONDS, words.text("Waited, s"), "Before repeating"),
        Column("last_at", Cell.MOMENT, words.text("Last pulled (UTC)"), "End of the newest"),
    )
    rows = tuple(
        (
            one.source,
            one.count,
            one.pages,
            one.records,
            one.seconds,
            one.slowest_seconds,
            one.retries,
            one.waited_seconds,
            one.last_at,
        )
        for one in (figures.operations.pulls if figures.operations else ())
    )
    return Table("pulls", words.text("Pulls"), "Pulls that cover the report's days", columns, rows)


def source_days(figures: Figures, words: Words) -> Table:
    """Every business day of every source."""
    columns = (
        _source(words),
        Column("day", Cell.DAY, words.text("Day"), "Business day"),
        Column("built", Cell.FLAG, words.text("Built"), "Whether the day is there"),
        Column("messages", Cell.COUNT, words.text("Messages"), "Made of its records"),
        Column("set_aside", Cell.COUNT, words.text("Set aside"), "Records in quarantine"),
    )
    rows = tuple(
        (one.source, day.day, day.built, day.messages, day.set_aside)
        for one in (figures.operations.days if figures.operations else ())
        for day in one.days
    )
    meaning = "What is there, by source and day"
    return Table("source_days", words.text("Days of sources"), meaning, columns, rows)


def late(figures: Figures, words: Words) -> Table:
    """Receipts that came after the days were over."""
    columns = (
        _source(words),
        Column("ended", Cell.COUNT, words.text("Receipts with a time"), "Messages that ended"),
        Column("hours", Cell.COUNT, words.text("Later than, h"), "After the end of the days"),
        Column("messages", Cell.COUNT, words.text("Messages"), "Whose end came later"),
    )
    rows = tuple(
        (one.source, one.ended, count.hours, count.messages)
        for one in (figures.operations.late if figures.operations else ())
        for count in one.late
    )
    return Table("late", words.text("Late receipts"), "Receipts that came late", columns, rows)


def restated_sources(figures: Figures, words: Words) -> Table:
    """How figures of a source moved after its days were first built."""
    columns = (
        _source(words),
        Column("figure", Cell.TEXT, words.text("Figure"), "Count that moved, or spent"),
        Column("currency", Cell.TEXT, words.text("Currency"), "ISO 4217, for money"),
        Column("change", Cell.MONEY, words.text("Change"), "All days together"),
        Column("days", Cell.COUNT, words.text("Days"), "Days that moved"),
        Column("last_day", Cell.DAY, words.text("Last day"), "Last day that moved"),
        Column("causes", Cell.TEXT, words.text("Why"), "Causes, joined by semicolons"),
    )
    rows = tuple(
        (
            one.source,
            one.figure,
            one.currency or None,
            units(one.change) if one.currency else Decimal(one.change),
            one.days,
            one.last_day,
            "; ".join(one.causes),
        )
        for one in (figures.operations.restated if figures.operations else ())
    )
    meaning = "Figures of sources that moved after their days were built"
    return Table("restated_sources", words.text("Restated by source"), meaning, columns, rows)


def missing_days(figures: Figures, words: Words) -> Table:
    """Days that a source should have and has not."""
    columns = (_source(words), Column("day", Cell.DAY, words.text("Day"), "Day that is missing"))
    rows = tuple((one.source, day) for one in figures.sources for day in one.missing_days)
    meaning = "Days of the report that are missing"
    return Table("missing_days", words.text("Missing days"), meaning, columns, rows)


def quality_details(figures: Figures, words: Words) -> Table:
    """Folded and quarantined records and unexplained words, each by its name."""
    columns = (
        _source(words),
        Column("what", Cell.TEXT, words.text("Figure"), "folded, quarantined or unmapped"),
        Column("word", Cell.TEXT, words.text("Kind"), "Rule, reason, or the provider's word"),
        Column("number", Cell.COUNT, words.text("Number"), "Records; of words, messages"),
    )
    rows = tuple(
        (one.source, what, word, number)
        for one in figures.sources
        for what, counted in (
            ("folded", one.folded),
            ("quarantined", one.quarantined),
            ("unmapped", one.unmapped),
        )
        for word, number in counted.items()
    )
    meaning = "Records that made no message of their own, and unknown words"
    return Table("quality_details", words.text("Quality in detail"), meaning, columns, rows)


def _source(words: Words) -> Column:
    return Column("source", Cell.TEXT, words.text("Source"), "Configured source")
