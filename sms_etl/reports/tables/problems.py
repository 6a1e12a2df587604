"""What went wrong and what differs: reasons, findings, comparisons."""

from __future__ import annotations

from sms_etl.reports.advice import finding_mender
from sms_etl.reports.figures import Comparison, Figures
from sms_etl.reports.language import Words
from sms_etl.reports.tables.table import (
    Cell,
    Column,
    Table,
    rate_cells,
    rate_columns,
    scope_text,
    share_of,
)


def reasons(figures: Figures, words: Words) -> Table:
    """Why messages did not arrive."""
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
            share_of(row.share),
            row.previous_messages,
        )
        for row in figures.reasons
    )
    return Table("reasons", words.text("Reasons"), "Why messages did not arrive", columns, rows)


def findings(figures: Figures, words: Words) -> Table:
    """Problems that were noticed."""
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
        Column(
            "mender", Cell.TEXT, words.text("Who can mend it"), "sender, list, provider, operator"
        ),
        *rate_columns(words, "rate", words.text("Rate"), "what the kind of problem counts"),
        *rate_columns(words, "baseline", words.text("Usual"), "the same, before"),
        Column("severity", Cell.SHARE, words.text("Severity"), "0 to 1, orders the list"),
    )
    rows = tuple(
        (
            one.id,
            one.kind.value,
            scope_text(one.scope),
            one.start,
            one.end,
            one.messages,
            one.affected,
            one.excess,
            one.main_reason,
            finding_mender(figures, one).value,
            *rate_cells(one.rate),
            *rate_cells(one.baseline),
            one.severity,
        )
        for one in figures.findings
    )
    return Table("findings", words.text("Findings"), "Problems that were noticed", columns, rows)


def comparisons(figures: Figures, words: Words) -> Table:
    """Campaigns against the others, the period against the one before."""
    columns = (
        Column(
            "compared",
            Cell.TEXT,
            words.text("Against"),
            "campaign, source or operator against its others; previous_period; last_year",
        ),
        Column("key", Cell.TEXT, words.text("Identifier"), "What is compared; empty: the report"),
        *rate_columns(words, "rate", words.text("Delivered"), "messages of it"),
        *rate_columns(words, "base", words.text("Delivered there"), "messages compared with"),
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
        Column("common", Cell.SHARE, words.text("Comparable"), "Of the messages"),
        Column("dispersion", Cell.NUMBER, words.text("Scatter of batches"), "1: as by chance"),
    )
    rows = tuple(
        (
            against,
            key,
            *rate_cells(one.rate),
            *rate_cells(one.base),
            one.verdict.value,
            one.standardised,
            one.interval.low,
            one.interval.high,
            one.plain,
            one.rate_effect,
            one.mix_effect,
            one.p_value,
            one.common,
            one.dispersion,
        )
        for against, key, one in _compared(figures)
    )
    meaning = "Campaigns, sources and operators against the others, the period against earlier ones"
    return Table("comparisons", words.text("Comparisons"), meaning, columns, rows)


def _compared(figures: Figures) -> list[tuple[str, str, Comparison]]:
    """What is compared with what, its key, and how."""
    found = [("campaign", one.key, one) for one in figures.comparisons]
    if (card := figures.scorecard) is not None:
        found += [(card.dimension, one.key, one) for one in card.comparisons]
    earlier = (("previous_period", figures.change), ("last_year", figures.last_year_change))
    return found + [(against, "", one) for against, one in earlier if one is not None]
