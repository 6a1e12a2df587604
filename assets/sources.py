"""The daily assets of every source: landing, messages, cube. One factory, one set per source."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any

import dagster as dg

from assets.failures import PROVIDER_RETRIES, explained
from assets.partitions import days_of
from sms_etl.glance import glances
from sms_etl.model.lineage import lineage
from sms_etl.model.schemas import CUBE, MESSAGES, OUTBOX, Table
from sms_etl.model.vocabulary import MICRO
from sms_etl.pipeline import (
    DayAccount,
    land_outbox,
    land_source,
    rebuild_cube,
    rebuild_messages,
)
from sms_etl.project import OUTBOX_NAME, Project
from sms_etl.restatement import Restatement
from sms_etl.store.landing import Manifest

MOST_RESTATED = 100
"""Changed figures that the UI lists; all of them are in the warehouse."""

LANDING, MESSAGES_GROUP, CUBE_GROUP = "landing", "messages", "cube"


def landing_key(name: str) -> dg.AssetKey:
    """Asset key of a source's landing."""
    return dg.AssetKey([LANDING, name])


def messages_key(name: str) -> dg.AssetKey:
    """Asset key of a source's messages."""
    return dg.AssetKey([MESSAGES_GROUP, name])


def cube_key(name: str) -> dg.AssetKey:
    """Asset key of a source's cube."""
    return dg.AssetKey([CUBE_GROUP, name])


def build_outbox_asset(
    project: Project, partitions: dg.DailyPartitionsDefinition
) -> dg.AssetsDefinition:
    """The user's own outbox, landed day by day."""

    @dg.asset(
        key=landing_key(OUTBOX_NAME),
        partitions_def=partitions,
        backfill_policy=chunks(project),
        group_name=LANDING,
        kinds={"sms", "raw"},
        retry_policy=PROVIDER_RETRIES,
        description=(
            "What your own system submitted, exactly as it says, compressed, with a manifest. "
            "Names the campaigns and gives the ids for providers that can only be asked by id."
        ),
    )
    def landed_outbox(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        days = days_of(context)
        with explained():
            manifests = land_outbox(project, days)
        return report_landing(context, manifests, days)

    return landed_outbox


def build_source_assets(
    project: Project, name: str, partitions: dg.DailyPartitionsDefinition
) -> list[dg.AssetsDefinition]:
    """Landing, messages and cube of one source."""
    return [
        _landing_asset(project, name, partitions),
        _messages_asset(project, name, partitions),
        _cube_asset(project, name, partitions),
    ]


def chunks(project: Project) -> dg.BackfillPolicy:
    """How many days one run of a backfill takes."""
    return dg.BackfillPolicy.multi_run(project.settings.project.backfill_chunk_days)


def owners_of(project: Project, name: str) -> list[str]:
    """Who owns the assets of a source, as the UI shows it."""
    mail = project.settings.mail
    owner = project.settings.sources[name].owner or (mail.owner if mail else None)
    return [owner] if owner else []


def _outbox_lineage(project: Project) -> dict[str, Any]:
    if project.settings.outbox is None:
        return {}
    return {"dagster/column_lineage": column_lineage(MESSAGES, OUTBOX, landing_key(OUTBOX_NAME))}


def _outbox_dependency(project: Project) -> list[dg.AssetKey]:
    return [landing_key(OUTBOX_NAME)] if project.settings.outbox is not None else []


def _landing_asset(
    project: Project, name: str, partitions: dg.DailyPartitionsDefinition
) -> dg.AssetsDefinition:
    provider = project.settings.sources[name].kind

    @dg.asset(
        key=landing_key(name),
        deps=_outbox_dependency(project),
        partitions_def=partitions,
        backfill_policy=chunks(project),
        group_name=LANDING,
        kinds={"sms", "raw"},
        pool=f"source_{name}",
        retry_policy=PROVIDER_RETRIES,
        owners=owners_of(project, name),
        tags={"provider": provider},
        description=(
            f"Every page {name} ({provider}) answered for the day, exactly as received, with a "
            f"manifest. Fails with a sentence when credentials, rights or the network are wrong; "
            f"other sources go on. Pulling again only adds a pull."
        ),
    )
    def landed(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        days = days_of(context)
        with explained():
            manifests = land_source(project, name, days)
        return report_landing(context, manifests, days)

    return landed


def _messages_asset(
    project: Project, name: str, partitions: dg.DailyPartitionsDefinition
) -> dg.AssetsDefinition:
    @dg.asset(
        key=messages_key(name),
        deps=[landing_key(name), *_outbox_dependency(project)],
        partitions_def=partitions,
        backfill_policy=chunks(project),
        group_name=MESSAGES_GROUP,
        kinds={"polars", "deltalake"},
        tags={"provider": project.settings.sources[name].kind},
        owners=owners_of(project, name),
        metadata={
            "dagster/column_schema": column_schema(MESSAGES),
            **_outbox_lineage(project),
        },
        description=(
            f"One row per message of {name}, classified, rebuilt from landing alone. Records in = "
            f"messages + folded + quarantined, or the day is refused. Words no dictionary knows "
            f"become 'unknown' and are listed."
        ),
    )
    def messages(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        days = days_of(context)
        with explained():
            accounts = rebuild_messages(project, name, days)
        for account in accounts:
            context.add_asset_metadata(_day_metadata(account), partition_key=str(account.day))
        return dg.MaterializeResult(metadata={"days": _account_table(accounts)})

    return messages


def _cube_asset(
    project: Project, name: str, partitions: dg.DailyPartitionsDefinition
) -> dg.AssetsDefinition:
    @dg.asset(
        key=cube_key(name),
        deps=[messages_key(name)],
        partitions_def=partitions,
        backfill_policy=chunks(project),
        group_name=CUBE_GROUP,
        kinds={"polars", "deltalake", "sql"},
        tags={"provider": project.settings.sources[name].kind},
        owners=owners_of(project, name),
        metadata={
            "dagster/column_schema": column_schema(CUBE),
            "dagster/column_lineage": column_lineage(CUBE, MESSAGES, messages_key(name)),
        },
        description=(
            f"Counts of {name} that add, by UTC hour and the reporting dimensions, with times to "
            f"deliver as histograms; rolled up by day into the warehouse. Reports read only this."
        ),
    )
    def cube(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        days = days_of(context)
        with explained():
            account = rebuild_cube(project, name, days)
        for day, messages in account.messages.items():
            moved = sum(one.day == day for one in account.restatements)
            paid = account.costs.get(day, {})
            context.add_asset_metadata(
                {
                    "messages": messages,
                    "restated_figures": moved,
                    **{f"cost_{currency}": micro / MICRO for currency, micro in paid.items()},
                },
                partition_key=str(day),
            )
        _show_days(context, project, name, days)
        return dg.MaterializeResult(
            metadata={
                "messages": sum(account.messages.values()),
                "restated_figures": len(account.restatements),
                **restated_table(account.restatements),
            }
        )

    return cube


def _show_days(
    context: dg.AssetExecutionContext, project: Project, name: str, days: Sequence[date]
) -> None:
    """For each day with messages: its hours as a chart in a file, its operators as a table."""
    rows = project.lake.scan(CUBE, min(days), max(days), [name]).collect()
    for glance in glances(rows, name, project.settings.project.business_time_zone):
        where = project.keep_chart(name, glance.day, glance.chart)
        context.add_asset_metadata(
            {
                "chart": dg.MetadataValue.path(where),
                "operators": dg.MetadataValue.md(glance.operators),
            },
            partition_key=str(glance.day),
        )


def restated_table(restatements: Sequence[Restatement]) -> dict[str, dg.TableMetadataValue]:
    """What a rebuild changed, as a table for the UI; empty for nothing."""
    if not restatements:
        return {}
    records = [
        dg.TableRecord(
            {
                "day": str(one.day),
                "figure": f"{one.figure} {one.currency}".strip(),
                "then": one.then,
                "now": one.now,
                "why": ", ".join(one.causes),
            }
        )
        for one in restatements[:MOST_RESTATED]
    ]
    return {"restated": dg.MetadataValue.table(records)}


def column_schema(table: Table) -> dg.TableSchema:
    """A canonical table as Dagster shows it."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                column.name,
                str(column.dtype),
                column.meaning,
                dg.TableColumnConstraints(nullable=column.nullable),
            )
            for column in table.columns
        ]
    )


def column_lineage(table: Table, upstream: Table, key: dg.AssetKey) -> dg.TableColumnLineage:
    """Which columns of a table come from which of another, as Dagster shows it."""
    return dg.TableColumnLineage(
        {
            column: [dg.TableColumnDep(asset_key=key, column_name=part) for part in parts]
            for column, parts in lineage(table, upstream).items()
        }
    )


def report_landing(
    context: dg.AssetExecutionContext, manifests: Sequence[Manifest], days: Sequence[date]
) -> dg.MaterializeResult[None]:
    """Per-day metadata; a pull over several days is shown on its first one."""
    by_day: dict[date, list[Manifest]] = defaultdict(list)
    for manifest in manifests:
        by_day[max(manifest.first_day, min(days))].append(manifest)
    for day in days:
        pulls = by_day[day]
        context.add_asset_metadata(
            {
                "pulls": len(pulls),
                "pages": sum(len(manifest.pages) for manifest in pulls),
                "records": sum(manifest.records for manifest in pulls),
                "megabytes": round(sum(m.body_bytes for m in pulls) / 1e6, 3),
                "pull_seconds": round(
                    sum((m.finished_at - m.started_at).total_seconds() for m in pulls), 2
                ),
                "retries": sum(manifest.retries for manifest in pulls),
            },
            partition_key=str(day),
        )
    return dg.MaterializeResult(
        metadata={
            "pulls_in_run": len(manifests),
            "records_in_run": sum(manifest.records for manifest in manifests),
        }
    )


def _day_metadata(account: DayAccount) -> dict[str, Any]:
    delivered = account.classes.get("delivered", 0)
    final = sum(account.classes.get(c, 0) for c in ("delivered", "failed", "rejected"))
    return {
        "dagster/partition_row_count": account.messages,
        "records_in": account.records,
        "messages": account.messages,
        "delivered": delivered,
        "delivered_share": delivered / account.messages if account.messages else 0.0,
        "receipt_coverage": final / account.messages if account.messages else 0.0,
        "folded": sum(account.folded.values()),
        "quarantined": sum(account.quarantined.values()),
        "unmapped_words": len(account.unmapped),
    }


def _account_table(accounts: Sequence[DayAccount]) -> dg.TableMetadataValue:
    return dg.MetadataValue.table(
        [
            dg.TableRecord(
                {
                    "day": str(account.day),
                    "records_in": account.records,
                    "messages": account.messages,
                    "folded": _listed(account.folded),
                    "quarantined": _listed(account.quarantined),
                    "delivered": account.classes.get("delivered", 0),
                    "failed": account.classes.get("failed", 0),
                    "rejected": account.classes.get("rejected", 0),
                    "unknown": account.classes.get("unknown", 0),
                    "pending": account.classes.get("pending", 0),
                    "unmapped": _listed(account.unmapped),
                }
            )
            for account in accounts
        ]
    )


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "0"
