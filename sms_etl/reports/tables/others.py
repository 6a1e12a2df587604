"""Routes beside each other, other ways to count, letters that cost, slow deliveries, steps."""

from __future__ import annotations

from sms_etl.reports.advice import steps as next_steps
from sms_etl.reports.figures import Figures, Reach
from sms_etl.reports.language import Words
from sms_etl.reports.tables.groups import Cohort
from sms_etl.reports.tables.measures import cohort_measures, values
from sms_etl.reports.tables.table import (
    Cell,
    Column,
    Table,
    by_currency,
    rate_cells,
    rate_columns,
)


def routes(figures: Figures, words: Words) -> Table:
    """What went to every operator by every source."""
    measures = cohort_measures(words)
    columns = (
        Column("source", Cell.TEXT, words.text("Source"), "Configured source"),
        Column("operator", Cell.TEXT, words.text("Operator"), "Operator of the number"),
        *(column for column, _ in measures),
    )
    rows = tuple(
        (one.source, one.operator, *values(measures, one.totals))
        for one in (figures.scorecard.routes if figures.scorecard else ())
    )
    return Table("routes", words.text("Routes"), "Totals of routes", columns, rows)


def scorecard_days(figures: Figures, words: Words) -> Table:
    """Days of every source or operator of a scorecard."""
    columns = (
        Column("dimension", Cell.TEXT, words.text("Table"), "source or operator"),
        Column("key", Cell.TEXT, words.text("Identifier"), "Its value"),
        Column("day", Cell.DAY, words.text("Day"), "Day of sending in the report's zone"),
        Column("submitted", Cell.COUNT, words.text("Sent"), "Messages submitted"),
        Column("delivered", Cell.COUNT, words.text("Delivered"), "Confirmed"),
    )
    card = figures.scorecard
    rows = tuple(
        (card.dimension, one.key, day.day, day.submitted, day.delivered)
        for one in (card.series if card else ())
        for day in one.days
        if card is not None
    )
    meaning = "Days of what the scorecard compares"
    return Table("scorecard_days", words.text("Days of the scorecard"), meaning, columns, rows)


def reach(figures: Figures, words: Words) -> Table:
    """Other answers to how many arrived."""
    columns = (
        Column("campaign", Cell.TEXT, words.text("Campaign"), "Empty for the whole report"),
        *rate_columns(words, "not_failed", words.text("Without a failure"), "all sent"),
        *rate_columns(words, "of_asked", words.text("Delivered of asked"), "all asked for"),
        *rate_columns(words, "per_person", words.text("People reached"), "all people"),
        Column("without_person", Cell.COUNT, words.text("Without a person"), "Messages"),
        Column("to_dead", Cell.COUNT, words.text("To dead numbers"), "Messages, known before"),
        Column("people_dead", Cell.COUNT, words.text("Dead numbers"), "People they went to"),
    )
    rows = tuple(
        (
            one.campaign or "",
            *rate_cells(one.silence_is_success),
            *rate_cells(one.of_asked),
            *rate_cells(one.per_person),
            one.messages_without_person,
            one.messages_to_dead,
            one.people_dead,
        )
        for one in _reach(figures)
    )
    return Table("reach", words.text("Other ways to count"), "Other denominators", columns, rows)


def skipped(figures: Figures, words: Words) -> Table:
    """What the outbox asked for and nobody sent."""
    columns = (
        Column("campaign", Cell.TEXT, words.text("Campaign"), "Empty for the whole report"),
        Column("reason", Cell.TEXT, words.text("Reason"), "Why it was skipped"),
        Column("messages", Cell.COUNT, words.text("Messages"), "Asked for and not sent"),
    )
    rows = tuple(
        (one.campaign or "", reason, messages)
        for one in _reach(figures)
        for reason, messages in one.skipped.items()
    )
    return Table("skipped", words.text("Not sent"), "Asked for and not sent", columns, rows)


def letters(figures: Figures, words: Words) -> Table:
    """What odd letters cost, and what Latin ones would save."""
    columns = (
        Column("what", Cell.TEXT, words.text("Figure"), "odd_letters or latin_letters"),
        Column("campaign", Cell.TEXT, words.text("Identifier"), "Campaign; empty for all"),
        Column("label", Cell.TEXT, words.text("Name"), "As the report prints it"),
        Column("letters", Cell.TEXT, words.text("Letters"), "Those of a text together"),
        Column("messages", Cell.COUNT, words.text("Messages"), "With such letters"),
        Column("parts", Cell.COUNT, words.text("Parts"), "That other letters would save"),
        Column("currency", Cell.TEXT, words.text("Currency"), "ISO 4217"),
        Column("money", Cell.MONEY, words.text("Money"), "That other letters would save"),
    )
    rows: list[tuple[object, ...]] = [
        (
            "odd_letters",
            one.campaign,
            words.label(one.label),
            "; ".join(one.letters),
            one.messages,
            one.parts,
            *money,
        )
        for one in figures.waste
        for money in by_currency({m.currency: m.micro for m in one.money})
    ]
    if (latin := figures.latin_option) is not None:
        saved = by_currency({m.currency: m.micro for m in latin.money})
        rows += [("latin_letters", "", "", None, None, latin.parts, *money) for money in saved]
    meaning = "What odd letters cost; what Latin letters would save besides"
    return Table("letters", words.text("Letters"), meaning, columns, tuple(rows))


def slow(words: Words, cohorts: list[Cohort]) -> Table:
    """Shares that needed longer than a threshold."""
    columns = (
        Column("dimension", Cell.TEXT, words.text("Table"), "Table that has the key"),
        Column("key", Cell.TEXT, words.text("Identifier"), "As in that table"),
        Column("threshold_seconds", Cell.SECONDS, words.text("Later than, s"), "Since sending"),
        *rate_columns(words, "slow", words.text("Slower"), "delivered, or waiting beyond it"),
    )
    rows = tuple(
        (name, key, one.threshold_seconds, *rate_cells(one.rate))
        for name, key, totals in cohorts
        for one in totals.latency.slow
    )
    return Table("slow", words.text("Slow deliveries"), "Shares of slow ones", columns, rows)


def steps(figures: Figures, words: Words) -> Table:
    """What to do next."""
    columns = (
        Column("place", Cell.COUNT, words.text("Step"), "1 is the first"),
        Column("what", Cell.TEXT, words.text("What to do"), "In the reader's language"),
        Column("who", Cell.TEXT, words.text("Who"), "Who can do it"),
        Column("stake", Cell.TEXT, words.text("At stake"), "What depends on it"),
    )
    rows = tuple(
        (place, one.what, one.who, one.stake)
        for place, one in enumerate(next_steps(words, figures), start=1)
    )
    return Table("steps", words.text("Next steps"), "What to do next", columns, rows)


def _reach(figures: Figures) -> tuple[Reach, ...]:
    return (*([figures.reach] if figures.reach else []), *figures.reach_by_campaign)
