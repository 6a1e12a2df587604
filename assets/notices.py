"""Sensors that tell owners: of what failed and is not retried, of its end, and of silence."""

import dagster as dg

from assets.partitions import PARTITION, RANGE_END, RANGE_START
from assets.reports import OWNER_TOLD
from sms_etl.errors import SmsEtlError
from sms_etl.notices import beat, owner_of, tell, tell_of_stale_days
from sms_etl.project import Project
from sms_etl.store.notices import Problem

WILL_RETRY_TAG = "dagster/will_retry"
BACKFILL_TAG = "dagster/backfill"
HEARTBEAT_SECONDS = 300

_STEP_EVENTS = {
    dg.DagsterEventType.STEP_FAILURE,
    dg.DagsterEventType.STEP_SUCCESS,
    dg.DagsterEventType.ASSET_CHECK_EVALUATION,
}


def build_notice_sensors(
    project: Project, status: dg.DefaultSensorStatus
) -> list[dg.SensorDefinition]:
    """Failures, their ends, and the heartbeat."""
    return [
        _failure_sensor(project, status),
        _success_sensor(project, status),
        _heartbeat_sensor(project, status),
    ]


def _failure_sensor(project: Project, status: dg.DefaultSensorStatus) -> dg.SensorDefinition:
    @dg.run_failure_sensor(
        name="tell_the_owner",
        default_status=status,
        description="One short notice for each problem of a failed run that will not be retried; "
        "no second one while the problem lasts.",
    )
    def tell_the_owner(context: dg.RunFailureSensorContext) -> None:
        run = context.dagster_run
        if run.tags.get(WILL_RETRY_TAG) == "true":
            return
        problems, over = outcome(project, context.instance, run)
        failures = context.get_step_failure_events()
        if failures and all(owner_knows(event) for event in failures):
            tell(project, problems, over)
            return
        if not any(problem.key.startswith(STEP) for problem in problems):
            why = context.failure_event.message or "no error was recorded"
            problems.append(_problem(project, run, RUN, run.job_name, why))
        tell(project, problems, over)

    return tell_the_owner


def _success_sensor(project: Project, status: dg.DefaultSensorStatus) -> dg.SensorDefinition:
    @dg.run_status_sensor(
        name="tell_it_is_over",
        run_status=dg.DagsterRunStatus.SUCCESS,
        default_status=status,
        description="Closes the problems that a successful run has mended, and says so once.",
    )
    def tell_it_is_over(context: dg.RunStatusSensorContext) -> None:
        run = context.dagster_run
        problems, over = outcome(project, context.instance, run)
        tell(project, problems, [*over, f"{RUN}{run.job_name}"])

    return tell_it_is_over


def _heartbeat_sensor(project: Project, status: dg.DefaultSensorStatus) -> dg.SensorDefinition:
    @dg.sensor(
        name="heartbeat",
        minimum_interval_seconds=HEARTBEAT_SECONDS,
        default_status=status,
        description="Notes that the daemon lives (sms-etl alive reads it) and tells of sources "
        "whose yesterday is not there in the morning.",
    )
    def heartbeat(_context: dg.SensorEvaluationContext) -> dg.SkipReason:
        told = tell_of_stale_days(project)
        try:
            beat(project)
        except SmsEtlError as error:
            return dg.SkipReason(str(error))
        return dg.SkipReason(f"Alive; {len(told)} notices handed over.")

    return heartbeat


STEP, CHECK, RUN = "step ", "check ", "run "
"""How the keys of problems begin."""


def outcome(
    project: Project, instance: dg.DagsterInstance, run: dg.DagsterRun
) -> tuple[list[Problem], list[str]]:
    """Problems of a finished run, and the keys of those that it shows to be over.

    Checks that only warn say nothing in a backfill: of old days nobody wants to be woken.
    """
    problems: dict[str, Problem] = {}
    over: list[str] = []
    for entry in instance.all_logs(run.run_id, of_type=_STEP_EVENTS):
        event = entry.get_dagster_event()
        if event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            evaluation = event.asset_check_evaluation_data
            where = f"{evaluation.asset_key.to_user_string()}: {evaluation.check_name}"
            if evaluation.passed:
                over.append(CHECK + where)
            elif not (_warns(evaluation) and BACKFILL_TAG in run.tags):
                step = evaluation.metadata.get("next_step")
                advice = str(step.value) if step else "Open the check in the UI."
                problems[where] = _problem(project, run, CHECK, where, advice)
        elif event.is_step_failure and owner_knows(event):
            continue
        elif event.is_step_failure:
            name = event.step_key or ""
            problems[name] = _problem(project, run, STEP, name, _sentence(event))
        else:
            over.append(f"{STEP}{event.step_key}")
    return list(problems.values()), over


def owner_knows(event: dg.DagsterEvent) -> bool:
    """Whether what failed was told when it failed: mails that did not arrive are."""
    failure = event.step_failure_data.user_failure_data
    told = failure.metadata.get(OWNER_TOLD) if failure is not None else None
    return told is not None and told.value is True


def _warns(evaluation: dg.AssetCheckEvaluation) -> bool:
    return evaluation.severity is dg.AssetCheckSeverity.WARN


def _problem(project: Project, run: dg.DagsterRun, kind: str, where: str, why: str) -> Problem:
    source = where.split(":")[0].replace("__", "/").split("/")
    body = "\n".join(
        [
            why,
            "",
            f"Where: {where}, job '{run.job_name}'",
            f"Days: {_days_of(run)}",
            f"Run: {run.run_id}",
            "Other sources of the same run went on. Nothing was mailed to readers from it.",
        ]
    )
    failed = "a check does not pass" if kind == CHECK else "failed"
    owner = owner_of(project, source[1]) if len(source) > 1 else None
    return Problem(f"{kind}{where}", f"{where} {failed}", body, owner)


def _sentence(event: dg.DagsterEvent) -> str:
    error = event.step_failure_data.error
    description = getattr(event.step_failure_data.user_failure_data, "description", None)
    return description or (error.message.strip() if error else "no error was recorded")


def _days_of(run: dg.DagsterRun) -> str:
    first = run.tags.get(RANGE_START) or run.tags.get(PARTITION) or "none"
    last = run.tags.get(RANGE_END)
    return f"{first} to {last}" if last else first
