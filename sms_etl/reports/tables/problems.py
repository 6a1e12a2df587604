"""What went wrong and what differs: reasons, findings, comparisons."""

from __future__ import annotations

from sms_etl.reports.figures import Figures
from sms_etl.reports.language import Words
from sms_etl.reports.tables.table import Cell, Column, Table, share_of


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


def comparisons(figures: Figures, words: Words) -> Table:
    """Campaigns against the others, the period against the one before."""
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
