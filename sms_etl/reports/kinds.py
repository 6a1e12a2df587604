"""Every kind of report as the list of its sections: the one place that says what a report holds.

A new section is a line in a list; a new kind is a new list.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sms_etl.config.settings import Period, ReportKind
from sms_etl.reports import (
    advice,
    cards,
    compliance_told,
    failures_told,
    operations_told,
    routes_told,
    sentences,
)
from sms_etl.reports.figures import Figures, GroupRow
from sms_etl.reports.language import Words
from sms_etl.reports.sections.campaigns import CAMPAIGNS
from sms_etl.reports.sections.compliance import COMPLIANCE, COMPLIANCE_SHORT
from sms_etl.reports.sections.countries import COUNTRIES
from sms_etl.reports.sections.coverage import COVERAGE
from sms_etl.reports.sections.daily import DAILY
from sms_etl.reports.sections.definitions import DEFINITIONS
from sms_etl.reports.sections.engaged import ENGAGED
from sms_etl.reports.sections.factors import FACTORS, FACTORS_FOUND
from sms_etl.reports.sections.findings import FINDINGS
from sms_etl.reports.sections.hours import HOURS
from sms_etl.reports.sections.late import LATE
from sms_etl.reports.sections.loyal import LOYALTY
from sms_etl.reports.sections.multiples import MULTIPLES
from sms_etl.reports.sections.nothing import NOTHING
from sms_etl.reports.sections.operators import OPERATORS
from sms_etl.reports.sections.places import PLACES
from sms_etl.reports.sections.pulls import PULLS
from sms_etl.reports.sections.quality import QUALITY
from sms_etl.reports.sections.reasons import REASONS
from sms_etl.reports.sections.restated import CORRECTION, RESTATED
from sms_etl.reports.sections.returns import RETURNS
from sms_etl.reports.sections.routes import ROUTES
from sms_etl.reports.sections.scorecard import SCORECARD
from sms_etl.reports.sections.section import Section, always
from sms_etl.reports.sections.sources import SOURCES
from sms_etl.reports.sections.steps import steps_section
from sms_etl.reports.sections.summary import SUMMARY, summary_section
from sms_etl.reports.sections.suppression import SUPPRESSION
from sms_etl.reports.sections.suspicions import SUSPICIONS

KEPT_ALWAYS = frozenset(
    section.key for section in (CORRECTION, NOTHING, RESTATED, QUALITY, DEFINITIONS)
) | {SUMMARY}
"""Sections that no choice leaves out: without them figures could be taken for what they are not."""

Rows = tuple[str, Sequence[GroupRow], str]
"""The head of a table, its rows, and the dimension they are values of."""


@dataclass(frozen=True)
class Kind:
    """What a report of one kind says.

    `title`: the line above the title, and the title. `headline`: the sentence a reader takes
    away. `cards` and `steps`: the figures of the first page and what to do. `main_rows`: the one
    table that a mail shows. `sections`: what the report is made of, in order; those without
    data are left out.
    """

    title: Callable[[Words, Figures], tuple[str, str]]
    headline: Callable[[Words, Figures], str]
    cards: Callable[[Words, Figures], list[cards.Card]]
    steps: Callable[[Words, Figures], list[advice.Step]]
    main_rows: Callable[[Words, Figures], Rows]
    sections: tuple[Section, ...]

    def printed(self, figures: Figures) -> tuple[Section, ...]:
        """The sections that these figures have something for, and that were chosen if any were."""
        chosen = {*figures.sections, *KEPT_ALWAYS}
        return tuple(
            section
            for section in self.sections
            if section.has_data(figures) and (not figures.sections or section.key in chosen)
        )


def kind_of(figures: Figures) -> Kind:
    """The kind of a report."""
    return KINDS[figures.kind]


def _period_name(words: Words, period: Period | None) -> str:
    match period:
        case Period.DAY:
            return words.text("Daily report")
        case Period.WEEK:
            return words.text("Weekly report")
        case Period.MONTH:
            return words.text("Monthly report")
        case Period.QUARTER:
            return words.text("Quarterly report")
        case None:
            return words.text("Report")


def _period_title(words: Words, figures: Figures) -> tuple[str, str]:
    return _period_name(words, figures.period), words.text("SMS delivery")


def _providers_title(words: Words, figures: Figures) -> tuple[str, str]:
    return _period_name(words, figures.period), words.text("Providers and routes")


def _operators_title(words: Words, figures: Figures) -> tuple[str, str]:
    return _period_name(words, figures.period), words.text("Operators and countries")


def _failures_title(words: Words, figures: Figures) -> tuple[str, str]:
    return _period_name(words, figures.period), words.text("Failures and a clean base")


def _compliance_title(words: Words, figures: Figures) -> tuple[str, str]:
    return _period_name(words, figures.period), words.text("Rules and refusals")


def _operations_title(words: Words, figures: Figures) -> tuple[str, str]:
    return _period_name(words, figures.period), words.text("Data: pulls and completeness")


def _nothing_compared(_words: Words, _figures: Figures) -> str:
    return ""


def _campaign_title(words: Words, figures: Figures) -> tuple[str, str]:
    name = figures.campaign_label or figures.campaign or ""
    return words.text("Campaign report"), words.label(name)


def _campaign_rows(words: Words, figures: Figures) -> Rows:
    if not figures.by_campaign:
        return _operator_rows(words, figures)
    return words.text("Campaigns"), figures.by_campaign, "campaign"


def _source_rows(words: Words, figures: Figures) -> Rows:
    return words.text("Sources"), figures.by_source, "source"


def _operator_rows(words: Words, figures: Figures) -> Rows:
    return words.text("Operators"), figures.by_operator, "operator"


DELIVERY_SECTIONS = (
    CORRECTION,
    summary_section(cards.delivery_cards),
    DAILY,
    FINDINGS,
    steps_section(advice.steps),
    REASONS,
    FACTORS_FOUND,
    SUSPICIONS,
    CAMPAIGNS,
    ENGAGED,
    RETURNS,
    LOYALTY,
    OPERATORS,
    SOURCES,
    PLACES,
    HOURS,
    SUPPRESSION,
    COMPLIANCE_SHORT,
    NOTHING,
    RESTATED,
    QUALITY,
    DEFINITIONS,
)

KINDS: dict[ReportKind, Kind] = {
    ReportKind.PERIOD: Kind(
        title=_period_title,
        headline=sentences.headline,
        cards=cards.delivery_cards,
        steps=advice.steps,
        main_rows=_campaign_rows,
        sections=DELIVERY_SECTIONS,
    ),
    ReportKind.CAMPAIGN: Kind(
        title=_campaign_title,
        headline=sentences.headline,
        cards=cards.delivery_cards,
        steps=advice.steps,
        main_rows=_operator_rows,
        sections=DELIVERY_SECTIONS,
    ),
    ReportKind.PROVIDERS: Kind(
        title=_providers_title,
        headline=routes_told.providers_headline,
        cards=cards.delivery_cards,
        steps=routes_told.steps,
        main_rows=_source_rows,
        sections=(
            CORRECTION,
            summary_section(cards.delivery_cards),
            steps_section(routes_told.steps),
            SCORECARD,
            ROUTES,
            MULTIPLES,
            FINDINGS,
            NOTHING,
            RESTATED,
            QUALITY,
            DEFINITIONS,
        ),
    ),
    ReportKind.OPERATORS: Kind(
        title=_operators_title,
        headline=routes_told.operators_headline,
        cards=cards.delivery_cards,
        steps=routes_told.steps,
        main_rows=_operator_rows,
        sections=(
            CORRECTION,
            summary_section(cards.delivery_cards),
            steps_section(routes_told.steps),
            SCORECARD,
            MULTIPLES,
            OPERATORS,
            COUNTRIES,
            ROUTES,
            NOTHING,
            RESTATED,
            QUALITY,
            DEFINITIONS,
        ),
    ),
    ReportKind.FAILURES: Kind(
        title=_failures_title,
        headline=failures_told.headline,
        cards=failures_told.failure_cards,
        steps=advice.steps,
        main_rows=_campaign_rows,
        sections=(
            CORRECTION,
            summary_section(failures_told.failure_cards),
            steps_section(advice.steps),
            REASONS,
            FACTORS,
            DAILY,
            FINDINGS,
            SUPPRESSION,
            SUSPICIONS,
            CAMPAIGNS,
            OPERATORS,
            SOURCES,
            NOTHING,
            RESTATED,
            QUALITY,
            DEFINITIONS,
        ),
    ),
    ReportKind.COMPLIANCE: Kind(
        title=_compliance_title,
        headline=compliance_told.headline,
        cards=compliance_told.compliance_cards,
        steps=compliance_told.steps,
        main_rows=_campaign_rows,
        sections=(
            summary_section(compliance_told.compliance_cards, _nothing_compared, always),
            steps_section(compliance_told.steps),
            COMPLIANCE,
            SUPPRESSION,
            SUSPICIONS,
            NOTHING,
            QUALITY,
        ),
    ),
    ReportKind.OPERATIONS: Kind(
        title=_operations_title,
        headline=operations_told.headline,
        cards=operations_told.operations_cards,
        steps=operations_told.steps,
        main_rows=_source_rows,
        sections=(
            CORRECTION,
            summary_section(operations_told.operations_cards, _nothing_compared, always),
            steps_section(operations_told.steps),
            COVERAGE,
            PULLS,
            LATE,
            RESTATED,
            QUALITY,
        ),
    ),
}
