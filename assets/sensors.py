"""Sensors: mail the owner when a run failed; pick up files dropped by hand."""

import hashlib

import dagster as dg

from assets.backfills import build_backfill_sensor
from assets.jobs import DAILY_JOB
from assets.partitions import PARTITION, RANGE_END, RANGE_START
from assets.sources import cube_key, landing_key, messages_key
from sms_etl.config.clock import now
from sms_etl.errors import SmsEtlError
from sms_etl.mail.alert import alert_owner
from sms_etl.model.schemas import OUTBOX
from sms_etl.project import Project
from sms_etl.sources.base import PullContext, PullKind

WILL_RETRY_TAG = "dagster/will_retry"
FOLDER_INTERVAL_SECONDS = 60


def build_sensors(
    project: Project, partitions: dg.DailyPartitionsDefinition
) -> list[dg.SensorDefinition]:
    """Every sensor of the deployment."""
    status = (
        dg.DefaultSensorStatus.RUNNING
        if project.settings.project.run_schedules
        else dg.DefaultSensorStatus.STOPPED
    )
    folders = [
        _dropped_files_sensor(project, name, partitions, status)
        for name in project.source_names
        if project.source(name).kind is PullKind.DROP_FOLDER
    ]
    return [
        _run_failure_sensor(project, status),
        build_backfill_sensor(project, status),
        *folders,
    ]


def _run_failure_sensor(project: Project, status: dg.DefaultSensorStatus) -> dg.SensorDefinition:
    @dg.run_failure_sensor(
        name="tell_the_owner",
        default_status=status,
        description="Mails the owner one short text for each failed run that will not be retried.",
    )
    def tell_the_owner(context: dg.RunFailureSensorContext) -> None:
        run = context.dagster_run
        if run.tags.get(WILL_RETRY_TAG) == "true":
            return
        if project.settings.mail is None:
            context.log.warning("No [mail] in the settings: nobody was told of the failed run.")
            return
        steps = [
            f"- {event.step_key}: {_sentence(event)}" for event in context.get_step_failure_events()
        ]
        body = "\n".join(
            [
                f"The job '{run.job_name}' failed.",
                "",
                *(steps or [f"- {context.failure_event.message}"]),
                "",
                f"Days: {_days_of(run)}",
                f"Run: {run.run_id}",
                "Other sources of the same run went on. Nothing was mailed to readers from it.",
            ]
        )
        alert_owner(project.settings, f"SMS report: job '{run.job_name}' failed", body)

    return tell_the_owner


def _dropped_files_sensor(
    project: Project,
    name: str,
    partitions: dg.DailyPartitionsDefinition,
    status: dg.DefaultSensorStatus,
) -> dg.SensorDefinition:
    @dg.sensor(
        name=f"files_for_{name}",
        job_name=DAILY_JOB,
        minimum_interval_seconds=FOLDER_INTERVAL_SECONDS,
        default_status=status,
        description=f"Starts a run over the days that files dropped for {name} cover.",
    )
    def dropped(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        try:
            plans = list(
                project.source(name).plan(
                    [],
                    PullContext(
                        project.settings.project.zone,
                        now(),
                        OUTBOX.empty(),
                        project.landing.checksums(name),
                    ),
                )
            )
        except SmsEtlError as error:
            return dg.SkipReason(str(error))
        last = partitions.get_last_partition_key()
        first_day = project.settings.project.first_day
        plans = [plan for plan in plans if plan.last_day >= first_day]
        if not plans or last is None:
            return dg.SkipReason("No new files.")
        start = max(min(plan.first_day for plan in plans), first_day)
        end = max(plan.last_day for plan in plans).isoformat()
        proof = hashlib.sha256("\n".join(sorted(plan.asked for plan in plans)).encode())
        return dg.RunRequest(
            run_key=f"{name} {proof.hexdigest()}",
            tags={RANGE_START: start.isoformat(), RANGE_END: min(end, last)},
            asset_selection=[landing_key(name), messages_key(name), cube_key(name)],
        )

    return dropped


def _sentence(event: dg.DagsterEvent) -> str:
    error = event.step_failure_data.error
    description = getattr(event.step_failure_data.user_failure_data, "description", None)
    return description or (error.message.strip() if error else "no error was recorded")


def _days_of(run: dg.DagsterRun) -> str:
    first = run.tags.get(RANGE_START) or run.tags.get(PARTITION) or "none"
    last = run.tags.get(RANGE_END)
    return f"{first} to {last}" if last else first
