"""The figures of a report as tables of typed columns: what the spreadsheet and the CSV hold.

Every table is listed here; its columns stand in `tables/`, and the docs are written from them
(docs/report-data.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sms_etl.reports.figures import Figures, GroupRow
from sms_etl.reports.language import Words
from sms_etl.reports.tables import (
    clean,
    engaged,
    facts,
    groups,
    operations,
    others,
    problems,
    quality,
    whole,
)
from sms_etl.reports.tables.table import Table

SUBJECTS: tuple[Callable[[Figures, Words], Table], ...] = (
    problems.reasons, problems.findings, others.steps, problems.comparisons,
    others.routes, others.scorecard_days, others.reach, others.skipped, others.letters,
    engaged.engagement, engaged.engagement_details, engaged.opt_outs,
    engaged.returns, engaged.returns_windows, engaged.lifts, engaged.buyers,
    clean.common_factors, clean.suppression, clean.suppression_ended, clean.suppression_proof,
    clean.list_failures, clean.rules, clean.rule_details, clean.stop_lag, clean.suspicions,
    whole.receipts, quality.quality, operations.quality_details, operations.missing_days,
    operations.pulls, operations.source_days, operations.late, operations.restated_sources,
    quality.restated, quality.reconciliation, quality.invoice_totals, quality.silent_days,
)  # fmt: skip
"""Tables after those of cohorts, in the order of the sheets."""


def data_tables(figures: Figures, words: Words) -> tuple[Table, ...]:
    """Every table of a report, those without rows included."""
    dimensions: tuple[tuple[str, str, Sequence[GroupRow]], ...] = (
        ("campaigns", words.text("Campaigns"), figures.by_campaign),
        ("sources", words.text("Sources"), figures.by_source),
        ("senders", words.text("Senders"), figures.by_sender),
        ("countries", words.text("Countries"), figures.by_country),
        ("operators", words.text("Operators"), figures.by_operator),
    )
    cohorts = groups.cohorts(figures, dimensions)
    return (
        whole.about(figures, words),
        facts.section_facts(figures, words),
        whole.whole(figures, words),
        whole.days(figures, words),
        whole.hours(figures, words),
        *(groups.groups(words, name, title, rows) for name, title, rows in dimensions),
        groups.money(words, figures, cohorts),
        groups.not_converted(words, cohorts),
        others.slow(words, cohorts),
        *(make(figures, words) for make in SUBJECTS),
    )
