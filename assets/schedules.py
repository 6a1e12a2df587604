"""Schedules: every day, the settling window; reports have sensors, which wait for their data."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import dagster as dg
from dagster._core.definitions.partitions.partitioned_schedule import (
    UnresolvedPartitionedAssetScheduleDefinition,
)
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from assets.jobs import (
    ATTRIBUTION_JOB,
    CLEAN_BASE_JOB,
    DAILY_JOB,
    FINDINGS_JOB,
    SETTLE_JOB,
)
from assets.partitions import RANGE_END, RANGE_START
from assets.reports import FINDINGS_KEY, EditionConfig, MailConfig, edition_key, mail_key
from sms_etl.config.settings import Subscription
from sms_etl.project import Project

DAILY_HOUR, DAILY_MINUTE = 4, 30
SETTLE_CRON = "15 6 * * *"
ATTRIBUTION_CRON = "35 6 * * *"
FINDINGS_CRON = "45 6 * * *"
CLEAN_BASE_CRON = "55 6 * * *"


def build_schedules(
    project: Project,
    jobs: Iterable[UnresolvedAssetJobDefinition],
) -> list[dg.ScheduleDefinition | UnresolvedPartitionedAssetScheduleDefinition]:
    """All schedules. They run only where the settings say so, never on a laptop by accident."""
    by_name = {job.name: job for job in jobs}
    status = status_of(project)
    daily = dg.build_schedule_from_partitioned_job(
        by_name[DAILY_JOB],
        name="every_day",
        hour_of_day=DAILY_HOUR,
        minute_of_hour=DAILY_MINUTE,
        default_status=status,
        description="Yesterday, once it is over in the business time zone.",
    )
    findings = dg.ScheduleDefinition(
        name="watch_for_problems",
        job=by_name[FINDINGS_JOB],
        cron_schedule=FINDINGS_CRON,
        execution_timezone=project.settings.project.business_time_zone,
        default_status=status,
        description="After the settling pull: which problems opened, persist or closed.",
    )
    days = project.settings.project.settling_days
    settle = _last_days_schedule(
        project,
        by_name[SETTLE_JOB],
        status,
        name="settle_late_receipts",
        cron=SETTLE_CRON,
        description=f"Pull the last {days} days again, in one run, for late receipts and prices.",
    )
    attributed = [
        _last_days_schedule(
            project,
            by_name[ATTRIBUTION_JOB],
            status,
            name="attribute_orders",
            cron=ATTRIBUTION_CRON,
            description=f"After the settling pull: clicks and orders of the last {days} days.",
        )
        for job in by_name
        if job == ATTRIBUTION_JOB
    ]
    clean_base = _last_days_schedule(
        project,
        by_name[CLEAN_BASE_JOB],
        status,
        name="clean_the_base",
        cron=CLEAN_BASE_CRON,
        description=f"After clicks are judged: suppressions, rules, suspicions of {days} days.",
    )
    return [daily, settle, *attributed, findings, clean_base]


def status_of(project: Project) -> dg.DefaultScheduleStatus:
    """Whether schedules run where nobody has switched them by hand."""
    if project.settings.project.run_schedules:
        return dg.DefaultScheduleStatus.RUNNING
    return dg.DefaultScheduleStatus.STOPPED


def _last_days_schedule(
    project: Project,
    job: UnresolvedAssetJobDefinition,
    status: dg.DefaultScheduleStatus,
    *,
    name: str,
    cron: str,
    description: str,
) -> dg.ScheduleDefinition:
    """The last `settling_days` in one run, every morning."""
    days = project.settings.project.settling_days

    @dg.schedule(
        name=name,
        job=job,
        cron_schedule=cron,
        execution_timezone=project.settings.project.business_time_zone,
        default_status=status,
        description=description,
    )
    def last_days(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        moment = context.scheduled_execution_time.astimezone(project.settings.project.zone)
        last = moment.date() - timedelta(days=1)
        first = max(last - timedelta(days=days - 1), project.settings.project.first_day)
        if first > last:
            return dg.SkipReason("No business day is over yet.")
        return dg.RunRequest(
            run_key=f"{job.name} {moment.date()}",
            tags={RANGE_START: first.isoformat(), RANGE_END: last.isoformat()},
        )

    return last_days


def report_run_config(
    subscription: Subscription, moment: datetime, *, send: bool, turn: bool = False
) -> dg.RunConfig:
    """Run config of a report job: as of which moment, whether it is really mailed, whose turn."""
    return dg.RunConfig(
        ops={
            edition_key(subscription.name).to_python_identifier(): EditionConfig(
                as_of=moment.isoformat()
            ),
            mail_key(subscription.name).to_python_identifier(): MailConfig(
                as_of=moment.isoformat(), send=send, turn=moment.isoformat() if turn else ""
            ),
        }
    )


def findings_run_config(moment: datetime) -> dg.RunConfig:
    """Run config of the findings job as of a moment."""
    return dg.RunConfig(
        ops={FINDINGS_KEY.to_python_identifier(): EditionConfig(as_of=moment.isoformat())}
    )
