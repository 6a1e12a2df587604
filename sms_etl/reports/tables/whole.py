"""The report as a whole: what it covers, its totals, days, hours and receipts."""

from __future__ import annotations

from datetime import UTC, date

from sms_etl.reports.figures import Figures, Totals
from sms_etl.reports.language import Words
from sms_etl.reports.sentences import dimension
from sms_etl.reports.tables.measures import cohort_measures, values
from sms_etl.reports.tables.table import Cell, Column, Table, share_of


def about(figures: Figures, words: Words) -> Table:
    """What the report covers, a fact a row."""
    facts: tuple[tuple[str, str, object], ...] = (
        ("report", words.text("Report"), figures.kind.value),
        ("project", words.text("Project"), figures.project),
        ("period", words.text("Period"), figures.period.value if figures.period else ""),
        ("campaign", words.text("Campaign"), figures.campaign or ""),
        *(
            (f"only_{name}", f"{words.text('Only')}: {dimension(words, name)}", " | ".join(values))
            for name, values in figures.filters.items()
        ),
        ("campaign_label", words.text("Name of the campaign"), figures.campaign_label or ""),
        ("sections", words.text("Sections asked for"), "; ".join(figures.sections)),
        ("first_day", words.text("First day"), figures.first_day),
        ("last_day", words.text("Last day"), figures.last_day),
        ("previous_first_day", words.text("First day before"), figures.previous_first_day or ""),
        ("previous_last_day", words.text("Last day before"), figures.previous_last_day or ""),
        ("zone", words.text("Time zone"), figures.zone),
        (
            "data_as_of",
            words.text("Data as of (UTC)"),
            figures.data_as_of.astimezone(UTC).isoformat(),
        ),
        ("goal", words.text("Goal"), "" if figures.goal is None else figures.goal),
        ("version", words.text("Version of the figures"), figures.version),
    )
    columns = (
        Column("fact", Cell.TEXT, words.text("Fact"), "Name of a fact about the report"),
        Column("label", Cell.TEXT, words.text("Name"), "The same in the reader's language"),
        Column(
            "value", Cell.TEXT, words.text("Value"), "Its value as text; days as year-month-day"
        ),
    )
    rows = tuple((name, label, str(value)) for name, label, value in facts)
    return Table("about", words.text("About"), "What the report covers", columns, rows)


def whole(figures: Figures, words: Words) -> Table:
    """The report, the period before and the same period last year."""
    span = (
        Column("part", Cell.TEXT, words.text("Period"), "now, before or last_year"),
        Column("first_day", Cell.DAY, words.text("First day"), "First day, in the report's zone"),
        Column("last_day", Cell.DAY, words.text("Last day"), "Last day, in the report's zone"),
    )
    aim = (
        Column("goal", Cell.SHARE, words.text("Goal"), "Delivered of sent that is aimed at"),
        Column("above_goal", Cell.SHARE, words.text("Above the goal"), "Delivered less the goal"),
    )
    measures = cohort_measures(words)
    parts: list[tuple[str, date | None, date | None, Totals]] = [
        ("now", figures.first_day, figures.last_day, figures.totals)
    ]
    if figures.previous is not None:
        before = (figures.previous_first_day, figures.previous_last_day)
        parts.append(("before", *before, figures.previous))
    if figures.last_year is not None:
        earlier = (figures.last_year_first_day, figures.last_year_last_day)
        parts.append(("last_year", *earlier, figures.last_year))
    rows = tuple(
        (*part, *values(measures, totals), *_aim(figures.goal, totals)) for *part, totals in parts
    )
    return Table(
        "totals",
        words.text("Totals"),
        "The whole of the report, of the period before it and of the same period last year",
        (*span, *(column for column, _ in measures), *aim),
        rows,
    )


def _aim(goal: float | None, totals: Totals) -> tuple[float | None, float | None]:
    """The goal, and how far above it the delivery is."""
    reached = share_of(totals.delivery)
    return goal, None if goal is None or reached is None else reached - goal


def days(figures: Figures, words: Words) -> Table:
    """Every day of the report and of the period before."""
    measures = cohort_measures(words)
    day = Column("day", Cell.DAY, words.text("Day"), "Day of sending in the report's zone")
    points = (*figures.previous_days, *figures.days)
    return Table(
        "days",
        words.text("Days"),
        "Every day of the report and of the period before it",
        (day, *(column for column, _ in measures)),
        tuple((point.day, *values(measures, point.totals)) for point in points),
    )


def hours(figures: Figures, words: Words) -> Table:
    """Weekdays and hours."""
    measures = cohort_measures(words)
    keys = (
        Column("weekday", Cell.COUNT, words.text("Weekday"), "1 is Monday"),
        Column("hour", Cell.COUNT, words.text("Hour"), "Hour of sending in the report's zone"),
    )
    return Table(
        "hours",
        words.text("Hours"),
        "Weekdays and hours, summed over the report",
        (*keys, *(column for column, _ in measures)),
        tuple((c.weekday, c.hour, *values(measures, c.totals)) for c in figures.hours),
    )


def receipts(figures: Figures, words: Words) -> Table:
    """Messages by the day they ended on."""
    columns = (
        Column("day", Cell.DAY, words.text("Day"), "Day of the receipt in the report's zone"),
        Column("delivered", Cell.COUNT, words.text("Delivered"), "Messages, whenever sent"),
        Column("failed", Cell.COUNT, words.text("Failed"), "Messages, whenever sent"),
        Column("rejected", Cell.COUNT, words.text("Rejected"), "Messages, whenever sent"),
    )
    rows = tuple((d.day, d.delivered, d.failed, d.rejected) for d in figures.event_days)
    return Table(
        "receipts", words.text("Receipts"), "Messages by the day they ended on", columns, rows
    )
