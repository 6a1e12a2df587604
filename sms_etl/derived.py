"""What is made of the rows of all sources together, day by day, in the order it is needed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sms_etl.clean_base.steps import rebuild_suppressions
from sms_etl.compliance.rules import rules_of
from sms_etl.compliance.steps import judge_days
from sms_etl.engagement.attribute import attribute_days, sources_with
from sms_etl.model.vocabulary import Engagement
from sms_etl.project import Project
from sms_etl.suspicions.steps import suspect_days


def rebuild_derived(project: Project, days: Sequence[date]) -> None:
    """Attribution, grounds of the suppression list, judgements of rules, and suspicions.

    Days that retention has sealed stay as they were: what they are made from may be gone.

    Raises:
        StoreError: the lake cannot be read or written.
    """
    kept = project.rebuildable(days)
    if not kept:
        return
    if any(sources_with(project, kind) for kind in (Engagement.CLICKS, Engagement.ORDERS)):
        attribute_days(project, kept)
    rebuild_suppressions(project, kept)
    if rules_of(project.settings.compliance):
        judge_days(project, kept)
    suspect_days(project, kept)
