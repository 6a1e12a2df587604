"""One daily asset per source that something can be held against: outbox, log and invoice."""

from collections.abc import Sequence
from datetime import date

import dagster as dg
import polars as pl

from assets.checks import LISTED_ROWS, days_of_check, table_of
from assets.failures import explained
from assets.partitions import days_of
from assets.sources import chunks, column_schema, landing_key, messages_key
from sms_etl.days import days_between
from sms_etl.model.schemas import INVOICE_TOTALS, RECONCILIATION, RECONCILIATION_DAYS, Table
from sms_etl.model.vocabulary import ReconciliationState, Silence
from sms_etl.project import OUTBOX_NAME, Project
from sms_etl.reconciliation.rows import COUNTS
from sms_etl.reconciliation.steps import Account, land_invoices, reconcile_days
from sms_etl.reconciliation.tables import (
    AGREED,
    NEXT_STEPS,
    SILENCE_STEPS,
    by_state,
    open_days,
    open_totals,
)
from sms_etl.store.landing import Manifest

RECONCILIATION_GROUP = "reconciliation"


def reconciliation_key(name: str) -> dg.AssetKey:
    """Asset key of a source's reconciliation."""
    return dg.AssetKey([RECONCILIATION_GROUP, name])


def build_reconciliation_asset(
    project: Project, name: str, partitions: dg.DailyPartitionsDefinition
) -> dg.AssetsDefinition:
    """Lands new invoice files of a source and reconciles the days asked for and theirs."""
    outbox = [landing_key(OUTBOX_NAME)] if name in project.outbox_sources else []

    @dg.asset(
        key=reconciliation_key(name),
        deps=[messages_key(name), *outbox],
        partitions_def=partitions,
        backfill_policy=chunks(project),
        group_name=RECONCILIATION_GROUP,
        kinds={"polars", "deltalake"},
        tags={"provider": project.settings.sources[name].kind},
        metadata={"dagster/column_schema": column_schema(RECONCILIATION)},
        description=(
            f"Your outbox beside the log of {name} beside its invoices, every message in one "
            f"state. New invoice files are landed first, and the days they are about are done "
            f"again. A day on which a side was silent is told."
        ),
    )
    def reconciliation(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        days = days_of(context)
        with explained():
            landed = land_invoices(project, name)
            account = reconcile_days(project, name, _with_billed(project, landed, days))
        for day in days:
            mine = account.rows.filter(pl.col("day") == day)
            told = dict(mine["state"].value_counts().iter_rows())
            context.add_asset_metadata(
                {"dagster/partition_row_count": mine.height, **told}, partition_key=str(day)
            )
        return dg.MaterializeResult(metadata=_told(account, len(landed)))

    return reconciliation


def build_reconciliation_checks(project: Project, name: str) -> list[dg.AssetChecksDefinition]:
    """What does not agree, and which side was silent; neither blocks."""

    @dg.asset_check(
        asset=reconciliation_key(name),
        name="sides_agree",
        description="Outbox, log and invoice agree on every message; the table names the rest.",
    )
    def agree(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        return _agreement(project, name, context)

    @dg.asset_check(
        asset=reconciliation_key(name),
        name="no_side_is_silent",
        description="Nothing sent, an empty answer, receipts that stopped: told apart by day.",
    )
    def silent(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        return _silence(project, name, context)

    return [agree, silent]


def _agreement(
    project: Project, name: str, context: dg.AssetCheckExecutionContext
) -> dg.AssetCheckResult:
    rows, totals = (
        _of_run(project, name, context, table) for table in (RECONCILIATION, INVOICE_TOTALS)
    )
    wrong = rows.filter(~pl.col("state").is_in(AGREED))
    differing = open_totals(totals)
    states = [ReconciliationState(state) for state in sorted(wrong["state"].unique())]
    steps = [f"{state.value}: {NEXT_STEPS[state]}" for state in states if state in NEXT_STEPS]
    if not differing.is_empty():
        steps.append("totals: ask the provider for the lines behind them.")
    return dg.AssetCheckResult(
        passed=wrong.is_empty() and differing.is_empty(),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "compared": rows.height,
            "differ": wrong.height,
            "states": table_of(by_state(wrong)),
            "first_rows": table_of(wrong.head(LISTED_ROWS)),
            "totals_that_differ": table_of(differing.head(LISTED_ROWS)),
            "next_step": "\n".join(steps) or "none",
        },
    )


def _silence(
    project: Project, name: str, context: dg.AssetCheckExecutionContext
) -> dg.AssetCheckResult:
    days = open_days(_of_run(project, name, context, RECONCILIATION_DAYS))
    kinds = [Silence(kind) for kind in sorted(days["silence"].unique())]
    steps = [f"{kind.value}: {SILENCE_STEPS[kind]}" for kind in kinds]
    return dg.AssetCheckResult(
        passed=days.is_empty(),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "silent_days": days.height,
            "days": table_of(days.head(LISTED_ROWS)),
            "next_step": "\n".join(steps) or "none",
        },
    )


def _of_run(
    project: Project, name: str, context: dg.AssetCheckExecutionContext, table: Table
) -> pl.DataFrame:
    days = days_of_check(project, name, context, RECONCILIATION_DAYS)
    found = project.lake.scan(table, min(days), max(days), [name])
    return found.filter(pl.col("day").is_in(days)).sort("day").collect()


def _with_billed(project: Project, landed: Sequence[Manifest], days: Sequence[date]) -> list[date]:
    """These days, and those of the deployment that new invoices are about."""
    start = project.settings.project.first_day
    about = {d for m in landed for d in days_between(m.first_day, m.last_day) if d >= start}
    return sorted(about | set(days))


def _told(account: Account, files: int) -> dict[str, int | str | dg.TableMetadataValue]:
    return {
        **{name: int(account.rows[name].sum()) for name in COUNTS},
        "states": table_of(by_state(account.rows)),
        "new_invoice_files": files,
        "outbox_rows_without_time": account.untimed,
    }
