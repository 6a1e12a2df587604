"""A sensor for every subscription: it makes and mails the report once its data is there."""

import dagster as dg

from assets.jobs import report_job_name
from assets.schedules import report_run_config
from sms_etl.config.clock import now
from sms_etl.config.settings import Subscription
from sms_etl.project import Project
from sms_etl.subscriptions.sending import look

INTERVAL_SECONDS = 120


def build_delivery_sensors(
    project: Project, status: dg.DefaultSensorStatus
) -> list[dg.SensorDefinition]:
    """One sensor a subscription."""
    return [_delivery_sensor(project, one, status) for one in project.settings.subscriptions]


def _delivery_sensor(
    project: Project, subscription: Subscription, status: dg.DefaultSensorStatus
) -> dg.SensorDefinition:
    @dg.sensor(
        name=f"deliver_{subscription.name}",
        job_name=report_job_name(subscription),
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=status,
        description=f"Makes and mails '{subscription.name}' (cron {subscription.cron}) once it is "
        f"due and its data is there; tries again until its deadline. Its ticks say what it "
        f"waits for.",
    )
    def deliver(_context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        found = look(project, subscription, now())
        if found.attempt is None:
            return dg.SkipReason(found.told)
        return dg.RunRequest(
            run_key=f"{subscription.name} {found.due_at.isoformat()} {found.attempt}",
            run_config=report_run_config(subscription, found.due_at, send=True, turn=True),
        )

    return deliver
