"""Compliance of a project: messages of some days held against its rules, and the rows kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import polars as pl

from sms_etl.clean_base.rules import Evidence
from sms_etl.clean_base.rules import rules as suppression_rules
from sms_etl.clean_base.steps import suppression_spans
from sms_etl.compliance.judge import Judged, Material, judge, lookback_days
from sms_etl.compliance.rules import rules_of
from sms_etl.model.compliance import BREACHES, JUDGEMENTS
from sms_etl.model.engagement import CONSENTS
from sms_etl.model.schemas import MESSAGES
from sms_etl.model.vocabulary import Engagement
from sms_etl.project import Project


def judge_days(project: Project, days: Sequence[date]) -> Judged:
    """Hold the messages of these days against the rules of the settings, and keep what is found.

    Refusals are those of the suppression list, whose grounds must be built before.
    """
    rules = rules_of(project.settings.compliance)
    early = min(days) - timedelta(days=lookback_days(rules))
    material = Material(
        messages=project.lake.scan(MESSAGES, early, max(days)),
        refusals=refusals(suppression_spans(project, max(days))),
        consents=project.lake.scan(CONSENTS),
        register=has_register(project),
    )
    judged = judge(material, rules, days)
    for table, frame in ((BREACHES, judged.breaches), (JUDGEMENTS, judged.judgements)):
        for source in project.source_names:
            mine = frame.filter(pl.col("source") == source)
            project.lake.replace(table, source, days, mine)
    return judged


def refusals(spans: pl.LazyFrame) -> pl.LazyFrame:
    """Spans of refusals among those of the suppression list."""
    names = [one.name for one in suppression_rules() if one.evidence is Evidence.OPT_OUT]
    return spans.filter(pl.col("rule").is_in(names))


def has_register(project: Project) -> bool:
    """Whether any source brings a register of consents."""
    return any(
        stream.kind is Engagement.CONSENTS
        for name in project.enabled
        for stream in project.streams(name)
    )
