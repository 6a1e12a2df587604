"""The clean base, the rules and the suspicions of a project, for the days of a report."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sms_etl.clean_base.steps import suppression_spans
from sms_etl.compliance.rules import rules_of
from sms_etl.compliance.steps import has_register, refusals
from sms_etl.config.settings import ReportKind
from sms_etl.model.compliance import BREACHES, JUDGEMENTS
from sms_etl.model.schemas import ASKED, MESSAGES
from sms_etl.model.suspicions import SUSPICIONS
from sms_etl.project import Project
from sms_etl.reports.clean_build import (
    CleanCohort,
    ComplianceTables,
    clean_base,
    compliance,
    failure_study,
    suspicion_figures,
)
from sms_etl.reports.figures import Figures

TOLD_IN = (
    ReportKind.PERIOD, ReportKind.CAMPAIGN, ReportKind.FAILURES, ReportKind.COMPLIANCE,
)  # fmt: skip
"""Kinds that print any of it."""

LAG_DAYS = 14
"""How long after the last day messages to people who refused are looked for."""


def clean_values(project: Project, figures: Figures) -> dict[str, Any]:
    """Fields of the figures, by name. Of a report on a part of the messages only these count."""
    if figures.kind not in TOLD_IN:
        return {}
    lake, (first, last) = project.lake, (figures.first_day, figures.last_day)
    cohort = _cohort(project, figures)
    earliest = cohort.before[0] if cohort.before else first
    messages = lake.scan(MESSAGES, earliest, last)
    spans = suppression_spans(project, last).collect().lazy()
    return {
        "failure_study": failure_study(messages, cohort),
        "clean_base": clean_base(
            messages,
            lake.scan(ASKED, first, last),
            spans,
            cohort,
            history=lake.scan(MESSAGES, last=last),
        ),
        "compliance": compliance(
            ComplianceTables(
                breaches=lake.scan(BREACHES, first, last),
                judgements=lake.scan(JUDGEMENTS, first, last),
                messages=lake.scan(MESSAGES, first, last + timedelta(days=LAG_DAYS)),
                refusals=refusals(spans),
                register=has_register(project),
            ),
            rules_of(project.settings.compliance),
            cohort,
        ),
        "suspicions": ()
        if not cohort.whole
        else suspicion_figures(lake.scan(SUSPICIONS, first, last).collect()),
    }


def _cohort(project: Project, figures: Figures) -> CleanCohort:
    before = None
    if figures.previous_first_day is not None and figures.previous_last_day is not None:
        before = (figures.previous_first_day, figures.previous_last_day)
    return CleanCohort(
        days=(figures.first_day, figures.last_day),
        before=before,
        zone=project.settings.project.business_time_zone,
        as_of=figures.data_as_of,
        campaign=figures.campaign,
        asked=figures.filters,
    )
