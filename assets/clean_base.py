"""Daily assets over all sources: grounds of the suppression list, breaches of rules, suspicions.

They have a job of their own, so that a provider that fails does not stop them.
"""

from collections.abc import Sequence
from datetime import date

import dagster as dg
import polars as pl

from assets.attribution import ATTRIBUTION_KEY, is_attributed
from assets.checks import LISTED_ROWS, days_of_check, table_of
from assets.engagement import events_key
from assets.failures import explained
from assets.partitions import days_of
from assets.sources import chunks, column_schema, messages_key
from sms_etl.clean_base.steps import rebuild_suppressions
from sms_etl.compliance.rules import rules_of
from sms_etl.compliance.steps import judge_days
from sms_etl.model.clean_base import SUPPRESSIONS
from sms_etl.model.compliance import BREACHES, JUDGEMENTS
from sms_etl.model.schemas import Table
from sms_etl.model.suspicions import SUSPICIONS
from sms_etl.model.vocabulary import Engagement
from sms_etl.project import Project
from sms_etl.suspicions.rows import ALL_SOURCES
from sms_etl.suspicions.steps import suspect_days

CLEAN_BASE_GROUP = "clean_base"
SUPPRESSIONS_KEY = dg.AssetKey([CLEAN_BASE_GROUP, "suppressions"])
COMPLIANCE_KEY = dg.AssetKey([CLEAN_BASE_GROUP, "compliance"])
SUSPICIONS_KEY = dg.AssetKey([CLEAN_BASE_GROUP, "suspicions"])

_WISHES = (Engagement.REPLIES, Engagement.OPT_OUTS, Engagement.CONSENTS)


def clean_base_keys(project: Project) -> list[dg.AssetKey]:
    """Keys of the assets there are."""
    ruled = [COMPLIANCE_KEY] if rules_of(project.settings.compliance) else []
    return [SUPPRESSIONS_KEY, *ruled, SUSPICIONS_KEY]


def build_clean_base_assets(
    project: Project, partitions: dg.DailyPartitionsDefinition
) -> list[dg.AssetsDefinition]:
    """The list's grounds, the judgements if the settings have rules, and the suspicions."""
    ruled = [_compliance_asset(project, partitions)] if _has_rules(project) else []
    return [
        _suppressions_asset(project, partitions),
        *ruled,
        _suspicions_asset(project, partitions),
    ]


def build_clean_base_checks(project: Project) -> list[dg.AssetChecksDefinition]:
    """What somebody should look at; none of it blocks."""
    ruled = [_breaches_check(project)] if _has_rules(project) else []
    return [*ruled, _suspicions_check(project)]


def _has_rules(project: Project) -> bool:
    return bool(rules_of(project.settings.compliance))


def _suppressions_asset(
    project: Project, partitions: dg.DailyPartitionsDefinition
) -> dg.AssetsDefinition:
    wishes = [
        events_key(name, stream.kind)
        for name in project.enabled
        for stream in project.streams(name)
        if stream.kind in _WISHES
    ]

    @dg.asset(
        key=SUPPRESSIONS_KEY,
        deps=[*(messages_key(name) for name in project.source_names), *wishes],
        partitions_def=partitions,
        backfill_policy=chunks(project),
        group_name=CLEAN_BASE_GROUP,
        kinds={"polars", "deltalake"},
        metadata={"dagster/column_schema": column_schema(SUPPRESSIONS)},
        description=(
            "Grounds to write to somebody no more, each with its rule, evidence and expiry: dead "
            "numbers at once, hard failures after three in a row, refusals at once. Absent, "
            "filtered and unknown never. The list itself: sms-etl suppression export."
        ),
    )
    def suppressions(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        days = days_of(context)
        with explained():
            grounds = rebuild_suppressions(project, days)
        return _told(context, grounds, days, "rule")

    return suppressions


def _compliance_asset(
    project: Project, partitions: dg.DailyPartitionsDefinition
) -> dg.AssetsDefinition:
    @dg.asset(
        key=COMPLIANCE_KEY,
        deps=[SUPPRESSIONS_KEY, *(messages_key(name) for name in project.source_names)],
        partitions_def=partitions,
        backfill_policy=chunks(project),
        group_name=CLEAN_BASE_GROUP,
        kinds={"polars", "deltalake"},
        metadata={"dagster/column_schema": column_schema(BREACHES)},
        description=(
            "Marketing messages held against the rule packs of the settings: every breach is a "
            "row with its evidence; what could not be judged is counted. Not legal advice."
        ),
    )
    def compliance(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        days = days_of(context)
        with explained():
            judged = judge_days(project, days)
        by_judgement = (
            judged.judgements.group_by("rule", "judgement")
            .agg(pl.col("messages").sum())
            .sort("rule", "judgement")
        )
        return _told(context, judged.breaches, days, "rule", judgements=table_of(by_judgement))

    return compliance


def _suspicions_asset(
    project: Project, partitions: dg.DailyPartitionsDefinition
) -> dg.AssetsDefinition:
    clicks = [ATTRIBUTION_KEY] if is_attributed(project) else []

    @dg.asset(
        key=SUSPICIONS_KEY,
        deps=[*(messages_key(name) for name in project.source_names), *clicks],
        partitions_def=partitions,
        backfill_policy=chunks(project),
        group_name=CLEAN_BASE_GROUP,
        kinds={"polars", "deltalake"},
        metadata={"dagster/column_schema": column_schema(SUSPICIONS)},
        description=(
            "Signs of pumped traffic and of faked receipts in the week that ends with the day, "
            "with figures and messages to test. Suspicions, never verdicts."
        ),
    )
    def suspicions(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        days = days_of(context)
        with explained():
            rows = suspect_days(project, days)
        return _told(context, rows, days, "kind")

    return suspicions


def _told(
    context: dg.AssetExecutionContext,
    rows: pl.DataFrame,
    days: Sequence[date],
    by: str,
    **more: dg.TableMetadataValue | str,
) -> dg.MaterializeResult[None]:
    """Rows of every day, and of all days by one column."""
    counts = dict(rows.group_by("day").len().iter_rows())
    for day in days:
        context.add_asset_metadata(
            {"dagster/partition_row_count": counts.get(day, 0)}, partition_key=str(day)
        )
    named = {str(name): count for name, count in rows.group_by(by).len().sort(by).iter_rows()}
    return dg.MaterializeResult(metadata={"rows": rows.height, **named, **more})


def _breaches_check(project: Project) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=COMPLIANCE_KEY,
        name="no_rule_is_broken",
        description="No message of the days broke a rule; the table names the first that did.",
    )
    def kept(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        days = days_of_check(project, project.source_names[0], context, JUDGEMENTS)
        found = _of_days(project, BREACHES, days)
        return dg.AssetCheckResult(
            passed=found.is_empty(),
            severity=dg.AssetCheckSeverity.WARN,
            metadata={
                "breaches": found.height,
                "by_rule": table_of(found.group_by("rule").len().sort("rule")),
                "first_rows": table_of(
                    found.head(LISTED_ROWS).with_columns(pl.col("evidence").list.join(" "))
                ),
                "next_step": "Look at the report 'compliance'; stop the campaign that did it."
                if found.height
                else "none",
            },
        )

    return kept


def _suspicions_check(project: Project) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=SUSPICIONS_KEY,
        name="nothing_is_suspected",
        description="No sign of pumped traffic or of faked receipts in the weeks of the days.",
    )
    def unsuspected(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        days = days_of_check(project, ALL_SOURCES, context, SUSPICIONS)
        found = _of_days(project, SUSPICIONS, days)
        return dg.AssetCheckResult(
            passed=found.is_empty(),
            severity=dg.AssetCheckSeverity.WARN,
            metadata={
                "signs": table_of(
                    found.tail(LISTED_ROWS).with_columns(pl.col("sample").list.join(" "))
                ),
                "next_step": "Send messages to phones of your own in the scope, and hold the "
                "provider's receipts against what arrives; close the form that is abused."
                if found.height
                else "none",
            },
        )

    return unsuspected


def _of_days(project: Project, table: Table, days: Sequence[date]) -> pl.DataFrame:
    found = project.lake.scan(table, min(days), max(days))
    return found.filter(pl.col("day").is_in(list(days))).sort("day").collect()
