"""A sensor for several machines: runs whose worker died before they began are started again.

Dagster's run monitoring asks the launcher only about runs that have begun; one that has not is
left alone until `start_timeout_seconds`, which must be long, as a run may wait for a worker.
"""

from __future__ import annotations

import os
import time

import dagster as dg

BROKER_VARIABLE = "SMS_ETL_BROKER"
"""Set where runs are handed to workers on other machines (deploy/many-machines/dagster.yaml)."""

INTERVAL_SECONDS = 30

GRACE_SECONDS = 20
"""A run that was handed out since is on its way."""


def build_starting_sensors() -> list[dg.SensorDefinition]:
    """The sensor, where a broker hands out runs; it always runs, as it does not depend on data."""
    return [_starting_sensor()] if BROKER_VARIABLE in os.environ else []


def _starting_sensor() -> dg.SensorDefinition:
    from assets.celery_launcher import CheckedCeleryRunLauncher

    @dg.sensor(
        name="runs_that_never_begin",
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Marks a run as failed whose worker died between taking it and beginning it, "
        "so that it is started again (run_retries).",
    )
    def runs_that_never_begin(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        launcher = context.instance.run_launcher
        if not isinstance(launcher, CheckedCeleryRunLauncher):
            return dg.SkipReason("Runs are not handed out by assets/celery_launcher.py.")
        lost = [run for run in _starting(context.instance) if _failed(context, launcher, run)]
        return dg.SkipReason(f"{len(lost)} runs would never have begun.")

    def _failed(
        context: dg.SensorEvaluationContext, launcher: CheckedCeleryRunLauncher, run: dg.DagsterRun
    ) -> bool:
        why = launcher.never_begins(run)
        if why is None:
            return False
        # A worker that lives may have begun it while others were asked.
        found = context.instance.get_run_by_id(run.run_id)
        if found is None or found.status is not dg.DagsterRunStatus.STARTING:
            return False
        context.log.warning("Run %s never begins: %s", run.run_id, why)
        context.instance.report_run_failed(found, f"The run never began. {why}.")
        return True

    return runs_that_never_begin


def _starting(instance: dg.DagsterInstance) -> list[dg.DagsterRun]:
    """Runs that were handed out some time ago and have not begun."""
    before = time.time() - GRACE_SECONDS
    runs = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTING]))
    launched = {run.run_id: instance.get_run_stats(run.run_id).launch_time for run in runs}
    return [run for run in runs if (launched[run.run_id] or before) <= before]
