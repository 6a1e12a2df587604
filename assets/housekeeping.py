"""The weekly job that keeps a deployment small: retention, tables, and old runs."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import dagster as dg

from assets.failures import explained
from assets.schedules import status_of
from sms_etl.config.clock import now
from sms_etl.housekeeping.retention import apply_retention
from sms_etl.housekeeping.steps import keep_up_tables
from sms_etl.project import Project

HOUSEKEEPING_JOB = "housekeeping"
CRON = "0 3 * * 0"
RUNS_AT_ONCE = 200

FINISHED = [
    dg.DagsterRunStatus.SUCCESS,
    dg.DagsterRunStatus.FAILURE,
    dg.DagsterRunStatus.CANCELED,
]


def build_housekeeping_job(project: Project) -> dg.JobDefinition:
    """Retention, upkeep and old runs, each with its proof as metadata."""

    @dg.op(description="Removes what is older than [retention] allows; sums stay.")
    def retention() -> dg.Output[None]:
        with explained():
            removed = apply_retention(project, now(), rehearse=False)
        told = {one.layer: f"{one.items} went, {one.left} left" for one in removed}
        return dg.Output(None, metadata={"before": str(now().date()), **told})

    @dg.op(
        ins={"after": dg.In(dg.Nothing)},
        description="Joins small files of the lake and removes old versions of its tables.",
    )
    def tables() -> dg.Output[None]:
        with explained():
            kept = keep_up_tables(project)
        told = {one.table: f"{one.files_before} → {one.files_after} files" for one in kept}
        return dg.Output(None, metadata=told)

    @dg.op(
        ins={"after": dg.In(dg.Nothing)},
        description="Removes runs older than retention.runs_days that no partition's status hangs "
        "on.",
    )
    def runs(context: dg.OpExecutionContext) -> dg.Output[None]:
        limit = project.settings.retention.runs_days
        if limit is None:
            return dg.Output(
                None, metadata={"removed": 0, "kept": "retention.runs_days is not set"}
            )
        removed, kept = remove_runs(context.instance, now() - timedelta(days=limit))
        return dg.Output(None, metadata={"removed": removed, "kept_for_partitions": kept})

    @dg.job(
        name=HOUSEKEEPING_JOB,
        description="Keeps the deployment small and lawful; each step tells what went and what is "
        "left.",
    )
    def housekeeping() -> None:
        runs(tables(retention()))

    return housekeeping


def build_housekeeping_schedule(project: Project, job: dg.JobDefinition) -> dg.ScheduleDefinition:
    """Early on Sundays."""
    return dg.ScheduleDefinition(
        name="keep_house",
        job=job,
        cron_schedule=CRON,
        execution_timezone=project.settings.project.business_time_zone,
        default_status=status_of(project),
        description="Retention, upkeep of tables and old runs, once a week.",
    )


def remove_runs(instance: dg.DagsterInstance, before: datetime) -> tuple[int, int]:
    """Delete finished runs from before a moment; those that tell of a partition's state stay.

    With a run Dagster deletes its events, and by them knows which partitions are materialized:
    deleting all old runs would make last year look missing.

    Returns:
        Runs removed, and runs kept for what they tell.
    """
    removed, kept = 0, 0
    for run_id in list(_old_runs(instance, before)):
        if _still_needed(instance, run_id):
            kept += 1
            continue
        instance.delete_run(run_id)
        removed += 1
    return removed, kept


def _old_runs(instance: dg.DagsterInstance, before: datetime) -> Iterator[str]:
    cursor = None
    wanted = dg.RunsFilter(statuses=FINISHED, created_before=before)
    while True:
        found = instance.get_run_ids(filters=wanted, cursor=cursor, limit=RUNS_AT_ONCE)
        yield from found
        if len(found) < RUNS_AT_ONCE:
            return
        cursor = found[-1]


def _still_needed(instance: dg.DagsterInstance, run_id: str) -> bool:
    """Whether a run holds the latest materialization of an asset or one of its partitions."""
    events = instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
    for entry in events:
        event = entry.get_dagster_event()
        key, partition = event.asset_key, event.partition
        if key is not None and _latest_run(instance, key, partition) == run_id:
            return True
    return False


def _latest_run(
    instance: dg.DagsterInstance, key: dg.AssetKey, partition: str | None
) -> str | None:
    wanted = dg.AssetRecordsFilter(
        asset_key=key, asset_partitions=[partition] if partition else None
    )
    records = instance.fetch_materializations(wanted, limit=1).records
    return records[0].run_id if records else None
