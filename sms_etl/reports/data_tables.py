"""The figures of a report as tables of typed columns: what the spreadsheet and the CSV hold.

Every table is listed here with its columns, and documented from here (docs/report-data.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC
from decimal import Decimal
from enum import StrEnum
from typing import Any

import polars as pl

from sms_etl.metrics.rate import Rate
from sms_etl.model.vocabulary import MICRO
from sms_etl.reports.figures import Converted, Cost, Figures, GroupRow, ReconciledState, Totals
from sms_etl.reports.language import Words

MICRO_DIGITS = 6


class Cell(StrEnum):
    """What a column holds, with its unit."""

    TEXT = "text"
    COUNT = "count"
    SHARE = "share"
    SECONDS = "seconds"
    MONEY = "money"
    DAY = "day"
    MOMENT = "moment"
    FLAG = "flag"

    @property
    def dtype(self) -> pl.DataType:
        """The Polars type of its values."""
        return _DTYPES[self]


_DTYPES: dict[Cell, pl.DataType] = {
    Cell.TEXT: pl.String(),
    Cell.COUNT: pl.Int64(),
    Cell.SHARE: pl.Float64(),
    Cell.SECONDS: pl.Float64(),
    Cell.MONEY: pl.Decimal(38, MICRO_DIGITS),
    Cell.DAY: pl.Date(),
    Cell.MOMENT: pl.Datetime("us", "UTC"),
    Cell.FLAG: pl.Boolean(),
}


@dataclass(frozen=True)
class Column:
    """A column: a name that never changes, its heading in a language, and what it means."""

    name: str
    cell: Cell
    heading: str
    meaning: str


@dataclass(frozen=True)
class Table:
    """A table of a report. `name` never changes, `title` is in the reader's language."""

    name: str
    title: str
    meaning: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]

    @property
    def frame(self) -> pl.DataFrame:
        """The rows as a typed frame with the names that never change."""
        schema = {column.name: column.cell.dtype for column in self.columns}
        return pl.DataFrame(list(self.rows), schema=schema, orient="row")


_Measure = tuple[Column, Callable[[Totals], Any]]


def data_tables(figures: Figures, words: Words) -> tuple[Table, ...]:
    """Every table of a report, those without rows included."""
    dimensions: tuple[tuple[str, str, Sequence[GroupRow]], ...] = (
        ("campaigns", words.text("Campaigns"), figures.by_campaign),
        ("sources", words.text("Sources"), figures.by_source),
        ("senders", words.text("Senders"), figures.by_sender),
        ("countries", words.text("Countries"), figures.by_country),
        ("operators", words.text("Operators"), figures.by_operator),
    )
    return (
        _about(figures, words),
        _whole(figures, words),
        _days(figures, words),
        _hours(figures, words),
        *(_groups(words, name, title, rows) for name, title, rows in dimensions),
        _money(words, figures, dimensions),
        _reasons(figures, words),
        _findings(figures, words),
        _comparisons(figures, words),
        _receipts(figures, words),
        _quality(figures, words),
        _restated(figures, words),
        _reconciliation(figures, words),
    )


def _about(figures: Figures, words: Words) -> Table:
    facts: tuple[tuple[str, str, object], ...] = (
        ("report", words.text("Report"), figures.kind.value),
        ("project", words.text("Project"), figures.project),
        ("campaign", words.text("Campaign"), figures.campaign or ""),
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


def _whole(figures: Figures, words: Words) -> Table:
    span = (
        Column("part", Cell.TEXT, words.text("Period"), "now, before or last_year"),
        Column("first_day", Cell.DAY, words.text("First day"), "First day, in the report's zone"),
        Column("last_day", Cell.DAY, words.text("Last day"), "Last day, in the report's zone"),
    )
    measures = _measures(words)
    rows = [("now", figures.first_day, figures.last_day, *_values(measures, figures.totals))]
    if figures.previous is not None:
        before = (figures.previous_first_day, figures.previous_last_day)
        rows.append(("before", *before, *_values(measures, figures.previous)))
    if figures.last_year is not None:
        earlier = (figures.last_year_first_day, figures.last_year_last_day)
        rows.append(("last_year", *earlier, *_values(measures, figures.last_year)))
    return Table(
        "totals",
        words.text("Totals"),
        "The whole of the report, of the period before it and of the same period last year",
        (*span, *(column for column, _ in measures)),
        tuple(rows),
    )


def _days(figures: Figures, words: Words) -> Table:
    measures = _measures(words)
    day = Column("day", Cell.DAY, words.text("Day"), "Day of sending in the report's zone")
    points = (*figures.previous_days, *figures.days)
    return Table(
        "days",
        words.text("Days"),
        "Every day of the report and of the period before it",
        (day, *(column for column, _ in measures)),
        tuple((point.day, *_values(measures, point.totals)) for point in points),
    )


def _hours(figures: Figures, words: Words) -> Table:
    measures = _measures(words)
    keys = (
        Column("weekday", Cell.COUNT, words.text("Weekday"), "1 is Monday"),
        Column("hour", Cell.COUNT, words.text("Hour"), "Hour of sending in the report's zone"),
    )
    return Table(
        "hours",
        words.text("Hours"),
        "Weekdays and hours, summed over the report",
        (*keys, *(column for column, _ in measures)),
        tuple((c.weekday, c.hour, *_values(measures, c.totals)) for c in figures.hours),
    )


def _groups(words: Words, name: str, title: str, rows: Sequence[GroupRow]) -> Table:
    measures = _measures(words)
    columns = (
        Column("key", Cell.TEXT, words.text("Identifier"), "As in the data"),
        Column("label", Cell.TEXT, words.text("Name"), "As the report prints it"),
        *(column for column, _ in measures),
        Column(
            "submitted_before", Cell.COUNT, words.text("Sent before"), "Sent in the period before"
        ),
        Column(
            "delivered_before",
            Cell.COUNT,
            words.text("Delivered before"),
            "Of those, delivered by now",
        ),
    )
    filled = tuple(
        (
            row.key,
            words.country(row.key) if name == "countries" else words.label(row.label),
            *_values(measures, row.totals),
            row.previous.submitted if row.previous else None,
            row.previous.delivered if row.previous else None,
        )
        for row in rows
    )
    return Table(name, title, f"Totals of {name}, the largest first", columns, filled)


def _money(
    words: Words, figures: Figures, dimensions: Iterable[tuple[str, str, Sequence[GroupRow]]]
) -> Table:
    columns = (
        Column(
            "dimension", Cell.TEXT, words.text("Table"), "totals, or the table that has the key"
        ),
        Column("key", Cell.TEXT, words.text("Identifier"), "As in that table; empty for the whole"),
        Column(
            "converted",
            Cell.FLAG,
            words.text("Converted"),
            "True: all currencies in the report's own",
        ),
        Column("currency", Cell.TEXT, words.text("Currency"), "ISO 4217"),
        Column("spent", Cell.MONEY, words.text("Spent"), "Money in currency units"),
        Column("on_undelivered", Cell.MONEY, words.text("On undelivered"), "Of it, for nothing"),
        Column(
            "per_delivered",
            Cell.MONEY,
            words.text("Cost of delivered"),
            "Spent per delivered message",
        ),
        Column(
            "messages_with_cost", Cell.COUNT, words.text("Messages with a price"), "In these sums"
        ),
    )
    owners = [("totals", "", figures.totals)]
    owners += [(name, row.key, row.totals) for name, _, rows in dimensions for row in rows]
    rows = [
        (name, key, isinstance(cost, Converted), *_cost(cost))
        for name, key, totals in owners
        for cost in _all_money(totals)
    ]
    return Table("money", words.text("Money"), "Money by currency", columns, tuple(rows))


def _reasons(figures: Figures, words: Words) -> Table:
    columns = (
        Column("reason", Cell.TEXT, words.text("Reason"), "Word of the reasons' vocabulary"),
        Column(
            "permanence", Cell.TEXT, words.text("Permanence"), "permanent, temporary or unknown"
        ),
        Column(
            "mender", Cell.TEXT, words.text("Who can mend it"), "sender, list, provider, operator"
        ),
        Column(
            "messages", Cell.COUNT, words.text("Messages"), "Undelivered messages of the reason"
        ),
        Column("undelivered", Cell.COUNT, words.text("Undelivered"), "All undelivered messages"),
        Column("share", Cell.SHARE, words.text("Of undelivered"), "Empty under 30 messages"),
        Column("messages_before", Cell.COUNT, words.text("Before"), "In the period before"),
    )
    rows = tuple(
        (
            row.reason,
            row.permanence,
            row.mender,
            row.share.numerator,
            row.share.denominator,
            _share(row.share),
            row.previous_messages,
        )
        for row in figures.reasons
    )
    return Table("reasons", words.text("Reasons"), "Why messages did not arrive", columns, rows)


def _findings(figures: Figures, words: Words) -> Table:
    columns = (
        Column("id", Cell.TEXT, words.text("Identifier"), "Stable identifier of the problem"),
        Column("kind", Cell.TEXT, words.text("Problem"), "What was noticed"),
        Column(
            "scope", Cell.TEXT, words.text("Where"), "Dimensions and values, joined by semicolons"
        ),
        Column("start", Cell.MOMENT, words.text("Begins (UTC)"), "First hour"),
        Column("end", Cell.MOMENT, words.text("Ends (UTC)"), "End of the last hour"),
        Column("messages", Cell.COUNT, words.text("Messages"), "Messages of the slice"),
        Column("affected", Cell.COUNT, words.text("Affected"), "Messages that went wrong"),
        Column(
            "excess", Cell.COUNT, words.text("More than usual"), "Of them, beyond what is usual"
        ),
        Column(
            "main_reason", Cell.TEXT, words.text("Main reason"), "Word of the reasons' vocabulary"
        ),
        Column("severity", Cell.SHARE, words.text("Severity"), "0 to 1, orders the list"),
    )
    rows = tuple(
        (
            one.id,
            one.kind.value,
            "; ".join(f"{key}={value}" for key, value in sorted(one.scope.items())),
            one.start,
            one.end,
            one.messages,
            one.affected,
            one.excess,
            one.main_reason,
            one.severity,
        )
        for one in figures.findings
    )
    return Table("findings", words.text("Findings"), "Problems that were noticed", columns, rows)


def _comparisons(figures: Figures, words: Words) -> Table:
    columns = (
        Column("key", Cell.TEXT, words.text("Campaign"), "Campaign; empty: the period before"),
        Column(
            "verdict", Cell.TEXT, words.text("Verdict"), "better, worse, or why nothing is said"
        ),
        Column(
            "standardised",
            Cell.SHARE,
            words.text("Difference"),
            "At the operators of both together",
        ),
        Column("interval_low", Cell.SHARE, words.text("95%% from"), "Its interval"),
        Column("interval_high", Cell.SHARE, words.text("95%% to"), "Its interval"),
        Column(
            "plain", Cell.SHARE, words.text("Plain difference"), "Of the two rates as they stand"
        ),
        Column("rate_effect", Cell.SHARE, words.text("By how operators delivered"), "Part of it"),
        Column("mix_effect", Cell.SHARE, words.text("By which operators"), "Part of it"),
        Column(
            "p_value",
            Cell.SHARE,
            words.text("p-value"),
            "Before the correction for many comparisons",
        ),
    )
    compared = [*figures.comparisons, *([figures.change] if figures.change else [])]
    rows = tuple(
        (
            "" if one is figures.change else one.key,
            one.verdict.value,
            one.standardised,
            one.interval.low,
            one.interval.high,
            one.plain,
            one.rate_effect,
            one.mix_effect,
            one.p_value,
        )
        for one in compared
    )
    meaning = "Campaigns against the others of their days, the period against the one before"
    return Table("comparisons", words.text("Comparisons"), meaning, columns, rows)


def _receipts(figures: Figures, words: Words) -> Table:
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


def _quality(figures: Figures, words: Words) -> Table:
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


def _restated(figures: Figures, words: Words) -> Table:
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
            _units(one.then) if one.currency else Decimal(one.then),
            _units(one.now) if one.currency else Decimal(one.now),
            "; ".join(one.causes),
        )
        for one in figures.restated
    )
    meaning = "Figures of the period before that moved since its report"
    return Table("restated", words.text("Restated"), meaning, columns, rows)


def _reconciliation(figures: Figures, words: Words) -> Table:
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
    return [(currency, _units(micro)) for currency, micro in found] or [(None, None)]


def _measures(words: Words) -> tuple[_Measure, ...]:
    return (*_counts(words), *_rates(words), *_times(words))


def _counts(words: Words) -> tuple[_Measure, ...]:
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


def _rates(words: Words) -> tuple[_Measure, ...]:
    share = Cell.SHARE
    return (
        (
            Column("delivery", share, words.text("Delivered of sent"), "Empty under 30 messages"),
            lambda x: _share(x.delivery),
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
            lambda x: _share(x.coverage),
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


def _times(words: Words) -> tuple[_Measure, ...]:
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
            Column(
                "time_quality", Cell.TEXT, words.text("Quality of times"), "upper_estimate: at most"
            ),
            lambda x: x.latency.quality.value,
        ),
    )


def _values(measures: Sequence[_Measure], totals: Totals) -> tuple[Any, ...]:
    return tuple(value(totals) for _, value in measures)


def _share(rate: Rate) -> float | None:
    return None if rate.small else rate.value


def _units(micro: int) -> Decimal:
    return Decimal(micro) / MICRO


def _all_money(totals: Totals) -> list[Cost | Converted]:
    return [*totals.costs, *([totals.converted] if totals.converted else [])]


def _cost(cost: Cost | Converted) -> tuple[Any, ...]:
    each = cost.per_delivered_micro
    return (
        cost.currency,
        _units(cost.spent_micro),
        _units(cost.spent_on_undelivered_micro),
        None if each is None else _units(each),
        cost.messages_with_cost,
    )
