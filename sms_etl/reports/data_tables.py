"""The figures of a report as tables of typed columns: what the spreadsheet and the CSV hold.

Every table is listed here; its columns stand in `tables/`, and the docs are written from them
(docs/report-data.md).
"""

from __future__ import annotations

from collections.abc import Sequence

from sms_etl.reports.figures import Figures, GroupRow
from sms_etl.reports.language import Words
from sms_etl.reports.tables import groups, problems, quality, whole
from sms_etl.reports.tables.table import Table


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
        whole.about(figures, words),
        whole.whole(figures, words),
        whole.days(figures, words),
        whole.hours(figures, words),
        *(groups.groups(words, name, title, rows) for name, title, rows in dimensions),
        groups.money(words, figures, dimensions),
        problems.reasons(figures, words),
        problems.findings(figures, words),
        problems.comparisons(figures, words),
        whole.receipts(figures, words),
        quality.quality(figures, words),
        quality.restated(figures, words),
        quality.reconciliation(figures, words),
    )
